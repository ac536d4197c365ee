#include "kube/apiserver/internal/strategies/pods/pod_strategy.h"

#include <algorithm>
#include <map>
#include <utility>

#include "kube/apiserver/internal/strategies/extended_strategy.h"
#include "kube/apiserver/internal/strategies/pods/pod_scheduling.h"
#include "kube/apiserver/internal/strategies/pods/pod_security_validation.h"
#include "kube/apiserver/internal/strategies/pods/pod_template.h"
#include "kube/apiserver/internal/strategies/pods/pod_update_validation.h"
#include "kube/apiserver/internal/strategies/pods/pod_warnings.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/object/conditions.h"
#include "kube/object/quantity.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

bool is_terminal(const Object& pod) {
  const std::string_view phase = pod["status"]["phase"].as_string();
  return phase == "Succeeded" || phase == "Failed";
}

// The spec with some fields of its containers taken from another one; containers are matched by place.
Value with_container_fields(const Value& spec, const Value& from, std::initializer_list<std::string_view> fields) {
  Value changed = spec;
  for (const std::string_view list : kPodContainerLists) {
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

// Seconds that nobody can wait stand for the shortest time.
Object with_positive_grace(Object pod) {
  if (pod["spec"]["terminationGracePeriodSeconds"].as_int() >= 0) return pod;
  return pod.with("spec", pod["spec"].with("terminationGracePeriodSeconds", 1));
}

void refuse(std::string_view why, FieldErrors& errors) {
  errors.clear();
  errors.push_back(field_error::forbidden("", why));
}

bool same_names(const Value& now, const Value& before) {
  if (now.size() != before.size()) return false;
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (!(now.at(i)["name"] == before.at(i)["name"])) return false;
  }
  return true;
}

// The old spec with the amounts of the new one. Where its containers are others, it is left to validation to say so.
Value resized_spec(const Value& now, const Value& before) {
  if (now["containers"].size() != before["containers"].size() ||
      now["initContainers"].size() != before["initContainers"].size()) {
    return now;
  }
  Value spec = with_container_fields(before, now, {"resources", "resizePolicy"});
  for (const std::string_view list : kPodContainerLists) {
    if (!same_names(now[list], before[list])) spec = spec.with(list, now[list]);
  }
  return spec;
}

class PodStrategy : public ExtendedStrategy {
 public:
  using ExtendedStrategy::ExtendedStrategy;

  Result<Object> prepare_for_create(const WriteContext& write, Object object) const override {
    const Value spec = with_own_labels_selected(object["spec"], object.metadata()["labels"]);
    object = with_positive_grace(object.with("spec", without_disabled_fields(spec, Value())));
    Value::ObjectBuilder status;
    status.set("phase", "Pending");
    if (!object["spec"]["schedulingGates"].empty()) {
      Condition gated;
      gated.type = "PodScheduled";
      gated.status = "False";
      gated.reason = "SchedulingGated";
      gated.message = "Scheduling is blocked due to non-empty scheduling gates";
      status.set("conditions", with_condition(Value(), gated, write.now));
    }
    status.set("qosClass", pod_qos_class(object["spec"]));
    return object.with("status", std::move(status).build()).with_metadata("generation", 1);
  }

  Result<Object> prepare_for_update(const WriteContext& write, Object object, const Object& old) const override {
    if (write.subresource == "status") return prepare_status(write, std::move(object), old);
    object = with_positive_grace(object.with("spec", without_disabled_fields(object["spec"], old["spec"])));
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
    if (write.subresource == "status") return check_pod_status(object, old, errors);
    if (write.subresource == "binding" || write.subresource == "eviction") return;
    check_any_pod(object, &old, errors);
    if (write.subresource == "ephemeralcontainers") {
      if (old.has_annotation(kMirrorPod)) return refuse("static pods do not support ephemeral containers", errors);
      return check_ephemeral_update(object, old, errors);
    }
    if (write.subresource == "resize") {
      if (old.has_annotation(kMirrorPod)) return refuse("static pods cannot be resized", errors);
      if (old["spec"]["os"]["name"].as_string() == "windows") return refuse("windows pods cannot be resized", errors);
      return check_pod_resize(object, old, errors);
    }
    check_pod_update(object, old, errors);
  }

  std::vector<std::string> warnings(const WriteContext&, const Object& object, const Object* old) const override {
    // People seldom change pods, controllers do all the time.
    if (old != nullptr) return {};
    std::vector<std::string> warnings;
    add_pod_name_warning(object.name(), warnings);
    add_pod_warnings(object["spec"], object.metadata(), FieldPath(), warnings);
    return warnings;
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
    return object.with("status", object["status"].with("qosClass", old["status"]["qosClass"]));
  }

  // Only the part of the spec that the subresource is for is the caller's.
  static Object prepare_part(const WriteContext& write, const Object& object, const Object& old) {
    Value spec = old["spec"];
    if (write.subresource == "resize") {
      spec = resized_spec(object["spec"], spec);
      spec = with_field_of(spec, object["spec"], "resources");
    } else {
      spec = with_field_of(spec, object["spec"], "ephemeralContainers");
    }
    Object changed = old.with("spec", spec).with_metadata("managedFields", object.metadata()["managedFields"]);
    changed = changed.with_metadata("resourceVersion", object.metadata()["resourceVersion"]);
    return spec == old["spec"] ? changed : changed.with_metadata("generation", old.generation() + 1);
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
    for (const std::string_view list : kPodContainerLists) {
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
