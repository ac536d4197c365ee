#pragma once

#include <cstdint>
#include <stop_token>

#include "base/http/message.h"

namespace coracle::http::internal {

// One request and its answer. The session that read it and the task that answers it share it: the task
// writes `response` before it posts mail, the session reads it after that.
struct Exchange {
  Request request;
  Response response;
  std::stop_source stop;  // asked when nobody waits for the answer any more
  std::uint64_t connection = 0;
  std::uint32_t stream = 0;
};

}  // namespace coracle::http::internal
