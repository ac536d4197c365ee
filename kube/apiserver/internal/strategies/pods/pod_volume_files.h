#pragma once

#include "kube/apiserver/internal/strategies/field_check.h"

namespace coracle::kube::apiserver {

// Volumes whose files show what the API server knows. Each is given the source in the volume.
void check_key_files(const FieldCheck& source);       // secret, configMap
void check_downward_files(const FieldCheck& source);  // downwardAPI
void check_projected_files(const FieldCheck& source);

}  // namespace coracle::kube::apiserver
