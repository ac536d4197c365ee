#include <set>
#include <utility>

#include "base/ip.h"
#include "base/text.h"
#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/network/address_validation.h"
#include "kube/apiserver/internal/strategies/network/service_fields.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/object/field_path.h"
#include "kube/object/names.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::int64_t kKubeletPort = 10250;
constexpr std::int64_t kMaxAffinitySeconds = 86400;
constexpr std::string_view kExternalNameOnly = "may not be set for ExternalName services";
constexpr std::string_view kLoadBalancerOnly = "may only be used when `type` is 'LoadBalancer'";
constexpr std::string_view kSetOnce = "may not change once set";

void check_service_port(const Value& port, const FieldPath& path, bool name_required, std::set<std::string>& names,
                        FieldErrors& errors) {
  const std::string name(port["name"].as_string());
  if (name.empty()) {
    if (name_required) errors.push_back(field_error::required(path.child("name").text()));
  } else {
    add_name_errors(path.child("name"), name, check_dns1123_label(name), errors);
    if (!names.insert(name).second) errors.push_back(field_error::duplicate(path.child("name").text(), name));
  }
  add_name_errors(path.child("port"), port["port"], check_port_number(port["port"].as_int()), errors);
  check_port_number_or_name(port["targetPort"], path.child("targetPort"), errors);
  if (port["appProtocol"].is_string()) {
    add_name_errors(path.child("appProtocol"), port["appProtocol"],
                    check_qualified_name(port["appProtocol"].as_string()), errors);
  }
}

void check_service_ports(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  const Value& ports = spec["ports"];
  if (ports.empty() && !is_headless(spec) && !is_type(spec, "ExternalName")) {
    errors.push_back(field_error::required(path.text()));
  }
  std::set<std::string> names;
  std::set<std::pair<std::string, std::int64_t>> node_ports, numbers;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const Value& port = ports.at(i);
    const FieldPath at = path.index(i);
    if (is_type(spec, "LoadBalancer") && port["port"].as_int() == kKubeletPort) {
      errors.push_back(field_error::invalid(at.text(), port["port"],
                                            "may not expose port 10250 externally since it is used by kubelet"));
    }
    check_service_port(port, at, ports.size() > 1, names, errors);
    const Value& protocol = port["protocol"];
    if (!numbers.emplace(protocol.as_string(), port["port"].as_int()).second) {
      // As Go prints the internal type, whose fields have no JSON names.
      Value shown = Value::object({{"Name", ""},
                                   {"Protocol", protocol},
                                   {"AppProtocol", Value()},
                                   {"Port", port["port"]},
                                   {"TargetPort", 0},
                                   {"NodePort", 0}});
      errors.push_back(field_error::duplicate(at.text(), shown));
    }
    const std::int64_t number = port["nodePort"].as_int();
    if (number == 0) continue;
    if (is_type(spec, "ClusterIP")) {
      errors.push_back(
          field_error::forbidden(at.child("nodePort").text(), "may not be used when `type` is 'ClusterIP'"));
    }
    if (!node_ports.emplace(protocol.as_string(), number).second) {
      errors.push_back(field_error::duplicate(at.child("nodePort").text(), number));
    }
  }
}

void check_external_name(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  for (std::string_view field : {"clusterIPs", "ipFamilies", "ipFamilyPolicy"}) {
    const bool given = field == "ipFamilyPolicy" ? spec[field].is_string() : !spec[field].empty();
    if (given) errors.push_back(field_error::forbidden(path.child(field).text(), kExternalNameOnly));
  }
  std::string_view name = spec["externalName"].as_string();
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty()) {
    errors.push_back(field_error::required(path.child("externalName").text()));
  } else {
    add_name_errors(path.child("externalName"), name, check_dns1123_subdomain(name), errors);
  }
}

// False when some text is no address, so that nothing else can be said about the list.
bool check_cluster_ip_texts(const Value& ips, const Value& old, const FieldPath& path, FieldErrors& errors) {
  bool readable = true;
  for (std::size_t i = 0; i < ips.size(); ++i) {
    if (i == 0 && ips.at(i).as_string() == "None") {
      if (ips.size() == 1) continue;
      errors.push_back(field_error::invalid(path.text(), ips, "'None' must be the first and only value"));
      readable = false;
    } else {
      readable = check_address(ips.at(i), path.index(i), errors, old["clusterIPs"]) && readable;
    }
  }
  if (ips.size() > 2) errors.push_back(field_error::invalid(path.text(), ips, "may only hold up to 2 values"));
  return readable;
}

void check_family_names(const Value& families, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kFamilies[] = {"IPv4", "IPv6"};
  std::set<std::string, std::less<>> seen;
  for (std::size_t i = 0; i < families.size(); ++i) {
    const std::string_view family = families.at(i).as_string();
    if (family != "IPv4" && family != "IPv6") {
      errors.push_back(field_error::not_supported(path.index(i).text(), family, kFamilies));
    }
    if (!seen.emplace(family).second) errors.push_back(field_error::duplicate(path.index(i).text(), family));
  }
}

void check_cluster_ips(const Value& spec, const Value& old, const FieldPath& path, FieldErrors& errors) {
  const Value& ips = spec["clusterIPs"];
  const FieldPath at = path.child("clusterIPs");
  if (spec["clusterIP"].as_string().empty()) {
    if (!ips.empty()) {
      errors.push_back(field_error::invalid(at.text(), ips, "must be empty when `clusterIP` is not specified"));
    }
  } else if (ips.at(0).as_string() != spec["clusterIP"].as_string()) {
    errors.push_back(field_error::invalid(at.text(), ips, "first value must match `clusterIP`"));
  }
  check_family_names(spec["ipFamilies"], path.child("ipFamilies"), errors);
  const Value& policy = spec["ipFamilyPolicy"];
  constexpr std::string_view kPolicies[] = {"PreferDualStack", "RequireDualStack", "SingleStack"};
  if (!is_listed(policy.as_string(), kPolicies)) {
    errors.push_back(field_error::not_supported(path.child("ipFamilyPolicy").text(), policy.as_string(), kPolicies));
  }
  if (!check_cluster_ip_texts(ips, old, at, errors) || is_headless(spec)) return;
  if (ips.size() == 2 && ip_family(ips.at(0).as_string()) == ip_family(ips.at(1).as_string())) {
    errors.push_back(field_error::invalid(at.text(), ips, "may specify no more than one IP for each IP family"));
  }
  for (std::size_t i = 0; i < ips.size() && i < spec["ipFamilies"].size(); ++i) {
    const std::string family(spec["ipFamilies"].at(i).as_string());
    if ((family != "IPv4" && family != "IPv6") || ip_family(ips.at(i).as_string()) == family) continue;
    errors.push_back(field_error::invalid(
        at.index(i).text(), ips.at(i),
        "expected an " + family + " value as indicated by `ipFamilies[" + std::to_string(i) + "]`"));
  }
}

// What a cluster with one family cannot give, once the service makes sense in itself.
void check_available_families(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  const Value& families = spec["ipFamilies"];
  const Value& policy = spec["ipFamilyPolicy"];
  const std::string policy_at = path.child("ipFamilyPolicy").text();
  if (policy.as_string() == "SingleStack") {
    const auto refuse = [&](std::string_view what) {
      errors.push_back(field_error::invalid(
          policy_at, policy,
          "must be 'RequireDualStack' or 'PreferDualStack' when multiple " + std::string(what) + " are specified"));
    };
    if (spec["clusterIPs"].size() == 2) refuse("cluster IPs");
    if (families.size() == 2) refuse("IP families");
    if (!errors.empty()) return;
  }
  if (is_unselected_headless(spec)) return;
  if (policy.as_string() == "RequireDualStack") {
    errors.push_back(field_error::invalid(policy_at, policy, "this cluster is not configured for dual-stack services"));
  }
  for (std::size_t i = 0; i < families.size(); ++i) {
    if (families.at(i).as_string() == "IPv4") continue;
    errors.push_back(field_error::invalid(path.child("ipFamilies").index(i).text(), families.at(i),
                                          "not configured on this cluster"));
  }
}

void check_session_affinity(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  if (spec["sessionAffinity"].as_string() != "ClientIP") return;
  const Value& seconds = spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"];
  const FieldPath at = path.child("sessionAffinityConfig").child("clientIP").child("timeoutSeconds");
  if (seconds.as_int() <= 0 || seconds.as_int() > kMaxAffinitySeconds) {
    errors.push_back(field_error::invalid(at.text(), seconds, "must be greater than 0 and less than 86400"));
  }
}

// Source ranges may have blanks around them.
Value trimmed_texts(const Value& texts) {
  Value::ArrayBuilder builder;
  for (const Value& text : texts.items()) builder.add(trim(text.as_string()));
  return std::move(builder).build();
}

void check_load_balancer_fields(const Value& spec, const Value& old, const FieldPath& path, FieldErrors& errors) {
  const bool balancer = is_type(spec, "LoadBalancer");
  const Value& ranges = spec["loadBalancerSourceRanges"];
  const FieldPath ranges_at = path.child("LoadBalancerSourceRanges");
  if (!ranges.empty() && !balancer) errors.push_back(field_error::forbidden(ranges_at.text(), kLoadBalancerOnly));
  const Value known = trimmed_texts(old["loadBalancerSourceRanges"]);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    check_cidr(trim(ranges.at(i).as_string()), ranges_at.index(i), errors, known);
  }
  if (!balancer) {
    for (std::string_view field : {"allocateLoadBalancerNodePorts", "loadBalancerClass"}) {
      if (spec.contains(field)) errors.push_back(field_error::forbidden(path.child(field).text(), kLoadBalancerOnly));
    }
  } else if (spec["loadBalancerClass"].is_string()) {
    add_name_errors(path.child("loadBalancerClass"), spec["loadBalancerClass"],
                    check_qualified_name(spec["loadBalancerClass"].as_string()), errors);
  }
}

void check_traffic_policies(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  const Value& external = spec["externalTrafficPolicy"];
  const FieldPath at = path.child("externalTrafficPolicy");
  if (!is_externally_accessible(spec)) {
    retract(errors, at.text());
    if (!external.as_string().empty()) {
      errors.push_back(field_error::invalid(at.text(), external, "may only be set for externally-accessible services"));
    }
  }
  const Value& health = spec["healthCheckNodePort"];
  const FieldPath health_at = path.child("healthCheckNodePort");
  if (health.as_int() == 0) return;
  if (needs_health_check_port(spec)) {
    add_name_errors(health_at, health, check_port_number(health.as_int()), errors);
  } else {
    errors.push_back(
        field_error::invalid(health_at.text(), health,
                             "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"));
  }
}

void check_traffic_distribution(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kDistributions[] = {"PreferClose", "PreferSameZone", "PreferSameNode"};
  const Value& chosen = spec["trafficDistribution"];
  if (chosen.is_null()) return;
  if (is_listed(chosen.as_string(), kDistributions)) {
    return;
  }
  errors.push_back(field_error::not_supported(path.child("trafficDistribution").text(), chosen, kDistributions));
}

void check_external_ips(const Value& ips, const Value& known, const FieldPath& path, FieldErrors& errors) {
  for (std::size_t i = 0; i < ips.size(); ++i) {
    if (check_address(ips.at(i), path.index(i), errors, known)) check_reachable_ip(ips.at(i), path.index(i), errors);
  }
}

void check_frozen_addresses(const Value& spec, const Value& old, FieldErrors& errors) {
  if (!needs_cluster_ip(spec) || !needs_cluster_ip(old)) return;
  struct Frozen {
    std::string_view field;
    std::string_view unset;
  };
  constexpr Frozen kFrozen[] = {{"clusterIPs", "primary clusterIP can not be unset"},
                                {"ipFamilies", "primary ipFamily can not be unset"}};
  for (const Frozen& frozen : kFrozen) {
    const Value& now = spec[frozen.field];
    const Value& before = old[frozen.field];
    if (before.empty()) continue;
    const std::string at = "spec." + std::string(frozen.field) + "[0]";
    if (now.empty()) {
      errors.push_back(field_error::invalid(at, now, frozen.unset));
    } else if (!(now.at(0) == before.at(0))) {
      errors.push_back(field_error::invalid(at, now, kSetOnce));
    }
  }
}

void check_service_change(const Value& spec, const Value& old, FieldErrors& errors) {
  check_frozen_addresses(spec, old, errors);
  if (needs_health_check_port(spec) && needs_health_check_port(old) &&
      spec["healthCheckNodePort"].as_int() != old["healthCheckNodePort"].as_int()) {
    errors.push_back(field_error::forbidden("spec.healthCheckNodePort", kImmutableField));
  }
  const bool both_balancers = is_type(spec, "LoadBalancer") && is_type(old, "LoadBalancer");
  if (both_balancers && !(spec["loadBalancerClass"] == old["loadBalancerClass"])) {
    errors.push_back(field_error::invalid("spec.loadBalancerClass", spec["loadBalancerClass"], kSetOnce));
  }
}

}  // namespace

void validate_service(const Object& service, const Object* old, FieldErrors& errors) {
  const Value& spec = service["spec"];
  const Value before = old == nullptr ? Value() : (*old)["spec"];
  const FieldPath path("spec");
  // The schema's lists of what these may be are other ones, and not asked for where they may not be at all.
  for (std::size_t i = 0; i < spec["ipFamilies"].size(); ++i) {
    retract(errors, path.child("ipFamilies").index(i).text());
  }
  retract(errors, path.child("ipFamilyPolicy").text());
  const bool named = is_type(spec, "ExternalName");
  FieldErrors addresses;
  if (!named) check_cluster_ips(spec, before, path, addresses);
  // Addresses are sorted out before anything else is looked at when a service changes.
  if (old != nullptr && !named) {
    if (addresses.empty()) check_available_families(spec, path, addresses);
    if (!addresses.empty()) {
      errors = std::move(addresses);
      return;
    }
  }
  check_service_ports(spec, path.child("ports"), errors);
  for (std::string_view type : {"LoadBalancer", "NodePort"}) {
    if (!is_type(spec, type) || !is_headless(spec)) continue;
    errors.push_back(field_error::invalid("spec.clusterIPs[0]", "None",
                                          "may not be set to 'None' for " + std::string(type) + " services"));
  }
  if (named) check_external_name(spec, path, errors);
  check_labels(spec["selector"], path.child("selector"), errors);
  check_session_affinity(spec, path, errors);
  errors.insert(errors.end(), addresses.begin(), addresses.end());
  check_external_ips(spec["externalIPs"], before["externalIPs"], path.child("externalIPs"), errors);
  check_load_balancer_fields(spec, before, path, errors);
  check_traffic_policies(spec, path, errors);
  check_traffic_distribution(spec, path, errors);
  if (old != nullptr) check_service_change(spec, before, errors);
  if (errors.empty() && !named) check_available_families(spec, path, errors);
}

void validate_service_status(const Object& service, const Object& old, FieldErrors& errors) {
  const Value& ingress = service["status"]["loadBalancer"]["ingress"];
  const FieldPath path("status.loadBalancer.ingress");
  if (ingress.empty()) return;
  ignore_port_protocols(errors);
  if (!is_type(service["spec"], "LoadBalancer")) {
    errors.push_back(field_error::forbidden(path.text(), "may only be used when `spec.type` is 'LoadBalancer'"));
    return;
  }
  const Value known = load_balancer_ips(old);
  for (std::size_t i = 0; i < ingress.size(); ++i) {
    check_load_balancer_entry(ingress.at(i), path.index(i), errors, known);
  }
}

}  // namespace coracle::kube::apiserver
