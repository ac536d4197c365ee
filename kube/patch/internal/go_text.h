#pragma once

#include <string>

#include "base/value.h"

// Values in the words of Go's fmt package: error texts of the API server quote them so.
namespace coracle::kube::patch::internal {

// %v: map[a:1 b:[x y]]
std::string go_text(const Value& value);
// %#v: map[string]interface {}{"a":1}
std::string go_syntax(const Value& value);

}  // namespace coracle::kube::patch::internal
