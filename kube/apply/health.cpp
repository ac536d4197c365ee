#include "kube/apply/health.h"

#include <algorithm>
#include <array>
#include <utility>

#include "kube/object/conditions.h"

namespace coracle::kube {
namespace {

constexpr Duration kUnschedulableGrace = std::chrono::seconds(15);

Health current(std::string message = "resource is current") {
  return {Health::State::Current, std::move(message)};
}
Health in_progress(std::string message) {
  return {Health::State::InProgress, std::move(message)};
}
Health failed(std::string message) {
  return {Health::State::Failed, std::move(message)};
}

const Value& condition_of(const Object& object, std::string_view type) {
  return find_condition(object["status"]["conditions"], type);
}

bool condition_is(const Object& object, std::string_view type, std::string_view status) {
  return condition_of(object, type)["status"].as_string() == status;
}

std::string condition_message(const Object& object, std::string_view type) {
  return std::string(condition_of(object, type)["message"].as_string());
}

std::int64_t count(const Object& object, std::string_view field) {
  return object["status"][field].as_int();
}

// "Updated: 1/3", the first counter that is behind.
std::optional<Health> behind(const Object& object, std::int64_t wanted,
                             std::initializer_list<std::pair<std::string_view, std::string_view>> counters) {
  for (const auto& [label, field] : counters) {
    if (const std::int64_t have = count(object, field); have < wanted) {
      return in_progress(std::string(label) + ": " + std::to_string(have) + "/" + std::to_string(wanted));
    }
  }
  return std::nullopt;
}

Health deployment_health(const Object& object, WallTime) {
  const Value& progressing = condition_of(object, "Progressing");
  const bool has_deadline = object["spec"].contains("progressDeadlineSeconds") &&
                            object["spec"]["progressDeadlineSeconds"].as_int() != 2147483647;
  if (progressing["reason"].as_string() == "ProgressDeadlineExceeded") {
    return failed("Progress deadline exceeded");
  }
  const std::int64_t wanted = object["spec"]["replicas"].as_int(1);
  if (auto late = behind(object, wanted, {{"LabelSelector: replicas", "replicas"}, {"Updated", "updatedReplicas"}})) {
    return *late;
  }
  if (count(object, "replicas") > wanted)
    return in_progress("Pending termination: " + std::to_string(count(object, "replicas") - wanted));
  if (auto late = behind(object, wanted, {{"Available", "availableReplicas"}, {"Ready", "readyReplicas"}}))
    return *late;
  if (has_deadline &&
      (progressing["reason"].as_string() != "NewReplicaSetAvailable" || progressing["status"].as_string() != "True")) {
    return in_progress("ReplicaSet not Available");
  }
  if (!condition_is(object, "Available", "True")) return in_progress("Deployment not Available");
  return current("Deployment is available. Replicas: " + std::to_string(wanted));
}

Health stateful_set_health(const Object& object, WallTime) {
  if (object["spec"]["updateStrategy"]["type"].as_string() == "OnDelete") return current("StatefulSet uses OnDelete");
  const std::int64_t wanted = object["spec"]["replicas"].as_int(1);
  if (auto late = behind(object, wanted, {{"Replicas", "replicas"}, {"Ready", "readyReplicas"}})) return *late;
  if (count(object, "replicas") > wanted) return in_progress("Pending termination of replicas");
  const std::int64_t partition = object["spec"]["updateStrategy"]["rollingUpdate"]["partition"].as_int();
  if (partition > 0) {
    if (auto late = behind(object, wanted - partition, {{"Updated", "updatedReplicas"}})) return *late;
    return current("Partition rollout complete");
  }
  if (auto late = behind(object, wanted, {{"Current", "currentReplicas"}})) return *late;
  if (object["status"]["currentRevision"] != object["status"]["updateRevision"]) {
    return in_progress("Waiting for updated revision to match current");
  }
  return current("All replicas scheduled as expected. Replicas: " + std::to_string(wanted));
}

Health daemon_set_health(const Object& object, WallTime) {
  if (!object["status"].contains("observedGeneration")) return in_progress("Missing .status.observedGeneration");
  const std::int64_t wanted = count(object, "desiredNumberScheduled");
  if (auto late = behind(object, wanted,
                         {{"Current", "currentNumberScheduled"},
                          {"Updated", "updatedNumberScheduled"},
                          {"Available", "numberAvailable"},
                          {"Ready", "numberReady"}})) {
    return *late;
  }
  return current("All replicas scheduled as expected. Replicas: " + std::to_string(wanted));
}

Health replica_set_health(const Object& object, WallTime) {
  if (condition_is(object, "ReplicaFailure", "True")) return in_progress("Replica Failure condition");
  const std::int64_t wanted = object["spec"]["replicas"].as_int(1);
  if (auto late = behind(
          object, wanted,
          {{"Labelled", "fullyLabeledReplicas"}, {"Available", "availableReplicas"}, {"Ready", "readyReplicas"}})) {
    return *late;
  }
  if (count(object, "replicas") > wanted) return in_progress("Pending termination of replicas");
  return current("ReplicaSet is available. Replicas: " + std::to_string(wanted));
}

bool crash_looping(const Object& pod) {
  for (const Value& container : pod["status"]["containerStatuses"].items()) {
    if (container["state"]["waiting"]["reason"].as_string() == "CrashLoopBackOff") return true;
  }
  return false;
}

Health pod_health(const Object& object, WallTime now) {
  const std::string_view phase = object["status"]["phase"].as_string();
  if (phase == "Succeeded" || phase == "Failed") return current("Pod has completed");
  if (phase == "Running") {
    if (condition_is(object, "Ready", "True")) return current("Pod is Ready");
    return crash_looping(object) ? failed("Containers in CrashLoop state")
                                 : in_progress("Pod is running but is not Ready");
  }
  const Value& scheduled = condition_of(object, "PodScheduled");
  if (scheduled["status"].as_string() == "False" && scheduled["reason"].as_string() == "Unschedulable") {
    const Result<WallTime> created = parse_time(object.creation_timestamp());
    if (created.ok() && now - *created > kUnschedulableGrace) return failed("Pod could not be scheduled");
  }
  return in_progress("Pod is in the " + std::string(phase.empty() ? "Pending" : phase) + " phase");
}

Health job_health(const Object& object, WallTime) {
  if (condition_is(object, "Failed", "True")) return failed("Job Failed: " + condition_message(object, "Failed"));
  if (condition_is(object, "Complete", "True")) return current("Job Completed");
  return in_progress("Job in progress");
}

Health claim_health(const Object& object, WallTime) {
  return object["status"]["phase"].as_string() == "Bound" ? current("PVC is Bound") : in_progress("PVC is not Bound");
}

Health service_health(const Object& object, WallTime) {
  if (object["spec"]["type"].as_string() == "LoadBalancer" && object["spec"]["clusterIP"].as_string().empty()) {
    return in_progress("ClusterIP not set. Service type: LoadBalancer");
  }
  return current("Service is ready");
}

Health definition_health(const Object& object, WallTime) {
  if (condition_is(object, "NamesAccepted", "False")) return failed(condition_message(object, "NamesAccepted"));
  if (condition_is(object, "Established", "True")) return current("CRD is established");
  const Value& established = condition_of(object, "Established");
  if (established["status"].as_string() == "False" && established["reason"].as_string() != "Installing") {
    return failed(condition_message(object, "Established"));
  }
  return in_progress("Install in progress");
}

Health always_current(const Object&, WallTime) {
  return current();
}

struct Rule {
  std::string_view group;
  std::string_view kind;
  Health (*health)(const Object&, WallTime);
};

constexpr std::array kRules = {
    Rule{"apps", "Deployment", deployment_health},
    Rule{"apps", "StatefulSet", stateful_set_health},
    Rule{"apps", "DaemonSet", daemon_set_health},
    Rule{"apps", "ReplicaSet", replica_set_health},
    Rule{"", "Pod", pod_health},
    Rule{"batch", "Job", job_health},
    Rule{"", "PersistentVolumeClaim", claim_health},
    Rule{"", "Service", service_health},
    Rule{"apiextensions.k8s.io", "CustomResourceDefinition", definition_health},
    Rule{"", "Secret", always_current},
    Rule{"", "ConfigMap", always_current},
    Rule{"batch", "CronJob", always_current},
    Rule{"policy", "PodDisruptionBudget", always_current},
};

Health ready_condition_health(const Object& object) {
  const Value& ready = condition_of(object, "Ready");
  if (ready.is_null() || ready["status"].as_string() == "True") return current();
  const std::string_view message = ready["message"].as_string();
  return in_progress(message.empty() ? "Ready condition is not True" : std::string(message));
}

}  // namespace

std::string_view health_text(Health::State state) {
  constexpr std::array<std::string_view, 4> kTexts = {"InProgress", "Failed", "Current", "Terminating"};
  return kTexts[static_cast<std::size_t>(state)];
}

Health health_of(const Object& object, WallTime now) {
  if (object.deleting()) return {Health::State::Terminating, "Resource scheduled for deletion"};
  const Value* observed = object["status"].find("observedGeneration");
  if (observed != nullptr && observed->as_int() != object.generation()) {
    return in_progress(std::string(object.kind()) + " generation is " + std::to_string(object.generation()) +
                       ", but latest observed generation is " + std::to_string(observed->as_int()));
  }
  if (condition_is(object, "Reconciling", "True")) return in_progress(condition_message(object, "Reconciling"));
  if (condition_is(object, "Stalled", "True")) return failed(condition_message(object, "Stalled"));
  const GroupVersionKind gvk = object.gvk();
  for (const Rule& rule : kRules) {
    if (rule.kind == gvk.kind && rule.group == gvk.group) return rule.health(object, now);
  }
  return ready_condition_health(object);
}

}  // namespace coracle::kube
