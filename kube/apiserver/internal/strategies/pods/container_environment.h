#pragma once

#include "kube/apiserver/internal/strategies/field_check.h"

namespace coracle::kube::apiserver {

// A container's env and envFrom.
void check_environment(const FieldCheck& container);

// What a downward API file may show: the pod's fields, a container's resources.
void check_volume_field_ref(const FieldCheck& reference);
void check_volume_resource_ref(const FieldCheck& reference);

// A path that stays where it begins: relative, without "..".
void check_descending_path(const FieldCheck& path);

}  // namespace coracle::kube::apiserver
