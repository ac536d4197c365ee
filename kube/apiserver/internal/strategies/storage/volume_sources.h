#pragma once

#include <string_view>
#include <vector>

#include "kube/apiserver/internal/resource.h"
#include "kube/object/field_path.h"

namespace coracle::kube::apiserver {

// The sources in a PersistentVolume's spec, which may have one: `volume` is the object's name, "" for a spec inside
// another object.
void check_volume_sources(const Value& spec, std::string_view volume, const FieldPath& path, FieldErrors& errors);

// The spec's sources without everything else in it.
Value volume_source_of(const Value& spec);

// What warns of the sources that no kubelet mounts any more.
std::vector<std::string> volume_source_warnings(const Value& spec);

// The name of a CSI driver, as CSI restricts it.
void check_csi_driver_name(const Value& name, const FieldPath& path, FieldErrors& errors);

}  // namespace coracle::kube::apiserver
