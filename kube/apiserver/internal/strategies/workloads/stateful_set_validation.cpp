#include "kube/apiserver/internal/strategies/workloads/stateful_set_validation.h"

#include <set>
#include <utility>

#include "kube/apiserver/internal/strategies/internal_form.h"
#include "kube/apiserver/internal/strategies/pods/pod_template.h"
#include "kube/apiserver/internal/strategies/storage/volume_validation.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/object/quantity.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

const FieldPath kSetSpecPath("spec");
constexpr std::string_view kPodManagement = "must be 'OrderedReady' or 'Parallel'";
constexpr std::string_view kStrategies = "must be 'RollingUpdate' or 'OnDelete'";

// Everything of a stateful set's spec but what its controller can roll out.
Value frozen_set_part(const Value& spec) {
  Value::ObjectBuilder builder(spec);
  for (const std::string_view field : {"replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
                                       "persistentVolumeClaimRetentionPolicy", "minReadySeconds"}) {
    builder.remove(field);
  }
  // What a claim's template calls itself means nothing.
  Value::ArrayBuilder claims;
  for (const Value& claim : spec["volumeClaimTemplates"].items()) {
    claims.add(claim.without("kind").without("apiVersion"));
  }
  builder.set("volumeClaimTemplates", std::move(claims).build());
  return std::move(builder).build();
}

// The template as the controller completes it for each pod: with a volume for each claim, its own names for the host.
Value completed_template(const Value& spec) {
  const Value& pod_template = spec["template"];
  const Value& pod = pod_template["spec"];
  Value::ArrayBuilder volumes;
  std::set<std::string_view> claims;
  for (const Value& claim : spec["volumeClaimTemplates"].items()) {
    const Value& name = claim["metadata"]["name"];
    if (!claims.insert(name.as_string()).second) continue;
    volumes.add(Value::object({{"name", name}, {"persistentVolumeClaim", Value::object({{"claimName", name}})}}));
  }
  for (const Value& volume : pod["volumes"].items()) {
    if (!claims.contains(volume["name"].as_string())) volumes.add(volume);
  }
  Value completed = pod.without("subdomain").without("hostname");
  if (volumes.size() > 0) completed = completed.with("volumes", std::move(volumes).build());
  return pod_template.with("spec", completed);
}

constexpr InternalField kSetRollingForm[] = {{"partition", "Partition", kNoNumber},
                                             {"maxUnavailable", "MaxUnavailable"}};
constexpr InternalField kSetStrategyForm[] = {{"type", "Type", kNoText},
                                              {"rollingUpdate", "RollingUpdate", "null", kSetRollingForm}};

void check_update_strategy(const Value& strategy, FieldErrors& errors) {
  const FieldPath path = kSetSpecPath.child("updateStrategy");
  const Value& rolling = strategy["rollingUpdate"];
  const std::string_view type = strategy["type"].as_string();
  if (type == "RollingUpdate") {
    check_not_negative(rolling["partition"], path.child("rollingUpdate").child("partition"), errors);
  } else if (type == "OnDelete") {
    if (!rolling.is_object()) return;
    errors.push_back(field_error::invalid(path.child("rollingUpdate").text(), internal_form(rolling, kSetRollingForm),
                                          "only allowed for updateStrategy 'RollingUpdate'"));
  } else {
    retract_whole(errors, path.child("type").text());
    errors.push_back(field_error::invalid(path.text(), internal_form(strategy, kSetStrategyForm), kStrategies));
  }
}

void check_claim_retention(const Value& policy, FieldErrors& errors) {
  constexpr std::string_view kPolicies[] = {"Retain", "Delete"};
  if (!policy.is_object()) return;
  for (const std::string_view field : {"whenDeleted", "whenScaled"}) {
    const std::string_view value = policy[field].as_string();
    if (value == kPolicies[0] || value == kPolicies[1]) continue;
    errors.push_back(field_error::not_supported(
        kSetSpecPath.child("persistentVolumeClaimRetentionPolicy").child(field).text(), value, kPolicies));
  }
}

void check_claim_templates(const Value& claims, FieldErrors& errors) {
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const FieldPath path = kSetSpecPath.child("volumeClaimTemplates").index(i).child("spec");
    const Value& spec = claims.at(i)["spec"];
    // A template's status means nothing.
    retract_whole(errors, kSetSpecPath.child("volumeClaimTemplates").index(i).child("status").text());
    if (spec["accessModes"].empty()) {
      report(errors, field_error::required(path.child("accessModes").text(), "at least 1 access mode is required"));
    }
    check_label_selector(spec["selector"], path.child("selector"), errors);
    for (const std::string_view field : {"storageClassName", "volumeAttributesClassName"}) {
      const std::string_view name = spec[field].as_string();
      if (!name.empty()) add_name_errors(path.child(field), name, check_dns1123_subdomain(name), errors);
    }
    const FieldPath at = path.child("resources").key("storage");
    const Value& storage = spec["resources"]["requests"]["storage"];
    const auto amount = Quantity::from_value(storage);
    if (storage.is_null()) {
      errors.push_back(field_error::required(at.text()));
    } else if (amount.ok() && amount->sign() <= 0) {
      errors.push_back(field_error::invalid(at.text(), storage, "must be greater than zero"));
    }
    check_claim_sources(spec, Value(), path, errors);
  }
}

enum class PodSpecCheck : std::uint8_t { Whole, MetadataOnly };

void check_set_spec(const Value& spec, bool is_new, PodSpecCheck pods, FieldErrors& errors) {
  const std::string management = kSetSpecPath.child("podManagementPolicy").text();
  const std::string_view policy = spec["podManagementPolicy"].as_string();
  if (policy != "OrderedReady" && policy != "Parallel") {
    retract_whole(errors, management);
    errors.push_back(field_error::invalid(management, policy, kPodManagement));
  }
  check_update_strategy(spec["updateStrategy"], errors);
  check_claim_retention(spec["persistentVolumeClaimRetentionPolicy"], errors);
  if (is_new) check_claim_templates(spec["volumeClaimTemplates"], errors);
  for (const std::string_view field : {"replicas", "minReadySeconds"}) {
    check_not_negative(spec[field], kSetSpecPath.child(field), errors);
  }
  check_not_negative(spec["ordinals"]["start"], kSetSpecPath.child("ordinals").child("start"), errors);
  const Value& service = spec["serviceName"];
  if (is_new && !service.as_string().empty()) {
    add_name_errors(kSetSpecPath.child("serviceName"), service, check_dns1123_label(service.as_string()), errors);
  }
  check_workload_selector(spec, {"empty selector is invalid for statefulset", ""}, errors);
  const FieldPath path = kSetSpecPath.child("template");
  if (pods == PodSpecCheck::Whole) check_pod_template(completed_template(spec), path, errors);
  check_pod_template_metadata(spec["template"]["metadata"], path, errors);
  check_restart_policy_always(spec["template"], "StatefulSet", path, errors);
}

// A set that was stored with a pod spec which is refused today can still be scaled.
PodSpecCheck pod_spec_check(const Object* old) {
  if (old == nullptr) return PodSpecCheck::Whole;
  FieldErrors errors;
  check_set_spec((*old)["spec"], false, PodSpecCheck::Whole, errors);
  return errors.empty() ? PodSpecCheck::Whole : PodSpecCheck::MetadataOnly;
}

}  // namespace

Object prepare_stateful_set(const WriteContext&, const Object& object, const Object* old) {
  // The gate of this field is off.
  const Value& strategy = object["spec"]["updateStrategy"];
  if (!strategy["rollingUpdate"].contains("maxUnavailable")) return object;
  const Value rolling = strategy["rollingUpdate"].without("maxUnavailable");
  const Object set =
      object.with("spec", object["spec"].with("updateStrategy", strategy.with("rollingUpdate", rolling)));
  const bool same = old != nullptr && set["spec"] == (*old)["spec"];
  return same ? set.with_metadata("generation", old->generation()) : set;
}

void check_stateful_set(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  check_set_spec(spec, old == nullptr, pod_spec_check(old), errors);
  if (old == nullptr) return;
  // One entry for all fields; the schema tables name each of them.
  std::erase_if(errors, [](const Cause& cause) { return cause.message.ends_with(kImmutableField); });
  if (frozen_set_part(spec) == frozen_set_part((*old)["spec"])) return;
  errors.push_back(field_error::forbidden(
      "spec",
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
      "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"));
}

std::vector<std::string> warn_about_stateful_set(const Object& object, const Object*) {
  if (object["spec"]["revisionHistoryLimit"].as_int() >= 0) return {};
  return {"spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"};
}

}  // namespace coracle::kube::apiserver
