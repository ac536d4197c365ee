#include <algorithm>
#include <utility>

#include "kube/apiserver/internal/tables/cells.h"
#include "kube/object/conditions.h"

namespace coracle::kube::apiserver::tables {

namespace {

bool is_restartable_init(const Value& pod_spec, std::string_view name) {
  for (const Value& container : pod_spec["initContainers"].items()) {
    if (container["name"].as_string() == name) return container["restartPolicy"].as_string() == "Always";
  }
  return false;
}

// Why a container ended, in one word: its reason, else the signal or the exit code.
std::string end_reason(const Value& terminated) {
  if (!terminated["reason"].as_string().empty()) return std::string(terminated["reason"].as_string());
  const std::int64_t signal = terminated["signal"].as_int();
  if (signal != 0) return "Signal:" + std::to_string(signal);
  return "ExitCode:" + std::to_string(terminated["exitCode"].as_int());
}

// Restarts of some containers and when the latest of them was.
struct RestartCount {
  std::int64_t count = 0;
  std::string latest;  // RFC 3339 in UTC: the order of texts is that of times

  void add(const Value& status) {
    count += status["restartCount"].as_int();
    latest = std::max(latest, std::string(status["lastState"]["terminated"]["finishedAt"].as_string()));
  }
};

struct PodSummary {
  std::string reason;
  std::int64_t ready = 0;
  std::int64_t total = 0;
  RestartCount restarts;
};

// Walks the init containers; true while the pod is still busy with them.
bool summarise_init(const Value& spec, const Value& status, PodSummary& summary, RestartCount& restartable) {
  const std::size_t total = spec["initContainers"].size();
  std::size_t index = 0;
  for (const Value& container : status["initContainerStatuses"].items()) {
    const bool stays = is_restartable_init(spec, container["name"].as_string());
    summary.restarts.add(container);
    if (stays) restartable.add(container);
    const Value& state = container["state"];
    const Value& terminated = state["terminated"];
    const std::string_view waiting = state["waiting"]["reason"].as_string();
    if (terminated.is_object() && terminated["exitCode"].as_int() == 0) {
      ++index;
      continue;
    }
    if (stays && container["started"].as_bool()) {
      if (container["ready"].as_bool()) ++summary.ready;
      ++index;
      continue;
    }
    if (terminated.is_object()) {
      summary.reason = "Init:" + end_reason(terminated);
    } else if (!waiting.empty() && waiting != "PodInitializing") {
      summary.reason = "Init:" + std::string(waiting);
    } else {
      summary.reason = "Init:" + std::to_string(index) + "/" + std::to_string(total);
    }
    return true;
  }
  return false;
}

void summarise_main(const Value& status, PodSummary& summary) {
  bool running = false;
  std::string failure;
  const auto containers = status["containerStatuses"].items();
  for (auto container = containers.rbegin(); container != containers.rend(); ++container) {
    summary.restarts.add(*container);
    const Value& state = (*container)["state"];
    const std::string_view waiting = state["waiting"]["reason"].as_string();
    if (!waiting.empty()) {
      summary.reason = waiting;
    } else if (state["terminated"].is_object()) {
      summary.reason = end_reason(state["terminated"]);
      if (state["terminated"]["exitCode"].as_int() != 0 && failure.empty()) failure = summary.reason;
    } else if ((*container)["ready"].as_bool() && state["running"].is_object()) {
      running = true;
      ++summary.ready;
    }
  }
  if (summary.reason != "Completed") return;
  if (running && condition_is_true(status["conditions"], "Ready")) {
    summary.reason = "Running";
  } else if (!failure.empty()) {
    summary.reason = failure;
  } else if (running) {
    summary.reason = "NotReady";
  }
}

PodSummary summarise(const Object& pod) {
  const Value& spec = pod["spec"];
  const Value& status = pod["status"];
  PodSummary summary;
  summary.reason = text_or(status["reason"], status["phase"].as_string());
  if (find_condition(status["conditions"], "PodScheduled")["reason"].as_string() == "SchedulingGated") {
    summary.reason = "SchedulingGated";
  }
  summary.total = static_cast<std::int64_t>(spec["containers"].size());
  for (const Value& container : spec["initContainers"].items()) {
    if (container["restartPolicy"].as_string() == "Always") ++summary.total;
  }
  RestartCount restartable;
  const bool initialising = summarise_init(spec, status, summary, restartable);
  if (!initialising || condition_is_true(status["conditions"], "Initialized")) {
    summary.restarts = std::move(restartable);
    summarise_main(status, summary);
  }
  if (pod.deleting()) {
    const std::string_view phase = status["phase"].as_string();
    if (status["reason"].as_string() == "NodeLost") {
      summary.reason = "Unknown";
    } else if (phase != "Succeeded" && phase != "Failed") {
      summary.reason = "Terminating";
    }
  }
  return summary;
}

std::string readiness_gates(const Value& spec, const Value& status) {
  const Value& gates = spec["readinessGates"];
  if (gates.empty()) return std::string(kNone);
  std::int64_t open = 0;
  for (const Value& gate : gates.items()) {
    if (condition_is_true(status["conditions"], gate["conditionType"].as_string())) ++open;
  }
  return ratio(open, static_cast<std::int64_t>(gates.size()));
}

Cells pod_cells(const Object& pod, WallTime now) {
  const PodSummary summary = summarise(pod);
  const Value& status = pod["status"];
  std::string restarts = std::to_string(summary.restarts.count);
  if (summary.restarts.count != 0 && !summary.restarts.latest.empty()) {
    restarts += " (" + since(summary.restarts.latest, now) + " ago)";
  }
  const Value& first_ip = status["podIPs"].at(0)["ip"];
  return {pod.name(),
          ratio(summary.ready, summary.total),
          summary.reason,
          restarts,
          age(pod, now),
          text_or(first_ip.is_null() ? status["podIP"] : first_ip, kNone),
          text_or(pod["spec"]["nodeName"], kNone),
          text_or(status["nominatedNodeName"], kNone),
          readiness_gates(pod["spec"], status)};
}

// A pod that has ended is marked: clients hide such rows.
Value pod_conditions(const Object& pod) {
  const std::string_view phase = pod["status"]["phase"].as_string();
  if (phase != "Succeeded" && phase != "Failed") return {};
  const char* message = phase == "Succeeded" ? "The pod has completed successfully." : "The pod failed.";
  return Value::array(
      {Value::object({{"type", "Completed"}, {"status", "True"}, {"reason", phase}, {"message", message}})});
}

Cells pod_template_cells(const Object& object, WallTime) {
  const Value& pod = object["template"];
  return {object.name(), container_names(pod["spec"]), container_images(pod["spec"]),
          labels_text(pod["metadata"]["labels"])};
}

constexpr Entry kPodEntries[] = {
    {"", "pods", "Name:n,Ready,Status,Restarts,Age,IP*,Node*,Nominated Node*,Readiness Gates*", pod_cells,
     pod_conditions},
    {"", "podtemplates", "Name:n,Containers,Images,Pod Labels", pod_template_cells},
};

}  // namespace

std::span<const Entry> pod_tables() {
  return kPodEntries;
}

}  // namespace coracle::kube::apiserver::tables
