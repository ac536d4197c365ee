#include <set>

#include "base/text.h"
#include "kube/apiserver/internal/tables/cells.h"

namespace coracle::kube::apiserver::tables {

namespace {

constexpr std::string_view kDefaultClass = "ingressclass.kubernetes.io/is-default-class";

// Addresses of a load balancer: sorted, each once.
std::vector<std::string> balancer_addresses(const Value& status) {
  std::set<std::string> addresses;
  for (const Value& ingress : status["loadBalancer"]["ingress"].items()) {
    if (!ingress["ip"].as_string().empty()) {
      addresses.emplace(ingress["ip"].as_string());
    } else if (!ingress["hostname"].as_string().empty()) {
      addresses.emplace(ingress["hostname"].as_string());
    }
  }
  return {addresses.begin(), addresses.end()};
}

std::string external_address(const Object& service) {
  const std::string_view type = service["spec"]["type"].as_string();
  const std::vector<std::string> external = string_items(service["spec"]["externalIPs"]);
  if (type == "ExternalName") return std::string(service["spec"]["externalName"].as_string());
  if (type != "LoadBalancer") return joined_or_none(external);
  std::vector<std::string> addresses = balancer_addresses(service["status"]);
  addresses.insert(addresses.end(), external.begin(), external.end());
  return addresses.empty() ? "<pending>" : join(addresses, ",");
}

std::string service_ports(const Value& ports) {
  std::vector<std::string> texts;
  for (const Value& port : ports.items()) {
    std::string text = std::to_string(port["port"].as_int());
    if (port["nodePort"].as_int() > 0) text += ":" + std::to_string(port["nodePort"].as_int());
    texts.push_back(text + "/" + text_or(port["protocol"], "TCP"));
  }
  return joined_or_none(texts);
}

Cells service_cells(const Object& service, WallTime now) {
  const Value& spec = service["spec"];
  return {service.name(),
          spec["type"].as_string(),
          text_or(spec["clusterIPs"].at(0), kNone),
          external_address(service),
          service_ports(spec["ports"]),
          age(service, now),
          labels_text(spec["selector"])};
}

Cells endpoints_cells(const Object& object, WallTime now) {
  std::vector<std::string> addresses;
  for (const Value& subset : object["subsets"].items()) {
    for (const Value& address : subset["addresses"].items()) {
      if (subset["ports"].empty()) addresses.emplace_back(address["ip"].as_string());
    }
    for (const Value& port : subset["ports"].items()) {
      for (const Value& address : subset["addresses"].items()) {
        std::string ip(address["ip"].as_string());
        if (ip.find(':') != std::string::npos) ip = "[" + ip + "]";
        addresses.push_back(ip + ":" + std::to_string(port["port"].as_int()));
      }
    }
  }
  return {object.name(), shortened(addresses, kShownItems, ",", kNone), age(object, now)};
}

Cells endpoint_slice_cells(const Object& object, WallTime now) {
  std::vector<std::string> ports, addresses;
  for (const Value& port : object["ports"].items()) {
    ports.push_back(port["port"].is_int() ? std::to_string(port["port"].as_int()) : text_or(port["name"], "*"));
  }
  for (const Value& endpoint : object["endpoints"].items()) {
    for (const Value& address : endpoint["addresses"].items()) addresses.emplace_back(address.as_string());
  }
  return {object.name(), object["addressType"].as_string(), shortened(ports, kShownItems, ",", kUnset),
          shortened(addresses, kShownItems, ",", kUnset), age(object, now)};
}

Cells ingress_cells(const Object& ingress, WallTime now) {
  const Value& spec = ingress["spec"];
  std::vector<std::string> hosts;
  for (const Value& rule : spec["rules"].items()) {
    if (!rule["host"].as_string().empty()) hosts.emplace_back(rule["host"].as_string());
  }
  return {ingress.name(),
          text_or(spec["ingressClassName"], kNone),
          shortened(hosts, kShownItems, ",", "*"),
          join(balancer_addresses(ingress["status"]), ","),
          spec["tls"].empty() ? "80" : "80, 443",
          age(ingress, now)};
}

Cells ingress_class_cells(const Object& object, WallTime now) {
  std::string name(object.name());
  if (object.annotation(kDefaultClass) == "true") name += " (default)";
  const Value& parameters = object["spec"]["parameters"];
  std::string reference(kNone);
  if (parameters.is_object()) {
    reference = parameters["kind"].as_string();
    if (!parameters["apiGroup"].as_string().empty()) reference += "." + std::string(parameters["apiGroup"].as_string());
    reference += "/" + std::string(parameters["name"].as_string());
  }
  return {name, object["spec"]["controller"].as_string(), reference, age(object, now)};
}

Cells network_policy_cells(const Object& object, WallTime now) {
  // An absent selector is the empty one here.
  const Value& selector = object["spec"]["podSelector"];
  return {object.name(), selector.is_null() ? std::string(kNone) : selector_text(selector), age(object, now)};
}

// Two columns and three cells, as upstream sends them.
Cells ip_address_cells(const Object& object, WallTime now) {
  const Value& parent = object["spec"]["parentRef"];
  std::string reference(kNone);
  if (parent.is_object()) {
    reference.clear();
    for (const char* field : {"group", "resource", "namespace", "name"}) {
      if (parent[field].as_string().empty()) continue;
      if (!reference.empty()) reference += "/";
      reference += parent[field].as_string();
    }
  }
  return {object.name(), reference, age(object, now)};
}

Cells service_cidr_cells(const Object& object, WallTime now) {
  return {object.name(), join(string_items(object["spec"]["cidrs"]), ","), age(object, now)};
}

constexpr Entry kNetworkEntries[] = {
    {"", "services", "Name:n,Type,Cluster-IP,External-IP,Port(s),Age,Selector*", service_cells},
    {"", "endpoints", "Name:n,Endpoints,Age", endpoints_cells},
    {"discovery.k8s.io", "endpointslices", "Name:n,AddressType,Ports,Endpoints,Age", endpoint_slice_cells},
    {"networking.k8s.io", "ingresses", "Name:n,Class,Hosts,Address,Ports,Age", ingress_cells},
    {"networking.k8s.io", "ingressclasses", "Name:n,Controller,Parameters,Age", ingress_class_cells},
    {"networking.k8s.io", "networkpolicies", "Name:n,Pod-Selector,Age", network_policy_cells},
    {"networking.k8s.io", "ipaddresses", "Name:n,ParentRef", ip_address_cells},
    {"networking.k8s.io", "servicecidrs", "Name:n,CIDRs,Age", service_cidr_cells},
};

}  // namespace

std::span<const Entry> network_tables() {
  return kNetworkEntries;
}

}  // namespace coracle::kube::apiserver::tables
