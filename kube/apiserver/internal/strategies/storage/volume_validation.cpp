#include "kube/apiserver/internal/strategies/storage/volume_validation.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/internal_form.h"
#include "kube/apiserver/internal/strategies/node_labels.h"
#include "kube/apiserver/internal/strategies/node_selector_validation.h"
#include "kube/apiserver/internal/strategies/storage/volume_sources.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/object/quantity.h"
#include "kube/object/resource_amounts.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

// What an inline volume may not say, or only so.
constexpr std::string_view kInlineText = "may not be specified in the context of inline volumes";

void check_capacity(const Value& capacity, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kStorage[] = {"storage"};
  const ResourceAmounts amounts = read_amounts(capacity);
  if (amounts.empty()) errors.push_back(field_error::required(path.text()));
  if (amounts.size() != 1 || amounts.begin()->first != "storage") {
    const Value shown = amounts.empty() ? capacity : write_amounts(amounts);
    errors.push_back(field_error::not_supported(path.text(), shown, kStorage));
  }
  for (const auto& [name, amount] : amounts) {
    const std::string at = path.key(name).text();
    if (amount.value() < 0) {
      errors.push_back(field_error::invalid(at, amount.value(), "must be a valid resource quantity"));
    }
    if (amount.sign() <= 0) errors.push_back(field_error::invalid(at, amount.text(), "must be greater than zero"));
  }
}

void check_reclaim_policy(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kPolicies[] = {"Delete", "Recycle", "Retain"};
  const std::string_view policy = spec["persistentVolumeReclaimPolicy"].as_string();
  const std::string at = path.child("persistentVolumeReclaimPolicy").text();
  if (policy.empty()) return;
  if (!is_listed(policy, kPolicies)) {
    errors.push_back(field_error::not_supported(at, policy, kPolicies));
  }
  // Recycling would empty the node's root.
  const std::string_view directory = spec["hostPath"]["path"].as_string();
  const std::vector<std::string_view> steps = split(directory, '/');
  const bool root = directory.starts_with('/') && std::all_of(steps.begin(), steps.end(), [](std::string_view step) {
                      return step.empty() || step == ".";
                    });
  if (root && policy == "Recycle") {
    errors.push_back(field_error::forbidden(at, "may not be 'recycle' for a hostPath mount of '/'"));
  }
}

void check_node_affinity(const Value& affinity, const Value& old, const FieldPath& path, FieldErrors& errors) {
  if (!affinity.is_object()) return;
  if (affinity["required"].is_object()) {
    check_node_selector(FieldCheck(affinity["required"], path.child("required"), errors), old["required"]);
  } else {
    errors.push_back(field_error::required(path.child("required").text(), "must specify required node constraints"));
  }
}

void check_volume_attributes(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  const Value& name = spec["volumeAttributesClassName"];
  if (name.is_null()) return;
  const FieldPath at = path.child("volumeAttributesClassName");
  if (name.as_string().empty()) {
    errors.push_back(field_error::required(at.text(), "an empty string is disallowed"));
  }
  check_class_name(name, at, errors);
  if (!spec["csi"].is_object()) {
    errors.push_back(
        field_error::required(path.child("csi").text(), "has to be specified when using volumeAttributesClassName"));
  }
}

// Of the source only one thing may come later: the secret with which volumes grow.
Value settled_source(const Value& spec, const Value& before) {
  constexpr std::string_view kLater = "controllerExpandSecretRef";
  const Value source = volume_source_of(spec);
  if (!source["csi"].is_object() || !before["csi"].is_object() || before["csi"].contains(kLater)) return source;
  return source.with("csi", source["csi"].without(kLater));
}

void check_volume_change(const Value& spec, const Value& before, FieldErrors& errors) {
  const Value source = settled_source(spec, before);
  if (!(source == volume_source_of(before))) {
    errors.push_back(field_error::forbidden(
        "spec.persistentvolumesource",
        "spec.persistentvolumesource is immutable after creation\n" +
            internal_diff(internal_form(before, volume_source_form()), internal_form(source, volume_source_form()))));
  }
  if (!(spec["volumeMode"] == before["volumeMode"])) {
    errors.push_back(field_error::invalid("volumeMode", spec["volumeMode"], kImmutableField));
  }
  const Value& affinity = before["nodeAffinity"];
  if (affinity.is_object() && !(spec["nodeAffinity"] == affinity)) {
    const Value& now = spec["nodeAffinity"];
    const Value shown = now.is_object() ? internal_form(now, node_affinity_form()) : now;
    errors.push_back(
        field_error::invalid("nodeAffinity", shown, "field is immutable, except for updating from beta label to GA"));
  }
  if (before.contains("volumeAttributesClassName") && !spec.contains("volumeAttributesClassName")) {
    errors.push_back(
        field_error::forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden"));
  }
}

}  // namespace

void check_access_modes(const Value& modes, std::string_view missing, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kModes[] = {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"};
  if (modes.empty()) errors.push_back(field_error::required(path.text(), missing));
  bool single = false, shared = false;
  for (const Value& mode : modes.items()) {
    const std::string_view text = mode.as_string();
    if (!is_listed(text, kModes)) {
      errors.push_back(field_error::not_supported(path.text(), text, kModes));
    } else {
      (text == "ReadWriteOncePod" ? single : shared) = true;
    }
  }
  if (single && shared) {
    errors.push_back(field_error::forbidden(path.text(), "may not use ReadWriteOncePod with other access modes"));
  }
}

void check_volume_mode(const Value& mode, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kModes[] = {"Block", "Filesystem"};
  if (mode.is_null() || mode.as_string() == kModes[0] || mode.as_string() == kModes[1]) return;
  errors.push_back(field_error::not_supported(path.text(), mode, kModes));
}

void check_class_name(const Value& name, const FieldPath& path, FieldErrors& errors) {
  if (name.as_string().empty()) return;
  add_name_errors(path, name, check_dns1123_subdomain(name.as_string()), errors);
}

Object prepare_volume(const WriteContext& write, const Object& object, const Object* old) {
  if (old != nullptr) return object;
  return object.with("status",
                     Value::object({{"phase", "Pending"}, {"lastPhaseTransitionTime", format_time(write.now)}}));
}

// The time of the last change of phase, unless the writer knows it better.
Object prepare_volume_status(const WriteContext& write, const Object& object, const Object& old) {
  constexpr std::string_view kTime = "lastPhaseTransitionTime";
  const Value& status = object["status"];
  const Value& before = old["status"][kTime];
  if (status["phase"] == old["status"]["phase"]) {
    return status[kTime].is_null() && !before.is_null() ? object.with("status", status.with(kTime, before)) : object;
  }
  const bool given = !status[kTime].is_null() && !(status[kTime] == before);
  return given ? object : object.with("status", status.with(kTime, format_time(write.now)));
}

void check_volume(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  const FieldPath path("spec");
  check_access_modes(spec["accessModes"], {}, path.child("accessModes"), errors);
  check_capacity(spec["capacity"], path.child("capacity"), errors);
  check_reclaim_policy(spec, path, errors);
  check_node_affinity(spec["nodeAffinity"], old == nullptr ? Value() : (*old)["spec"]["nodeAffinity"],
                      path.child("nodeAffinity"), errors);
  check_volume_sources(spec, object.name(), path, errors);
  check_class_name(spec["storageClassName"], path.child("storageClassName"), errors);
  check_volume_mode(spec["volumeMode"], path.child("volumeMode"), errors);
  check_volume_attributes(spec, path, errors);
  if (old != nullptr) check_volume_change(spec, (*old)["spec"], errors);
}

void check_inline_volume(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  for (const char* field : {"claimRef", "capacity", "nodeAffinity", "storageClassName"}) {
    if (!is_zero(spec[field])) errors.push_back(field_error::forbidden(path.child(field).text(), kInlineText));
  }
  if (!spec["csi"].is_object()) {
    errors.push_back(
        field_error::required(path.child("csi").text(), "has to be specified in the context of inline volumes"));
  }
  check_access_modes(spec["accessModes"], {}, path.child("accessModes"), errors);
  const std::string_view policy = spec["persistentVolumeReclaimPolicy"].as_string("Retain");
  if (!policy.empty() && policy != "Retain") {
    errors.push_back(field_error::forbidden(path.child("persistentVolumeReclaimPolicy").text(),
                                            "may only be Retain in the context of inline volumes"));
  }
  check_volume_sources(spec, {}, path, errors);
  if (spec["volumeMode"].as_string("Filesystem") != "Filesystem") {
    errors.push_back(
        field_error::forbidden(path.child("volumeMode").text(),
                               "may not specify volumeMode other than Filesystem in the context of inline volumes"));
  }
}

std::vector<std::string> volume_warnings(const Object& object, const Object*) {
  constexpr std::pair<std::string_view, std::string_view> kAnnotations[] = {
      {"volume.beta.kubernetes.io/storage-class", "deprecated since v1.8; use \"storageClassName\" attribute instead"},
      {"volume.beta.kubernetes.io/mount-options", "deprecated since v1.31; use \"mountOptions\" attribute instead"}};
  const Value& annotations = object.metadata()["annotations"];
  std::vector<std::string> warnings;
  for (const auto& [key, text] : kAnnotations) {
    if (!annotations.contains(key)) continue;
    warnings.push_back(FieldPath("metadata.annotations").key(key).text() + ": " + std::string(text));
  }
  if (object["spec"]["persistentVolumeReclaimPolicy"].as_string() == "Recycle") {
    warnings.emplace_back(
        "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended "
        "approach is to use dynamic provisioning.");
  }
  const Value& terms = object["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"];
  const FieldPath path("spec.nodeAffinity.required.nodeSelectorTerms");
  for (std::size_t i = 0; i < terms.size(); ++i) warn_about_old_expressions(terms.at(i), path.index(i), warnings);
  for (std::string& warning : volume_source_warnings(object["spec"])) warnings.push_back(std::move(warning));
  return warnings;
}

}  // namespace coracle::kube::apiserver
