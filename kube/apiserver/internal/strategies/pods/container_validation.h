#pragma once

#include <string_view>

#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/pods/pod_template.h"
#include "kube/apiserver/internal/strategies/pods/pod_volumes.h"

namespace coracle::kube::apiserver {

// Containers, init containers and ephemeral containers of a pod spec: names that are unique among all
// of them, images, ports, environment, mounts of `volumes`, amounts, probes and hooks.
void check_containers(const FieldCheck& spec, const PodVolumes& volumes, const PodSpecOptions& options);

// Images of a pod, which a template may still leave to be filled in: no blanks around them.
void check_images_of_pod(const FieldCheck& spec);

// In the order in which upstream looks at all containers of a pod.
template <class Visit>
void visit_containers(const FieldCheck& spec, Visit visit) {
  for (const std::string_view list : {"initContainers", "containers", "ephemeralContainers"}) spec[list].each(visit);
}

}  // namespace coracle::kube::apiserver
