#pragma once

#include "kube/apiserver/internal/strategies/field_check.h"

namespace coracle::kube::apiserver {

// spec.os, and what pods of that system cannot have.
void check_os(const FieldCheck& spec);
// Windows containers that are processes of the host: all of a pod, or none.
void check_host_processes(const FieldCheck& spec);
// securityContext.windowsOptions of a pod or a container.
void check_windows_options(const FieldCheck& options);

}  // namespace coracle::kube::apiserver
