#include "reconcilers/root_ca/root_ca_publisher.h"

#include <utility>

#include "kube/client/resources.h"
#include "kube/controller/identity.h"

namespace coracle::reconcilers {
namespace {

constexpr std::string_view kName = "kube-root-ca.crt";
constexpr std::string_view kDescriptionKey = "kubernetes.io/description";
// Part of the object that upstream publishes; tools compare it.
constexpr std::string_view kDescription =
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters.";

class RootCaReconciler : public kube::Reconciler {
 public:
  RootCaReconciler(const kube::Client& client, const kube::Store& namespaces, const kube::Store& config_maps,
                   std::string ca_pem)
      : client_(client),
        namespaces_(namespaces),
        config_maps_(config_maps),
        data_(Value::object({{"ca.crt", Value(std::move(ca_pem))}})) {}

  // The key is the namespace's.
  Result<kube::Done> reconcile(const Context& context, const kube::ObjectKey& key) override {
    const std::optional<kube::Object> ns = namespaces_.get(key);
    if (!ns || ns->deleting()) return kube::Done{};
    const std::optional<kube::Object> have = config_maps_.get({key.name, std::string(kName)});
    Result<kube::Object> written =
        !have ? client_.create(context, kube::resources::config_maps(), wanted(key.name))
        : matches(*have)
            ? Result<kube::Object>(*have)
            : client_.update(
                  context, kube::resources::config_maps(),
                  have->with("data", data_).without("binaryData").with_annotation(kDescriptionKey, kDescription));
    if (written.ok()) return kube::Done{};
    const Reason reason = written.error().reason();
    // Somebody else was faster, or the namespace is going: a later event brings the key back.
    if (reason == Reason::AlreadyExists || reason == Reason::NotFound || reason == Reason::Forbidden) {
      return kube::Done{};
    }
    return written.error();
  }

 private:
  bool matches(const kube::Object& config_map) const {
    return config_map["data"] == data_ && config_map["binaryData"].empty() &&
           config_map.annotation(kDescriptionKey) == kDescription;
  }

  kube::Object wanted(const std::string& ns) const {
    return kube::Object(Value::object(
        {{"apiVersion", "v1"},
         {"kind", "ConfigMap"},
         {"metadata",
          Value::object(
              {{"name", kName}, {"namespace", ns}, {"annotations", Value::object({{kDescriptionKey, kDescription}})}})},
         {"data", data_}}));
  }

  const kube::Client& client_;
  const kube::Store& namespaces_;
  const kube::Store& config_maps_;
  const Value data_;
};

}  // namespace

std::unique_ptr<kube::ManagedController> make_root_ca_publisher(const kube::ControllerDeps& deps, std::string ca_pem) {
  kube::Informer& namespaces = deps.informers.get(kube::resources::namespaces());
  kube::Informer& config_maps =
      deps.informers.get(kube::resources::config_maps(), {.field_selector = "metadata.name=kube-root-ca.crt"});
  auto controller = std::make_unique<kube::SimpleController>(
      kube::as_service_account(deps.context, "kube-system", "root-ca-cert-publisher"),
      std::make_unique<RootCaReconciler>(deps.client, namespaces.store(), config_maps.store(), std::move(ca_pem)),
      kube::ControllerOptions{.name = "root-ca-certificate-publisher-controller", .concurrency = 1}, deps.log);
  controller->controller().watch(namespaces);
  controller->controller().watch(config_maps, [](const kube::Object& config_map) {
    return std::vector{kube::ObjectKey{{}, std::string(config_map.namespace_())}};
  });
  return controller;
}

}  // namespace coracle::reconcilers
