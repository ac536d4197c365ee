#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/devices/device_validation.h"
#include "kube/apiserver/internal/strategies/internal_form.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

// The spec of a claim cannot be changed, so nothing else of it needs another look.
void check_claim_object(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  if (old == nullptr) {
    check_device_claim(spec["devices"], FieldPath("spec.devices"), errors);
  } else if (!(spec == (*old)["spec"])) {
    errors.push_back(field_error::invalid("spec", internal_form(spec, device_claim_form()), kImmutableField));
  }
}

void check_claim_template(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& metadata = object["spec"]["metadata"];
  const FieldPath path("spec.metadata");
  for (const Value::Member& member : metadata["annotations"].members()) {
    add_name_errors(path.child("annotations"), member.key, check_qualified_name(to_lower(member.key)), errors);
  }
  check_labels(metadata["labels"], path.child("labels"), errors);
  for (const Value::Member& member : metadata.members()) {
    if (member.key == "annotations" || member.key == "labels" || is_zero(member.value)) continue;
    // Upstream's name of the field, but for its first letter.
    const std::string_view shown = member.key == "uid" ? "uID" : std::string_view(member.key);
    errors.push_back(field_error::forbidden(path.child(shown).text(), "cannot be set"));
  }
  check_device_claim(object["spec"]["spec"]["devices"], FieldPath("spec.spec.devices"), errors);
  if (old == nullptr || object["spec"] == (*old)["spec"]) return;
  const Value form = internal_form(object["spec"]["spec"], device_claim_form());
  errors.push_back(field_error::invalid("spec", metadata.with("Spec", form), kImmutableField));
}

// The gates of attributes with several values and of what nodes allocate themselves are off.
Object prepare_slice(const WriteContext&, const Object& object, const Object*) {
  const Value& devices = object["spec"]["devices"];
  if (devices.empty()) return object;
  Value::ArrayBuilder kept;
  for (const Value& device : devices.items()) {
    Value::ObjectBuilder attributes;
    for (const Value::Member& member : device["attributes"].members()) {
      attributes.set(member.key, member.value.without("bools").without("ints").without("strings").without("versions"));
    }
    const Value without = device.without("nodeAllocatableResourceMappings");
    kept.add(device["attributes"].empty() ? without : without.with("attributes", std::move(attributes).build()));
  }
  return object.with("spec", object["spec"].with("devices", std::move(kept).build()));
}

std::vector<std::string> slice_warnings(const Object& object, const Object*) {
  const std::string_view driver = object["spec"]["driver"].as_string();
  if (to_lower(driver) == driver) return {};
  return {"spec.driver: driver names should be lowercase; \"" + std::string(driver) +
          "\" contains uppercase characters"};
}

constexpr FrozenField kFrozenSlice[] = {{"spec.pool.name"}, {"spec.driver"}, {"spec.nodeName"}};
constexpr std::string_view kDeviceGroup = "resource.k8s.io";

constexpr ResourceRules kDeviceRules[] = {
    {.group = kDeviceGroup, .resource = "deviceclasses", .check = check_device_class, .replaces_schema = true},
    {.group = kDeviceGroup,
     .resource = "resourceclaims",
     .check = check_claim_object,
     .check_status = check_device_claim_status,
     .replaces_schema = true},
    {.group = kDeviceGroup,
     .resource = "resourceclaimtemplates",
     .check = check_claim_template,
     .replaces_schema = true},
    {.group = kDeviceGroup,
     .resource = "resourceslices",
     .prepare = prepare_slice,
     .check = check_device_slice,
     .warn = slice_warnings,
     .frozen = kFrozenSlice,
     .replaces_schema = true},
};

}  // namespace

std::span<const ResourceRules> device_rules() {
  return kDeviceRules;
}

}  // namespace coracle::kube::apiserver
