#include "kube/apiserver/internal/strategies/pod_strategy.h"

#include <algorithm>
#include <map>
#include <utility>

#include "kube/apiserver/internal/strategies/extended_strategy.h"
#include "kube/apiserver/internal/strategies/pod_security_validation.h"
#include "kube/apiserver/internal/strategies/pod_template.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/object/conditions.h"
#include "kube/object/quantity.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kContainerLists[] = {"containers", "initContainers"};
constexpr std::string_view kFrozenPodSpec =
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n";

bool is_terminal(const Object& pod) {
  const std::string_view phase = pod["status"]["phase"].as_string();
  return phase == "Succeeded" || phase == "Failed";
}

// The spec with some fields of its containers taken from another one; containers are matched by place.
Value with_container_fields(const Value& spec, const Value& from, std::initializer_list<std::string_view> fields) {
  Value changed = spec;
  for (const std::string_view list : kContainerLists) {
    if (!spec.contains(list)) continue;
    Value::ArrayBuilder containers;
    for (std::size_t i = 0; i < spec[list].size(); ++i) {
      Value container = spec[list].at(i);
      for (const std::string_view field : fields) {
        const Value* source = from[list].at(i).find(field);
        container = source == nullptr ? container.without(field) : container.with(field, *source);
      }
      containers.add(std::move(container));
    }
    changed = changed.with(list, std::move(containers).build());
  }
  return changed;
}

Value with_field_of(const Value& spec, const Value& from, std::string_view field) {
  const Value* value = from.find(field);
  return value == nullptr ? spec.without(field) : spec.with(field, *value);
}

// The requests or limits of the resources that decide about the class; those of nothing left out.
std::map<std::string, Quantity, std::less<>> decisive_amounts(const Value& list) {
  std::map<std::string, Quantity, std::less<>> amounts;
  for (const std::string_view name : {"cpu", "memory"}) {
    const auto amount = Quantity::from_value(list[name]);
    if (amount.ok() && amount->sign() > 0) amounts.emplace(name, *amount);
  }
  return amounts;
}

// What holds for a pod however it came to be.
void check_any_pod(const Object& pod, const Object* old, FieldErrors& errors) {
  PodSpecOptions options;
  if (old != nullptr) options = options_of_update((*old)["spec"]);
  options.pod_metadata = &pod.metadata();
  check_pod_annotations(pod.metadata()["annotations"], FieldPath("metadata.annotations"), pod["spec"], errors);
  check_pod_spec(pod["spec"], FieldPath("spec"), errors, options);
}

void check_tolerations_change(const Value& now, const Value& before, FieldErrors& errors) {
  for (const Value& old : before.items()) {
    const bool kept = std::any_of(now.items().begin(), now.items().end(), [&](const Value& one) {
      return one.without("tolerationSeconds") == old.without("tolerationSeconds");
    });
    if (kept) continue;
    errors.push_back(field_error::forbidden("spec.tolerations",
                                            "existing toleration can not be modified except its tolerationSeconds"));
    return;
  }
}

void check_gates_change(const Value& now, const Value& before, FieldErrors& errors) {
  for (std::size_t i = 0; i < now.size(); ++i) {
    const auto old = before.items();
    if (std::find(old.begin(), old.end(), now.at(i)) != old.end()) continue;
    errors.push_back(field_error::forbidden(FieldPath("spec.schedulingGates").index(i).text(),
                                            "only deletion is allowed, but found new scheduling gate '" +
                                                std::string(now.at(i)["name"].as_string()) + "'"));
  }
}

void check_deadline_change(const Value& now, const Value& before, FieldErrors& errors) {
  if (!before.is_int()) return;
  if (!now.is_int()) {
    errors.push_back(field_error::invalid("spec.activeDeadlineSeconds", now,
                                          "must not update from a positive integer to nil value"));
  } else if (now.as_int() > before.as_int()) {
    errors.push_back(
        field_error::invalid("spec.activeDeadlineSeconds", now, "must be less than or equal to previous value"));
  }
}

// The new spec, with everything that an update may change as it was.
Value frozen_pod_part(const Value& spec, const Value& old) {
  Value frozen = with_container_fields(spec, old, {"image"});
  for (const std::string_view field : {"activeDeadlineSeconds", "tolerations", "schedulingGates"}) {
    frozen = with_field_of(frozen, old, field);
  }
  if (old["terminationGracePeriodSeconds"].as_int() < 0 && spec["terminationGracePeriodSeconds"].as_int() == 1) {
    frozen = with_field_of(frozen, old, "terminationGracePeriodSeconds");
  }
  if (old["schedulingGates"].empty()) return frozen;
  // A pod that waits at a gate may be told more precisely where to go.
  const bool narrower =
      std::all_of(old["nodeSelector"].members().begin(), old["nodeSelector"].members().end(),
                  [&](const Value::Member& member) { return spec["nodeSelector"][member.key] == member.value; });
  if (narrower) frozen = with_field_of(frozen, old, "nodeSelector");
  if (!old["affinity"].contains("nodeAffinity") && frozen["affinity"].contains("nodeAffinity")) {
    const Value affinity = frozen["affinity"].without("nodeAffinity");
    frozen =
        old["affinity"].is_null() && affinity.empty() ? frozen.without("affinity") : frozen.with("affinity", affinity);
  }
  return frozen;
}

void check_pod_change(const Object& pod, const Object& old, FieldErrors& errors) {
  const Value& spec = pod["spec"];
  const Value& before = old["spec"];
  for (const std::string_view list : kContainerLists) {
    if (spec[list].size() == before[list].size()) continue;
    errors.push_back(
        field_error::forbidden("spec." + std::string(list), "pod updates may not add or remove containers"));
    return;
  }
  for (const std::string_view list : kContainerLists) {
    for (std::size_t i = 0; i < spec[list].size(); ++i) {
      if (!spec[list].at(i)["image"].as_string().empty()) continue;
      report(errors, field_error::required(FieldPath("spec").child(list).index(i).child("image").text()));
    }
  }
  check_deadline_change(spec["activeDeadlineSeconds"], before["activeDeadlineSeconds"], errors);
  check_tolerations_change(spec["tolerations"], before["tolerations"], errors);
  check_gates_change(spec["schedulingGates"], before["schedulingGates"], errors);
  if (!(frozen_pod_part(spec, before) == before)) errors.push_back(field_error::forbidden("spec", kFrozenPodSpec));
}

void check_ephemeral_change(const Object& pod, const Object& old, FieldErrors& errors) {
  const Value& now = pod["spec"]["ephemeralContainers"];
  for (const Value& before : old["spec"]["ephemeralContainers"].items()) {
    const auto items = now.items();
    const auto same_name =
        std::find_if(items.begin(), items.end(), [&](const Value& one) { return one["name"] == before["name"]; });
    const std::string name(before["name"].as_string());
    if (same_name == items.end()) {
      errors.push_back(field_error::forbidden("spec.ephemeralContainers",
                                              "existing ephemeral containers \"" + name + "\" may not be removed\n"));
    } else if (!(*same_name == before)) {
      errors.push_back(field_error::forbidden("spec.ephemeralContainers",
                                              "existing ephemeral containers \"" + name + "\" may not be changed\n"));
    }
  }
}

void check_resize(const Object& pod, const Object& old, FieldErrors& errors) {
  if (pod_qos_class(pod["spec"]) != old["status"]["qosClass"].as_string()) {
    errors.push_back(field_error::invalid("spec", pod["status"]["qosClass"],
                                          "Pod QOS Class may not change as a result of resizing"));
  }
  const Value& now = pod["spec"]["initContainers"];
  const Value& before = old["spec"]["initContainers"];
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now.at(i)["restartPolicy"].as_string() == "Always" || now.at(i) == before.at(i)) continue;
    errors.push_back(field_error::forbidden("spec.initContainers[" + std::to_string(i) + "]",
                                            "resources for non-sidecar init containers are immutable"));
  }
}

class PodStrategy : public ExtendedStrategy {
 public:
  using ExtendedStrategy::ExtendedStrategy;

  Result<Object> prepare_for_create(const WriteContext&, Object object) const override {
    Value::ObjectBuilder status;
    status.set("phase", "Pending");
    if (!object["spec"]["schedulingGates"].empty()) {
      Value condition = Value::object({{"type", "PodScheduled"},
                                       {"status", "False"},
                                       {"reason", "SchedulingGated"},
                                       {"message", "Scheduling is blocked due to non-empty scheduling gates"}});
      status.set("conditions", Value::array({std::move(condition)}));
    }
    status.set("qosClass", pod_qos_class(object["spec"]));
    return object.with("status", std::move(status).build()).with_metadata("generation", 1);
  }

  Result<Object> prepare_for_update(const WriteContext& write, Object object, const Object& old) const override {
    if (write.subresource == "status") return prepare_status(write, std::move(object), old);
    if (write.subresource == "ephemeralcontainers" || write.subresource == "resize") {
      return prepare_part(write, object, old);
    }
    return ExtendedStrategy::prepare_for_update(write, std::move(object), old);
  }

  void validate(const WriteContext&, const Object& object, FieldErrors& errors) const override {
    check_any_pod(object, nullptr, errors);
    if (!object["spec"]["ephemeralContainers"].empty()) {
      errors.push_back(field_error::forbidden("spec.ephemeralContainers", "cannot be set on create"));
    }
    if (!object["spec"]["nodeName"].as_string().empty() && !object["spec"]["schedulingGates"].empty()) {
      errors.push_back(
          field_error::forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"));
    }
    const FieldPath path("spec");
    check_security_annotations_agree(FieldCheck(object["spec"], path, errors), object.metadata()["annotations"]);
  }

  void validate_update(const WriteContext& write, const Object& object, const Object& old,
                       FieldErrors& errors) const override {
    if (write.subresource == "status") return check_status(object, old, errors);
    if (write.subresource == "binding" || write.subresource == "eviction") return;
    if (write.subresource == "ephemeralcontainers") {
      check_any_pod(object, &old, errors);
      return check_ephemeral_change(object, old, errors);
    }
    if (write.subresource == "resize") {
      check_any_pod(object, &old, errors);
      return check_resize(object, old, errors);
    }
    check_any_pod(object, &old, errors);
    check_pod_change(object, old, errors);
  }

  std::optional<std::int64_t> grace_period(const WriteContext&, const Object& pod,
                                           std::optional<std::int64_t> requested) const override {
    std::int64_t period = requested.value_or(pod["spec"]["terminationGracePeriodSeconds"].as_int());
    // Nobody is there who could end it, or there is nothing left to end.
    if (pod["spec"]["nodeName"].as_string().empty() || is_terminal(pod)) period = 0;
    return period < 0 ? 1 : period;
  }

 private:
  Result<Object> prepare_status(const WriteContext& write, Object object, const Object& old) const {
    ASSIGN_OR_RETURN(object, ExtendedStrategy::prepare_for_update(write, std::move(object), old));
    object = object.with_metadata("ownerReferences", old.metadata()["ownerReferences"]);
    if (!object["status"]["qosClass"].as_string().empty()) return object;
    return object.with("status", object["status"].with("qosClass", pod_qos_class(object["spec"])));
  }

  // Only the part of the spec that the subresource is for is the caller's.
  static Object prepare_part(const WriteContext& write, const Object& object, const Object& old) {
    Value spec = old["spec"];
    if (write.subresource == "resize") {
      spec = with_container_fields(spec, object["spec"], {"resources", "resizePolicy"});
      spec = with_field_of(spec, object["spec"], "resources");
    } else {
      spec = with_field_of(spec, object["spec"], "ephemeralContainers");
    }
    Object changed = old.with("spec", spec).with_metadata("managedFields", object.metadata()["managedFields"]);
    changed = changed.with_metadata("resourceVersion", object.metadata()["resourceVersion"]);
    return spec == old["spec"] ? changed : changed.with_metadata("generation", old.generation() + 1);
  }

  // A container that has ended for good does not run again.
  static void check_status(const Object& pod, const Object& old, FieldErrors& errors) {
    if (old["spec"]["restartPolicy"].as_string() != "Never") return;
    const Value& now = pod["status"]["containerStatuses"];
    for (std::size_t i = 0; i < now.size(); ++i) {
      for (const Value& before : old["status"]["containerStatuses"].items()) {
        if (!(before["name"] == now.at(i)["name"])) continue;
        if (!before["state"]["terminated"].is_object() || now.at(i)["state"]["terminated"].is_object()) continue;
        errors.push_back(field_error::forbidden("status.containerStatuses[" + std::to_string(i) + "].state",
                                                "may not be transitioned to non-terminated state"));
      }
    }
  }
};

}  // namespace

std::string_view pod_qos_class(const Value& pod_spec) {
  std::map<std::string, Quantity, std::less<>> requests, limits;
  bool guaranteed = true;
  const auto count = [&](const Value& resources) {
    const auto one_requests = decisive_amounts(resources["requests"]);
    const auto one_limits = decisive_amounts(resources["limits"]);
    for (const auto& [name, amount] : one_requests) requests[name] = requests[name] + amount;
    for (const auto& [name, amount] : one_limits) limits[name] = limits[name] + amount;
    guaranteed = guaranteed && one_limits.size() == 2;
  };
  if (pod_spec["resources"].is_object()) {
    count(pod_spec["resources"]);
  } else {
    for (const std::string_view list : kContainerLists) {
      for (const Value& container : pod_spec[list].items()) count(container["resources"]);
    }
  }
  if (requests.empty() && limits.empty()) return "BestEffort";
  return guaranteed && requests == limits ? "Guaranteed" : "Burstable";
}

std::shared_ptr<const Strategy> make_pod_strategy(const StandardBehaviour& behaviour) {
  return std::make_shared<PodStrategy>(behaviour);
}

}  // namespace coracle::kube::apiserver
