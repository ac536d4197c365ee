#pragma once

#include <memory>

#include "kube/apiserver/internal/resource.h"

namespace coracle::kube::apiserver {

// CertificateSigningRequest: the spec says who asked and never changes; /approval changes conditions
// only; /status may set the certificate once and may not touch approvals.
std::shared_ptr<const Strategy> make_certificate_request_strategy();

}  // namespace coracle::kube::apiserver
