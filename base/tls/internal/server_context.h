#pragma once

#include <memory>

#include "base/tls/internal/openssl.h"
#include "base/tls/tls.h"

namespace coracle::tls::internal {

// The settings that new connections use. The reference keeps them alive while a handshake runs.
std::shared_ptr<SSL_CTX> server_context(const ServerCredentials& credentials);

}  // namespace coracle::tls::internal
