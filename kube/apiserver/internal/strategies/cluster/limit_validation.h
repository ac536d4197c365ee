#pragma once

#include <string>
#include <vector>

#include "kube/apiserver/internal/resource.h"

namespace coracle::kube::apiserver {

void check_limit_range(const Object& object, const Object* old, FieldErrors& errors);

void check_quota(const Object& object, const Object* old, FieldErrors& errors);
void check_quota_status(const Object& object, const Object& old, FieldErrors& errors);
std::vector<std::string> quota_warnings(const Object& object, const Object* old);

}  // namespace coracle::kube::apiserver
