#include <algorithm>
#include <utility>

#include "base/ip.h"
#include "base/text.h"
#include "kube/apiserver/internal/strategies/network/address_validation.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

// https://kubernetes.io/docs/concepts/services-networking/ingress/
namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kOldIngressClass = "kubernetes.io/ingress.class";
constexpr std::size_t kMaxController = 250;

// What names an object of any kind: backends that are no services, parameters of classes.
void check_object_reference(const Value& reference, const FieldPath& path, FieldErrors& errors) {
  const Value& group = reference["apiGroup"];
  if (group.is_string()) {
    add_name_errors(path.child("apiGroup"), group, check_dns1123_subdomain(group.as_string()), errors);
  }
  for (const std::string_view field : {"kind", "name"}) {
    const std::string_view text = reference[field].as_string();
    if (text.empty()) report(errors, field_error::required(path.child(field).text()));
    add_name_errors(path.child(field), text, check_path_segment_name(text), errors);
  }
}

void check_ingress_backend(const Value& backend, const FieldPath& path, FieldErrors& errors) {
  const bool service = backend["service"].is_object();
  const bool resource = backend["resource"].is_object();
  if (service && resource) {
    errors.push_back(field_error::invalid(path.text(), "", "cannot set both resource and service backends"));
    return;
  }
  if (resource) {
    check_object_reference(backend["resource"], path.child("resource"), errors);
    return;
  }
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
    restate(errors, field_error::required(path.child("pathType").text(), "pathType must be specified"));
    return;
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
    const std::string field = path.child("pathType").text();
    retract(errors, field);  // the host comes first
    errors.push_back(field_error::not_supported(field, type, kPathTypes));
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
    }
    check_host(host, at, errors);
  }
  if (!rule["http"].is_object()) return;
  const Value& paths = rule["http"]["paths"];
  const FieldPath at = path.child("http").child("paths");
  if (paths.empty()) report(errors, field_error::required(at.text()));
  for (std::size_t i = 0; i < paths.size(); ++i) check_ingress_path(paths.at(i), at.index(i), errors);
}

// Names of secrets came to be checked late: an ingress that had a bad one may have others.
bool has_bad_secret_name(const Object* ingress) {
  if (ingress == nullptr) return false;
  const auto entries = (*ingress)["spec"]["tls"].items();
  return std::any_of(entries.begin(), entries.end(), [](const Value& entry) {
    const std::string_view name = entry["secretName"].as_string();
    return !name.empty() && !check_dns1123_subdomain(name).empty();
  });
}

void check_ingress_tls(const Value& entries, const Object* old, FieldErrors& errors) {
  const bool lenient = has_bad_secret_name(old);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const FieldPath path = FieldPath("spec.tls").index(i);
    const Value& hosts = entries.at(i)["hosts"];
    for (std::size_t j = 0; j < hosts.size(); ++j) check_host(hosts.at(j), path.child("hosts").index(j), errors);
    const Value& secret = entries.at(i)["secretName"];
    if (secret.as_string().empty() || lenient) continue;
    add_name_errors(path.child("secretName"), secret, check_dns1123_subdomain(secret.as_string()), errors);
  }
}

void check_ingress(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  const FieldPath path("spec");
  if (spec["rules"].empty() && !spec["defaultBackend"].is_object()) {
    errors.push_back(
        field_error::invalid("spec", spec["rules"], "either `defaultBackend` or `rules` must be specified"));
  }
  if (spec["defaultBackend"].is_object()) {
    check_ingress_backend(spec["defaultBackend"], path.child("defaultBackend"), errors);
  }
  for (std::size_t i = 0; i < spec["rules"].size(); ++i) {
    check_ingress_rule(spec["rules"].at(i), path.child("rules").index(i), errors);
  }
  check_ingress_tls(spec["tls"], old, errors);
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

void check_ingress_status(const Object& object, const Object& old, FieldErrors& errors) {
  const Value& entries = object["status"]["loadBalancer"]["ingress"];
  const Value known = load_balancer_ips(old);
  ignore_port_protocols(errors);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    check_load_balancer_entry(entries.at(i), FieldPath("status.loadBalancer.ingress").index(i), errors, known);
  }
}

// "example.com/name"
void check_controller(const Value& controller, FieldErrors& errors) {
  const FieldPath path("spec.controller");
  const std::string_view text = controller.as_string();
  if (text.size() > kMaxController) {
    errors.push_back(field_error::too_long(path.text(), static_cast<std::int64_t>(kMaxController)));
  }
  if (text.empty()) {
    report(errors, field_error::required(path.text()));
    return;
  }
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size()) {
    errors.push_back(
        field_error::invalid(path.text(), controller, "must be a domain-prefixed path (such as \"acme.io/foo\")"));
    return;
  }
  const std::string_view host = text.substr(0, slash);
  const std::string_view rest = text.substr(slash + 1);
  add_name_errors(path, host, check_dns1123_subdomain(host), errors);
  const bool plain = std::all_of(rest.begin(), rest.end(), [](char c) {
    return is_alphanumeric(c) || std::string_view("/-._~%!$&'()*+,;=:").find(c) != std::string_view::npos;
  });
  if (plain) return;
  errors.push_back(field_error::invalid(
      path.text(), rest, "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')"));
}

void check_class_parameters(const Value& parameters, FieldErrors& errors) {
  const FieldPath path("spec.parameters");
  check_object_reference(parameters, path, errors);
  const Value& ns = parameters["namespace"];
  const std::string at = path.child("namespace").text();
  const std::string_view scope = parameters["scope"].as_string();
  if (scope == "Namespace") {
    if (ns.is_string()) {
      add_name_errors(path.child("namespace"), ns, check_dns1123_label(ns.as_string()), errors);
    } else {
      errors.push_back(field_error::required(at, "`parameters.scope` is set to 'Namespace'"));
    }
  } else if (scope != "Cluster") {
    constexpr std::string_view kScopes[] = {"Cluster", "Namespace"};
    report(errors, field_error::not_supported(path.child("scope").text(), scope, kScopes));
  } else if (!ns.is_null()) {
    errors.push_back(field_error::forbidden(at, "`parameters.scope` is set to 'Cluster'"));
  }
}

void check_ingress_class(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& controller = object["spec"]["controller"];
  const FieldPath path("spec.controller");
  if (old != nullptr && controller.as_string() != (*old)["spec"]["controller"].as_string()) {
    retract(errors, path.text());
    errors.push_back(field_error::invalid(path.text(), controller.as_string(), kImmutableField));
  }
  check_controller(controller, errors);
  if (object["spec"]["parameters"].is_object()) check_class_parameters(object["spec"]["parameters"], errors);
}

constexpr std::string_view kIngressGroup = "networking.k8s.io";

constexpr ResourceRules kIngressRules[] = {
    {.group = kIngressGroup,
     .resource = "ingresses",
     .check = check_ingress,
     .warn = warn_about_ingress_class,
     .check_status = check_ingress_status},
    {kIngressGroup, "ingressclasses", nullptr, nullptr, check_ingress_class},
};

}  // namespace

std::span<const ResourceRules> ingress_rules() {
  return kIngressRules;
}

}  // namespace coracle::kube::apiserver
