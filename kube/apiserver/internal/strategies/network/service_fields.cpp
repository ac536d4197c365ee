#include "kube/apiserver/internal/strategies/network/service_fields.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/ip.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kOwnFamily = "IPv4";
constexpr std::string_view kOtherFamily = "IPv6";

bool is_set(const Value& value) {
  return !is_zero(value);
}

// clusterIP decides; clusterIPs follows where the caller left it alone.
Value with_ips_in_step(const Value& spec, const Value* old) {
  const Value& ip = spec["clusterIP"];
  const bool has_ip = is_set(ip);
  if (old == nullptr) {
    return has_ip && spec["clusterIPs"].empty() ? spec.with("clusterIPs", Value::array({ip})) : spec;
  }
  if (!(spec["clusterIPs"] == (*old)["clusterIPs"])) {
    return has_ip && spec["clusterIPs"].empty() ? spec.with("clusterIPs", Value::array({ip})) : spec;
  }
  if (ip.as_string() == (*old)["clusterIP"].as_string()) return spec;
  return has_ip ? spec.with("clusterIPs", Value::array({ip})) : spec.without("clusterIPs");
}

// ipFamilies and ipFamilyPolicy on a cluster with one family. What contradicts it stays as it is, for
// validation to name.
Value with_families(const Value& spec) {
  if (is_type(spec, "ExternalName")) return spec;
  const auto given = spec["ipFamilies"].items();
  std::vector<Value> families(given.begin(), given.end());
  if (families.empty()) {
    for (const Value& ip : spec["clusterIPs"].items()) {
      const std::string_view family = ip_family(ip.as_string());
      if (!family.empty()) families.emplace_back(family);
    }
  }
  if (families.empty()) families.emplace_back(kOwnFamily);
  // An empty policy is none that exists; a missing one means the usual.
  std::string_view policy = spec["ipFamilyPolicy"].as_string("SingleStack");
  if (is_unselected_headless(spec)) {
    policy = spec["ipFamilyPolicy"].as_string("RequireDualStack");
    if (policy != "SingleStack" && families.size() == 1) {
      families.emplace_back(families.front().as_string() == kOwnFamily ? kOtherFamily : kOwnFamily);
    }
  }
  Value::ObjectBuilder builder(spec);
  builder.set("ipFamilies", Value::array(std::move(families)));
  builder.set("ipFamilyPolicy", policy);
  return std::move(builder).build();
}

std::set<std::int64_t> node_ports_of(const Value& spec) {
  std::set<std::int64_t> ports;
  for (const Value& port : spec["ports"].items()) {
    if (is_set(port["nodePort"])) ports.insert(port["nodePort"].as_int());
  }
  return ports;
}

// Node ports that the caller left out, found again by the port's name.
Value ports_with_old_numbers(const Value& ports, const Value& spec, const Value& old) {
  const std::set<std::int64_t> before = node_ports_of(old);
  const std::set<std::int64_t> now = node_ports_of(spec);
  std::map<std::string, Value, std::less<>> by_name;
  for (const Value& port : old["ports"].items()) {
    if (is_set(port["nodePort"])) by_name[std::string(port["name"].as_string())] = port["nodePort"];
  }
  Value::ArrayBuilder builder;
  for (Value port : ports.items()) {
    const auto known = by_name.find(port["name"].as_string());
    if (!is_set(port["nodePort"]) && known != by_name.end()) {
      const std::int64_t number = known->second.as_int();
      const bool reused = before.contains(number) && now.contains(number);
      if (!reused) port = port.with("nodePort", number);
    }
    builder.add(std::move(port));
  }
  return std::move(builder).build();
}

// What the server allocated and a PUT did not repeat.
Value with_allocated_values(const Value& given, const Value& old) {
  Value spec = given;
  if (needs_cluster_ip(old) && needs_cluster_ip(spec)) {
    if (!is_set(spec["clusterIP"]) && is_set(old["clusterIP"])) spec = spec.with("clusterIP", old["clusterIP"]);
    const bool same = spec["clusterIP"].as_string() == old["clusterIP"].as_string();
    if (spec["clusterIPs"].empty() && same && !old["clusterIPs"].empty()) {
      spec = spec.with("clusterIPs", old["clusterIPs"]);
    }
    if (!is_set(spec["ipFamilies"]) && is_set(old["ipFamilies"])) spec = spec.with("ipFamilies", old["ipFamilies"]);
    if (spec["ipFamilyPolicy"].is_null()) spec = spec.with("ipFamilyPolicy", old["ipFamilyPolicy"]);
  }
  if (needs_node_port(old) && needs_node_port(spec)) {
    spec = spec.with("ports", ports_with_old_numbers(spec["ports"], spec, old));
  }
  if (needs_health_check_port(old) && needs_health_check_port(spec) && !is_set(spec["healthCheckNodePort"]) &&
      is_set(old["healthCheckNodePort"])) {
    spec = spec.with("healthCheckNodePort", old["healthCheckNodePort"]);
  }
  return spec;
}

Value without_node_ports(const Value& spec) {
  Value::ArrayBuilder builder;
  for (const Value& port : spec["ports"].items()) builder.add(port.without("nodePort"));
  return spec.with("ports", std::move(builder).build());
}

// What the old type needed and the new one does not.
Value without_old_needs(const Value& given, const Value& old) {
  Value::ObjectBuilder builder(given);
  const auto drop_unchanged = [&](std::string_view field) {
    if (given[field] == old[field]) builder.remove(field);
  };
  if (needs_cluster_ip(old) && !needs_cluster_ip(given)) {
    for (std::string_view field : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}) drop_unchanged(field);
  }
  if (needs_health_check_port(old) && !needs_health_check_port(given)) drop_unchanged("healthCheckNodePort");
  if (is_type(old, "LoadBalancer") && !is_type(given, "LoadBalancer")) {
    drop_unchanged("allocateLoadBalancerNodePorts");
    drop_unchanged("loadBalancerClass");
  }
  if (is_externally_accessible(old) && !is_externally_accessible(given)) drop_unchanged("externalTrafficPolicy");
  if (!is_type(old, "ExternalName") && is_type(given, "ExternalName")) drop_unchanged("internalTrafficPolicy");
  const bool drops_ports = needs_node_port(old) && !needs_node_port(given) && !is_type(given, "LoadBalancer");
  Value spec = std::move(builder).build();
  const std::set<std::int64_t> before = node_ports_of(old);
  const std::set<std::int64_t> now = node_ports_of(given);
  const bool adds_none = std::includes(before.begin(), before.end(), now.begin(), now.end());
  return drops_ports && adds_none ? without_node_ports(spec) : spec;
}

}  // namespace

bool needs_cluster_ip(const Value& spec) {
  return is_type(spec, "ClusterIP") || is_type(spec, "NodePort") || is_type(spec, "LoadBalancer");
}

bool needs_node_port(const Value& spec) {
  if (is_type(spec, "NodePort")) return true;
  return is_type(spec, "LoadBalancer") && spec["allocateLoadBalancerNodePorts"].as_bool(true);
}

bool needs_health_check_port(const Value& spec) {
  return is_type(spec, "LoadBalancer") && spec["externalTrafficPolicy"].as_string() == "Local";
}

bool is_externally_accessible(const Value& spec) {
  return is_type(spec, "NodePort") || is_type(spec, "LoadBalancer") ||
         (is_type(spec, "ClusterIP") && !spec["externalIPs"].empty());
}

Value complete_new_service(const Value& spec) {
  const Value needed = is_type(spec, "ExternalName") ? spec.without("internalTrafficPolicy") : spec;
  return with_families(with_ips_in_step(needed, nullptr));
}

Value complete_stored_service(const Value& spec) {
  // It came with every service for a while.
  Value out = is_type(spec, "ExternalName") ? spec.without("internalTrafficPolicy") : spec;
  out = with_ips_in_step(out, nullptr);
  return needs_cluster_ip(out) && out["ipFamilies"].empty() ? with_families(out) : out;
}

Value complete_changed_service(const Value& spec, const Value& old) {
  const Value kept = with_allocated_values(without_old_needs(spec, old), old);
  return with_families(with_ips_in_step(kept, &old));
}

}  // namespace coracle::kube::apiserver
