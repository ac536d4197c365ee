#include <algorithm>
#include <utility>

#include "base/ip.h"
#include "base/text.h"
#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/internal_form.h"
#include "kube/apiserver/internal/strategies/resource_names.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

// Kubelets took their configuration from objects once; nothing new of that kind is taken.
Object prepare_node(const WriteContext&, const Object& object, const Object* old) {
  Value spec = object["spec"];
  if (spec.contains("configSource") && (old == nullptr || !(*old)["spec"].contains("configSource"))) {
    spec = spec.without("configSource");
  }
  Object node = spec.same_tree(object["spec"]) ? object : object.with("spec", spec);
  if (old == nullptr && node["status"].contains("config")) node = node.with("status", node["status"].without("config"));
  return node;
}

Object prepare_node_status(const WriteContext&, const Object& object, const Object& old) {
  const bool kept = old["status"].contains("config") || !object["status"].contains("config");
  return kept ? object : object.with("status", object["status"].without("config"));
}

// Taints are said to be in metadata, where they once were.
void check_taints(const Value& taints, FieldErrors& errors) {
  constexpr std::string_view kEffects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute"};
  for (std::size_t i = 0; i < taints.size(); ++i) {
    const FieldPath at = FieldPath("metadata.taints").index(i);
    const Value& taint = taints.at(i);
    const std::string_view key = taint["key"].as_string();
    const std::string_view value = taint["value"].as_string();
    const std::string_view effect = taint["effect"].as_string();
    add_name_errors(at.child("key"), key, check_qualified_name(key), errors);
    const NameErrors findings = check_label_value(value);
    if (!findings.empty()) errors.push_back(field_error::invalid(at.child("value").text(), value, join(findings, ";")));
    if (effect.empty()) {
      errors.push_back(field_error::required(at.child("effect").text()));
    } else if (!is_listed(effect, kEffects)) {
      errors.push_back(field_error::not_supported(at.child("effect").text(), effect, kEffects));
    }
    const std::span<const Value> earlier = taints.items().first(i);
    const bool repeated = std::any_of(earlier.begin(), earlier.end(), [&](const Value& other) {
      return other["key"] == taint["key"] && other["effect"] == taint["effect"];
    });
    if (!repeated) continue;
    Cause duplicate = field_error::duplicate(at.text(), internal_form(taint, taint_form()));
    duplicate.message += ": taints must be unique by key and effect pair";
    errors.push_back(std::move(duplicate));
  }
}

void check_pod_networks(const Value& networks, FieldErrors& errors) {
  const FieldPath path("spec.podCIDRs");
  for (std::size_t i = 0; i < networks.size(); ++i) {
    if (is_cidr(networks.at(i).as_string())) continue;
    errors.push_back(field_error::invalid(path.index(i).text(), networks.at(i),
                                          "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"));
  }
  if (networks.size() < 2) return;
  const auto family = [&](std::size_t i) {
    const std::string_view text = networks.at(i).as_string();
    return ip_family(text.substr(0, text.find('/')));
  };
  if (networks.size() == 2 && family(0) != family(1)) return;
  errors.push_back(field_error::invalid(path.text(), networks, "may specify no more than one CIDR for each IP family"));
}

// "MyFeature", "MyFeature/mySubFeature"
bool is_feature_name(std::string_view text) {
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto is_letter = [&](char c) { return is_upper(c) || (c >= 'a' && c <= 'z'); };
  for (const std::string_view part : split(text, '/')) {
    if (part.empty() || !(part.data() == text.data() ? is_upper(part[0]) : is_letter(part[0]))) return false;
    if (!std::all_of(part.begin(), part.end(), [&](char c) { return is_letter(c) || is_digit(c); })) return false;
  }
  return true;
}

void check_declared_features(const Value& features, FieldErrors& errors) {
  for (std::size_t i = 0; i < features.size(); ++i) {
    const std::string at = FieldPath("status.declaredFeatures").index(i).text();
    const std::string_view name = features.at(i).as_string();
    const std::string_view before = i == 0 ? std::string_view() : features.at(i - 1).as_string();
    const std::string start = "invalid feature name \"" + std::string(name) + "\": must ";
    if (name.size() > kMaxDns1123Subdomain) {
      errors.push_back(field_error::invalid(at, name, start + "be no more than 253 characters"));
    } else if (!is_feature_name(name)) {
      errors.push_back(field_error::invalid(
          at, name,
          start + "start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or "
                  "MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"));
    }
    if (i == 0) continue;
    if (before == name) errors.push_back(field_error::duplicate(at, name));
    if (before > name) errors.push_back(field_error::invalid(at, name, "list must be sorted alphabetically"));
  }
}

void check_node_state(const Value& status, FieldErrors& errors) {
  const FieldPath path("status");
  for (const char* part : {"capacity", "allocatable"}) {
    const FieldCheck amounts = FieldCheck(status, path, errors)[part];
    for (const Value::Member& member : amounts.value().members()) {
      check_resource_amount(amounts[member.key], member.key);
    }
  }
  check_declared_features(status["declaredFeatures"], errors);
}

void check_addresses(const Value& addresses, FieldErrors& errors) {
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const Value& address = addresses.at(i);
    const std::span<const Value> earlier = addresses.items().first(i);
    if (std::find(earlier.begin(), earlier.end(), address) == earlier.end()) continue;
    errors.push_back(
        field_error::duplicate(FieldPath("status.addresses").index(i).text(),
                               Value::object({{"Type", address["type"]}, {"Address", address["address"]}})));
  }
}

// podCIDRs and the provider's id are given once.
void check_node(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  check_taints(spec["taints"], errors);
  check_node_state(object["status"], errors);
  check_pod_networks(spec["podCIDRs"], errors);
  if (old == nullptr) return;
  check_addresses(object["status"]["addresses"], errors);
  const Value& before = (*old)["spec"];
  if (!before["podCIDRs"].empty() && !(spec["podCIDRs"] == before["podCIDRs"])) {
    errors.push_back(
        field_error::forbidden("spec.podCIDRs", "node updates may not change podCIDR except from \"\" to valid"));
  }
  const Value& provider = before["providerID"];
  if (!provider.as_string().empty() && !(spec["providerID"] == provider)) {
    errors.push_back(
        field_error::forbidden("spec.providerID", "node updates may not change providerID except from \"\" to valid"));
  }
  if (spec["externalID"].as_string() != before["externalID"].as_string()) {
    errors.push_back(field_error::forbidden("spec.externalID", "may not be updated"));
  }
}

void check_node_status(const Object& object, const Object&, FieldErrors& errors) {
  check_node_state(object["status"], errors);
  check_addresses(object["status"]["addresses"], errors);
}

std::vector<std::string> node_warnings(const Object& object, const Object*) {
  std::vector<std::string> warnings;
  if (object["spec"].contains("configSource")) warnings.emplace_back("spec.configSource: the feature is removed");
  if (!object["spec"]["externalID"].as_string().empty()) {
    warnings.emplace_back("spec.externalID: this field is deprecated, and is unused by Kubernetes");
  }
  return warnings;
}

constexpr ResourceRules kNodeRules[] = {{.group = "",
                                         .resource = "nodes",
                                         .prepare = prepare_node,
                                         .prepare_status = prepare_node_status,
                                         .check = check_node,
                                         .warn = node_warnings,
                                         .keeps_new_status = true,
                                         .check_status = check_node_status,
                                         .replaces_schema = true}};

}  // namespace

std::span<const ResourceRules> node_rules() {
  return kNodeRules;
}

}  // namespace coracle::kube::apiserver
