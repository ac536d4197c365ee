#pragma once

#include <string_view>
#include <vector>

#include "kube/apiserver/internal/resource.h"
#include "kube/object/field_path.h"

namespace coracle::kube::apiserver {

// persistentvolumes
Object prepare_volume(const WriteContext& write, const Object& object, const Object* old);
Object prepare_volume_status(const WriteContext& write, const Object& object, const Object& old);
void check_volume(const Object& object, const Object* old, FieldErrors& errors);
std::vector<std::string> volume_warnings(const Object& object, const Object* old);

// A PersistentVolume's spec inside a VolumeAttachment: a CSI source and little else.
void check_inline_volume(const Value& spec, const FieldPath& path, FieldErrors& errors);

// persistentvolumeclaims
Object prepare_claim(const WriteContext& write, const Object& object, const Object* old);
void check_claim(const Object& object, const Object* old, FieldErrors& errors);
void check_claim_status(const Object& object, const Object& old, FieldErrors& errors);
std::vector<std::string> claim_warnings(const Object& object, const Object* old);

// What claims share with those that pods make: how much is asked for, in `resources`.
void check_claim_amount(const Value& resources, const FieldPath& path, FieldErrors& errors);
// From what a claim's volume is filled: dataSource and dataSourceRef of `spec`.
void check_claim_sources(const Value& spec, const Value& before, const FieldPath& path, FieldErrors& errors);
inline constexpr std::string_view kMissingAccessMode = "at least 1 access mode is required";

// What volumes and claims share: what may be done with the volume by how many at once, "Block" or "Filesystem", and
// the name of a class. `missing` is said where there is no mode.
void check_access_modes(const Value& modes, std::string_view missing, const FieldPath& path, FieldErrors& errors);
void check_volume_mode(const Value& mode, const FieldPath& path, FieldErrors& errors);
void check_class_name(const Value& name, const FieldPath& path, FieldErrors& errors);

}  // namespace coracle::kube::apiserver
