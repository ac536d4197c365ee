#include <algorithm>
#include <utility>
#include <vector>

#include "kube/apiserver/internal/responses.h"
#include "kube/apiserver/internal/rest_handler.h"
#include "kube/apiserver/internal/strategies/pods/pod_strategy.h"
#include "kube/object/conditions.h"
#include "kube/object/selector.h"
#include "kube/object/status.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

// Evictions that no controller has seen yet, in one budget.
constexpr std::size_t kMaxDisruptedPods = 2000;
constexpr unsigned kEvictionAttempts = 16;
constexpr std::chrono::seconds kBudgetRetry{10};
const GroupVersionKind kBindingKind = {"", "v1", "Binding"};
const GroupVersionKind kEvictionKind = {"policy", "v1", "Eviction"};

const Schema* schema_of(const GroupVersionKind& gvk) {
  const KindSchema* kind = find_builtin_kind(gvk.group, gvk.version, gvk.kind);
  return kind == nullptr ? nullptr : kind->schema;
}

Result<http::Response> created(const SubresourceCall& call) {
  constexpr int kCreated = 201;
  return object_response(call.scope, kCreated, Object(success_status().with("code", kCreated)));
}

Error binding_conflict(const std::string& pod, const std::string& message) {
  return Error(Reason::Conflict,
               "Operation cannot be fulfilled on pods/binding \"" + pod + "\": pod " + pod + " " + message)
      .with_details({pod, "", "pods/binding", ""});
}

Result<void> run_admission(SubresourceCall& call, const WriteRequest& write, Object* object) {
  std::vector<std::string> warnings;
  const AdmissionAttributes attributes{Operation::Create, call.resource,    call.subresource, write.namespace_,
                                       write.name,        call.scope.who(), nullptr,          write.dry_run};
  TRY(call.admission.admit(call.scope.context, attributes, object, warnings));
  TRY(call.admission.validate(call.scope.context, attributes, object, warnings));
  for (std::string& warning : warnings) call.scope.warnings.add(std::move(warning));
  return {};
}

Result<void> check_binding(const Object& binding) {
  const Value& target = binding["target"];
  FieldErrors errors;
  if (!target["kind"].as_string().empty() && target["kind"].as_string() != "Node") {
    constexpr std::string_view kKinds[] = {"Node", "<empty>"};
    errors.push_back(field_error::not_supported("target.kind", target["kind"], kKinds));
  }
  if (target["name"].as_string().empty()) errors.push_back(field_error::required("target.name"));
  if (errors.empty()) return {};
  std::string text;
  for (const Cause& cause : errors) text += (text.empty() ? "" : ", ") + cause.field + ": " + cause.message;
  return Error(Reason::Unknown, errors.size() > 1 ? "[" + text + "]" : text).with_code(500);
}

Value merged_map(const Value& base, const Value& more) {
  Value::ObjectBuilder builder(base);
  for (const Value::Member& member : more.members()) builder.set(member.key, member.value);
  return std::move(builder).build();
}

// The pod on the node that a binding names.
Result<Object> bound_pod(const Object& pod, const Object& binding, WallTime now) {
  const std::string name(pod.name());
  const std::string_view node = pod["spec"]["nodeName"].as_string();
  if (pod.deleting()) return binding_conflict(name, "is being deleted, cannot be assigned to a host");
  if (!node.empty()) return binding_conflict(name, "is already assigned to node \"" + std::string(node) + "\"");
  if (!pod["spec"]["schedulingGates"].empty()) return binding_conflict(name, "has non-empty .spec.schedulingGates");
  Object bound = pod.with("spec", pod["spec"].with("nodeName", binding["target"]["name"]));
  for (const std::string_view field : {"annotations", "labels"}) {
    const Value& more = binding.metadata()[field];
    if (!more.empty()) bound = bound.with_metadata(field, merged_map(bound.metadata()[field], more));
  }
  Condition scheduled;
  scheduled.type = "PodScheduled";
  scheduled.status = "True";
  const Value& before = pod["status"]["conditions"];
  const Value conditions = with_condition(without_condition(before, scheduled.type), scheduled, now);
  return bound.with("status", pod["status"].with("conditions", conditions).without("nominatedNodeName"));
}

Result<http::Response> serve_binding(SubresourceCall& call, const ResourceDescriptor& pods) {
  const Context& context = call.scope.context;
  const RequestInfo& info = call.scope.info;
  ASSIGN_OR_RETURN(Object binding, read_body(call.scope, kBindingKind, schema_of(kBindingKind)));
  ASSIGN_OR_RETURN(WriteRequest write, write_request(call.scope, pods, "CreateOptions"));
  const std::string name = info.name.empty() ? std::string(binding.name()) : info.name;
  if (!binding.name().empty() && binding.name() != name) {
    return bad_request("name in URL does not match name in Binding object");
  }
  if (!binding.namespace_().empty() && binding.namespace_() != info.namespace_) {
    return namespace_mismatch();
  }
  write.name = name;
  write.subresource = "binding";
  TRY(run_admission(call, write, &binding));
  TRY(check_binding(binding));
  // The binding was admitted; the pod that it changes is not asked about again.
  write.admission = false;
  UpdateOptions options;
  options.skip_prepare = true;
  options.tracks_managed_fields = false;
  options.preconditions.uid = if_set(binding.uid());
  options.preconditions.resource_version = if_set(binding.resource_version());
  const auto change = [&](const Object* pod) -> Result<Object> {
    if (pod == nullptr) return not_found(pods, name);
    return bound_pod(*pod, binding, context.clock().wall());
  };
  TRY(call.store.update(write, options, change));
  return created(call);
}

bool disregards_budgets(const Object& pod) {
  const std::string_view phase = pod["status"]["phase"].as_string();
  return phase == "Succeeded" || phase == "Failed" || phase == "Pending" || pod.deleting();
}

Error eviction_refused(std::string cause) {
  return Error(Reason::TooManyRequests, "Cannot evict pod as it would violate the pod's disruption budget.")
      .with_cause({"DisruptionBudget", std::move(cause), ""});
}

// A pod that is not ready counts for nothing, so its budget may let it go without counting.
bool is_unhealthy_and_free(const Object& pod, const Object& budget) {
  if (condition_is_true(pod["status"]["conditions"], "Ready")) return false;
  if (budget["spec"]["unhealthyPodEvictionPolicy"].as_string() == "AlwaysAllow") return true;
  const Value& status = budget["status"];
  const std::int64_t desired = status["desiredHealthy"].as_int();
  return desired > 0 && status["currentHealthy"].as_int() >= desired;
}

// The budget with one disruption less; an error when it has none.
Result<Object> spent_budget(const ResourceDescriptor& budgets, const Object& budget, std::string_view pod,
                            WallTime now) {
  const Value& status = budget["status"];
  const std::string name(budget.name());
  if (status["observedGeneration"].as_int() < budget.generation()) {
    return eviction_refused("The disruption budget " + name + " is still being processed by the server.")
        .with_retry_after(kBudgetRetry);
  }
  const std::int64_t allowed = status["disruptionsAllowed"].as_int();
  if (allowed < 0) return forbidden(budgets, name, "pdb disruptions allowed is negative");
  if (status["disruptedPods"].size() > kMaxDisruptedPods) {
    return forbidden(budgets, name, "DisruptedPods map too big - too many evictions not confirmed by PDB controller");
  }
  if (allowed == 0) {
    return eviction_refused("The disruption budget " + name + " needs " +
                            std::to_string(status["desiredHealthy"].as_int()) + " healthy pods and has " +
                            std::to_string(status["currentHealthy"].as_int()) + " currently");
  }
  Value changed = status.with("disruptionsAllowed", allowed - 1);
  changed = changed.with("disruptedPods", status["disruptedPods"].with(pod, format_time(now)));
  if (allowed == 1) {
    Condition condition;
    condition.type = "DisruptionAllowed";
    condition.status = "False";
    condition.reason = "InsufficientPods";
    condition.observed_generation = status["observedGeneration"].as_int();
    changed = changed.with("conditions", with_condition(status["conditions"], condition, now));
  }
  return budget.with("status", std::move(changed));
}

class EvictionHandler {
 public:
  explicit EvictionHandler(ResourcePtr budgets) : budgets_(std::move(budgets)) {}

  Result<http::Response> operator()(SubresourceCall& call) const {
    const RequestInfo& info = call.scope.info;
    ASSIGN_OR_RETURN(Object eviction, read_body(call.scope, kEvictionKind, schema_of(kEvictionKind)));
    ASSIGN_OR_RETURN(WriteRequest write, write_request(call.scope, call.resource, "CreateOptions"));
    if (eviction.name() != info.name) return bad_request("name in URL does not match name in Eviction object");
    TRY(read_dry_run(call, eviction, write));
    TRY(run_admission(call, write, &eviction));
    const DeleteOptions options = delete_options_of(eviction["deleteOptions"]);
    for (unsigned attempt = 0; attempt < kEvictionAttempts; ++attempt) {
      auto evicted = evict(call, write, options);
      if (evicted.ok()) return created(call);
      // Without a wish of the caller's, a pod that has just changed is looked at again.
      const bool pinned = options.preconditions.resource_version || options.preconditions.uid;
      if (pinned || evicted.error().reason() != Reason::Conflict) return evicted.error();
    }
    return Error(Reason::TooManyRequests, "Too many requests, please try again later.");
  }

 private:
  static Result<void> read_dry_run(const SubresourceCall& call, const Object& eviction, WriteRequest& write) {
    const bool in_query = call.scope.query.has("dryRun");
    const Value& in_body = eviction["deleteOptions"]["dryRun"];
    for (const Value& one : in_body.items()) {
      if (one.as_string() == "All") continue;
      constexpr std::string_view kAll[] = {"All"};
      return invalid({"meta.k8s.io", "v1", "DeleteOptions"}, "", {field_error::not_supported("dryRun", in_body, kAll)});
    }
    write.dry_run = in_query || !in_body.empty();
    return {};
  }

  Result<void> evict(SubresourceCall& call, const WriteRequest& write, DeleteOptions options) const {
    const Context& context = call.scope.context;
    ASSIGN_OR_RETURN(const Object pod, call.store.get(context, call.resource, write.namespace_, write.name));
    if (!options.preconditions.uid) options.preconditions.uid = std::string(pod.uid());
    if (disregards_budgets(pod)) return remove_pod(call, write, options, pod.resource_version());
    ASSIGN_OR_RETURN(const std::vector<Object> budgets, budgets_of(call, pod));
    if (budgets.size() > 1) {
      return Error(Reason::Unknown,
                   "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.")
          .with_code(500);
    }
    if (!budgets.empty()) {
      if (is_unhealthy_and_free(pod, budgets.front())) {
        return remove_pod(call, write, options, pod.resource_version());
      }
      TRY(spend(call, write, budgets.front()));
    }
    return remove_pod(call, write, options, "");
  }

  Result<std::vector<Object>> budgets_of(SubresourceCall& call, const Object& pod) const {
    ASSIGN_OR_RETURN(const auto stored, call.store.list(call.scope.context, *budgets_, pod.namespace_()));
    std::vector<Object> matching;
    for (const StoredObjectPtr& one : stored) {
      ASSIGN_OR_RETURN(Object budget, one->object());
      const auto selector = LabelSelector::from_value(budget["spec"]["selector"]);
      if (selector.ok() && selector->matches(pod.metadata()["labels"])) matching.push_back(std::move(budget));
    }
    return matching;
  }

  Result<void> spend(SubresourceCall& call, const WriteRequest& write, const Object& budget) const {
    const WriteRequest spending{
        call.scope.context, *budgets_, write.namespace_, std::string(budget.name()), "status", write.field_manager,
        write.dry_run,      false,     nullptr};
    const auto change = [&](const Object* current) -> Result<Object> {
      if (current == nullptr) return not_found(*budgets_, budget.name());
      return spent_budget(*budgets_, *current, write.name, call.scope.context.clock().wall());
    };
    TRY(call.store.update(spending, {}, change));
    return {};
  }

  // Says on the pod why it goes, then deletes it. With a revision: only if the pod is still that one.
  static Result<void> remove_pod(SubresourceCall& call, const WriteRequest& write, DeleteOptions options,
                                 std::string_view revision) {
    WriteRequest marking = write;
    marking.subresource = "status";
    marking.admission = false;
    UpdateOptions update;
    update.skip_prepare = true;
    update.tracks_managed_fields = false;
    update.preconditions.uid = options.preconditions.uid;
    update.preconditions.resource_version =
        options.preconditions.resource_version ? options.preconditions.resource_version : if_set(revision);
    const auto change = [&](const Object* pod) -> Result<Object> {
      if (pod == nullptr) return not_found(call.resource, write.name);
      Condition condition;
      condition.type = "DisruptionTarget";
      condition.status = "True";
      condition.reason = "EvictionByEvictionAPI";
      condition.message = "Eviction API: evicting";
      const Value conditions =
          with_condition((*pod)["status"]["conditions"], condition, call.scope.context.clock().wall());
      return pod->with("status", (*pod)["status"].with("conditions", conditions));
    };
    if (!write.dry_run) {
      TRY(call.store.update(marking, update, change));
      // What was asked for was the pod before the mark.
      options.preconditions.resource_version.reset();
    }
    WriteRequest removal = write;
    removal.subresource.clear();
    removal.admission = false;
    TRY(call.store.remove(removal, options));
    return {};
  }

  const ResourcePtr budgets_;
};

}  // namespace

void add_pod_subresources(SubresourceTable& handlers, const ResourceTablePtr& table) {
  const ResourcePtr pods = table->find("", "v1", "pods");
  const auto bind = [pods](SubresourceCall& call) { return serve_binding(call, *pods); };
  handlers.add("", "pods", "binding", bind);
  handlers.add("", "bindings", "", bind);
  handlers.add("", "pods", "eviction", EvictionHandler(table->find("policy", "v1", "poddisruptionbudgets")));
}

}  // namespace coracle::kube::apiserver
