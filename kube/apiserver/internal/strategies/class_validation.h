#pragma once

#include "kube/apiserver/resource.h"

namespace coracle::kube::apiserver {

// runtimeclasses
void check_runtime_class(const Object& object, const Object* old, FieldErrors& errors);

// priorityclasses
Object prepare_priority_class(const WriteContext& write, const Object& object, const Object* old);
void check_priority_class(const Object& object, const Object* old, FieldErrors& errors);

}  // namespace coracle::kube::apiserver
