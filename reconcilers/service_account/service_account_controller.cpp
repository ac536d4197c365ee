#include "reconcilers/service_account/service_account_controller.h"

#include "kube/client/resources.h"
#include "kube/controller/identity.h"

namespace coracle::reconcilers {
namespace {

constexpr std::string_view kDefaultAccount = "default";

class ServiceAccountReconciler : public kube::Reconciler {
 public:
  ServiceAccountReconciler(const kube::Client& client, const kube::Store& namespaces, const kube::Store& accounts)
      : client_(client), namespaces_(namespaces), accounts_(accounts) {}

  // The key is the namespace's.
  Result<kube::Done> reconcile(const Context& context, const kube::ObjectKey& key) override {
    const std::optional<kube::Object> ns = namespaces_.get(key);
    if (!ns || ns->deleting() || (*ns)["status"]["phase"].as_string() == "Terminating") return kube::Done{};
    if (accounts_.get({key.name, std::string(kDefaultAccount)})) return kube::Done{};
    const kube::Object account(
        Value::object({{"apiVersion", "v1"},
                       {"kind", "ServiceAccount"},
                       {"metadata", Value::object({{"name", kDefaultAccount}, {"namespace", key.name}})}}));
    Result<kube::Object> created = client_.create(context, kube::resources::service_accounts(), account);
    if (!created.ok() && created.error().reason() != Reason::AlreadyExists) {
      // The namespace went away between the look and the write.
      const bool going = created.error().reason() == Reason::Forbidden || created.error().reason() == Reason::NotFound;
      if (!going) return created.error();
    }
    return kube::Done{};
  }

 private:
  const kube::Client& client_;
  const kube::Store& namespaces_;
  const kube::Store& accounts_;
};

}  // namespace

std::unique_ptr<kube::ManagedController> make_service_account_controller(const kube::ControllerDeps& deps) {
  kube::Informer& namespaces = deps.informers.get(kube::resources::namespaces());
  kube::Informer& accounts =
      deps.informers.get(kube::resources::service_accounts(), {.field_selector = "metadata.name=default"});
  auto controller = std::make_unique<kube::SimpleController>(
      kube::as_service_account(deps.context, "kube-system", "service-account-controller"),
      std::make_unique<ServiceAccountReconciler>(deps.client, namespaces.store(), accounts.store()),
      kube::ControllerOptions{.name = "serviceaccount-controller", .concurrency = 1}, deps.log);
  controller->controller().watch(namespaces);
  controller->controller().watch(accounts, [](const kube::Object& account) {
    return std::vector{kube::ObjectKey{{}, std::string(account.namespace_())}};
  });
  return controller;
}

}  // namespace coracle::reconcilers
