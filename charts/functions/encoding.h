#pragma once

#include <string>

#include "charts/template/go_value.h"

namespace coracle::charts {

// sigs.k8s.io/yaml without the last newline, and encoding/json, over template values.
Result<std::string> go_to_yaml(const GoValue& value);
Result<std::string> go_to_json(const GoValue& value);
// As Go reads JSON and YAML into an interface: every number becomes float64.
GoValue value_from_document(const Value& value);

}  // namespace coracle::charts
