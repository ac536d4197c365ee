#include <algorithm>
#include <optional>
#include <utility>

#include "base/not_found.h"
#include "base/text.h"
#include "kube/apiserver/internal/admission/common.h"
#include "kube/apiserver/internal/admission/plugins.h"
#include "kube/object/quota_usage.h"

namespace coracle::kube::apiserver {
namespace {

constexpr unsigned kQuotaRetries = 20;

// "a=1,b=2" of the names in `only`.
std::string amounts_text(const ResourceAmounts& amounts, const std::vector<std::string>& only) {
  std::vector<std::string> parts;
  for (const std::string& name : only) {
    auto found = amounts.find(name);
    if (found != amounts.end()) parts.push_back(name + "=" + found->second.text());
  }
  return join(parts, ",");
}

// Keeps every new object within the ResourceQuotas of its namespace. The usage is written to the quota's
// status before the object is admitted, by compare-and-swap, so that concurrent writers cannot exceed it
// together. A quota whose usage is unknown is counted from the caches first. What is deleted is taken off by the
// quota controller, which alone can tell it from what has been charged and is not stored yet.
class ResourceQuotaAdmission : public AdmissionPlugin {
 public:
  ResourceQuotaAdmission(const ObjectReader& objects, const Registry& registry)
      : objects_(objects), registry_(registry) {}
  std::string_view name() const override { return "ResourceQuota"; }

  Result<void> validate(const Context& context, const AdmissionAttributes& attributes, const Object* object,
                        std::vector<std::string>&) override {
    if (object == nullptr || attributes.namespace_.empty() || !counts(attributes)) return {};
    ASSIGN_OR_RETURN(std::vector<Object> quotas,
                     objects_.list(context, KnownResource::ResourceQuotas, attributes.namespace_));
    for (const Object& quota : quotas) TRY(charge(context, attributes, *object, quota));
    return {};
  }

 private:
  static bool counts(const AdmissionAttributes& attributes) {
    if (attributes.operation == Operation::Create) return attributes.subresource.empty();
    if (attributes.operation != Operation::Update || attributes.old == nullptr) return false;
    if (concerns(attributes, "", "pods") || concerns(attributes, "", "pods", "resize")) return true;
    return concerns(attributes, "", "services") || concerns(attributes, "", "persistentvolumeclaims");
  }

  // What the write adds to the quota, for the names that it limits.
  static ResourceAmounts added_usage(const AdmissionAttributes& attributes, const Object& object, const Object& quota,
                                     const ResourceAmounts& hard) {
    ResourceAmounts added;
    const std::string resource = attributes.resource.qualified_resource();
    if (!quota_takes_in(quota, resource, object)) return added;
    ResourceAmounts before;
    if (attributes.old != nullptr && quota_takes_in(quota, resource, *attributes.old)) {
      before = quota_usage(resource, *attributes.old);
    }
    for (const auto& [name, quantity] : quota_usage(resource, object)) {
      if (hard.count(name) == 0) continue;
      auto old = before.find(name);
      Quantity difference = old == before.end() ? quantity : quantity - old->second;
      if (difference.sign() > 0) added.emplace(name, difference);
    }
    return added;
  }

  Result<void> charge(const Context& context, const AdmissionAttributes& attributes, const Object& object,
                      const Object& quota) const {
    ResourceAmounts hard = read_amounts(quota["spec"]["hard"]);
    bool pod = concerns(attributes, "", "pods");
    if (pod && attributes.operation == Operation::Create && quota_takes_in(quota, "pods", object)) {
      std::string missing = quota_missing_compute(hard, object);
      if (!missing.empty()) {
        return admission_forbidden(attributes, &object,
                                   "failed quota: " + std::string(quota.name()) + ": must specify " + missing);
      }
    }
    ResourceAmounts added = added_usage(attributes, object, quota, hard);
    if (added.empty()) return {};
    if (attributes.dry_run) {
      Result<Object> charged = charged_quota(context, attributes, object, quota, added);
      if (!charged.ok()) return charged.error();
      return {};
    }
    const ResourceDescriptor* resource = objects_.descriptor(KnownResource::ResourceQuotas);
    WriteRequest write{context,
                       *resource,
                       std::string(quota.namespace_()),
                       std::string(quota.name()),
                       "status",
                       std::string(kOwnManager),
                       false,
                       false,
                       nullptr};
    UpdateOptions options;
    options.retries = kQuotaRetries;
    Result<WriteResult> written = objects_.store().update(write, options, [&](const Object* current) -> Result<Object> {
      if (current == nullptr) return not_found(*resource, quota.name());
      return charged_quota(context, attributes, object, *current, added);
    });
    return even_if_gone(written);  // a quota that has been deleted meanwhile limits nothing
  }

  // The quota with the added usage in its status; Forbidden when that exceeds it.
  Result<Object> charged_quota(const Context& context, const AdmissionAttributes& attributes, const Object& object,
                               const Object& quota, const ResourceAmounts& added) const {
    ResourceAmounts hard = read_amounts(quota["spec"]["hard"]);
    ResourceAmounts used = read_amounts(quota["status"]["used"]);
    bool known = quota["status"]["hard"] == quota["spec"]["hard"];
    for (const auto& [name, quantity] : added) known = known && used.count(name) != 0;
    if (!known) {
      ASSIGN_OR_RETURN(used, counted_usage(context, quota, hard));
    }
    const std::vector<std::string> exceeded = exceeding(hard, used, added);
    if (!exceeded.empty()) {
      return admission_forbidden(
          attributes, &object,
          "exceeded quota: " + std::string(quota.name()) + ", requested: " + amounts_text(added, exceeded) +
              ", used: " + amounts_text(used, exceeded) + ", limited: " + amounts_text(hard, exceeded));
    }
    add_amounts(used, added);
    return quota.with("status", Value::object({{"hard", quota["spec"]["hard"]}, {"used", write_amounts(used)}}));
  }

  static std::vector<std::string> exceeding(const ResourceAmounts& hard, const ResourceAmounts& used,
                                            const ResourceAmounts& added) {
    std::vector<std::string> names;
    for (const auto& [name, quantity] : added) {
      auto now = used.find(name);
      Quantity sum = now == used.end() ? quantity : now->second + quantity;
      if (sum > hard.at(name)) names.push_back(name);
    }
    return names;
  }

  // Every name of `hard` with what the namespace's objects use of it now.
  Result<ResourceAmounts> counted_usage(const Context& context, const Object& quota,
                                        const ResourceAmounts& hard) const {
    ResourceAmounts used;
    for (const auto& [name, limit] : hard) used.emplace(name, Quantity());
    std::vector<std::string> resources = quota_counted_resources(hard);
    ResourceTablePtr table = registry_.table();
    for (const ResourcePtr& resource : table->all()) {
      auto wanted = std::find(resources.begin(), resources.end(), resource->qualified_resource());
      if (wanted == resources.end() || !resource->namespaced || resource->storage_prefix.empty()) continue;
      resources.erase(wanted);  // several versions are one set of objects
      ASSIGN_OR_RETURN(std::vector<StoredObjectPtr> stored,
                       objects_.store().list(context, *resource, quota.namespace_()));
      for (const StoredObjectPtr& one : stored) {
        ASSIGN_OR_RETURN(Object object, one->object());
        add_quota_usage(quota, resource->qualified_resource(), object, used);
      }
    }
    return used;
  }

  const ObjectReader& objects_;
  const Registry& registry_;
};

}  // namespace

AdmissionPluginPtr make_resource_quota(const ObjectReader& objects, const Registry& registry) {
  return std::make_unique<ResourceQuotaAdmission>(objects, registry);
}

}  // namespace coracle::kube::apiserver
