#include <utility>

#include "base/ip.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kOldIngressClass = "kubernetes.io/ingress.class";
constexpr std::int64_t kHighestPort = 65535;

void check_ingress_backend(const Value& backend, const FieldPath& path, FieldErrors& errors) {
  const bool service = backend["service"].is_object();
  const bool resource = backend["resource"].is_object();
  if (service && resource) {
    errors.push_back(field_error::invalid(path.text(), "", "cannot set both resource and service backends"));
    return;
  }
  if (resource) return;
  if (!service) {
    errors.push_back(field_error::invalid(path.text(), "", "resource or service backend is required"));
    return;
  }
  const Value& name = backend["service"]["name"];
  const FieldPath at = path.child("service");
  if (name.as_string().empty()) {
    report(errors, field_error::required(at.child("name").text()));
  } else {
    add_name_errors(at.child("name"), name, check_dns1123_label(name.as_string()), errors);
  }
  const Value& port = backend["service"]["port"];
  const bool named = !port["name"].as_string().empty();
  const bool numbered = port["number"].as_int() != 0;
  if (named && numbered) {
    errors.push_back(field_error::invalid(path.text(), "", "cannot set both port name & port number"));
  } else if (named) {
    add_name_errors(at.child("port").child("name"), port["name"], check_port_name(port["name"].as_string()), errors);
  } else if (numbered) {
    add_name_errors(at.child("port").child("number"), port["number"], check_port_number(port["number"].as_int()),
                    errors);
  } else {
    errors.push_back(field_error::required(path.text(), "port name or number is required"));
  }
}

void check_ingress_path(const Value& rule_path, const FieldPath& path, FieldErrors& errors) {
  const Value& type = rule_path["pathType"];
  const std::string_view text = rule_path["path"].as_string();
  const FieldPath at = path.child("path");
  if (!type.is_string()) {
    report(errors, field_error::required(path.child("pathType").text(), "pathType must be specified"));
  } else if (type.as_string() == "Exact" || type.as_string() == "Prefix") {
    if (!text.starts_with('/')) {
      errors.push_back(field_error::invalid(at.text(), text, "must be an absolute path"));
    }
    for (const std::string_view part : {"//", "/./", "/../", "%2f", "%2F"}) {
      if (text.find(part) == std::string_view::npos) continue;
      errors.push_back(field_error::invalid(at.text(), text, "must not contain '" + std::string(part) + "'"));
    }
    for (const std::string_view end : {"/..", "/."}) {
      if (!text.ends_with(end)) continue;
      errors.push_back(field_error::invalid(at.text(), text, "cannot end with '" + std::string(end) + "'"));
    }
  } else if (type.as_string() == "ImplementationSpecific") {
    if (!text.empty() && !text.starts_with('/')) {
      errors.push_back(field_error::invalid(at.text(), text, "must be an absolute path"));
    }
  } else {
    constexpr std::string_view kPathTypes[] = {"Exact", "ImplementationSpecific", "Prefix"};
    report(errors, field_error::not_supported(path.child("pathType").text(), type, kPathTypes));
  }
  check_ingress_backend(rule_path["backend"], path.child("backend"), errors);
}

void check_ingress_rule(const Value& rule, const FieldPath& path, FieldErrors& errors) {
  const Value& host = rule["host"];
  const std::string_view text = host.as_string();
  if (!text.empty()) {
    const FieldPath at = path.child("host");
    if (!ip_family(text).empty()) {
      errors.push_back(field_error::invalid(at.text(), host, "must be a DNS name, not an IP address"));
    } else if (text.find('*') != std::string_view::npos) {
      add_name_errors(at, host, check_wildcard_dns1123_subdomain(text), errors);
    } else {
      add_name_errors(at, host, check_dns1123_subdomain(text), errors);
    }
  }
  if (!rule["http"].is_object()) return;
  const Value& paths = rule["http"]["paths"];
  const FieldPath at = path.child("http").child("paths");
  if (paths.empty()) report(errors, field_error::required(at.text()));
  for (std::size_t i = 0; i < paths.size(); ++i) check_ingress_path(paths.at(i), at.index(i), errors);
}

void check_ingress(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  const FieldPath path("spec");
  if (spec["rules"].empty() && !spec["defaultBackend"].is_object()) {
    errors.push_back(field_error::invalid("spec", spec, "either `defaultBackend` or `rules` must be specified"));
  }
  if (spec["defaultBackend"].is_object()) {
    check_ingress_backend(spec["defaultBackend"], path.child("defaultBackend"), errors);
  }
  for (std::size_t i = 0; i < spec["rules"].size(); ++i) {
    check_ingress_rule(spec["rules"].at(i), path.child("rules").index(i), errors);
  }
  const Value& class_name = spec["ingressClassName"];
  if (class_name.is_string()) {
    add_name_errors(path.child("ingressClassName"), class_name, check_dns1123_subdomain(class_name.as_string()),
                    errors);
  }
  if (old == nullptr && class_name.is_string() && object.has_annotation(kOldIngressClass) &&
      object.annotation(kOldIngressClass) != class_name.as_string()) {
    errors.push_back(field_error::invalid("annotations." + std::string(kOldIngressClass),
                                          object.annotation(kOldIngressClass),
                                          "must match `ingressClassName` when both are specified"));
  }
}

std::vector<std::string> warn_about_ingress_class(const Object& object, const Object* old) {
  if (old != nullptr || !object.has_annotation(kOldIngressClass)) return {};
  return {"annotation \"" + std::string(kOldIngressClass) +
          "\" is deprecated, please use 'spec.ingressClassName' instead"};
}

void check_policy_port(const Value& port, const FieldPath& path, FieldErrors& errors) {
  const Value& number = port["port"];
  const Value& end = port["endPort"];
  if (!number.is_null()) check_port_number_or_name(number, path.child("port"), errors);
  if (end.is_null()) return;
  const FieldPath at = path.child("endPort");
  if (number.is_null()) {
    errors.push_back(field_error::required(path.child("port").text(), "must be specified when `endPort` is specified"));
  } else if (number.is_string()) {
    errors.push_back(
        field_error::required(path.child("port").text(), "may not be specified when `port` is non-numeric"));
  } else if (end.as_int() < number.as_int()) {
    errors.push_back(field_error::invalid(at.text(), end, "must be greater than or equal to `port`"));
  } else if (end.as_int() > kHighestPort) {
    add_name_errors(at, end, check_port_number(end.as_int()), errors);
  }
}

void check_policy_peer(const Value& peer, const FieldPath& path, FieldErrors& errors) {
  int given = 0;
  for (const std::string_view selector : {"podSelector", "namespaceSelector"}) {
    if (!peer[selector].is_object()) continue;
    ++given;
    check_label_selector(peer[selector], path.child(selector), errors);
  }
  const Value& block = peer["ipBlock"];
  if (!block.is_object()) {
    if (given == 0) errors.push_back(field_error::required(path.text(), "must specify a peer"));
    return;
  }
  if (given > 0) {
    errors.push_back(field_error::forbidden(path.text(), "may not specify both ipBlock and another peer"));
  }
  const Value& cidr = block["cidr"];
  const FieldPath at = path.child("ipBlock");
  constexpr std::string_view kNoCidr = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
  if (cidr.as_string().empty()) {
    report(errors, field_error::required(at.child("cidr").text()));
  } else if (!is_cidr(cidr.as_string())) {
    errors.push_back(field_error::invalid(at.child("cidr").text(), cidr, kNoCidr));
  }
  for (std::size_t i = 0; i < block["except"].size(); ++i) {
    if (is_cidr(block["except"].at(i).as_string())) continue;
    errors.push_back(field_error::invalid(at.child("except").index(i).text(), block["except"].at(i), kNoCidr));
  }
}

void check_network_policy(const Object& object, const Object*, FieldErrors& errors) {
  const Value& spec = object["spec"];
  const FieldPath path("spec");
  check_label_selector(spec["podSelector"], path.child("podSelector"), errors);
  struct Direction {
    std::string_view rules;
    std::string_view peers;
  };
  constexpr Direction kDirections[] = {{"ingress", "from"}, {"egress", "to"}};
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
        check_policy_peer(peers.at(j), at.child(direction.peers).index(j), errors);
      }
    }
  }
}

// Slices count what their readers react to: everything but metadata, and the labels.
Object prepare_endpoint_slice(const WriteContext&, const Object& object, const Object* old) {
  if (old == nullptr || object.metadata()["labels"] == old->metadata()["labels"]) return object;
  return object.with_metadata("generation", old->generation() + 1);
}

void check_endpoint_slice(const Object& object, const Object*, FieldErrors& errors) {
  constexpr std::size_t kMaximumEndpoints = 1000;
  constexpr std::size_t kMaximumAddresses = 100;
  const std::string_view type = object["addressType"].as_string();
  constexpr std::string_view kAddressTypes[] = {"FQDN", "IPv4", "IPv6"};
  if (type.empty()) {
    report(errors, field_error::required("addressType"));
  } else if (type != "IPv4" && type != "IPv6" && type != "FQDN") {
    report(errors, field_error::not_supported("addressType", object["addressType"], kAddressTypes));
  }
  const Value& endpoints = object["endpoints"];
  if (endpoints.size() > kMaximumEndpoints) {
    errors.push_back(field_error::too_many("endpoints", static_cast<std::int64_t>(endpoints.size()),
                                           static_cast<std::int64_t>(kMaximumEndpoints)));
  }
  for (std::size_t i = 0; i < endpoints.size() && i < kMaximumEndpoints; ++i) {
    const Value& addresses = endpoints.at(i)["addresses"];
    const FieldPath at = FieldPath("endpoints").index(i).child("addresses");
    if (addresses.empty()) {
      report(errors, field_error::required(at.text(), "must contain at least 1 address"));
    } else if (addresses.size() > kMaximumAddresses) {
      errors.push_back(field_error::too_many(at.text(), static_cast<std::int64_t>(addresses.size()),
                                             static_cast<std::int64_t>(kMaximumAddresses)));
    }
    for (std::size_t j = 0; j < addresses.size(); ++j) {
      const std::string_view text = addresses.at(j).as_string();
      if (type == "FQDN") {
        add_name_errors(at.index(j), addresses.at(j), check_dns1123_subdomain(text), errors);
      } else if (type == "IPv4" || type == "IPv6") {
        if (ip_family(text) == type) continue;
        errors.push_back(field_error::invalid(at.index(j).text(), addresses.at(j),
                                              "must be a valid " + std::string(type) + " address"));
      }
    }
  }
}

// Ranges are never taken away, for their addresses are in use; a second family may be added.
void check_service_cidr(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& cidrs = object["spec"]["cidrs"];
  if (cidrs.empty()) report(errors, field_error::required("spec.cidrs", "at least one CIDR required"));
  for (std::size_t i = 0; i < cidrs.size(); ++i) {
    if (is_cidr(cidrs.at(i).as_string())) continue;
    errors.push_back(field_error::invalid(FieldPath("spec.cidrs").index(i).text(), cidrs.at(i),
                                          "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"));
  }
  if (old == nullptr) return;
  const Value& before = (*old)["spec"]["cidrs"];
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (cidrs.at(i) == before.at(i)) continue;
    errors.push_back(field_error::invalid(FieldPath("spec.cidrs").index(i).text(), cidrs.at(i), kImmutableField));
  }
}

constexpr std::string_view kNetworkGroup = "networking.k8s.io";

constexpr ResourceRules kNetworkRules[] = {
    {kNetworkGroup, "ingresses", nullptr, nullptr, check_ingress, warn_about_ingress_class},
    {kNetworkGroup, "networkpolicies", nullptr, nullptr, check_network_policy},
    {kNetworkGroup, "servicecidrs", nullptr, nullptr, check_service_cidr},
    {"discovery.k8s.io", "endpointslices", prepare_endpoint_slice, nullptr, check_endpoint_slice},
};

}  // namespace

std::span<const ResourceRules> network_rules() {
  return kNetworkRules;
}

}  // namespace coracle::kube::apiserver
