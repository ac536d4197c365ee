#include <algorithm>
#include <optional>
#include <utility>

#include "kube/apiserver/internal/admission/common.h"
#include "kube/apiserver/internal/admission/plugins.h"

// Plug-ins that fill in what the writer left out: tolerations, taints, classes and finalizers.
namespace coracle::kube::apiserver {
namespace {

constexpr std::int64_t kTolerationSeconds = 300;

bool tolerates_no_execute(const Value& tolerations, std::string_view key) {
  std::span<const Value> items = tolerations.items();
  return std::any_of(items.begin(), items.end(), [&](const Value& toleration) {
    std::string_view its_key = toleration["key"].as_string();
    std::string_view effect = toleration["effect"].as_string();
    return (its_key == key || its_key.empty()) && (effect == "NoExecute" || effect.empty());
  });
}

class DefaultTolerationSeconds : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "DefaultTolerationSeconds"; }

  Result<void> admit(const Context&, const AdmissionAttributes& attributes, Object* object,
                     std::vector<std::string>&) override {
    bool write = attributes.operation == Operation::Create || attributes.operation == Operation::Update;
    if (!write || object == nullptr || !concerns(attributes, "", "pods")) return {};
    Value tolerations = (*object)["spec"]["tolerations"];
    for (std::string_view key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
      if (tolerates_no_execute((*object)["spec"]["tolerations"], key)) continue;
      tolerations = list_with(tolerations, Value::object({{"key", key},
                                                          {"operator", "Exists"},
                                                          {"effect", "NoExecute"},
                                                          {"tolerationSeconds", kTolerationSeconds}}));
    }
    if (!tolerations.same_tree((*object)["spec"]["tolerations"])) {
      *object = with_spec(*object, "tolerations", std::move(tolerations));
    }
    return {};
  }
};

class TaintNodesByCondition : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "TaintNodesByCondition"; }

  Result<void> admit(const Context&, const AdmissionAttributes& attributes, Object* object,
                     std::vector<std::string>&) override {
    constexpr std::string_view kKey = "node.kubernetes.io/not-ready";
    if (attributes.operation != Operation::Create || object == nullptr || !concerns(attributes, "", "nodes")) return {};
    const Value& taints = (*object)["spec"]["taints"];
    bool has = std::any_of(taints.items().begin(), taints.items().end(), [&](const Value& taint) {
      return taint["key"].as_string() == kKey && taint["effect"].as_string() == "NoSchedule";
    });
    if (has) return {};
    Value taint = Value::object({{"key", kKey}, {"effect", "NoSchedule"}});
    *object = with_spec(*object, "taints", list_with(taints, std::move(taint)));
    return {};
  }
};

// The newest class whose annotation says that it is the default, ties by name.
Result<std::optional<Object>> default_class(const Context& context, const ObjectReader& objects, KnownResource resource,
                                            std::string_view annotation) {
  ASSIGN_OR_RETURN(std::vector<Object> classes, objects.list(context, resource, {}));
  std::optional<Object> best;
  for (const Object& one : classes) {
    if (one.annotation(annotation) != "true") continue;
    // RFC 3339 in UTC sorts as text.
    bool better = !best || one.creation_timestamp() > best->creation_timestamp() ||
                  (one.creation_timestamp() == best->creation_timestamp() && one.name() < best->name());
    if (better) best = one;
  }
  return best;
}

class DefaultStorageClass : public AdmissionPlugin {
 public:
  explicit DefaultStorageClass(const ObjectReader& objects) : objects_(objects) {}
  std::string_view name() const override { return "DefaultStorageClass"; }

  Result<void> admit(const Context& context, const AdmissionAttributes& attributes, Object* object,
                     std::vector<std::string>&) override {
    bool creates = attributes.operation == Operation::Create && object != nullptr;
    if (!creates || !concerns(attributes, "", "persistentvolumeclaims")) return {};
    // An empty name asks for no class at all.
    bool named = (*object)["spec"].contains("storageClassName") ||
                 object->has_annotation("volume.beta.kubernetes.io/storage-class");
    if (named) return {};
    ASSIGN_OR_RETURN(std::optional<Object> found, default_class(context, objects_, KnownResource::StorageClasses,
                                                                "storageclass.kubernetes.io/is-default-class"));
    if (found) *object = with_spec(*object, "storageClassName", found->name());
    return {};
  }

 private:
  const ObjectReader& objects_;
};

class DefaultIngressClass : public AdmissionPlugin {
 public:
  explicit DefaultIngressClass(const ObjectReader& objects) : objects_(objects) {}
  std::string_view name() const override { return "DefaultIngressClass"; }

  Result<void> admit(const Context& context, const AdmissionAttributes& attributes, Object* object,
                     std::vector<std::string>&) override {
    bool creates = attributes.operation == Operation::Create && object != nullptr;
    if (!creates || !concerns(attributes, "networking.k8s.io", "ingresses")) return {};
    bool named =
        (*object)["spec"].contains("ingressClassName") || object->has_annotation("kubernetes.io/ingress.class");
    if (named) return {};
    ASSIGN_OR_RETURN(std::optional<Object> found, default_class(context, objects_, KnownResource::IngressClasses,
                                                                "ingressclass.kubernetes.io/is-default-class"));
    if (found) *object = with_spec(*object, "ingressClassName", found->name());
    return {};
  }

 private:
  const ObjectReader& objects_;
};

class StorageObjectInUseProtection : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "StorageObjectInUseProtection"; }

  Result<void> admit(const Context&, const AdmissionAttributes& attributes, Object* object,
                     std::vector<std::string>&) override {
    if (attributes.operation != Operation::Create || object == nullptr) return {};
    std::string_view finalizer;
    if (concerns(attributes, "", "persistentvolumes")) finalizer = "kubernetes.io/pv-protection";
    if (concerns(attributes, "", "persistentvolumeclaims")) finalizer = "kubernetes.io/pvc-protection";
    if (concerns(attributes, "storage.k8s.io", "volumeattributesclasses")) finalizer = "kubernetes.io/vac-protection";
    if (!finalizer.empty() && !object->has_finalizer(finalizer)) *object = object->with_finalizer(finalizer);
    return {};
  }
};

}  // namespace

AdmissionPluginPtr make_default_toleration_seconds() {
  return std::make_unique<DefaultTolerationSeconds>();
}
AdmissionPluginPtr make_taint_nodes_by_condition() {
  return std::make_unique<TaintNodesByCondition>();
}
AdmissionPluginPtr make_default_storage_class(const ObjectReader& objects) {
  return std::make_unique<DefaultStorageClass>(objects);
}
AdmissionPluginPtr make_default_ingress_class(const ObjectReader& objects) {
  return std::make_unique<DefaultIngressClass>(objects);
}
AdmissionPluginPtr make_storage_object_in_use_protection() {
  return std::make_unique<StorageObjectInUseProtection>();
}

}  // namespace coracle::kube::apiserver
