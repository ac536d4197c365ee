#include <algorithm>
#include <set>
#include <utility>

#include "base/ip.h"
#include "base/text.h"
#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/network/address_validation.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

// Where services lead to. Both kinds are mostly written by controllers, often, and may be long: what an update does
// not change is not judged again.
namespace coracle::kube::apiserver {

namespace {

constexpr std::int64_t kMaxEndpoints = 1000;
constexpr std::int64_t kMaxEndpointAddresses = 100;
constexpr std::int64_t kMaxPorts = 20000;
constexpr std::int64_t kMaxHints = 8;

void check_app_protocol(const Value& port, const FieldPath& path, FieldErrors& errors) {
  const Value& protocol = port["appProtocol"];
  if (!protocol.is_string()) return;
  add_name_errors(path.child("appProtocol"), protocol, check_qualified_name(protocol.as_string()), errors);
}

void check_node_name(const Value& name, const FieldPath& path, FieldErrors& errors) {
  if (name.is_string()) add_name_errors(path, name, check_dns1123_subdomain(name.as_string()), errors);
}

void check_subset_address(const Value& address, const FieldPath& path, FieldErrors& errors) {
  const FieldPath at = path.child("ip");
  const Value ip = address["ip"].as_string();
  const bool readable = check_address(ip, at, errors);
  const Value& host = address["hostname"];
  if (!host.as_string().empty()) {
    add_name_errors(path.child("hostname"), host, check_dns1123_label(host.as_string()), errors);
  }
  check_node_name(address["nodeName"], path.child("nodeName"), errors);
  if (readable) {
    check_reachable_ip(ip, at, errors);
  } else if (!is_sloppy_ip(ip.as_string())) {
    errors.push_back(field_error::invalid(at.text(), ip, "must be a valid IP address"));
  }
}

void check_subset_port(const Value& port, bool name_required, const FieldPath& path, FieldErrors& errors) {
  const Value& name = port["name"];
  if (!name.as_string().empty()) {
    add_name_errors(path.child("name"), name, check_dns1123_label(name.as_string()), errors);
  } else if (name_required) {
    errors.push_back(field_error::required(path.child("name").text()));
  }
  add_name_errors(path.child("port"), port["port"].as_int(), check_port_number(port["port"].as_int()), errors);
  check_app_protocol(port, path, errors);
}

constexpr std::string_view kAddressLists[] = {"addresses", "notReadyAddresses"};

void check_endpoints(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& subsets = object["subsets"];
  if (old != nullptr && subsets == (*old)["subsets"]) return;
  for (std::size_t i = 0; i < subsets.size(); ++i) {
    const Value& subset = subsets.at(i);
    const FieldPath path = FieldPath("subsets").index(i);
    if (subset["addresses"].empty() && subset["notReadyAddresses"].empty()) {
      errors.push_back(field_error::required(path.text(), "must specify `addresses` or `notReadyAddresses`"));
    }
    for (const std::string_view list : kAddressLists) {
      const Value& addresses = subset[list];
      for (std::size_t j = 0; j < addresses.size(); ++j) {
        check_subset_address(addresses.at(j), path.child(list).index(j), errors);
      }
    }
    const Value& ports = subset["ports"];
    for (std::size_t j = 0; j < ports.size(); ++j) {
      check_subset_port(ports.at(j), ports.size() > 1, path.child("ports").index(j), errors);
    }
  }
}

std::vector<std::string> warn_about_endpoints(const Object& object, const Object*) {
  std::vector<std::string> warnings;
  const Value& subsets = object["subsets"];
  for (std::size_t i = 0; i < subsets.size(); ++i) {
    for (const std::string_view list : kAddressLists) {
      const Value& addresses = subsets.at(i)[list];
      for (std::size_t j = 0; j < addresses.size(); ++j) {
        const FieldPath path = FieldPath("subsets").index(i).child(list).index(j).child("ip");
        warn_about_ip(addresses.at(j)["ip"].as_string(), path, warnings);
      }
    }
  }
  return warnings;
}

// The topology is what older servers called zone and node; v1 reads it and never writes it.
Value without_topology(const Value& endpoints) {
  Value::ArrayBuilder builder;
  for (const Value& endpoint : endpoints.items()) builder.add(endpoint.without("deprecatedTopology"));
  return std::move(builder).build();
}

// Slices count what their readers react to: everything but metadata, and the labels.
Object prepare_endpoint_slice(const WriteContext&, const Object& object, const Object* old) {
  Object prepared = object;
  const auto endpoints = object["endpoints"].items();
  const bool changed = old == nullptr || !(object["endpoints"] == (*old)["endpoints"]);
  const bool dated = std::any_of(endpoints.begin(), endpoints.end(),
                                 [](const Value& one) { return one.contains("deprecatedTopology"); });
  if (changed && dated) prepared = prepared.with("endpoints", without_topology(object["endpoints"]));
  if (old == nullptr || object.metadata()["labels"] == old->metadata()["labels"]) return prepared;
  return prepared.with_metadata("generation", old->generation() + 1);
}

void check_domain_name(const Value& name, const FieldPath& path, FieldErrors& errors) {
  std::string_view text = name.as_string();
  if (text.empty()) {
    errors.push_back(field_error::required(path.text()));
    return;
  }
  if (text.ends_with('.')) text.remove_suffix(1);
  const NameErrors faults = check_dns1123_subdomain(text);
  if (!faults.empty()) {
    errors.push_back(field_error::invalid(path.text(), text, join(faults, ",")));
    return;
  }
  const auto labels = split(text, '.');
  if (labels.size() < 2) {
    errors.push_back(
        field_error::invalid(path.text(), text, "should be a domain with at least two segments separated by dots"));
    return;
  }
  for (const std::string_view label : labels) {
    const NameErrors problems = check_dns1123_label(label);
    if (problems.empty()) continue;
    errors.push_back(field_error::invalid(path.text(), label, join(problems, ",")));
    return;
  }
}

void check_slice_address(const Value& address, std::string_view type, const FieldPath& list, std::size_t index,
                         FieldErrors& errors) {
  const FieldPath path = list.index(index);
  if (type == "FQDN") {
    check_domain_name(address, path, errors);
    return;
  }
  if (type != "IPv4" && type != "IPv6") return;
  if (!check_address(address, path, errors)) return;
  const std::string canonical = canonical_ip(address.as_string());
  if (type == "IPv6" && canonical != address.as_string()) {
    errors.push_back(field_error::invalid(path.text(), address, "must be in canonical form (\"" + canonical + "\")"));
    return;
  }
  if (ip_family(address.as_string()) != type) {
    errors.push_back(field_error::invalid(list.text(), address, "must be an " + std::string(type) + " address"));
  }
  check_reachable_ip(address, path, errors);
}

struct HintKind {
  std::string_view list;
  NameErrors (*check)(std::string_view name);
};
constexpr HintKind kHintKinds[] = {{"forZones", check_label_value}, {"forNodes", check_dns1123_subdomain}};

void check_hints(const Value& hints, const FieldPath& path, FieldErrors& errors) {
  for (const HintKind& kind : kHintKinds) {
    const Value& entries = hints[kind.list];
    if (!check_list_size(entries, kMaxHints, path.child(kind.list), errors)) return;
    std::set<std::string, std::less<>> seen;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const FieldPath at = path.child(kind.list).index(i).child("name");
      const std::string_view name = entries.at(i)["name"].as_string();
      if (!seen.emplace(name).second) errors.push_back(field_error::duplicate(at.text(), name));
      add_name_errors(at, name, kind.check(name), errors);
    }
  }
}

void check_slice_endpoint(const Value& endpoint, std::string_view type, const FieldPath& path, FieldErrors& errors) {
  const Value& addresses = endpoint["addresses"];
  const FieldPath at = path.child("addresses");
  if (addresses.empty()) {
    restate(errors, field_error::required(at.text(), "must contain at least 1 address"));
  } else {
    check_list_size(addresses, kMaxEndpointAddresses, at, errors);
  }
  for (std::size_t i = 0; i < addresses.size(); ++i) check_slice_address(addresses.at(i), type, at, i, errors);
  check_node_name(endpoint["nodeName"], path.child("nodeName"), errors);
  const Value& host = endpoint["hostname"];
  if (host.is_string()) {
    add_name_errors(path.child("hostname"), host, check_dns1123_label(host.as_string()), errors);
  }
  if (endpoint["hints"].is_object()) check_hints(endpoint["hints"], path.child("hints"), errors);
}

void check_slice_ports(const Value& ports, FieldErrors& errors) {
  const FieldPath list("ports");
  if (!check_list_size(ports, kMaxPorts, list, errors)) return;
  std::set<std::string, std::less<>> names;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const FieldPath path = list.index(i);
    const std::string_view name = ports.at(i)["name"].as_string();
    if (!name.empty()) add_name_errors(path.child("name"), name, check_dns1123_label(name), errors);
    if (!names.emplace(name).second) errors.push_back(field_error::duplicate(path.child("name").text(), name));
    check_app_protocol(ports.at(i), path, errors);
  }
}

void check_endpoint_slice(const Object& object, const Object* old, FieldErrors& errors) {
  const std::string_view type = object["addressType"].as_string();
  if (type.empty()) {
    retract(errors, "addressType");
    errors.push_back(field_error::required("addressType"));
  }
  check_slice_ports(object["ports"], errors);
  const Value& endpoints = object["endpoints"];
  if (old != nullptr && endpoints == (*old)["endpoints"]) return;
  if (!check_list_size(endpoints, kMaxEndpoints, FieldPath("endpoints"), errors)) return;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    check_slice_endpoint(endpoints.at(i), type, FieldPath("endpoints").index(i), errors);
  }
}

std::vector<std::string> warn_about_slice(const Object& object, const Object* old) {
  std::vector<std::string> warnings;
  if (old == nullptr && object["addressType"].as_string() == "FQDN") {
    warnings.emplace_back("spec.addressType: FQDN endpoints are deprecated");
  }
  const Value& endpoints = object["endpoints"];
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    const Value& addresses = endpoints.at(i)["addresses"];
    for (std::size_t j = 0; j < addresses.size(); ++j) {
      const FieldPath path = FieldPath("endpoints").index(i).child("addresses").index(j);
      warn_about_ip(addresses.at(j).as_string(), path, warnings);
    }
  }
  return warnings;
}

constexpr ResourceRules kEndpointRules[] = {
    {"", "endpoints", nullptr, nullptr, check_endpoints, warn_about_endpoints},
    {"discovery.k8s.io", "endpointslices", prepare_endpoint_slice, nullptr, check_endpoint_slice, warn_about_slice},
};

}  // namespace

std::span<const ResourceRules> endpoint_rules() {
  return kEndpointRules;
}

}  // namespace coracle::kube::apiserver
