#include "reconcilers/resource_quota/resource_quota.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "base/not_found.h"
#include "kube/cache/monitor_set.h"
#include "kube/client/resources.h"
#include "kube/controller/identity.h"
#include "kube/object/quota_usage.h"

namespace coracle::reconcilers {
namespace {

// What changes while a namespace is busy is counted once.
constexpr Duration kGather = std::chrono::milliseconds(200);
// Much longer than a write takes from its admission to the store.
constexpr Duration kSettle = std::chrono::milliseconds(500);
// Repairs what no event told: a resource that quotas name may be served later.
constexpr Duration kRecountEvery = std::chrono::minutes(5);

std::string qualified_name(const kube::ResourceRef& resource) {
  return resource.gvr.group.empty() ? resource.gvr.resource : resource.gvr.resource + "." + resource.gvr.group;
}

// Watches the metadata of those resources that some quota counts, from the first quota on that does.
class ResourceQuotaController : public kube::Reconciler, public kube::ManagedController {
 public:
  explicit ResourceQuotaController(const kube::ControllerDeps& deps)
      : client_(deps.client),
        mapper_(deps.mapper),
        log_(deps.log.named("resourcequota-controller")),
        context_(kube::as_service_account(deps.context, "kube-system", "resourcequota-controller")),
        quotas_(deps.informers.get(kube::resources::resource_quotas()).store()),
        monitors_(deps.informers,
                  [this](const kube::ResourceRef&, const auto& before, const auto& after) {
                    recount(before ? before->namespace_() : after->namespace_());
                  }),
        controller_(context_, *this, {.name = "resourcequota-controller", .concurrency = 2}, log_) {
    deps.informers.get(kube::resources::resource_quotas())
        .add_handler([this](const std::optional<kube::Object>& before, const std::optional<kube::Object>& after) {
          note_change(before, after);
        });
  }

  // Monitors call into the controller, so they end first.
  ~ResourceQuotaController() override { monitors_.stop(); }

  void start() override { controller_.start(); }
  // The next recount is always pending.
  bool idle() const override { return controller_.at_rest(); }

  Result<kube::Done> reconcile(const Context& context, const kube::ObjectKey& key) override {
    // As the cache has it: a charge by admission that it lacks makes the write conflict, and its event comes later.
    const bool settled = is_settled(key);
    const std::optional<kube::Object> quota = quotas_.get(key);
    if (!quota || quota->deleting()) return kube::Done{};
    ASSIGN_OR_RETURN(const std::vector<CountedObjects> content, read_content(context, *quota));
    const QuotaPlan plan = plan_quota_status(*quota, content, settled);
    if (plan.status) {
      TRY(even_if_gone(
          client_.update_status(context, kube::resources::resource_quotas(), quota->with("status", *plan.status))));
    }
    return kube::Done{plan.lowers_later ? kSettle : kRecountEvery};
  }

 private:
  void note_change(const std::optional<kube::Object>& before, const std::optional<kube::Object>& after) {
    const kube::ObjectKey key = (after ? *after : *before).key();
    {
      std::lock_guard lock(mutex_);
      if (!after) {
        changed_.erase(key);
        return;
      }
      changed_[key] = context_.clock().monotonic();
    }
    if (before && (*before)["spec"] == (*after)["spec"]) {
      controller_.enqueue_after(key, kGather);
    } else {
      controller_.enqueue(key);
    }
  }

  bool is_settled(const kube::ObjectKey& key) {
    std::lock_guard lock(mutex_);
    const auto changed = changed_.find(key);
    return changed != changed_.end() && context_.clock().monotonic() - changed->second >= kSettle;
  }

  Result<std::vector<CountedObjects>> read_content(const Context& context, const kube::Object& quota) {
    std::vector<CountedObjects> content;
    ASSIGN_OR_RETURN(const std::shared_ptr<const kube::Discovery> discovery, mapper_.current(context));
    const std::vector<std::string> names = kube::quota_counted_resources(kube::read_amounts(quota["spec"]["hard"]));
    for (const kube::DiscoveredResource& resource : discovery->resources()) {
      if (!resource.preferred || !resource.ref.namespaced || !resource.can("list") || !resource.can("watch")) continue;
      const auto name = std::find(names.begin(), names.end(), qualified_name(resource.ref));
      if (name == names.end()) continue;
      monitors_.add(resource.ref);
      ASSIGN_OR_RETURN(kube::ObjectList list, client_.list_all(context, resource.ref, quota.namespace_()));
      content.push_back({*name, std::move(list.items)});
    }
    // One that is not served may be by the next time.
    if (content.size() < names.size()) mapper_.invalidate();
    return content;
  }

  void recount(std::string_view ns) {
    for (const kube::Object& quota : quotas_.list(ns)) controller_.enqueue_after(quota.key(), kGather);
  }

  const kube::Client& client_;
  kube::RestMapper& mapper_;
  const Logger log_;
  const Context context_;
  const kube::Store& quotas_;
  kube::MonitorSet monitors_;
  std::mutex mutex_;
  std::map<kube::ObjectKey, MonotonicTime> changed_;  // when each quota was last seen to change
  kube::Controller controller_;
};

}  // namespace

QuotaPlan plan_quota_status(const kube::Object& quota, const std::vector<CountedObjects>& content, bool settled) {
  const Value& hard = quota["spec"]["hard"];
  kube::ResourceAmounts used;
  for (const auto& [name, limit] : kube::read_amounts(hard)) used.emplace(name, kube::Quantity());
  for (const CountedObjects& counted : content) {
    for (const kube::Object& object : counted.objects) {
      kube::add_quota_usage(quota, counted.resource, object, used);
    }
  }
  const kube::ResourceAmounts told = kube::read_amounts(quota["status"]["used"]);
  QuotaPlan plan;
  for (auto& [name, amount] : used) {
    const auto before = told.find(name);
    if (settled || before == told.end() || before->second <= amount) continue;
    amount = before->second;
    plan.lowers_later = true;
  }
  if (kube::read_amounts(quota["status"]["hard"]) != kube::read_amounts(hard) || told != used) {
    plan.status = Value::object({{"hard", hard}, {"used", kube::write_amounts(used)}});
  }
  return plan;
}

std::unique_ptr<kube::ManagedController> make_resource_quota_controller(const kube::ControllerDeps& deps) {
  return std::make_unique<ResourceQuotaController>(deps);
}

}  // namespace coracle::reconcilers
