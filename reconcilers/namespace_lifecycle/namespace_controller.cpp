#include "reconcilers/namespace_lifecycle/namespace_controller.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/not_found.h"
#include "base/text.h"
#include "kube/client/resources.h"
#include "kube/controller/identity.h"
#include "kube/object/conditions.h"

namespace coracle::reconcilers {
namespace {

constexpr std::string_view kFinalizer = "kubernetes";
constexpr Duration kLookAgain = std::chrono::seconds(2);

RemainingContent describe_remaining(const kube::ResourceRef& resource, const std::vector<kube::Object>& objects) {
  RemainingContent content;
  content.resource = resource.gvr.resource + "." + resource.gvr.group;
  content.count = objects.size();
  std::map<std::string, std::size_t> finalizers;
  for (const kube::Object& object : objects) {
    for (const Value& finalizer : object.metadata()["finalizers"].items()) {
      ++finalizers[std::string(finalizer.as_string())];
    }
  }
  content.finalizers.assign(finalizers.begin(), finalizers.end());
  return content;
}

class NamespaceReconciler : public kube::Reconciler {
 public:
  NamespaceReconciler(const kube::Client& client, kube::RestMapper& mapper, const kube::Store& namespaces)
      : client_(client), mapper_(mapper), namespaces_(namespaces) {}

  Result<kube::Done> reconcile(const Context& context, const kube::ObjectKey& key) override {
    const std::optional<kube::Object> ns = namespaces_.get(key);
    if (!ns || !ns->deleting()) return kube::Done{};
    const NamespaceProgress progress = empty_namespace(context, key.name);
    TRY(write_conditions(context, *ns, progress));
    if (!progress.discovery_error.empty() || !progress.deletion_errors.empty()) {
      return internal_error("namespace " + key.name + ": " + progress.discovery_error +
                            join(progress.deletion_errors, "; "));
    }
    if (!progress.remaining.empty()) return kube::Done{kLookAgain};
    return finalize(context, key);
  }

 private:
  // Pods go first: other content may be what they need to end in order.
  NamespaceProgress empty_namespace(const Context& context, const std::string& ns) {
    NamespaceProgress progress;
    mapper_.invalidate();
    Result<std::shared_ptr<const kube::Discovery>> discovery = mapper_.current(context);
    if (!discovery.ok()) {
      progress.discovery_error = discovery.error().message();
      return progress;
    }
    if (!(*discovery)->stale().empty()) {
      progress.discovery_error = "no answer from " + join((*discovery)->stale(), ", ");
    }
    delete_content(context, ns, kube::resources::pods(), true, progress);
    if (!progress.remaining.empty() || !progress.deletion_errors.empty()) return progress;
    for (const kube::DiscoveredResource& resource : (*discovery)->resources()) {
      if (!resource.preferred || !resource.ref.namespaced || !resource.can("delete") || !resource.can("list")) continue;
      if (resource.ref == kube::resources::pods()) continue;
      delete_content(context, ns, resource.ref, resource.can("deletecollection"), progress);
    }
    return progress;
  }

  void delete_content(const Context& context, const std::string& ns, const kube::ResourceRef& resource,
                      bool has_collection, NamespaceProgress& progress) {
    const kube::ListParameters metadata{.metadata_only = true};
    Result<kube::ObjectList> objects = client_.list_all(context, resource, ns, metadata);
    if (objects.ok() && objects->items.empty()) return;
    Result<void> deleted = !objects.ok()    ? Result<void>(objects.error())
                           : has_collection ? client_.remove_collection(context, resource, ns, {}, background())
                                            : delete_each(context, resource, objects->items);
    if (deleted.ok()) objects = client_.list_all(context, resource, ns, metadata);
    const Error* error = !deleted.ok() ? &deleted.error() : !objects.ok() ? &objects.error() : nullptr;
    if (error != nullptr) {
      // A custom resource whose definition has just gone has no content left.
      if (error->reason() == Reason::NotFound) return;
      progress.deletion_errors.push_back(resource.gvr.resource + ": " + error->message());
      return;
    }
    if (!objects->items.empty()) progress.remaining.push_back(describe_remaining(resource, objects->items));
  }

  Result<void> delete_each(const Context& context, const kube::ResourceRef& resource,
                           const std::vector<kube::Object>& objects) {
    for (const kube::Object& object : objects) {
      if (object.deleting()) continue;
      TRY(even_if_gone(client_.remove(context, resource, object.key(), background())));
    }
    return {};
  }

  static kube::DeleteParameters background() { return {.propagation = "Background"}; }

  Result<void> write_conditions(const Context& context, const kube::Object& ns, const NamespaceProgress& progress) {
    const Value& before = ns["status"]["conditions"];
    const Value conditions = plan_namespace_conditions(before, progress, context.clock().wall());
    if (conditions == before) return {};
    const kube::Object wanted = ns.with("status", ns["status"].with("conditions", conditions));
    return even_if_gone(client_.update_status(context, kube::resources::namespaces(), wanted));
  }

  Result<kube::Done> finalize(const Context& context, const kube::ObjectKey& key) {
    ASSIGN_OR_RETURN(const std::optional<kube::Object> ns,
                     if_there(client_.get(context, kube::resources::namespaces(), key)));
    if (!ns) return kube::Done{};
    Value::ArrayBuilder kept;
    for (const Value& finalizer : (*ns)["spec"]["finalizers"].items()) {
      if (finalizer.as_string() != kFinalizer) kept.add(finalizer);
    }
    const kube::Object wanted = ns->with("spec", (*ns)["spec"].with("finalizers", std::move(kept).build()));
    TRY(even_if_gone(client_.update_subresource(context, kube::resources::namespaces(), key, "finalize", wanted)));
    return kube::Done{};
  }

  const kube::Client& client_;
  kube::RestMapper& mapper_;
  const kube::Store& namespaces_;
};

// "pods. has 1 resource instances, configmaps. has 2 resource instances"
std::string remaining_text(const NamespaceProgress& progress) {
  std::vector<std::string> parts;
  for (const RemainingContent& content : progress.remaining) {
    parts.push_back(content.resource + " has " + std::to_string(content.count) + " resource instances");
  }
  std::sort(parts.begin(), parts.end());
  return join(parts, ", ");
}

std::string finalizers_text(const NamespaceProgress& progress) {
  std::map<std::string, std::size_t> totals;
  for (const RemainingContent& content : progress.remaining) {
    for (const auto& [finalizer, count] : content.finalizers) totals[finalizer] += count;
  }
  std::vector<std::string> parts;
  for (const auto& [finalizer, count] : totals) {
    parts.push_back(finalizer + " in " + std::to_string(count) + " resource instances");
  }
  return join(parts, ", ");
}

}  // namespace

Value plan_namespace_conditions(const Value& conditions, const NamespaceProgress& progress, WallTime now) {
  struct Row {
    std::string_view type;
    bool holds;
    std::string_view true_reason;
    std::string true_message;
    std::string_view false_reason;
    std::string_view false_message;
  };
  const std::string finalizers = finalizers_text(progress);
  const Row rows[] = {
      {"NamespaceDeletionDiscoveryFailure", !progress.discovery_error.empty(), "DiscoveryFailed",
       progress.discovery_error, "ResourcesDiscovered", "All resources successfully discovered"},
      {"NamespaceDeletionGroupVersionParsingFailure", false, "GroupVersionParsingFailed", "", "ParsedGroupVersions",
       "All legacy kube types successfully parsed"},
      {"NamespaceDeletionContentFailure", !progress.deletion_errors.empty(), "ContentDeletionFailed",
       "Failed to delete all resource types, " + std::to_string(progress.deletion_errors.size()) +
           " remaining: " + join(progress.deletion_errors, ", "),
       "ContentDeleted", "All content successfully deleted, may be waiting on finalization"},
      {"NamespaceContentRemaining", !progress.remaining.empty(), "SomeResourcesRemain",
       "Some resources are remaining: " + remaining_text(progress), "ContentRemoved",
       "All content successfully removed"},
      {"NamespaceFinalizersRemaining", !finalizers.empty(), "SomeFinalizersRemain",
       "Some content in the namespace has finalizers remaining: " + finalizers, "ContentHasNoFinalizers",
       "All content-preserving finalizers finished"},
  };
  Value planned = conditions;
  for (const Row& row : rows) {
    kube::Condition condition;
    condition.type = row.type;
    condition.status = row.holds ? "True" : "False";
    condition.reason = row.holds ? row.true_reason : row.false_reason;
    condition.message = row.holds ? row.true_message : row.false_message;
    planned = kube::with_condition(planned, condition, now);
  }
  return planned;
}

std::unique_ptr<kube::ManagedController> make_namespace_controller(const kube::ControllerDeps& deps) {
  kube::Informer& namespaces = deps.informers.get(kube::resources::namespaces());
  auto controller = std::make_unique<kube::SimpleController>(
      kube::as_service_account(deps.context, "kube-system", "namespace-controller"),
      std::make_unique<NamespaceReconciler>(deps.client, deps.mapper, namespaces.store()),
      kube::ControllerOptions{.name = "namespace-controller",
                              .concurrency = 2,
                              .retry = {std::chrono::milliseconds(5), std::chrono::seconds(60)}},
      deps.log);
  controller->controller().watch(namespaces);
  return controller;
}

}  // namespace coracle::reconcilers
