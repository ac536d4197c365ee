#include "base/json/json.h"
#include "base/text.h"
#include "kube/apiserver/internal/tables/cells.h"
#include "kube/object/conditions.h"

namespace coracle::kube::apiserver::tables {

namespace {

// A number or a percentage, `N/A` where there is none.
std::string int_or_percent(const Value& value) {
  if (value.is_null()) return "N/A";
  return value.is_string() ? std::string(value.as_string()) : json::write(value);
}

Cells disruption_cells(const Object& object, WallTime now) {
  return {object.name(), int_or_percent(object["spec"]["minAvailable"]),
          int_or_percent(object["spec"]["maxUnavailable"]), object["status"]["disruptionsAllowed"].as_int(),
          age(object, now)};
}

Cells binding_cells(const Object& binding, WallTime now) {
  std::vector<std::string> users, groups, accounts;
  for (const Value& subject : binding["subjects"].items()) {
    const std::string name(subject["name"].as_string());
    const std::string_view kind = subject["kind"].as_string();
    if (kind == "User") users.push_back(name);
    if (kind == "Group") groups.push_back(name);
    if (kind == "ServiceAccount") accounts.push_back(std::string(subject["namespace"].as_string()) + "/" + name);
  }
  const Value& role = binding["roleRef"];
  return {binding.name(),     std::string(role["kind"].as_string()) + "/" + std::string(role["name"].as_string()),
          age(binding, now),  join(users, ", "),
          join(groups, ", "), join(accounts, ", ")};
}

std::string request_condition(const Object& request) {
  const Value& conditions = request["status"]["conditions"];
  std::string status = "Pending";
  if (!find_condition(conditions, "Approved").is_null()) status = "Approved";
  if (!find_condition(conditions, "Denied").is_null()) status = "Denied";
  if (!find_condition(conditions, "Failed").is_null()) status += ",Failed";
  if (!request["status"]["certificate"].as_string().empty()) status += ",Issued";
  return status;
}

Cells certificate_request_cells(const Object& request, WallTime now) {
  const Value& seconds = request["spec"]["expirationSeconds"];
  return {request.name(),
          age(request, now),
          request["spec"]["signerName"].as_string(),
          request["spec"]["username"].as_string(),
          seconds.is_int() ? human_duration(std::chrono::seconds(seconds.as_int())) : std::string(kNone),
          request_condition(request)};
}

Cells webhook_cells(const Object& object, WallTime now) {
  return {object.name(), static_cast<std::int64_t>(object["webhooks"].size()), age(object, now)};
}

Cells admission_policy_row(const Object& object, WallTime now, std::string_view list) {
  const Value& kind = object["spec"]["paramKind"];
  const std::string shown =
      kind.is_object() ? std::string(kind["apiVersion"].as_string()) + "/" + std::string(kind["kind"].as_string())
                       : std::string(kUnset);
  return {object.name(), static_cast<std::int64_t>(object["spec"][list].size()), shown, age(object, now)};
}

Cells validating_policy_cells(const Object& object, WallTime now) {
  return admission_policy_row(object, now, "validations");
}
Cells mutating_policy_cells(const Object& object, WallTime now) {
  return admission_policy_row(object, now, "mutations");
}

Cells policy_binding_cells(const Object& object, WallTime now) {
  const Value& reference = object["spec"]["paramRef"];
  std::string shown(kUnset);
  if (!reference["name"].as_string().empty()) {
    shown = text_or(reference["namespace"], "*") + "/" + std::string(reference["name"].as_string());
  } else if (reference["selector"].is_object()) {
    shown = selector_text(reference["selector"]);
  }
  return {object.name(), object["spec"]["policyName"].as_string(), shown, age(object, now)};
}

constexpr std::string_view kAdmissionGroup = "admissionregistration.k8s.io";
constexpr std::string_view kRbacGroup = "rbac.authorization.k8s.io";
constexpr std::string_view kBindingColumns = "Name:n,Role,Age,Users*,Groups*,ServiceAccounts*";
constexpr std::string_view kPolicyBindingColumns = "Name:n,PolicyName,ParamRef,Age";

constexpr Entry kPolicyEntries[] = {
    {"policy", "poddisruptionbudgets", "Name:n,Min Available,Max Unavailable,Allowed Disruptions:i,Age",
     disruption_cells},
    {kRbacGroup, "clusterrolebindings", kBindingColumns, binding_cells},
    {kRbacGroup, "rolebindings", kBindingColumns, binding_cells},
    {"certificates.k8s.io", "certificatesigningrequests", "Name:n,Age,SignerName,Requestor,RequestedDuration,Condition",
     certificate_request_cells},
    {kAdmissionGroup, "mutatingwebhookconfigurations", "Name:n,Webhooks:i,Age", webhook_cells},
    {kAdmissionGroup, "validatingwebhookconfigurations", "Name:n,Webhooks:i,Age", webhook_cells},
    {kAdmissionGroup, "validatingadmissionpolicies", "Name:n,Validations:i,ParamKind,Age", validating_policy_cells},
    {kAdmissionGroup, "mutatingadmissionpolicies", "Name:n,Mutations:i,ParamKind,Age", mutating_policy_cells},
    {kAdmissionGroup, "validatingadmissionpolicybindings", kPolicyBindingColumns, policy_binding_cells},
    {kAdmissionGroup, "mutatingadmissionpolicybindings", kPolicyBindingColumns, policy_binding_cells},
};

}  // namespace

std::span<const Entry> policy_tables() {
  return kPolicyEntries;
}

}  // namespace coracle::kube::apiserver::tables
