#pragma once

#include <cstdint>

#include "kube/apiserver/internal/strategies/field_check.h"

// What upstream asks alike of a kind of volume in a pod and in a PersistentVolume.
namespace coracle::kube::apiserver {

inline constexpr std::int64_t kHighestLun = 255;

void check_host_path(const FieldCheck& source);
void check_partition(const FieldCheck& source);
void check_nfs(const FieldCheck& source);
void check_flocker(const FieldCheck& source);
void check_fibre_channel(const FieldCheck& source);
void check_flex(const FieldCheck& source);
void check_azure_disk(const FieldCheck& source);

}  // namespace coracle::kube::apiserver
