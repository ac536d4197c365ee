#include <utility>

#include "base/executor.h"
#include "base/random.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/object/quantity.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::int64_t kMaximumDataBytes = 1048576;
constexpr std::int64_t kHighestUserPriority = 1000000000;
constexpr std::string_view kFrozenData = "field is immutable when `immutable` is set";

std::size_t base64_size(std::string_view text) {
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  return text.size() / 4 * 3 - (text.size() >= 4 ? padding : 0);
}

// `immutable` stays once it is set, and the data with it.
void check_immutable_data(const Object& object, const Object* old, std::initializer_list<std::string_view> fields,
                          FieldErrors& errors) {
  if (old == nullptr || !(*old)["immutable"].as_bool()) return;
  if (!object["immutable"].as_bool()) errors.push_back(field_error::forbidden("immutable", kFrozenData));
  for (const std::string_view field : fields) {
    const Value& now = object[field];
    const Value& before = (*old)[field];
    if (!(now == before) && !(now.empty() && before.empty())) {
      errors.push_back(field_error::forbidden(field, kFrozenData));
    }
  }
}

void check_config_map(const Object& object, const Object* old, FieldErrors& errors) {
  check_immutable_data(object, old, {"data", "binaryData"}, errors);
  std::size_t total = 0;
  for (const Value::Member& member : object["data"].members()) {
    const FieldPath at = FieldPath("data").key(member.key);
    add_name_errors(at, member.key, check_config_map_key(member.key), errors);
    if (object["binaryData"].contains(member.key)) {
      errors.push_back(field_error::invalid(at.text(), member.key, "duplicate of key present in binaryData"));
    }
    total += member.value.as_string().size();
  }
  for (const Value::Member& member : object["binaryData"].members()) {
    add_name_errors(FieldPath("binaryData").key(member.key), member.key, check_config_map_key(member.key), errors);
    total += base64_size(member.value.as_string());
  }
  // The path of the object itself, as upstream prints it here.
  if (total > static_cast<std::size_t>(kMaximumDataBytes)) {
    errors.push_back(field_error::too_long("[]", kMaximumDataBytes));
  }
}

// Keys that a secret of a type must have.
struct SecretKeys {
  std::string_view type;
  std::string_view keys[2];
};
constexpr SecretKeys kSecretKeys[] = {
    {"kubernetes.io/dockercfg", {".dockercfg", ""}},
    {"kubernetes.io/dockerconfigjson", {".dockerconfigjson", ""}},
    {"kubernetes.io/tls", {"tls.crt", "tls.key"}},
    {"kubernetes.io/ssh-auth", {"ssh-privatekey", ""}},
};

void check_secret_type(const Object& object, FieldErrors& errors) {
  const std::string_view type = object["type"].as_string();
  const Value& data = object["data"];
  for (const SecretKeys& row : kSecretKeys) {
    if (row.type != type) continue;
    for (const std::string_view key : row.keys) {
      if (key.empty() || data.contains(key)) continue;
      errors.push_back(field_error::required(FieldPath("data").key(key).text()));
    }
  }
  if (type == "kubernetes.io/basic-auth" && !data.contains("username") && !data.contains("password")) {
    errors.push_back(field_error::required("data[username]"));
    errors.push_back(field_error::required("data[password]"));
  }
  if (type == "kubernetes.io/service-account-token" &&
      object.annotation("kubernetes.io/service-account.name").empty()) {
    errors.push_back(field_error::required("metadata.annotations[kubernetes.io/service-account.name]"));
  }
}

void check_secret(const Object& object, const Object* old, FieldErrors& errors) {
  check_immutable_data(object, old, {"data"}, errors);
  std::size_t total = 0;
  for (const Value::Member& member : object["data"].members()) {
    add_name_errors(FieldPath("data").key(member.key), member.key, check_config_map_key(member.key), errors);
    total += base64_size(member.value.as_string());
  }
  if (total > static_cast<std::size_t>(kMaximumDataBytes)) {
    errors.push_back(field_error::too_long("data", kMaximumDataBytes));
  }
  check_secret_type(object, errors);
}

Object prepare_limit_range(const WriteContext& write, const Object& object, const Object*) {
  return object.name().empty() ? object.with_metadata("name", write.context.executor().random().uuid()) : object;
}

Object prepare_service_account(const WriteContext&, const Object& object, const Object*) {
  if (object["secrets"].empty()) return object;
  Value::ArrayBuilder secrets;
  for (const Value& secret : object["secrets"].items()) {
    secrets.add(Value::object({{"name", secret["name"].as_string()}}));
  }
  return object.with("secrets", std::move(secrets).build());
}

void check_quota_amounts(const Object& object, const Object*, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("hard");
  for (const Value::Member& member : object["spec"]["hard"].members()) {
    const auto amount = Quantity::from_value(member.value);
    if (amount.ok() && amount->sign() < 0) {
      errors.push_back(field_error::invalid(path.key(member.key).text(), member.value, kNotNegative));
    }
  }
}

// The classes that the server makes itself.
bool is_system_priority(const Object& object) {
  const std::int64_t value = object["value"].as_int();
  return (object.name() == "system-node-critical" && value == 2000001000) ||
         (object.name() == "system-cluster-critical" && value == 2000000000);
}

Object prepare_priority_class(const WriteContext&, const Object& object, const Object* old) {
  return old == nullptr ? object : object.with_metadata("generation", old->metadata()["generation"]);
}

void check_priority_class(const Object& object, const Object* old, FieldErrors& errors) {
  if (old != nullptr || is_system_priority(object)) return;
  if (object.name().starts_with("system-")) {
    errors.push_back(field_error::forbidden(
        "metadata.name", "priority class names with 'system-' prefix are reserved for system use only. error: " +
                             std::string(object.name()) + " is not a known system priority class"));
  }
  if (object["value"].as_int() > kHighestUserPriority) {
    errors.push_back(field_error::forbidden(
        "value", "maximum allowed value of a user defined priority is " + std::to_string(kHighestUserPriority)));
  }
}

Object prepare_lease(const WriteContext&, const Object& object, const Object*) {
  // The gate of coordinated election is off.
  const Value& spec = object["spec"];
  if (!spec.contains("strategy") && !spec.contains("preferredHolder")) return object;
  return object.with("spec", spec.without("strategy").without("preferredHolder"));
}

void check_lease(const Object& object, const Object*, FieldErrors& errors) {
  const Value& duration = object["spec"]["leaseDurationSeconds"];
  if (duration.is_int() && duration.as_int() <= 0) {
    errors.push_back(field_error::invalid("spec.leaseDurationSeconds", duration, "must be greater than 0"));
  }
  check_not_negative(object["spec"]["leaseTransitions"], FieldPath("spec.leaseTransitions"), errors);
}

void check_role_binding(const Object& object, const Object*, FieldErrors& errors) {
  const Value& role = object["roleRef"];
  const bool cluster_wide = object.kind() == "ClusterRoleBinding";
  const std::string_view kind = role["kind"].as_string();
  if (kind != "ClusterRole" && (cluster_wide || kind != "Role")) {
    constexpr std::string_view kKinds[] = {"Role", "ClusterRole"};
    const std::span<const std::string_view> supported(kKinds);
    report(errors,
           field_error::not_supported("roleRef.kind", role["kind"], cluster_wide ? supported.subspan(1) : supported));
  }
  if (role["name"].as_string().empty()) {
    report(errors, field_error::required("roleRef.name"));
  } else {
    add_name_errors(FieldPath("roleRef.name"), role["name"], check_path_segment_name(role["name"].as_string()), errors);
  }
  const Value& subjects = object["subjects"];
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    const Value& subject = subjects.at(i);
    const FieldPath at = FieldPath("subjects").index(i);
    if (subject["name"].as_string().empty()) report(errors, field_error::required(at.child("name").text()));
    const std::string_view subject_kind = subject["kind"].as_string();
    if (subject_kind == "ServiceAccount" && subject["namespace"].as_string().empty()) {
      report(errors, field_error::required(at.child("namespace").text()));
    } else if (subject_kind != "ServiceAccount" && subject_kind != "User" && subject_kind != "Group") {
      constexpr std::string_view kSubjects[] = {"ServiceAccount", "User", "Group"};
      report(errors, field_error::not_supported(at.child("kind").text(), subject["kind"], kSubjects));
    }
  }
}

void check_role(const Object& object, const Object*, FieldErrors& errors) {
  const Value& rules = object["rules"];
  const bool namespaced = object.kind() == "Role";
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Value& rule = rules.at(i);
    const FieldPath at = FieldPath("rules").index(i);
    if (rule["verbs"].empty()) {
      report(errors, field_error::required(at.child("verbs").text(), "verbs must contain at least one value"));
    }
    if (!rule["nonResourceURLs"].empty()) {
      if (namespaced) {
        errors.push_back(field_error::invalid(at.child("nonResourceURLs").text(), rule["nonResourceURLs"],
                                              "namespaced rules cannot apply to non-resource URLs"));
      }
      if (!rule["apiGroups"].empty() || !rule["resources"].empty() || !rule["resourceNames"].empty()) {
        errors.push_back(field_error::invalid(at.child("nonResourceURLs").text(), rule["nonResourceURLs"],
                                              "rules cannot apply to both regular resources and non-resource URLs"));
      }
      continue;
    }
    if (rule["apiGroups"].empty()) {
      report(errors,
             field_error::required(at.child("apiGroups").text(), "resource rules must supply at least one api group"));
    }
    if (rule["resources"].empty()) {
      report(errors,
             field_error::required(at.child("resources").text(), "resource rules must supply at least one resource"));
    }
  }
}

void check_event_namespace(const Object& object, FieldErrors& errors) {
  const Value& involved = object["involvedObject"]["namespace"];
  const std::string_view ns = object.namespace_();
  const bool timed = !is_zero(object["eventTime"]);
  // Events about cluster-scoped objects are in the default namespace, or in the system's.
  const bool fits = involved.as_string().empty() ? ns == "default" || (timed && ns == "kube-system")
                                                 : timed || involved.as_string() == ns;
  if (fits) return;
  errors.push_back(
      field_error::invalid("involvedObject.namespace", involved.as_string(), "does not match event.namespace"));
}

// Events with a time of their own, down to the microsecond, say who saw what. Stored events have the
// older API's names; `controller_field` is the newer one where that was spoken.
void check_timed_event(const Object& object, std::string_view controller_field, FieldErrors& errors) {
  struct EventField {
    std::string_view stored;
    std::string_view shown;
  };
  const EventField required[] = {{"reportingComponent", controller_field},
                                 {"reportingInstance", "reportingInstance"},
                                 {"action", "action"},
                                 {"reason", "reason"}};
  for (const EventField& field : required) {
    if (object[field.stored].as_string().empty()) report(errors, field_error::required(field.shown));
  }
  const std::string_view type = object["type"].as_string();
  if (type != "Normal" && type != "Warning") {
    errors.push_back(field_error::invalid("type", type, "has invalid value: " + std::string(type)));
  }
}

void check_event(const Object& object, const Object* old, FieldErrors& errors) {
  if (old != nullptr) return;
  check_event_namespace(object, errors);
  if (!is_zero(object["eventTime"])) check_timed_event(object, "reportingComponent", errors);
}

void check_new_event(const Object& object, const Object* old, FieldErrors& errors) {
  if (old != nullptr) return;
  check_event_namespace(object, errors);
  if (is_zero(object["eventTime"])) report(errors, field_error::required("eventTime"));
  check_timed_event(object, "reportingController", errors);
}

constexpr FrozenField kFrozenRole[] = {{"roleRef", "cannot change roleRef"}};
constexpr FrozenField kFrozenPriority[] = {{"value", "may not be changed in an update.", true}};
constexpr std::string_view kRbacGroup = "rbac.authorization.k8s.io";

constexpr ResourceRules kConfigurationRules[] = {
    {"", "configmaps", nullptr, nullptr, check_config_map},
    {"", "secrets", nullptr, nullptr, check_secret},
    {"", "events", nullptr, nullptr, check_event},
    {"events.k8s.io", "events", nullptr, nullptr, check_new_event},
    {"", "limitranges", prepare_limit_range},
    {"", "serviceaccounts", prepare_service_account},
    {"", "resourcequotas", nullptr, nullptr, check_quota_amounts},
    {"scheduling.k8s.io", "priorityclasses", prepare_priority_class, nullptr, check_priority_class, nullptr,
     kFrozenPriority},
    {"coordination.k8s.io", "leases", prepare_lease, nullptr, check_lease},
    {kRbacGroup, "rolebindings", nullptr, nullptr, check_role_binding, nullptr, kFrozenRole},
    {kRbacGroup, "clusterrolebindings", nullptr, nullptr, check_role_binding, nullptr, kFrozenRole},
    {kRbacGroup, "roles", nullptr, nullptr, check_role},
    {kRbacGroup, "clusterroles", nullptr, nullptr, check_role},
};

}  // namespace

std::span<const ResourceRules> configuration_rules() {
  return kConfigurationRules;
}

}  // namespace coracle::kube::apiserver
