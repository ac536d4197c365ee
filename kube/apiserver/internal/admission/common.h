#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "kube/apiserver/internal/admission.h"

namespace coracle::kube::apiserver {

// Is the request about this built-in resource (and subresource; "" is the resource itself)?
bool concerns(const AdmissionAttributes& attributes, std::string_view group, std::string_view resource,
              std::string_view subresource = "");

// `pods "x" is forbidden: <why>` of the object that is written; its generateName stands in for a name.
Error admission_forbidden(const AdmissionAttributes& attributes, const Object* object, std::string_view why);

// The object with one field of spec set; null removes it.
Object with_spec(const Object& object, std::string_view field, Value value);

// The list with one more item.
Value list_with(const Value& list, Value item);

// One text as it is, several as upstream's aggregate of errors: "[a, b]"; each only once.
std::string aggregate_text(const std::vector<std::string>& texts);

}  // namespace coracle::kube::apiserver
