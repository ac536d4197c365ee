#pragma once

#include <memory>

#include "base/tls/tls.h"

namespace coracle {

// Credentials of a server on 127.0.0.1 that no client trusts.
Result<std::shared_ptr<tls::ServerCredentials>> self_signed_credentials(WallTime now);

}  // namespace coracle
