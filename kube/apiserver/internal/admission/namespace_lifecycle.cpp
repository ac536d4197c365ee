#include <utility>

#include "kube/apiserver/internal/admission/common.h"
#include "kube/apiserver/internal/admission/plugins.h"

namespace coracle::kube::apiserver {
namespace {

// Nothing is created in a namespace that does not exist or is going away, and some may not go at all.
class NamespaceLifecycle : public AdmissionPlugin {
 public:
  explicit NamespaceLifecycle(const ObjectReader& objects) : objects_(objects) {}
  std::string_view name() const override { return "NamespaceLifecycle"; }

  Result<void> admit(const Context& context, const AdmissionAttributes& attributes, Object* object,
                     std::vector<std::string>&) override {
    if (concerns(attributes, "", "namespaces")) return check_delete(attributes);
    // Access reviews say nothing of what exists.
    bool review = attributes.resource.gvk.group == "authorization.k8s.io";
    if (attributes.operation != Operation::Create || attributes.namespace_.empty() || review) return {};
    std::string ns(attributes.namespace_);
    ASSIGN_OR_RETURN(StoredObjectPtr stored, objects_.find_stored(context, KnownResource::Namespaces, {}, ns));
    if (stored == nullptr) return not_found(*objects_.descriptor(KnownResource::Namespaces), ns);
    if (!stored->deleting()) return {};
    return admission_forbidden(attributes, object,
                               "unable to create new content in namespace " + ns + " because it is being terminated")
        .with_cause({"NamespaceTerminating", "namespace " + ns + " is being terminated", "metadata.namespace"});
  }

 private:
  static Result<void> check_delete(const AdmissionAttributes& attributes) {
    std::string_view name = attributes.name;
    bool immortal = name == "default" || name == "kube-system" || name == "kube-public";
    if (attributes.operation != Operation::Delete || !immortal) return {};
    return admission_forbidden(attributes, nullptr, "this namespace may not be deleted");
  }

  const ObjectReader& objects_;
};

// Kinds whose objects upstream would call during admission.
bool admission_configuration(const AdmissionAttributes& attributes) {
  const std::string& resource = attributes.resource.resource;
  return attributes.resource.gvk.group == "admissionregistration.k8s.io" && attributes.subresource.empty() &&
         (resource == "validatingwebhookconfigurations" || resource == "mutatingwebhookconfigurations" ||
          resource == "validatingadmissionpolicies" || resource == "validatingadmissionpolicybindings" ||
          resource == "mutatingadmissionpolicies" || resource == "mutatingadmissionpolicybindings");
}

class UnenforcedWarning : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "UnenforcedConfiguration"; }

  Result<void> validate(const Context&, const AdmissionAttributes& attributes, const Object* object,
                        std::vector<std::string>& warnings) override {
    bool write = attributes.operation == Operation::Create || attributes.operation == Operation::Update;
    if (!write || object == nullptr || !admission_configuration(attributes)) return {};
    warnings.push_back(attributes.resource.gvk.kind + " \"" + std::string(object->name()) +
                       "\" is stored, but this server does not enforce it: no request is sent to its webhooks and none "
                       "of its expressions is evaluated");
    return {};
  }
};

}  // namespace

AdmissionPluginPtr make_namespace_lifecycle(const ObjectReader& objects) {
  return std::make_unique<NamespaceLifecycle>(objects);
}

AdmissionPluginPtr make_unenforced_warning() {
  return std::make_unique<UnenforcedWarning>();
}

}  // namespace coracle::kube::apiserver
