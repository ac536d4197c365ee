#include "reconcilers/storage_protection/storage_protection.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/not_found.h"
#include "kube/client/resources.h"
#include "kube/controller/identity.h"

namespace coracle::reconcilers {
namespace {

constexpr std::string_view kClaimFinalizer = "kubernetes.io/pvc-protection";
constexpr std::string_view kVolumeFinalizer = "kubernetes.io/pv-protection";
constexpr std::string_view kClassFinalizer = "kubernetes.io/vac-protection";
// An index of one group: the objects that are being deleted.
constexpr std::string_view kDeletingIndex = "deleting";

using InUse = std::function<Result<bool>(const Context&, const kube::Object&)>;

bool needs_work(const kube::Object& object, std::string_view finalizer) {
  return object.deleting() == object.has_finalizer(finalizer);
}

// Watches metadata only and reads the whole object when there is something to do, which is rare.
class ProtectionReconciler : public kube::Reconciler {
 public:
  ProtectionReconciler(const kube::Client& client, const kube::Store& known, kube::ResourceRef resource,
                       std::string_view finalizer, InUse in_use)
      : client_(client),
        known_(known),
        resource_(std::move(resource)),
        finalizer_(finalizer),
        in_use_(std::move(in_use)) {}

  Result<kube::Done> reconcile(const Context& context, const kube::ObjectKey& key) override {
    const std::optional<kube::Object> known = known_.get(key);
    if (!known || !needs_work(*known, finalizer_)) return kube::Done{};
    ASSIGN_OR_RETURN(const std::optional<kube::Object> object, if_there(client_.get(context, resource_, key)));
    if (!object) return kube::Done{};
    bool in_use = false;
    if (object->deleting()) {
      // Asked live: what a cache does not show yet may be a user already.
      ASSIGN_OR_RETURN(in_use, in_use_(context, *object));
    }
    const std::optional<kube::Object> wanted = plan_protection(*object, finalizer_, in_use);
    if (!wanted) return kube::Done{};
    TRY(even_if_gone(client_.update(context, resource_, *wanted)));
    return kube::Done{};
  }

 private:
  const kube::Client& client_;
  const kube::Store& known_;
  const kube::ResourceRef resource_;
  const std::string_view finalizer_;
  const InUse in_use_;
};

struct Protection {
  std::string_view controller;
  std::string_view account;
  std::string_view finalizer;
  kube::ResourceRef resource;
  InUse in_use;
  std::vector<kube::ResourceRef> users;  // what may have used the resource; of its own namespace if that has one
};

std::unique_ptr<kube::ManagedController> make_protection(const kube::ControllerDeps& deps, Protection protection) {
  const auto deleting = [](const kube::Object& object) {
    return object.deleting() ? std::vector{std::string(object.namespace_())} : std::vector<std::string>();
  };
  kube::Informer& guarded = deps.informers.get(
      protection.resource, {.metadata_only = true, .indexes = {{std::string(kDeletingIndex), deleting}}});
  const kube::Store& known = guarded.store();
  auto controller = std::make_unique<kube::SimpleController>(
      kube::as_service_account(deps.context, "kube-system", protection.account),
      std::make_unique<ProtectionReconciler>(deps.client, known, protection.resource, protection.finalizer,
                                             std::move(protection.in_use)),
      kube::ControllerOptions{.name = std::string(protection.controller), .concurrency = 1}, deps.log);
  controller->controller().watch(guarded);
  const bool namespaced = protection.resource.namespaced;
  for (const kube::ResourceRef& user : protection.users) {
    controller->controller().watch(deps.informers.get(user, {.metadata_only = true}),
                                   [&known, namespaced](const kube::Object& changed) {
                                     std::vector<kube::ObjectKey> keys;
                                     const std::string_view ns = namespaced ? changed.namespace_() : std::string_view();
                                     for (const kube::Object& object : known.by_index(kDeletingIndex, ns))
                                       keys.push_back(object.key());
                                     return keys;
                                   });
  }
  return controller;
}

Result<bool> any_matches(const kube::Client& client, const Context& context, const kube::ResourceRef& resource,
                         std::string_view ns, const std::function<bool(const kube::Object&)>& matches) {
  ASSIGN_OR_RETURN(const kube::ObjectList list, client.list_all(context, resource, ns));
  return std::any_of(list.items.begin(), list.items.end(), matches);
}

}  // namespace

std::optional<kube::Object> plan_protection(const kube::Object& object, std::string_view finalizer, bool in_use) {
  if (!needs_work(object, finalizer)) return std::nullopt;
  if (!object.deleting()) return object.with_finalizer(finalizer);
  if (in_use) return std::nullopt;
  return object.without_finalizer(finalizer);
}

bool pod_uses_claim(const kube::Object& pod, const kube::Object& claim) {
  if (pod.namespace_() != claim.namespace_() || pod["spec"]["nodeName"].as_string().empty()) return false;
  for (const Value& volume : pod["spec"]["volumes"].items()) {
    if (volume["persistentVolumeClaim"]["claimName"].as_string() == claim.name()) return true;
    if (!volume["ephemeral"].is_object()) continue;
    const std::string made = std::string(pod.name()) + "-" + std::string(volume["name"].as_string());
    const std::optional<kube::OwnerReference> owner = claim.controller();
    if (made == claim.name() && owner && owner->uid == pod.uid()) return true;
  }
  return false;
}

bool claim_uses_attributes_class(const kube::Object& claim, std::string_view name) {
  const Value& status = claim["status"];
  return claim["spec"]["volumeAttributesClassName"].as_string() == name ||
         status["currentVolumeAttributesClassName"].as_string() == name ||
         status["modifyVolumeStatus"]["targetVolumeAttributesClassName"].as_string() == name;
}

bool volume_uses_attributes_class(const kube::Object& volume, std::string_view name) {
  return volume["spec"]["volumeAttributesClassName"].as_string() == name;
}

std::unique_ptr<kube::ManagedController> make_claim_protection(const kube::ControllerDeps& deps) {
  const kube::Client& client = deps.client;
  return make_protection(deps, {.controller = "persistentvolumeclaim-protection-controller",
                                .account = "pvc-protection-controller",
                                .finalizer = kClaimFinalizer,
                                .resource = kube::resources::persistent_volume_claims(),
                                .in_use =
                                    [&client](const Context& context, const kube::Object& claim) {
                                      return any_matches(
                                          client, context, kube::resources::pods(), claim.namespace_(),
                                          [&](const kube::Object& pod) { return pod_uses_claim(pod, claim); });
                                    },
                                .users = {kube::resources::pods()}});
}

std::unique_ptr<kube::ManagedController> make_volume_protection(const kube::ControllerDeps& deps) {
  return make_protection(deps, {.controller = "persistentvolume-protection-controller",
                                .account = "pv-protection-controller",
                                .finalizer = kVolumeFinalizer,
                                .resource = kube::resources::persistent_volumes(),
                                .in_use = [](const Context&, const kube::Object& volume) -> Result<bool> {
                                  return volume["status"]["phase"].as_string() == "Bound";
                                },
                                .users = {}});
}

std::unique_ptr<kube::ManagedController> make_attributes_class_protection(const kube::ControllerDeps& deps) {
  const kube::Client& client = deps.client;
  const auto in_use = [&client](const Context& context, const kube::Object& attributes) -> Result<bool> {
    const std::string name(attributes.name());
    ASSIGN_OR_RETURN(const bool claimed,
                     any_matches(client, context, kube::resources::persistent_volume_claims(), {},
                                 [&](const kube::Object& one) { return claim_uses_attributes_class(one, name); }));
    if (claimed) return true;
    return any_matches(client, context, kube::resources::persistent_volumes(), {},
                       [&](const kube::Object& one) { return volume_uses_attributes_class(one, name); });
  };
  return make_protection(
      deps, {.controller = "volumeattributesclass-protection-controller",
             .account = "volumeattributesclass-protection-controller",
             .finalizer = kClassFinalizer,
             .resource = kube::resources::volume_attributes_classes(),
             .in_use = in_use,
             .users = {kube::resources::persistent_volume_claims(), kube::resources::persistent_volumes()}});
}

}  // namespace coracle::reconcilers
