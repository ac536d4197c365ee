#include <utility>

#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/internal_form.h"
#include "kube/apiserver/internal/strategies/resource_names.h"
#include "kube/apiserver/internal/strategies/storage/volume_validation.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/object/quantity.h"
#include "kube/object/resource_amounts.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kClassAnnotation = "volume.beta.kubernetes.io/storage-class";
constexpr std::string_view kFrozenClaim =
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";

// The two kinds of source that the older of the fields has always known.
bool is_classic_source(const Value& source) {
  const std::string_view group = source["apiGroup"].as_string();
  const std::string_view kind = source["kind"].as_string();
  return (kind == "PersistentVolumeClaim" && group.empty()) ||
         (kind == "VolumeSnapshot" && group == "snapshot.storage.k8s.io");
}

// dataSource and dataSourceRef say the same where both can.
Value with_both_sources(const Value& spec) {
  const Value& source = spec["dataSource"];
  const Value& reference = spec["dataSourceRef"];
  if (source.is_object() && !reference.is_object()) return spec.with("dataSourceRef", source);
  const bool local = reference["namespace"].as_string().empty();
  if (!reference.is_object() || source.is_object() || !local) return spec;
  return spec.with("dataSource", reference.without("namespace"));
}

Value prepared_spec(Value spec, const Value& before) {
  // The gate of sources in other namespaces is off.
  if (!spec["dataSourceRef"]["namespace"].as_string().empty() && !before["dataSourceRef"].is_object()) {
    spec = spec.without("dataSourceRef");
  }
  // Claims were served before there were other sources, and clients then wrote what they liked.
  const bool had_source = before["dataSource"].is_object() || before["dataSourceRef"].is_object();
  const Value& source = spec["dataSource"];
  if (source.is_object() && !had_source && !spec["dataSourceRef"].is_object() && !is_classic_source(source)) {
    spec = spec.without("dataSource");
  }
  return with_both_sources(spec);
}

void check_source(const Value& source, const FieldPath& path, bool any_group, FieldErrors& errors) {
  if (!source.is_object()) return;
  const std::string_view kind = source["kind"].as_string();
  const std::string_view group = source["apiGroup"].as_string();
  for (const char* field : {"name", "kind"}) {
    if (source[field].as_string().empty()) errors.push_back(field_error::required(path.child(field).text()));
  }
  if (group.empty() && kind != "PersistentVolumeClaim") {
    errors.push_back(field_error::invalid(path.text(), kind,
                                          "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  }
  if (!group.empty() && !any_group) {
    add_name_errors(path.child("apiGroup"), group, check_dns1123_subdomain(group), errors);
  }
  const std::string_view place = source["namespace"].as_string();
  if (!place.empty()) add_name_errors(path.child("namespace"), place, check_dns1123_label(place), errors);
}

bool same_claim_resources(const Value& now, const Value& before, bool storage_may_change) {
  ResourceAmounts wanted = read_amounts(now["requests"]);
  ResourceAmounts had = read_amounts(before["requests"]);
  if (storage_may_change && !now["requests"].is_null()) {
    wanted.erase("storage");
    had.erase("storage");
  }
  return wanted == had && read_amounts(now["limits"]) == read_amounts(before["limits"]);
}

// The class may be named once; what an annotation said before there was the field has to agree with it.
bool same_class(const Object& object, const Object& old) {
  const Value& now = object["spec"]["storageClassName"];
  const Value& before = old["spec"]["storageClassName"];
  if (now == before) return true;
  const Value& annotated = old.metadata()["annotations"][kClassAnnotation];
  return before.is_null() && (annotated.is_null() || annotated == now);
}

bool same_frozen_part(const Object& object, const Object& old, bool bound) {
  const Value& spec = object["spec"];
  const Value& before = old["spec"];
  const Value sources = with_both_sources(before);
  for (const char* field : {"accessModes", "selector", "volumeMode"}) {
    if (!(spec[field] == before[field])) return false;
  }
  const bool named = before["volumeName"].as_string().empty() || spec["volumeName"] == before["volumeName"];
  const bool same_attributes = bound || spec["volumeAttributesClassName"] == before["volumeAttributesClassName"];
  return named && same_attributes && same_class(object, old) && spec["dataSource"] == sources["dataSource"] &&
         spec["dataSourceRef"] == sources["dataSourceRef"] &&
         same_claim_resources(spec["resources"], before["resources"], bound);
}

// What of the spec is different, without what may be.
std::string claim_diff(const Object& object, const Object& old, bool bound) {
  Value spec = object["spec"];
  Value before = with_both_sources(old["spec"]);
  const auto amounts_of = [](const Value& resources) {
    Value::ObjectBuilder amounts;
    for (const Value::Member& member : resources.members()) amounts.set(member.key, internal_amounts(member.value));
    return std::move(amounts).build();
  };
  if (before["volumeName"].as_string().empty()) before = before.with("volumeName", spec["volumeName"]);
  if (same_class(object, old)) spec = spec.with("storageClassName", before["storageClassName"]);
  if (bound) {
    const Value& requests = spec["resources"]["requests"];
    const Value& had = before["resources"]["requests"]["storage"];
    if (!requests.is_null()) {
      spec = spec.with("resources", spec["resources"].with("requests", requests.with("storage", had)));
    }
    spec = spec.with("volumeAttributesClassName", before["volumeAttributesClassName"]);
  }
  spec = spec.with("resources", amounts_of(spec["resources"]));
  before = before.with("resources", amounts_of(before["resources"]));
  return internal_diff(internal_form(before, claim_form()), internal_form(spec, claim_form()));
}

void check_class_annotation(const Object& object, const Object& old, FieldErrors& errors) {
  const std::string_view now = object.annotation(kClassAnnotation);
  const std::string_view before = old.annotation(kClassAnnotation);
  // The field may take the annotation's place.
  if (now == before || (now.empty() && object["spec"]["storageClassName"].as_string() == before)) return;
  errors.push_back(field_error::invalid("metadata.annotations." + std::string(kClassAnnotation), now, kImmutableField));
}

void check_attributes_change(const Value& spec, const Object& old, FieldErrors& errors) {
  const Value& now = spec["volumeAttributesClassName"];
  const Value& applied = old["status"]["currentVolumeAttributesClassName"];
  if (now == old["spec"]["volumeAttributesClassName"] || applied.is_null() || !now.as_string().empty()) return;
  errors.push_back(field_error::forbidden("spec.volumeAttributesClassName",
                                          std::string(now.is_null() ? "update to nil" : "update to empty string") +
                                              " is forbidden when status.currentVolumeAttributesClassName is not nil"));
}

Quantity storage_amount(const Value& amounts) {
  const auto amount = Quantity::from_value(amounts["storage"]);
  return amount.ok() ? *amount : Quantity();
}

void check_claim_change(const Object& object, const Object& old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  const Value& before = old["spec"];
  check_class_annotation(object, old, errors);
  const bool bound = old["status"]["phase"].as_string() == "Bound";
  if (!same_frozen_part(object, old, bound)) {
    errors.push_back(field_error::forbidden("spec", std::string(kFrozenClaim) + "\n" + claim_diff(object, old, bound)));
  }
  // Smaller is for those whose growing has failed.
  const Quantity wanted = storage_amount(spec["resources"]["requests"]);
  if (wanted < storage_amount(before["resources"]["requests"]) && wanted <= storage_amount(old["status"]["capacity"])) {
    errors.push_back(
        field_error::forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"));
  }
  if (!(spec["volumeMode"] == before["volumeMode"])) {
    errors.push_back(field_error::invalid("volumeMode", spec["volumeMode"], kImmutableField));
  }
  check_attributes_change(spec, old, errors);
}

bool check_claim_resource(std::string_view name, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kStorage[] = {"storage"};
  const NameErrors findings = check_qualified_name(name);
  add_name_errors(path, name, findings, errors);
  if (!findings.empty()) return false;
  if (!is_native_resource(name) || name == kStorage[0]) return true;
  errors.push_back(field_error::not_supported(path.text(), name, kStorage));
  return false;
}

bool check_basic_amount(const Value& amount, const FieldPath& path, FieldErrors& errors) {
  const auto quantity = Quantity::from_value(amount);
  if (!quantity.ok() || quantity->value() >= 0) return true;
  errors.push_back(field_error::invalid(path.text(), quantity->value(), "must be a valid resource quantity"));
  return false;
}

}  // namespace

void check_claim_sources(const Value& spec, const Value& before, const FieldPath& path, FieldErrors& errors) {
  const Value& source = spec["dataSource"];
  const Value& reference = spec["dataSourceRef"];
  const bool any_group = before["dataSource"].contains("apiGroup") || before["dataSourceRef"].contains("apiGroup");
  check_source(source, path.child("dataSource"), any_group, errors);
  check_source(reference, path.child("dataSourceRef"), any_group, errors);
  if (!source.is_object() || !reference.is_object()) return;
  if (!reference["namespace"].as_string().empty()) {
    errors.push_back(field_error::invalid(path.text(), Value::object(),
                                          "may not be specified when dataSourceRef.namespace is specified"));
  } else if (!(source == reference.without("namespace"))) {
    errors.push_back(field_error::invalid(path.text(), Value::object(), "must match dataSourceRef"));
  }
}

void check_claim_amount(const Value& resources, const FieldPath& path, FieldErrors& errors) {
  const Value& storage = resources["requests"]["storage"];
  const auto amount = Quantity::from_value(storage);
  if (storage.is_null()) {
    errors.push_back(field_error::required(path.key("storage").text()));
  } else if (amount.ok() && amount->sign() <= 0) {
    errors.push_back(field_error::invalid(path.key("storage").text(), amount->text(), "must be greater than zero"));
  }
}

Object prepare_claim(const WriteContext&, const Object& object, const Object* old) {
  const Value& spec = object["spec"];
  const Value changed = prepared_spec(spec, old == nullptr ? Value() : (*old)["spec"]);
  const Object claim = changed.same_tree(spec) ? object : object.with("spec", changed);
  return old != nullptr ? claim : claim.with("status", Value::object({{"phase", "Pending"}}));
}

void check_claim(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  const Value before = old == nullptr ? Value() : (*old)["spec"];
  check_access_modes(spec["accessModes"], kMissingAccessMode, FieldPath("spec.accessModes"), errors);
  if (before.is_null() || !(spec["selector"] == before["selector"])) {
    check_label_selector(spec["selector"], FieldPath("spec.selector"), errors);
  }
  check_claim_amount(spec["resources"], FieldPath("spec.resources"), errors);
  check_class_name(spec["storageClassName"], FieldPath("spec.storageClassName"), errors);
  check_volume_mode(spec["volumeMode"], FieldPath("spec.volumeMode"), errors);
  check_claim_sources(spec, before, FieldPath("spec"), errors);
  check_class_name(spec["volumeAttributesClassName"], FieldPath("spec.volumeAttributesClassName"), errors);
  if (old != nullptr) check_claim_change(object, *old, errors);
}

void check_claim_status(const Object& object, const Object&, FieldErrors& errors) {
  constexpr std::string_view kStates[] = {"ControllerResizeInProgress", "ControllerResizeInfeasible",
                                          "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"};
  const Value& status = object["status"];
  for (const Value::Member& member : status["capacity"].members()) {
    check_basic_amount(member.value, FieldPath("status.capacity").key(member.key), errors);
  }
  const FieldPath states("status.allocatedResourceStatuses");
  for (const Value::Member& member : status["allocatedResourceStatuses"].members()) {
    check_claim_resource(member.key, states, errors);
    const std::string_view state = member.value.as_string();
    if (is_listed(state, kStates)) continue;
    // Upstream shows the resource's name for the state.
    errors.push_back(field_error::not_supported(states.text(), member.key, kStates));
  }
  const FieldPath allocated("status.allocatedResources");
  for (const Value::Member& member : status["allocatedResources"].members()) {
    if (!check_claim_resource(member.key, allocated, errors)) continue;
    check_basic_amount(member.value, allocated.key(member.key), errors);
  }
}

std::vector<std::string> claim_warnings(const Object& object, const Object*) {
  std::vector<std::string> warnings;
  if (object.metadata()["annotations"].contains(kClassAnnotation)) {
    warnings.push_back(FieldPath("metadata.annotations").key(kClassAnnotation).text() +
                       ": deprecated since v1.8; use \"storageClassName\" attribute instead");
  }
  for (const char* part : {"requests", "limits"}) {
    constexpr std::int64_t kMilli = 1000;
    const Quantity amount = storage_amount(object["spec"]["resources"][part]);
    if (amount.milli_value() % kMilli == 0) continue;
    warnings.push_back("spec.resources." + std::string(part) + "[storage]: fractional byte value \"" + amount.text() +
                       "\" is invalid, must be an integer");
  }
  return warnings;
}

}  // namespace coracle::kube::apiserver
