#include "reconcilers/garbage_collector/garbage_collector.h"

#include <algorithm>
#include <utility>

#include "base/not_found.h"
#include "kube/cache/monitor_set.h"
#include "kube/client/resources.h"
#include "kube/controller/event_recorder.h"
#include "kube/controller/identity.h"
#include "reconcilers/garbage_collector/plan.h"

namespace coracle::reconcilers {
namespace {

constexpr std::string_view kAccount = "generic-garbage-collector";
constexpr std::string_view kForegroundFinalizer = "foregroundDeletion";
constexpr std::string_view kOrphanFinalizer = "orphan";
// Repairs a missed change of the set of resources; changes of CRDs are seen at once.
constexpr Duration kRediscoverEvery = std::chrono::minutes(5);
constexpr Duration kWaitForSync = std::chrono::seconds(1);
const kube::ObjectKey kRediscover{"", ""};  // no object has an empty uid

bool is_tracked(const kube::DiscoveredResource& resource) {
  const std::string& name = resource.ref.gvr.resource;
  const std::string& group = resource.ref.gvr.group;
  const bool event = name == "events" && (group.empty() || group == "events.k8s.io");
  return resource.preferred && !event && resource.can("list") && resource.can("watch") && resource.can("delete");
}

class GarbageCollector : public kube::Reconciler, public kube::ManagedController {
 public:
  explicit GarbageCollector(const kube::ControllerDeps& deps)
      : client_(deps.client),
        mapper_(deps.mapper),
        log_(deps.log.named("garbage-collector-controller")),
        events_(deps.client, "garbage-collector-controller", log_),
        context_(kube::as_service_account(deps.context, "kube-system", kAccount)),
        monitors_(deps.informers, [this](const auto& resource, const auto& before,
                                         const auto& after) { note(resource, before, after); }),
        controller_(context_, *this, {.name = "garbage-collector-controller", .concurrency = 4}, log_) {
    controller_.watch(deps.informers.get(kube::resources::custom_resource_definitions(), {.metadata_only = true}),
                      [](const kube::Object&) { return std::vector{kRediscover}; });
  }

  // Monitors call into the controller, so they end first.
  ~GarbageCollector() override { monitors_.stop(); }

  void start() override {
    controller_.enqueue(kRediscover);
    controller_.start();
  }

  // The next rediscovery is always pending, so "nothing delayed" would never hold.
  bool idle() const override { return controller_.at_rest(); }

  // The key's name is a uid.
  Result<kube::Done> reconcile(const Context& context, const kube::ObjectKey& key) override {
    if (key == kRediscover) return rediscover(context);
    const std::optional<GraphNode> node = graph_.find(key.name);
    if (!node) return kube::Done{};
    if (node->deleting && node->orphan) return orphan_dependents(context, *node);
    if (node->deleting_dependents()) return finish_foreground(context, *node);
    return collect(context, *node);
  }

 private:
  Result<kube::Done> rediscover(const Context& context) {
    mapper_.invalidate();
    ASSIGN_OR_RETURN(const std::shared_ptr<const kube::Discovery> discovery, mapper_.current(context));
    std::vector<kube::ResourceRef> tracked;
    for (const kube::DiscoveredResource& resource : discovery->resources()) {
      if (is_tracked(resource)) tracked.push_back(resource.ref);
    }
    monitors_.replace(tracked);
    return kube::Done{kRediscoverEvery};
  }

  void note(const kube::ResourceRef& resource, const std::optional<kube::Object>& before,
            const std::optional<kube::Object>& after) {
    const bool replaced = before && after && before->uid() != after->uid();
    if (before && (!after || replaced)) enqueue(graph_.remove(*before));
    if (after) enqueue(graph_.apply(resource, *after));
  }

  void enqueue(const std::vector<std::string>& uids) {
    for (const std::string& uid : uids) controller_.enqueue({"", uid});
  }

  // The live object when it still is the one that the graph means.
  Result<std::optional<kube::Object>> live(const Context& context, const GraphNode& node) const {
    ASSIGN_OR_RETURN(std::optional<kube::Object> object, if_there(client_.get(context, node.resource, node.key)));
    if (object && object->uid() != node.uid) object.reset();
    return object;
  }

  Result<OwnerState> standing(const Context& context, const GraphNode& node, const kube::OwnerReference& owner) {
    const kube::GroupVersionKind gvk = kube::GroupVersionKind::parse(owner.api_version, owner.kind);
    ASSIGN_OR_RETURN(const std::optional<kube::DiscoveredResource> resource, if_there(mapper_.find(context, gvk)));
    if (!resource) return OwnerState::Unknown;
    if (resource->ref.namespaced && node.key.namespace_.empty()) return OwnerState::Unknown;
    const std::string ns = resource->ref.namespaced ? node.key.namespace_ : std::string();
    if (const std::optional<GraphNode> known = graph_.find(owner.uid)) {
      if (resource->ref.namespaced && known->key.namespace_ != ns) report_other_namespace(context, node, owner);
      if (known->key == kube::ObjectKey{ns, owner.name}) {
        return known->deleting_dependents() ? OwnerState::Waiting : OwnerState::Solid;
      }
    }
    ASSIGN_OR_RETURN(const std::optional<kube::Object> object,
                     if_there(client_.get(context, resource->ref, {ns, owner.name})));
    if (!object || object->uid() != owner.uid) return OwnerState::Dangling;
    return object->deleting() && object->has_finalizer(kForegroundFinalizer) ? OwnerState::Waiting : OwnerState::Solid;
  }

  void report_other_namespace(const Context& context, const GraphNode& node, const kube::OwnerReference& owner) {
    const kube::Object about(Value::object(
        {{"apiVersion", node.resource.gvr.api_version()},
         {"kind", node.resource.kind},
         {"metadata",
          Value::object({{"name", node.key.name}, {"namespace", node.key.namespace_}, {"uid", node.uid}})}}));
    events_.record(context, about, kube::EventType::Warning, "OwnerRefInvalidNamespace",
                   "ownerRef [" + owner.api_version + "/" + owner.kind + ", namespace: " + node.key.namespace_ +
                       ", name: " + owner.name + ", uid: " + owner.uid + "] does not exist in namespace \"" +
                       node.key.namespace_ + "\"");
  }

  Result<kube::Done> collect(const Context& context, const GraphNode& seen) {
    if (seen.owners.empty()) return kube::Done{};
    ASSIGN_OR_RETURN(const std::optional<kube::Object> object, live(context, seen));
    if (!object) return kube::Done{};
    GraphNode node = seen;
    node.owners = object->owner_references();
    node.deleting = object->deleting();
    std::vector<OwnerStanding> owners;
    for (const kube::OwnerReference& owner : node.owners) {
      ASSIGN_OR_RETURN(const OwnerState state, standing(context, node, owner));
      owners.push_back({owner, state});
    }
    const CollectionPlan plan = plan_collection(node, owners, graph_.dependents(node.uid));
    switch (plan.action) {
      case CollectionPlan::Action::Keep:
        return kube::Done{};
      case CollectionPlan::Action::RemoveReferences:
        return remove_references(context, node, *object, plan.references);
      case CollectionPlan::Action::Delete:
        if (plan.unblock_owners) TRY(unblock(context, node, *object));
        log_.debug("deleting an object without owners",
                   {{"resource", node.resource.gvr.resource}, {"object", node.key.text()}});
        return accept_absence(client_.remove(
            context, node.resource, node.key,
            {.propagation = plan.propagation,
             .uid = node.uid,
             .resource_version = plan.unblock_owners ? std::string() : std::string(object->resource_version())}));
    }
    return kube::Done{};
  }

  static Result<kube::Done> accept_absence(const Result<void>& result) {
    TRY(even_if_gone(result));
    return kube::Done{};
  }

  Result<void> write_metadata(const Context& context, const GraphNode& node, const kube::Object& object,
                              std::string_view field, Value value) {
    return even_if_gone(
        client_.patch_metadata(context, node.resource, object, Value::ObjectBuilder().set(field, std::move(value))));
  }

  Result<kube::Done> remove_references(const Context& context, const GraphNode& node, const kube::Object& object,
                                       const std::vector<std::string>& uids) {
    Value::ArrayBuilder kept;
    for (const Value& owner : object.metadata()["ownerReferences"].items()) {
      if (std::find(uids.begin(), uids.end(), owner["uid"].as_string()) == uids.end()) kept.add(owner);
    }
    TRY(write_metadata(context, node, object, "ownerReferences", std::move(kept).build()));
    return kube::Done{};
  }

  Result<void> unblock(const Context& context, const GraphNode& node, const kube::Object& object) {
    Value::ArrayBuilder owners;
    for (const Value& owner : object.metadata()["ownerReferences"].items()) {
      owners.add(owner.contains("blockOwnerDeletion") ? owner.with("blockOwnerDeletion", false) : owner);
    }
    return write_metadata(context, node, object, "ownerReferences", std::move(owners).build());
  }

  Result<kube::Done> remove_finalizer(const Context& context, const GraphNode& node, std::string_view finalizer) {
    ASSIGN_OR_RETURN(const std::optional<kube::Object> object, live(context, node));
    if (!object || !object->has_finalizer(finalizer)) return kube::Done{};
    TRY(write_metadata(context, node, *object, "finalizers",
                       object->without_finalizer(finalizer).metadata()["finalizers"]));
    return kube::Done{};
  }

  Result<kube::Done> orphan_dependents(const Context& context, const GraphNode& node) {
    // Every dependent that exists must be in the graph.
    if (!monitors_.synced()) return kube::Done{kWaitForSync};
    for (const GraphNode& dependent : graph_.dependents(node.uid)) {
      ASSIGN_OR_RETURN(const std::optional<kube::Object> object, live(context, dependent));
      if (object) TRY(remove_references(context, dependent, *object, {node.uid}));
    }
    return remove_finalizer(context, node, kOrphanFinalizer);
  }

  Result<kube::Done> finish_foreground(const Context& context, const GraphNode& node) {
    if (!monitors_.synced()) return kube::Done{kWaitForSync};
    bool blocked = false;
    for (const GraphNode& dependent : graph_.dependents(node.uid)) {
      if (!dependent.blocks(node.uid)) continue;
      blocked = true;
      if (!dependent.deleting) controller_.enqueue({"", dependent.uid});
    }
    // When the last one goes, its removal from the graph brings this owner back.
    if (blocked) return kube::Done{};
    return remove_finalizer(context, node, kForegroundFinalizer);
  }

  const kube::Client& client_;
  kube::RestMapper& mapper_;
  Logger log_;
  kube::EventRecorder events_;
  const Context context_;
  OwnerGraph graph_;
  kube::MonitorSet monitors_;
  kube::Controller controller_;
};

}  // namespace

std::unique_ptr<kube::ManagedController> make_garbage_collector(const kube::ControllerDeps& deps) {
  return std::make_unique<GarbageCollector>(deps);
}

}  // namespace coracle::reconcilers
