#include <utility>

#include "kube/apiserver/internal/tables/cells.h"
#include "kube/object/conditions.h"

namespace coracle::kube::apiserver::tables {

namespace {

// The container cells and the selector that workload rows end with.
void add_template_cells(Cells& cells, const Value& pod_spec) {
  cells.push_back(container_names(pod_spec));
  cells.push_back(container_images(pod_spec));
}

Cells replica_cells(const Object& object, WallTime now, std::string selector) {
  const Value& status = object["status"];
  Cells cells = {object.name(), object["spec"]["replicas"].as_int(), status["replicas"].as_int(),
                 status["readyReplicas"].as_int(), age(object, now)};
  add_template_cells(cells, object["spec"]["template"]["spec"]);
  cells.emplace_back(std::move(selector));
  return cells;
}

Cells controller_cells(const Object& object, WallTime now) {
  return replica_cells(object, now, labels_text(object["spec"]["selector"]));
}

Cells replica_set_cells(const Object& object, WallTime now) {
  return replica_cells(object, now, selector_text(object["spec"]["selector"]));
}

Cells deployment_cells(const Object& object, WallTime now) {
  const Value& status = object["status"];
  Cells cells = {object.name(), ratio(status["readyReplicas"].as_int(), object["spec"]["replicas"].as_int()),
                 status["updatedReplicas"].as_int(), status["availableReplicas"].as_int(), age(object, now)};
  add_template_cells(cells, object["spec"]["template"]["spec"]);
  cells.emplace_back(selector_text(object["spec"]["selector"]));
  return cells;
}

Cells stateful_set_cells(const Object& object, WallTime now) {
  Cells cells = {object.name(), ratio(object["status"]["readyReplicas"].as_int(), object["spec"]["replicas"].as_int()),
                 age(object, now)};
  add_template_cells(cells, object["spec"]["template"]["spec"]);
  return cells;
}

Cells daemon_set_cells(const Object& object, WallTime now) {
  const Value& status = object["status"];
  const Value& pod = object["spec"]["template"]["spec"];
  Cells cells = {object.name(),
                 status["desiredNumberScheduled"].as_int(),
                 status["currentNumberScheduled"].as_int(),
                 status["numberReady"].as_int(),
                 status["updatedNumberScheduled"].as_int(),
                 status["numberAvailable"].as_int(),
                 labels_text(pod["nodeSelector"]),
                 age(object, now)};
  add_template_cells(cells, pod);
  cells.emplace_back(selector_text(object["spec"]["selector"]));
  return cells;
}

std::string job_status(const Object& job) {
  const Value& conditions = job["status"]["conditions"];
  if (condition_is_true(conditions, "Complete")) return "Complete";
  if (condition_is_true(conditions, "Failed")) return "Failed";
  if (job.deleting()) return "Terminating";
  for (const char* type : {"Suspended", "FailureTarget", "SuccessCriteriaMet"}) {
    if (condition_is_true(conditions, type)) return type;
  }
  return "Running";
}

std::string job_completions(const Object& job) {
  const std::int64_t succeeded = job["status"]["succeeded"].as_int();
  const Value& completions = job["spec"]["completions"];
  if (completions.is_int()) return ratio(succeeded, completions.as_int());
  const std::int64_t parallelism = job["spec"]["parallelism"].as_int();
  return ratio(succeeded, 1) + (parallelism > 1 ? " of " + std::to_string(parallelism) : "");
}

std::string job_duration(const Object& job, WallTime now) {
  const auto start = parse_time(job["status"]["startTime"].as_string());
  if (!start.ok()) return {};
  const auto end = parse_time(job["status"]["completionTime"].as_string());
  return human_duration((end.ok() ? *end : now) - *start);
}

Cells job_cells(const Object& job, WallTime now) {
  Cells cells = {job.name(), job_status(job), job_completions(job), job_duration(job, now), age(job, now)};
  add_template_cells(cells, job["spec"]["template"]["spec"]);
  cells.emplace_back(selector_text(job["spec"]["selector"]));
  return cells;
}

Cells cron_job_cells(const Object& object, WallTime now) {
  const Value& spec = object["spec"];
  const Value& suspend = spec["suspend"];
  const Value& last = object["status"]["lastScheduleTime"];
  const Value& job = spec["jobTemplate"]["spec"];
  Cells cells = {object.name(),
                 spec["schedule"].as_string(),
                 text_or(spec["timeZone"], kNone),
                 suspend.is_bool() ? (suspend.as_bool() ? "True" : "False") : kUnset,
                 static_cast<std::int64_t>(object["status"]["active"].size()),
                 last.is_string() ? since(last, now) : std::string(kNone),
                 age(object, now)};
  add_template_cells(cells, job["template"]["spec"]);
  cells.emplace_back(selector_text(job["selector"]));
  return cells;
}

Cells revision_cells(const Object& object, WallTime now) {
  std::string controller(kNone);
  if (const auto owner = object.controller()) {
    const GroupVersionKind gvk = GroupVersionKind::parse(owner->api_version, owner->kind);
    std::string kind = gvk.kind;
    for (char& c : kind) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    controller = kind + (gvk.group.empty() ? "" : "." + gvk.group) + "/" + owner->name;
  }
  return {object.name(), controller, object["revision"].as_int(), age(object, now)};
}

constexpr std::string_view kReplicaColumns = "Name:n,Desired:i,Current:i,Ready:i,Age,Containers*,Images*,Selector*";

constexpr Entry kWorkloadEntries[] = {
    {"", "replicationcontrollers", kReplicaColumns, controller_cells},
    {"apps", "replicasets", kReplicaColumns, replica_set_cells},
    {"apps", "deployments", "Name:n,Ready,Up-to-date,Available,Age,Containers*,Images*,Selector*", deployment_cells},
    {"apps", "statefulsets", "Name:n,Ready,Age,Containers*,Images*", stateful_set_cells},
    {"apps", "daemonsets",
     "Name:n,Desired:i,Current:i,Ready:i,Up-to-date:i,Available:i,Node Selector,Age,Containers*,Images*,Selector*",
     daemon_set_cells},
    {"apps", "controllerrevisions", "Name:n,Controller,Revision,Age", revision_cells},
    {"batch", "jobs", "Name:n,Status,Completions,Duration,Age,Containers*,Images*,Selector*", job_cells},
    {"batch", "cronjobs", "Name:n,Schedule,Timezone,Suspend:b,Active:i,Last Schedule,Age,Containers*,Images*,Selector*",
     cron_job_cells},
};

}  // namespace

std::span<const Entry> workload_tables() {
  return kWorkloadEntries;
}

}  // namespace coracle::kube::apiserver::tables
