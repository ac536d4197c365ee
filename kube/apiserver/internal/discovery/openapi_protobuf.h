#pragma once

#include <string>

#include "base/value.h"

namespace coracle::kube::apiserver {

// An OpenAPI 2.0 document as the message openapi.v2.Document, which kubectl up to 1.26 asks for.
std::string openapi_v2_protobuf(const Value& document);

}  // namespace coracle::kube::apiserver
