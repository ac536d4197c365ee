#pragma once

#include <string>
#include <string_view>

#include "base/value.h"

// Values in the words of Go's libraries: people search for the error texts of upstream's programs, which quote so.
namespace coracle {

// fmt's %v: map[a:1 b:[x y]]
std::string go_text(const Value& value);
// fmt's %#v: map[string]interface {}{"a":1}. go-yaml's maps are of another type.
std::string go_syntax(const Value& value, std::string_view map_type = "map[string]interface {}");
// fmt's %T of what encoding/json makes: []interface {}
std::string_view go_type_name(const Value& value);
// encoding/json's name of a value that fits no field: null, bool, number, string, array, object.
std::string_view json_kind_name(const Value& value);

}  // namespace coracle
