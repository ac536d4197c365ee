#include <utility>

#include "base/ip.h"
#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/network/address_validation.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

struct Direction {
  std::string_view rules;
  std::string_view peers;
};
constexpr Direction kDirections[] = {{"ingress", "from"}, {"egress", "to"}};

void check_policy_port(const Value& port, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kProtocols[] = {"TCP", "UDP", "SCTP"};
  const Value& protocol = port["protocol"];
  const bool known = is_listed(protocol.as_string(), kProtocols);
  if (!protocol.is_null() && !known) {
    restate(errors, field_error::not_supported(path.child("protocol").text(), protocol, kProtocols));
  }
  const Value& number = port["port"];
  const Value& end = port["endPort"];
  const std::string end_at = path.child("endPort").text();
  if (!number.is_null() && !number.is_string()) {
    check_port_number_or_name(number, path.child("port"), errors);
    if (end.is_null()) return;
    if (end.as_int() < number.as_int()) {
      errors.push_back(field_error::invalid(end_at, number, "must be greater than or equal to `port`"));
    }
    add_name_errors(path.child("endPort"), end, check_port_number(end.as_int()), errors);
    return;
  }
  if (!end.is_null()) {
    errors.push_back(field_error::invalid(end_at, end,
                                          number.is_null() ? "may not be specified when `port` is not specified"
                                                           : "may not be specified when `port` is non-numeric"));
  }
  if (!number.is_null()) check_port_number_or_name(number, path.child("port"), errors);
}

// Every network in a policy's peers, by its text.
Value networks_of(const Object* policy) {
  Value::ArrayBuilder networks;
  if (policy == nullptr) return std::move(networks).build();
  for (const Direction& direction : kDirections) {
    for (const Value& rule : (*policy)["spec"][direction.rules].items()) {
      for (const Value& peer : rule[direction.peers].items()) {
        networks.add(peer["ipBlock"]["cidr"]);
        for (const Value& except : peer["ipBlock"]["except"].items()) networks.add(except);
      }
    }
  }
  return std::move(networks).build();
}

void check_ip_block(const Value& block, const Value& known, const FieldPath& path, FieldErrors& errors) {
  const Value& cidr = block["cidr"];
  if (cidr.as_string().empty()) {
    report(errors, field_error::required(path.child("cidr").text()));
    return;
  }
  check_cidr(cidr, path.child("cidr"), errors, known);
  if (!is_cidr(cidr.as_string())) return;
  const Value& excepted = block["except"];
  for (std::size_t i = 0; i < excepted.size(); ++i) {
    const FieldPath at = path.child("except").index(i);
    check_cidr(excepted.at(i), at, errors, known);
    if (!is_cidr(excepted.at(i).as_string()) || is_strict_subnet(excepted.at(i).as_string(), cidr.as_string()))
      continue;
    errors.push_back(field_error::invalid(at.text(), excepted.at(i), "must be a strict subset of `cidr`"));
  }
}

void check_policy_peer(const Value& peer, const Value& known, const FieldPath& path, FieldErrors& errors) {
  int given = 0;
  for (const std::string_view selector : {"podSelector", "namespaceSelector"}) {
    if (!peer[selector].is_object()) continue;
    ++given;
    check_label_selector(peer[selector], path.child(selector), errors);
  }
  const bool block = peer["ipBlock"].is_object();
  if (block) check_ip_block(peer["ipBlock"], known, path.child("ipBlock"), errors);
  if (given == 0 && !block) errors.push_back(field_error::required(path.text(), "must specify a peer"));
  if (given > 0 && block) {
    errors.push_back(field_error::forbidden(path.text(), "may not specify both ipBlock and another peer"));
  }
}

void check_policy_types(const Value& types, FieldErrors& errors) {
  constexpr std::string_view kTypes[] = {"Ingress", "Egress"};
  const FieldPath path("spec.policyTypes");
  if (types.size() > std::size(kTypes)) {
    errors.push_back(field_error::invalid(path.text(), types, "may not specify more than two policyTypes"));
    return;
  }
  for (std::size_t i = 0; i < types.size(); ++i) {
    const std::string_view type = types.at(i).as_string();
    if (type == "Ingress" || type == "Egress") continue;
    restate(errors, field_error::not_supported(path.index(i).text(), type, kTypes));
  }
}

void check_network_policy(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  const FieldPath path("spec");
  check_label_selector(spec["podSelector"], path.child("podSelector"), errors);
  const Value known = networks_of(old);
  for (const Direction& direction : kDirections) {
    const Value& rules = spec[direction.rules];
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const FieldPath at = path.child(direction.rules).index(i);
      const Value& ports = rules.at(i)["ports"];
      const Value& peers = rules.at(i)[direction.peers];
      for (std::size_t j = 0; j < ports.size(); ++j) {
        check_policy_port(ports.at(j), at.child("ports").index(j), errors);
      }
      for (std::size_t j = 0; j < peers.size(); ++j) {
        check_policy_peer(peers.at(j), known, at.child(direction.peers).index(j), errors);
      }
    }
  }
  check_policy_types(spec["policyTypes"], errors);
}

void check_ranges(const Value& cidrs, FieldErrors& errors) {
  const FieldPath path("spec.cidrs");
  if (cidrs.empty()) {
    restate(errors, field_error::required(path.text(), "at least one CIDR required"));
    return;
  }
  if (cidrs.size() > 2) {
    errors.push_back(
        field_error::invalid(path.text(), Value::object({{"CIDRs", cidrs}}), "may only hold up to 2 values"));
    return;
  }
  for (std::size_t i = 0; i < cidrs.size(); ++i) check_cidr(cidrs.at(i), path.index(i), errors);
  const auto family = [&](std::size_t i) {
    const std::string_view text = cidrs.at(i).as_string();
    return ip_family(text.substr(0, text.find('/')));
  };
  if (cidrs.size() == 2 && !family(0).empty() && family(0) == family(1)) {
    errors.push_back(field_error::invalid(
        path.text(), cidrs,
        "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"));
  }
}

// Ranges are never taken away, for their addresses are in use; a second family may be added.
void check_service_cidr(const Object& object, const Object* old, FieldErrors& errors) {
  const FieldPath path("spec.cidrs");
  const Value& cidrs = object["spec"]["cidrs"];
  if (old == nullptr) {
    check_ranges(cidrs, errors);
    return;
  }
  const Value& before = (*old)["spec"]["cidrs"];
  const bool grows = before.size() == 1 && cidrs.size() == 2;
  if (before.size() != cidrs.size() && !grows) {
    retract(errors, path.text());
    errors.push_back(field_error::invalid(path.text(), cidrs, kImmutableField));
    return;
  }
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (cidrs.at(i) == before.at(i)) continue;
    errors.push_back(field_error::invalid(path.index(i).text(), cidrs.at(i).as_string(), kImmutableField));
  }
  if (grows) check_ranges(cidrs, errors);
}

constexpr std::string_view kNetworkGroup = "networking.k8s.io";

constexpr ResourceRules kNetworkRules[] = {
    {kNetworkGroup, "networkpolicies", nullptr, nullptr, check_network_policy},
    {kNetworkGroup, "servicecidrs", nullptr, nullptr, check_service_cidr},
};

}  // namespace

std::span<const ResourceRules> network_rules() {
  return kNetworkRules;
}

}  // namespace coracle::kube::apiserver
