#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kube/schema/schema.h"

namespace coracle::kube::internal {

// At most so many findings are collected for one body, as upstream does.
inline constexpr std::size_t kMaxFindings = 100;

// Walks over well-formed JSON text and tells unknown and repeated fields in the order of the document:
// `unknown field "spec.x"`, `duplicate field "data.a"`. Each is told once. Costs a second look at the text, so it is
// for bodies that are known to have something to tell.
std::vector<std::string> strict_scan(std::string_view text, const Schema& schema);

}  // namespace coracle::kube::internal
