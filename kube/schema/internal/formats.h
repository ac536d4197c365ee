#pragma once

#include <string>
#include <string_view>

namespace coracle::kube::internal {

// The formats of strings that a custom resource's schema may name. Unknown ones match every text, as upstream ignores
// them. Dashes in the name do not count: "date-time" is "datetime".
bool matches_format(std::string_view format, std::string_view text);

// The name without dashes if it is a known format, else empty.
std::string known_format(std::string_view format);

}  // namespace coracle::kube::internal
