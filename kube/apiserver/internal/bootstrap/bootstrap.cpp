#include "kube/apiserver/internal/bootstrap/bootstrap.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <utility>

#include "base/ip.h"
#include "base/task_group.h"
#include "kube/apiserver/internal/bootstrap/objects.h"
#include "kube/apiserver/internal/bootstrap/roles.h"
#include "kube/apiserver/internal/strategies/network/address_validation.h"

namespace coracle::kube::apiserver {
namespace {

// The members that `wanted` has set as wanted, everything else as it is; nothing when nothing differs.
std::optional<Object> overwrite_members(const Object& current, const Object& wanted) {
  Object changed = current;
  for (const Value::Member& member : wanted.tree().members()) {
    if (member.key == "apiVersion" || member.key == "kind" || member.key == "metadata") continue;
    if (!(current[member.key] == member.value)) changed = changed.with(member.key, member.value);
  }
  if (changed.tree().same_tree(current.tree())) return std::nullopt;
  return changed;
}

// The lease tells of the server that runs now, at whatever host that is. What others have added to it stays.
std::optional<Object> renew_lease(const Object& current, const Object& wanted) {
  Object renewed = overwrite_members(current, wanted).value_or(current);
  for (const Value::Member& label : wanted.metadata()["labels"].members()) {
    renewed = renewed.with_label(label.key, label.value.as_string());
  }
  for (const Value::Member& annotation : wanted.metadata()["annotations"].members()) {
    renewed = renewed.with_annotation(annotation.key, annotation.value.as_string());
  }
  if (renewed.tree().same_tree(current.tree())) return std::nullopt;
  return renewed;
}

}  // namespace

std::vector<Bootstrap::Task> Bootstrap::cluster_tasks(WallTime now) const {
  std::vector<Task> tasks;
  for (Object& object : default_namespaces()) tasks.push_back({std::move(object), nullptr, {}});
  for (Object& object : default_cluster_role_objects()) {
    tasks.push_back({std::move(object), complete_default_role, {}});
  }
  for (Object& object : default_cluster_role_binding_objects()) {
    tasks.push_back({std::move(object), complete_default_binding, {}});
  }
  for (Object& object : default_priority_classes()) tasks.push_back({std::move(object), nullptr, {}});
  for (Object& object : default_priority_levels()) tasks.push_back({std::move(object), nullptr, {}});
  for (Object& object : default_flow_schemas()) {
    Value status = flow_schema_status(object, now);
    tasks.push_back({std::move(object), nullptr, std::move(status)});
  }
  tasks.push_back({default_service_cidr(options_), nullptr, service_cidr_status(now)});
  return tasks;
}

std::vector<Bootstrap::Task> Bootstrap::namespaced_tasks(WallTime now) const {
  std::vector<Task> tasks;
  for (Object& object : default_role_objects()) tasks.push_back({std::move(object), complete_default_role, {}});
  for (Object& object : default_role_binding_objects()) {
    tasks.push_back({std::move(object), complete_default_binding, {}});
  }
  tasks.push_back({kubernetes_service(options_), nullptr, {}});
  // A loopback address is no way to this server for anybody; endpoints may not have one.
  if (is_reachable_ip(options_.advertise_address)) {
    tasks.push_back({kubernetes_endpoints(options_), overwrite_members, {}});
    tasks.push_back({kubernetes_endpoint_slice(options_), overwrite_members, {}});
  }
  tasks.push_back({authentication_config_map(options_), overwrite_members, {}});
  tasks.push_back({legacy_token_tracking_config_map(now), nullptr, {}});
  tasks.push_back(identity_lease_task(now));
  return tasks;
}

Bootstrap::Task Bootstrap::identity_lease_task(WallTime now) const {
  return {identity_lease(options_, instance_id_, now), renew_lease, {}, true};
}

Result<void> Bootstrap::run(const Context& context) const {
  if (!ipv4_network_of(options_.service_cidr)) {
    return bad_request("service-cidr " + options_.service_cidr + " is no IPv4 network");
  }
  WallTime now = context.clock().wall();
  TRY(run_all(context, cluster_tasks(now)));
  return run_all(context, namespaced_tasks(now));
}

Result<void> Bootstrap::renew_identity_lease(const Context& context) const {
  return run_one(context, identity_lease_task(context.clock().wall()));
}

Result<void> Bootstrap::run_all(const Context& context, std::vector<Task> tasks) const {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::optional<Error> failure;
  {
    TaskGroup group(context);
    std::size_t writers = std::min<std::size_t>(kBootstrapWriters, tasks.size());
    for (std::size_t i = 0; i < writers; ++i) {
      group.spawn(Lane::Blocking, [&](const Context& inner) {
        for (std::size_t at = next++; at < tasks.size(); at = next++) {
          Result<void> done = run_one(inner, tasks[at]);
          if (done.ok()) continue;
          std::lock_guard lock(mutex);
          const Object& wanted = tasks[at].wanted;
          failure = done.error().in("writing " + std::string(wanted.kind()) + " " + wanted.key().text());
          return;
        }
      });
    }
    group.join();
  }
  if (failure) return *failure;
  return context.check();
}

Result<void> Bootstrap::run_one(const Context& context, const Task& task) const {
  ResourcePtr resource = table_->find_kind(task.wanted.gvk());
  if (resource == nullptr) return internal_error(std::string(task.wanted.kind()) + " is not served");
  std::string ns(task.wanted.namespace_());
  std::string name(task.wanted.name());
  ASSIGN_OR_RETURN(StoredObjectPtr stored, store_.find(context, *resource, ns, name));
  WriteRequest write{context, *resource, ns, name, "", std::string(kOwnManager), false, false, nullptr};
  if (stored == nullptr) {
    Result<WriteResult> created = store_.create(write, task.wanted);
    if (created.ok()) return write_status(context, *resource, task);
    // Somebody else was quicker.
    if (created.error().reason() != Reason::AlreadyExists) return created.error();
  }
  if (task.complete == nullptr) return {};
  if (stored != nullptr) {
    ASSIGN_OR_RETURN(Object current, stored->object());
    if (!task.complete(current, task.wanted)) return {};
    if (!task.renewal) {
      log_.info("completing a default object", {{"kind", task.wanted.kind()}, {"name", task.wanted.key().text()}});
    }
  }
  Result<WriteResult> updated = store_.update(write, {}, [&](const Object* current) -> Result<Object> {
    if (current == nullptr) return task.wanted;
    return task.complete(*current, task.wanted).value_or(*current);
  });
  if (updated.ok()) return {};
  if (stored == nullptr || !context.check().ok()) return updated.error();
  log_.warning("a default object cannot be completed, it stays as it is",
               {{"kind", task.wanted.kind()}, {"name", task.wanted.key().text()}, {"error", updated.error()}});
  return {};
}

Result<void> Bootstrap::write_status(const Context& context, const ResourceDescriptor& resource,
                                     const Task& task) const {
  if (task.status.is_null()) return {};
  WriteRequest write{context,
                     resource,
                     std::string(task.wanted.namespace_()),
                     std::string(task.wanted.name()),
                     "status",
                     std::string(kOwnManager),
                     false,
                     false,
                     nullptr};
  Result<WriteResult> updated = store_.update(write, {}, [&](const Object* current) -> Result<Object> {
    return (current == nullptr ? task.wanted : *current).with("status", task.status);
  });
  if (!updated.ok()) return updated.error();
  return {};
}

}  // namespace coracle::kube::apiserver
