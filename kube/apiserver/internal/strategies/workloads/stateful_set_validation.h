#pragma once

#include <string>
#include <vector>

#include "kube/apiserver/internal/resource.h"

namespace coracle::kube::apiserver {

// The hooks of StatefulSets; `old` is null on create.
Object prepare_stateful_set(const WriteContext& write, const Object& object, const Object* old);
void check_stateful_set(const Object& object, const Object* old, FieldErrors& errors);
std::vector<std::string> warn_about_stateful_set(const Object& object, const Object* old);

}  // namespace coracle::kube::apiserver
