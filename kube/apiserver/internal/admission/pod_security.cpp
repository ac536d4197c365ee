#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "kube/apiserver/internal/admission/common.h"
#include "kube/apiserver/internal/admission/plugins.h"
#include "kube/apiserver/internal/admission/pod_security_checks.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kSecurityLabel = "pod-security.kubernetes.io/";
constexpr std::string_view kAppArmorAnnotation = "container.apparmor.security.beta.kubernetes.io/";
// Of a namespace whose level changes, at most so many pods are looked at.
constexpr std::size_t kMaxCheckedPods = 3000;

// The policy that a namespace's labels name for "enforce" or "warn"; errors for labels that say
// something else. A level that cannot be read counts as restricted, as nobody knows what was meant.
SecurityPolicy labelled_policy(const Value& labels, std::string_view mode, FieldErrors& errors) {
  SecurityPolicy policy;
  std::string key = std::string(kSecurityLabel).append(mode);
  auto field = [](const std::string& label) { return "metadata.labels[" + label + "]"; };
  if (const Value* level = labels.find(key)) {
    std::optional<SecurityLevel> read = read_security_level(level->as_string());
    if (!read) {
      errors.push_back(field_error::invalid(field(key), *level, "must be one of privileged, baseline, restricted"));
    }
    policy.level = read.value_or(SecurityLevel::Restricted);
  }
  std::string version_key = key + "-version";
  if (const Value* version = labels.find(version_key)) {
    std::optional<SecurityVersion> read = read_security_version(version->as_string());
    if (!read) errors.push_back(field_error::invalid(field(version_key), *version, "must be \"latest\" or \"v1.x\""));
    policy.version = read.value_or(SecurityVersion{});
  }
  return policy;
}

bool same_policy(const SecurityPolicy& a, const SecurityPolicy& b) {
  return a.level == b.level && a.version.minor == b.version.minor;
}

// Where a kind keeps its pod template; null for kinds without one.
const Value& pod_template(const AdmissionAttributes& attributes, const Object& object) {
  static const Value kNone;
  const std::string& group = attributes.resource.gvk.group;
  const std::string& resource = attributes.resource.resource;
  if (!attributes.subresource.empty()) return kNone;
  if (group.empty() && resource == "podtemplates") return object["template"];
  if (group == "batch" && resource == "cronjobs") return object["spec"]["jobTemplate"]["spec"]["template"];
  bool plain = (group.empty() && resource == "replicationcontrollers") || (group == "batch" && resource == "jobs") ||
               (group == "apps" && (resource == "deployments" || resource == "replicasets" ||
                                    resource == "statefulsets" || resource == "daemonsets"));
  return plain ? object["spec"]["template"] : kNone;
}

// Does the update change what the standards look at? Only images and annotations of a pod may change.
bool security_update(const Object& pod, const Object& old) {
  for (std::string_view list : {"containers", "initContainers"}) {
    const Value& now = pod["spec"][list];
    const Value& before = old["spec"][list];
    if (now.size() != before.size()) return true;
    for (std::size_t i = 0; i < now.size(); ++i) {
      if (!(now.at(i)["image"] == before.at(i)["image"])) return true;
    }
  }
  if (!(pod["spec"]["ephemeralContainers"] == old["spec"]["ephemeralContainers"])) return true;
  for (const Value::Member& annotation : pod.metadata()["annotations"].members()) {
    if (annotation.key.rfind(kAppArmorAnnotation, 0) != 0) continue;
    if (!(old.metadata()["annotations"][annotation.key] == annotation.value)) return true;
  }
  return false;
}

class PodSecurity : public AdmissionPlugin {
 public:
  explicit PodSecurity(const ObjectReader& objects) : objects_(objects) {}
  std::string_view name() const override { return "PodSecurity"; }

  Result<void> validate(const Context& context, const AdmissionAttributes& attributes, const Object* object,
                        std::vector<std::string>& warnings) override {
    bool write = attributes.operation == Operation::Create || attributes.operation == Operation::Update;
    if (!write || object == nullptr) return {};
    if (concerns(attributes, "", "namespaces")) return check_namespace(context, attributes, *object, warnings);
    bool pod = concerns(attributes, "", "pods") || concerns(attributes, "", "pods", "ephemeralcontainers");
    const Value& pod_part = pod ? object->tree() : pod_template(attributes, *object);
    if (!pod_part.is_object()) return {};
    if (pod && attributes.old != nullptr && !security_update(*object, *attributes.old)) return {};
    ASSIGN_OR_RETURN(std::optional<Object> ns,
                     objects_.find(context, KnownResource::Namespaces, {}, attributes.namespace_));
    if (!ns) return {};
    return check_workload(attributes, *object, pod, pod_part, *ns, warnings);
  }

 private:
  static Result<void> check_workload(const AdmissionAttributes& attributes, const Object& object, bool pod,
                                     const Value& pod_part, const Object& ns, std::vector<std::string>& warnings) {
    FieldErrors unread;
    const Value& labels = ns.metadata()["labels"];
    if (pod) {
      SecurityPolicy enforced = labelled_policy(labels, "enforce", unread);
      std::vector<SecurityViolation> violations = check_pod_security(enforced, pod_part["metadata"], pod_part["spec"]);
      if (!violations.empty()) {
        return admission_forbidden(attributes, &object,
                                   "violates PodSecurity \"" + enforced.text() + "\": " + security_details(violations));
      }
    }
    SecurityPolicy warned = labelled_policy(labels, "warn", unread);
    std::vector<SecurityViolation> violations = check_pod_security(warned, pod_part["metadata"], pod_part["spec"]);
    if (!violations.empty()) {
      warnings.push_back("would violate PodSecurity \"" + warned.text() + "\": " + security_details(violations));
    }
    return {};
  }

  Result<void> check_namespace(const Context& context, const AdmissionAttributes& attributes, const Object& ns,
                               std::vector<std::string>& warnings) const {
    FieldErrors errors;
    SecurityPolicy enforced;
    for (std::string_view mode : {"enforce", "audit", "warn"}) {
      SecurityPolicy policy = labelled_policy(ns.metadata()["labels"], mode, errors);
      if (mode == "enforce") enforced = policy;
    }
    if (!errors.empty()) {
      // Labels that were wrong before do not keep other changes out.
      FieldErrors before;
      if (attributes.old != nullptr) {
        for (std::string_view mode : {"enforce", "audit", "warn"}) {
          labelled_policy(attributes.old->metadata()["labels"], mode, before);
        }
      }
      if (before.empty()) return invalid(attributes.resource.gvk, ns.name(), errors);
      return {};
    }
    if (attributes.old == nullptr || enforced.level == SecurityLevel::Privileged) return {};
    FieldErrors unread;
    SecurityPolicy before = labelled_policy(attributes.old->metadata()["labels"], "enforce", unread);
    if (same_policy(before, enforced)) return {};
    return warn_of_existing_pods(context, ns, enforced, warnings);
  }

  Result<void> warn_of_existing_pods(const Context& context, const Object& ns, const SecurityPolicy& enforced,
                                     std::vector<std::string>& warnings) const {
    ASSIGN_OR_RETURN(std::vector<StoredObjectPtr> stored,
                     objects_.list_stored(context, KnownResource::Pods, ns.name()));
    std::map<std::string, std::vector<std::string>> pods_by_reasons;
    for (std::size_t i = 0; i < std::min(stored.size(), kMaxCheckedPods); ++i) {
      ASSIGN_OR_RETURN(Object pod, stored[i]->object());
      std::vector<SecurityViolation> violations = check_pod_security(enforced, pod.metadata(), pod["spec"]);
      if (!violations.empty()) pods_by_reasons[security_reasons(violations)].emplace_back(pod.name());
    }
    if (pods_by_reasons.empty()) return {};
    warnings.push_back("existing pods in namespace \"" + std::string(ns.name()) +
                       "\" violate the new PodSecurity enforce level \"" + enforced.text() + "\"");
    if (stored.size() > kMaxCheckedPods) {
      warnings.push_back("new PodSecurity enforce level only checked against the first " +
                         std::to_string(kMaxCheckedPods) + " of " + std::to_string(stored.size()) + " existing pods");
    }
    for (const auto& [reasons, names] : pods_by_reasons) {
      std::string text = names.front();
      if (names.size() == 2) text += " (and 1 other pod)";
      if (names.size() > 2) text += " (and " + std::to_string(names.size() - 1) + " other pods)";
      warnings.push_back(text + ": " + reasons);
    }
    return {};
  }

  const ObjectReader& objects_;
};

}  // namespace

AdmissionPluginPtr make_pod_security(const ObjectReader& objects) {
  return std::make_unique<PodSecurity>(objects);
}

}  // namespace coracle::kube::apiserver
