#pragma once

#include <span>
#include <string_view>

#include "charts/template/go_value.h"

namespace coracle::charts {

// Methods that templates can call on values: .Capabilities.APIVersions.Has, .Values.AsMap,
// .Files.Get, (now).Format and the like.
bool has_method(const GoValue& receiver, std::string_view name);
Result<GoValue> invoke_method(const GoValue& receiver, std::string_view name, std::span<const GoValue> args);

// .Files: a map of names to contents with methods.
GoValue make_files(const std::map<std::string, std::string, std::less<>>& files);

}  // namespace coracle::charts
