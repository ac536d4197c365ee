#include <algorithm>
#include <iterator>
#include <utility>

#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/object/quantity.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

// Members of a volume's spec that are no volume source.
bool is_plain_volume_field(std::string_view field) {
  constexpr std::string_view kPlain[] = {
      "capacity",     "accessModes", "claimRef",     "persistentVolumeReclaimPolicy", "storageClassName",
      "mountOptions", "volumeMode",  "nodeAffinity", "volumeAttributesClassName"};
  return std::find(std::begin(kPlain), std::end(kPlain), field) != std::end(kPlain);
}

Value volume_source(const Value& spec) {
  Value::ObjectBuilder source;
  for (const Value::Member& member : spec.members()) {
    if (!is_plain_volume_field(member.key)) source.set(member.key, member.value);
  }
  return std::move(source).build();
}

Object prepare_volume(const WriteContext& write, const Object& object, const Object* old) {
  if (old != nullptr) return object;
  return object.with("status",
                     Value::object({{"phase", "Pending"}, {"lastPhaseTransitionTime", format_time(write.now)}}));
}

// The time of the last change of phase, unless the writer knows it better.
Object prepare_volume_status(const WriteContext& write, const Object& object, const Object& old) {
  const Value& status = object["status"];
  if (status["phase"] == old["status"]["phase"]) return object;
  const bool given = status.contains("lastPhaseTransitionTime") &&
                     !(status["lastPhaseTransitionTime"] == old["status"]["lastPhaseTransitionTime"]);
  return given ? object : object.with("status", status.with("lastPhaseTransitionTime", format_time(write.now)));
}

void check_volume(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  const Value source = volume_source(spec);
  if (spec["accessModes"].empty()) report(errors, field_error::required("spec.accessModes"));
  if (spec["capacity"].empty()) report(errors, field_error::required("spec.capacity"));
  if (source.empty()) errors.push_back(field_error::required("spec", "must specify a volume type"));
  for (std::size_t i = 1; i < source.size(); ++i) {
    errors.push_back(
        field_error::forbidden("spec." + source.members()[i].key, "may not specify more than 1 volume type"));
  }
  if (source.contains("hostPath") && source["hostPath"]["path"].as_string().empty()) {
    report(errors, field_error::required("spec.hostPath.path"));
  }
  if (source.contains("local") && !spec["nodeAffinity"].is_object()) {
    errors.push_back(field_error::required("spec.nodeAffinity", "Local volume requires node affinity"));
  }
  if (old == nullptr) return;
  if (!(source == volume_source((*old)["spec"]))) {
    errors.push_back(field_error::forbidden("spec.persistentvolumesource",
                                            "spec.persistentvolumesource is immutable after creation"));
  }
  const Value& affinity = (*old)["spec"]["nodeAffinity"];
  if (affinity.is_object() && !(spec["nodeAffinity"] == affinity)) {
    errors.push_back(field_error::invalid("spec.nodeAffinity", spec["nodeAffinity"], kImmutableField));
  }
}

// dataSource and dataSourceRef say the same where both can.
Object prepare_claim(const WriteContext&, const Object& object, const Object* old) {
  const Value& spec = object["spec"];
  const Value& source = spec["dataSource"];
  const Value& reference = spec["dataSourceRef"];
  Value changed = spec;
  if (source.is_object() && !reference.is_object()) changed = spec.with("dataSourceRef", source);
  const bool local = reference["namespace"].as_string().empty();
  if (reference.is_object() && !source.is_object() && local) changed = spec.with("dataSource", reference);
  const Object claim = changed.same_tree(spec) ? object : object.with("spec", changed);
  return old != nullptr ? claim : claim.with("status", Value::object({{"phase", "Pending"}}));
}

Value frozen_claim_part(const Value& spec) {
  Value::ObjectBuilder builder(spec);
  // Binding fills these in.
  builder.remove("volumeName").remove("volumeAttributesClassName").remove("storageClassName");
  const Value& resources = spec["resources"];
  const Value requests = resources["requests"].without("storage");
  builder.set("resources", requests.empty() ? resources.without("requests") : resources.with("requests", requests));
  return std::move(builder).build();
}

// A field that may be set once.
bool set_or_same(const Value& now, const Value& before) {
  return is_zero(before) || now == before;
}

void check_claim_change(const Object& object, const Object& old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  const Value& before = old["spec"];
  const bool same = frozen_claim_part(spec) == frozen_claim_part(before) &&
                    set_or_same(spec["volumeName"], before["volumeName"]) &&
                    set_or_same(spec["storageClassName"], before["storageClassName"]);
  if (!same) {
    errors.push_back(field_error::forbidden("spec",
                                            "spec is immutable after creation except resources.requests and "
                                            "volumeAttributesClassName for bound claims"));
  }
  const Value& wanted = spec["resources"]["requests"]["storage"];
  const auto size = Quantity::from_value(wanted);
  const auto had = Quantity::from_value(before["resources"]["requests"]["storage"]);
  const auto capacity = Quantity::from_value(old["status"]["capacity"]["storage"]);
  if (!size.ok() || !had.ok() || !capacity.ok() || *size == *had) return;
  if (old["status"]["phase"].as_string() != "Bound") {
    errors.push_back(field_error::forbidden("spec",
                                            "spec is immutable after creation except resources.requests and "
                                            "volumeAttributesClassName for bound claims"));
  } else if (*size < *had && *size <= *capacity) {
    errors.push_back(
        field_error::forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"));
  }
}

void check_claim(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  if (spec["accessModes"].empty()) {
    report(errors, field_error::required("spec.accessModes", "at least 1 access mode is required"));
  }
  const Value& storage = spec["resources"]["requests"]["storage"];
  const auto amount = Quantity::from_value(storage);
  if (storage.is_null()) {
    report(errors, field_error::required("spec.resources[storage]"));
  } else if (amount.ok() && amount->sign() <= 0) {
    errors.push_back(field_error::invalid("spec.resources[storage]", storage, "must be greater than zero"));
  }
  check_label_selector(spec["selector"], FieldPath("spec.selector"), errors);
  if (old != nullptr) check_claim_change(object, *old, errors);
}

void check_storage_class(const Object& object, const Object*, FieldErrors& errors) {
  const std::string_view provisioner = object["provisioner"].as_string();
  if (provisioner.empty()) report(errors, field_error::required("provisioner", std::string(provisioner)));
}

void check_csi_node(const Object& object, const Object* old, FieldErrors& errors) {
  if (old == nullptr) return;
  const Value& drivers = object["spec"]["drivers"];
  for (std::size_t i = 0; i < drivers.size(); ++i) {
    const Value& driver = drivers.at(i);
    for (const Value& before : (*old)["spec"]["drivers"].items()) {
      if (!(before["name"] == driver["name"])) continue;
      if (driver.without("allocatable") == before.without("allocatable")) continue;
      errors.push_back(field_error::invalid("spec.drivers[" + std::to_string(i) + "]", driver, kImmutableField));
    }
  }
}

void check_attachment(const Object& object, const Object*, FieldErrors& errors) {
  const Value& spec = object["spec"];
  for (const char* field : {"attacher", "nodeName"}) {
    if (spec[field].as_string().empty()) report(errors, field_error::required(std::string("spec.") + field));
  }
  const Value& source = spec["source"];
  const bool named = !source["persistentVolumeName"].as_string().empty();
  const bool inlined = source["inlineVolumeSpec"].is_object();
  if (!named && !inlined) {
    report(errors,
           field_error::required("spec.source", "must specify one of inlineVolumeSpec and persistentVolumeName"));
  } else if (named && inlined) {
    errors.push_back(field_error::forbidden("spec.source",
                                            "must specify exactly one of inlineVolumeSpec and "
                                            "persistentVolumeName"));
  }
}

// podCIDRs and the provider's id are given once.
void check_node(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  const Value& taints = spec["taints"];
  for (std::size_t i = 0; i < taints.size(); ++i) {
    const FieldPath at = FieldPath("spec.taints").index(i);
    const Value& taint = taints.at(i);
    add_name_errors(at.child("key"), taint["key"], check_qualified_name(taint["key"].as_string()), errors);
    add_name_errors(at.child("value"), taint["value"], check_label_value(taint["value"].as_string()), errors);
    for (std::size_t j = 0; j < i; ++j) {
      if (!(taints.at(j)["key"] == taint["key"]) || !(taints.at(j)["effect"] == taint["effect"])) continue;
      errors.push_back(field_error::duplicate(at.text(), taint));
      break;
    }
  }
  if (old == nullptr) return;
  const Value& before = (*old)["spec"];
  if (!before["podCIDRs"].empty() && !(spec["podCIDRs"] == before["podCIDRs"])) {
    errors.push_back(
        field_error::forbidden("spec.podCIDRs", "node updates may not change podCIDR except from \"\" to valid"));
  }
  const Value& provider = before["providerID"];
  if (!provider.as_string().empty() && !(spec["providerID"] == provider)) {
    errors.push_back(
        field_error::forbidden("spec.providerID", "node updates may not change providerID except from \"\" to valid"));
  }
}

Object prepare_node(const WriteContext&, const Object& object, const Object*) {
  const Value& spec = object["spec"];
  return spec.contains("configSource") ? object.with("spec", spec.without("configSource")) : object;
}

constexpr FrozenField kFrozenClass[] = {
    {"parameters", "updates to parameters are forbidden.", true},
    {"provisioner", "updates to provisioner are forbidden.", true},
    {"reclaimPolicy", "updates to reclaimPolicy are forbidden.", true},
};
constexpr std::string_view kStorageGroup = "storage.k8s.io";

constexpr ResourceRules kStorageRules[] = {
    {"", "nodes", prepare_node, nullptr, check_node, nullptr, {}, "Background", true},
    {"", "persistentvolumes", prepare_volume, prepare_volume_status, check_volume},
    {"", "persistentvolumeclaims", prepare_claim, nullptr, check_claim},
    {kStorageGroup, "storageclasses", nullptr, nullptr, check_storage_class, nullptr, kFrozenClass},
    {kStorageGroup, "csinodes", nullptr, nullptr, check_csi_node},
    {kStorageGroup, "volumeattachments", nullptr, nullptr, check_attachment},
};

}  // namespace

std::span<const ResourceRules> storage_rules() {
  return kStorageRules;
}

}  // namespace coracle::kube::apiserver
