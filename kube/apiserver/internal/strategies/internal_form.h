#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/value.h"

namespace coracle::kube::apiserver {

// Upstream prints some values as its own structures have them: other names, every field. This says how one looks.
struct InternalField {
  std::string_view json;                      // our name
  std::string_view name;                      // upstream's
  std::string_view absent = "null";           // the JSON of a value that is not there; empty: left out
  std::span<const InternalField> inner = {};  // of the structure in it, or of each one in a list
};

// What absent values that are no pointers look like.
inline constexpr std::string_view kNoText = R"("")";
inline constexpr std::string_view kNoNumber = "0";

Value internal_form(const Value& value, std::span<const InternalField> fields);

// Amounts need no form of their own, but upstream prints them canonically.
Value internal_amounts(const Value& amounts);

std::span<const InternalField> label_selector_form();
std::span<const InternalField> claim_form();          // PersistentVolumeClaimSpec
std::span<const InternalField> volume_source_form();  // PersistentVolumeSource
std::span<const InternalField> attachment_form();     // VolumeAttachmentSpec
std::span<const InternalField> device_claim_form();   // ResourceClaimSpec
std::span<const InternalField> node_affinity_form();  // VolumeNodeAffinity
std::span<const InternalField> node_selector_form();
std::span<const InternalField> node_driver_form();  // CSINodeDriver
std::span<const InternalField> toleration_form();
std::span<const InternalField> taint_form();
std::span<const InternalField> scope_selector_form();

// What became of `before` in `after`, both as pretty JSON: a unified diff without a header.
std::string internal_diff(const Value& before, const Value& after);

}  // namespace coracle::kube::apiserver
