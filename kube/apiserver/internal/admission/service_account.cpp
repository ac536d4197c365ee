#include <algorithm>
#include <optional>
#include <utility>

#include "kube/apiserver/internal/admission/common.h"
#include "kube/apiserver/internal/admission/plugins.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kTokenMountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
constexpr std::string_view kTokenVolumePrefix = "kube-api-access-";
constexpr std::string_view kMirrorPodAnnotation = "kubernetes.io/config.mirror";
constexpr std::string_view kLimitSecretsAnnotation = "kubernetes.io/enforce-mountable-secrets";
constexpr std::string_view kDefaultAccount = "default";
constexpr std::int64_t kTokenSeconds = 3607;
constexpr std::int64_t kTokenFileMode = 0644;
constexpr std::size_t kVolumeSuffixLength = 5;
// A namespace's own account is made by a controller right after the namespace: wait a moment for it.
constexpr int kDefaultAccountTries = 10;
constexpr std::chrono::milliseconds kDefaultAccountPause(100);

bool mounts_token_path(const Value& container) {
  std::span<const Value> mounts = container["volumeMounts"].items();
  return std::any_of(mounts.begin(), mounts.end(),
                     [](const Value& mount) { return mount["mountPath"].as_string() == kTokenMountPath; });
}

Value token_volume(std::string_view name) {
  Value token = Value::object({{"expirationSeconds", kTokenSeconds}, {"path", "token"}});
  Value ca_item = Value::object({{"key", "ca.crt"}, {"path", "ca.crt"}});
  Value ca = Value::object({{"name", "kube-root-ca.crt"}, {"items", Value::array({std::move(ca_item)})}});
  Value field = Value::object({{"apiVersion", "v1"}, {"fieldPath", "metadata.namespace"}});
  Value namespace_item = Value::object({{"path", "namespace"}, {"fieldRef", std::move(field)}});
  Value downward = Value::object({{"items", Value::array({std::move(namespace_item)})}});
  Value sources = Value::array({Value::object({{"serviceAccountToken", std::move(token)}}),
                                Value::object({{"configMap", std::move(ca)}}),
                                Value::object({{"downwardAPI", std::move(downward)}})});
  Value projected = Value::object({{"sources", std::move(sources)}, {"defaultMode", kTokenFileMode}});
  return Value::object({{"name", name}, {"projected", std::move(projected)}});
}

// Mounts the volume in every container that has nothing at that path; counts them.
Value with_token_mounts(const Value& containers, std::string_view volume, std::size_t& mounted) {
  Value::ArrayBuilder builder;
  for (const Value& container : containers.items()) {
    if (mounts_token_path(container)) {
      builder.add(container);
      continue;
    }
    ++mounted;
    Value mount = Value::object({{"name", volume}, {"readOnly", true}, {"mountPath", kTokenMountPath}});
    builder.add(container.with("volumeMounts", list_with(container["volumeMounts"], std::move(mount))));
  }
  return std::move(builder).build();
}

// What a pod that stands for a static pod may not refer to; empty when all is well.
std::string mirror_pod_fault(const Value& spec) {
  if (!spec["serviceAccountName"].as_string().empty()) return "a mirror pod may not reference service accounts";
  for (const Value& volume : spec["volumes"].items()) {
    if (volume.contains("secret")) return "a mirror pod may not reference secrets";
    for (const Value& source : volume["projected"]["sources"].items()) {
      if (source.contains("secret")) return "a mirror pod may not reference secrets";
      if (source.contains("serviceAccountToken")) {
        return "a mirror pod may not use ServiceAccountToken volume projections";
      }
    }
  }
  for (std::string_view list : {"initContainers", "containers", "ephemeralContainers"}) {
    for (const Value& container : spec[list].items()) {
      for (const Value& variable : container["env"].items()) {
        if (variable["valueFrom"].contains("secretKeyRef")) return "a mirror pod may not reference secrets";
      }
      for (const Value& source : container["envFrom"].items()) {
        if (source.contains("secretRef")) return "a mirror pod may not reference secrets";
      }
    }
  }
  return {};
}

bool names_secret(const Value& references, std::string_view name) {
  std::span<const Value> items = references.items();
  return std::any_of(items.begin(), items.end(),
                     [&](const Value& reference) { return reference["name"].as_string() == name; });
}

// For accounts with the annotation that limits their pods to the Secrets that they name; empty when all
// is well.
std::string unnamed_secret_fault(const Value& spec, const Object& account) {
  std::string end =
      " is not allowed because service account " + std::string(account.name()) + " does not reference that secret";
  auto fault = [&](std::string start, std::string_view secret) {
    return start + "secret.secretName=\"" + std::string(secret) + "\"" + end;
  };
  for (const Value& volume : spec["volumes"].items()) {
    std::string_view secret = volume["secret"]["secretName"].as_string();
    if (!secret.empty() && !names_secret(account["secrets"], secret)) return fault("volume with ", secret);
  }
  for (std::string_view list : {"initContainers", "containers"}) {
    std::string kind = list == "containers" ? "container " : "init container ";
    for (const Value& container : spec[list].items()) {
      for (const Value& variable : container["env"].items()) {
        std::string_view secret = variable["valueFrom"]["secretKeyRef"]["name"].as_string();
        if (secret.empty() || names_secret(account["secrets"], secret)) continue;
        return fault(kind + std::string(container["name"].as_string()) + " with envVar " +
                         std::string(variable["name"].as_string()) + " referencing ",
                     secret);
      }
    }
  }
  const Value& pull = spec["imagePullSecrets"];
  for (std::size_t i = 0; i < pull.size(); ++i) {
    std::string name(pull.at(i)["name"].as_string());
    if (names_secret(account["imagePullSecrets"], name)) continue;
    return "imagePullSecrets[" + std::to_string(i) + "].name=\"" + name + "\" is not allowed because service account " +
           std::string(account.name()) + " does not reference that imagePullSecret";
  }
  return {};
}

class ServiceAccountAdmission : public AdmissionPlugin {
 public:
  explicit ServiceAccountAdmission(const ObjectReader& objects) : objects_(objects) {}
  std::string_view name() const override { return "ServiceAccount"; }

  Result<void> admit(const Context& context, const AdmissionAttributes& attributes, Object* object,
                     std::vector<std::string>&) override {
    if (!creates_pod(attributes, object) || object->has_annotation(kMirrorPodAnnotation)) return {};
    if ((*object)["spec"]["serviceAccountName"].as_string().empty()) {
      *object = with_spec(*object, "serviceAccountName", kDefaultAccount);
      *object = with_spec(*object, "serviceAccount", kDefaultAccount);
    }
    ASSIGN_OR_RETURN(Object account, account_of(context, attributes, *object));
    if (wants_token(*object, account)) mount_token(context, *object);
    if ((*object)["spec"]["imagePullSecrets"].empty() && !account["imagePullSecrets"].empty()) {
      *object = with_spec(*object, "imagePullSecrets", account["imagePullSecrets"]);
    }
    return {};
  }

  Result<void> validate(const Context& context, const AdmissionAttributes& attributes, const Object* object,
                        std::vector<std::string>&) override {
    if (!creates_pod(attributes, object)) return {};
    if (object->has_annotation(kMirrorPodAnnotation)) {
      std::string fault = mirror_pod_fault((*object)["spec"]);
      if (!fault.empty()) return admission_forbidden(attributes, object, fault);
      return {};
    }
    if ((*object)["spec"]["serviceAccountName"].as_string().empty()) {
      return admission_forbidden(attributes, object,
                                 "no service account specified for pod " + std::string(attributes.namespace_) + "/" +
                                     std::string(object->name()));
    }
    Result<Object> account = account_of(context, attributes, *object);
    if (!account.ok()) return account.error();
    if (account->annotation(kLimitSecretsAnnotation) != "true") return {};
    std::string fault = unnamed_secret_fault((*object)["spec"], *account);
    if (!fault.empty()) return admission_forbidden(attributes, object, fault);
    return {};
  }

 private:
  static bool creates_pod(const AdmissionAttributes& attributes, const Object* object) {
    return attributes.operation == Operation::Create && object != nullptr && concerns(attributes, "", "pods");
  }

  Result<Object> account_of(const Context& context, const AdmissionAttributes& attributes, const Object& pod) const {
    std::string account((pod)["spec"]["serviceAccountName"].as_string());
    int tries = account == kDefaultAccount ? kDefaultAccountTries : 1;
    for (int i = 0; i < tries; ++i) {
      if (i > 0) TRY(context.sleep(kDefaultAccountPause));
      ASSIGN_OR_RETURN(std::optional<Object> found,
                       objects_.find(context, KnownResource::ServiceAccounts, attributes.namespace_, account));
      if (found) return *found;
    }
    return admission_forbidden(attributes, &pod,
                               "error looking up service account " + std::string(attributes.namespace_) + "/" +
                                   account + ": serviceaccount \"" + account + "\" not found");
  }

  static bool wants_token(const Object& pod, const Object& account) {
    const Value& of_pod = pod["spec"]["automountServiceAccountToken"];
    if (of_pod.is_bool()) return of_pod.as_bool();
    return account["automountServiceAccountToken"].as_bool(true);
  }

  static void mount_token(const Context& context, Object& pod) {
    const Value& spec = pod["spec"];
    std::string volume;
    for (const Value& existing : spec["volumes"].items()) {
      std::string_view name = existing["name"].as_string();
      if (name.substr(0, kTokenVolumePrefix.size()) == kTokenVolumePrefix) volume = name;
    }
    bool exists = !volume.empty();
    if (!exists) {
      volume = std::string(kTokenVolumePrefix) + context.executor().random().suffix(kVolumeSuffixLength);
    }
    std::size_t mounted = 0;
    Value changed = spec;
    for (std::string_view list : {"initContainers", "containers"}) {
      if (!spec[list].empty()) changed = changed.with(list, with_token_mounts(spec[list], volume, mounted));
    }
    if (mounted == 0) return;
    if (!exists) changed = changed.with("volumes", list_with(spec["volumes"], token_volume(volume)));
    pod = pod.with("spec", std::move(changed));
  }

  const ObjectReader& objects_;
};

}  // namespace

AdmissionPluginPtr make_service_account_admission(const ObjectReader& objects) {
  return std::make_unique<ServiceAccountAdmission>(objects);
}

}  // namespace coracle::kube::apiserver
