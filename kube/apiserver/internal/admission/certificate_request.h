#pragma once

#include <string_view>

#include "base/tls/tls.h"

namespace coracle::kube::apiserver {

// The subject of a PKCS #10 request in PEM ("CERTIFICATE REQUEST"). BadRequest when it cannot be read.
// The request's signature is not checked: whoever signs a certificate does that.
Result<tls::Name> certificate_request_subject(std::string_view pem);

}  // namespace coracle::kube::apiserver
