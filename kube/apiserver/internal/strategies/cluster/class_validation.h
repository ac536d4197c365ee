#pragma once

#include <string>
#include <vector>

#include "kube/apiserver/internal/resource.h"

namespace coracle::kube::apiserver {

// runtimeclasses
void check_runtime_class(const Object& object, const Object* old, FieldErrors& errors);
std::vector<std::string> runtime_class_warnings(const Object& object, const Object* old);

// priorityclasses
Object prepare_priority_class(const WriteContext& write, const Object& object, const Object* old);
std::string_view priority_class_deletion_refusal(std::string_view name);
void check_priority_class(const Object& object, const Object* old, FieldErrors& errors);

}  // namespace coracle::kube::apiserver
