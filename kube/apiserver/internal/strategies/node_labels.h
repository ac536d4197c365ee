#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "kube/object/field_path.h"

// Labels of nodes that have newer names, and the warnings of those who choose nodes by them.
namespace coracle::kube::apiserver {

// What to use instead; empty for any other label.
std::string_view old_node_label_text(std::string_view label);

// The expressions of a node selector's term, or of a label selector; `path` is that of what has matchExpressions.
void warn_about_old_expressions(const Value& term, const FieldPath& path, std::vector<std::string>& warnings);

}  // namespace coracle::kube::apiserver
