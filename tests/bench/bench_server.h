#pragma once

#include "base/executor.h"
#include "base/http/message.h"
#include "base/log.h"

namespace coracle {

// Serves HTTPS on a port of 127.0.0.1, with a certificate that no client trusts, says on standard output when it is
// ready, and returns when standard input ends.
Result<void> serve_until_input_ends(Executor& executor, http::Handler& handler, std::uint16_t port, const Logger& log);

}  // namespace coracle
