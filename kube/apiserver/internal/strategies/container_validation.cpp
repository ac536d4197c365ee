#include "kube/apiserver/internal/strategies/container_validation.h"

#include <string_view>
#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/object/quantity.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

using Names = std::set<std::string, std::less<>>;

void check_container_ports(const Value& container, const FieldPath& path, bool host_network, FieldErrors& errors) {
  Names names;
  const Value& ports = container["ports"];
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const Value& port = ports.at(i);
    const FieldPath at = path.index(i);
    const std::string_view name = port["name"].as_string();
    if (!name.empty()) {
      add_name_errors(at.child("name"), port["name"], check_port_name(name), errors);
      if (!names.emplace(name).second) {
        errors.push_back(field_error::duplicate(at.child("name").text(), port["name"]));
      }
    }
    const std::int64_t number = port["containerPort"].as_int();
    if (number == 0) {
      report(errors, field_error::required(at.child("containerPort").text()));
    } else {
      add_name_errors(at.child("containerPort"), number, check_port_number(number), errors);
    }
    const std::int64_t host = port["hostPort"].as_int();
    if (host != 0) add_name_errors(at.child("hostPort"), host, check_port_number(host), errors);
    if (host_network && host != 0 && host != number) {
      errors.push_back(field_error::invalid(at.child("containerPort").text(), number,
                                            "must match `hostPort` when `hostNetwork` is true"));
    }
  }
}

void check_environment(const Value& container, const FieldPath& path, FieldErrors& errors) {
  const Value& variables = container["env"];
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const Value& variable = variables.at(i);
    const FieldPath at = path.child("env").index(i);
    const std::string_view name = variable["name"].as_string();
    if (name.empty()) {
      report(errors, field_error::required(at.child("name").text()));
    } else {
      add_name_errors(at.child("name"), variable["name"], check_environment_name(name), errors);
    }
    const Value& source = variable["valueFrom"];
    if (!source.is_object()) continue;
    if (!variable["value"].as_string().empty()) {
      errors.push_back(
          field_error::invalid(at.child("valueFrom").text(), "", "may not be specified when `value` is not empty"));
    }
    if (source.empty()) {
      errors.push_back(field_error::invalid(at.child("valueFrom").text(), "",
                                            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
                                            "`secretKeyRef` or `fileKeyRef`"));
    } else if (source.size() > 1) {
      errors.push_back(field_error::invalid(at.child("valueFrom").text(), "",
                                            "may not have more than one field specified at a time"));
    }
  }
}

void check_mounts(const Value& container, const FieldPath& path, const VolumeNames& volumes, FieldErrors& errors) {
  const Value& mounts = container["volumeMounts"];
  Names paths;
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const Value& mount = mounts.at(i);
    const FieldPath at = path.index(i);
    const std::string_view name = mount["name"].as_string();
    if (name.empty()) {
      report(errors, field_error::required(at.child("name").text()));
    } else if (!volumes.contains(name)) {
      errors.push_back({"FieldValueNotFound", "Not found: \"" + std::string(name) + "\"", at.child("name").text()});
    }
    const std::string_view where = mount["mountPath"].as_string();
    if (where.empty()) {
      report(errors, field_error::required(at.child("mountPath").text()));
    } else if (!paths.emplace(where).second) {
      errors.push_back(field_error::invalid(at.child("mountPath").text(), where, "must be unique"));
    }
    const std::string_view inside = mount["subPath"].as_string();
    if (inside.starts_with('/')) {
      errors.push_back(field_error::invalid(at.child("subPath").text(), inside, "must be a relative path"));
    }
    for (const std::string_view part : split(inside, '/')) {
      if (part != "..") continue;
      errors.push_back(field_error::invalid(at.child("subPath").text(), inside, "must not contain '..'"));
      break;
    }
  }
}

// Huge pages and devices cannot be promised twice: what is asked for is the limit.
bool may_overcommit(std::string_view resource) {
  return !resource.starts_with("hugepages-") &&
         (resource.find('/') == std::string_view::npos || resource.starts_with("kubernetes.io/"));
}

void check_amounts(const Value& resources, const FieldPath& path, FieldErrors& errors) {
  for (const std::string_view part : {"limits", "requests"}) {
    for (const Value::Member& member : resources[part].members()) {
      const auto amount = Quantity::from_value(member.value);
      if (amount.ok() && amount->sign() < 0) {
        errors.push_back(field_error::invalid(path.child(part).key(member.key).text(), member.value, kNotNegative));
      }
    }
  }
  for (const Value::Member& member : resources["requests"].members()) {
    const auto request = Quantity::from_value(member.value);
    const Value* limit_value = resources["limits"].find(member.key);
    const FieldPath at = path.child("requests");
    if (limit_value == nullptr) {
      if (may_overcommit(member.key)) continue;
      errors.push_back(
          field_error::required(path.child("limits").text(), "Limit must be set for non overcommitable resources"));
      continue;
    }
    const auto limit = Quantity::from_value(*limit_value);
    if (!request.ok() || !limit.ok()) continue;
    if (may_overcommit(member.key) ? *request <= *limit : *request == *limit) continue;
    const std::string relation = may_overcommit(member.key) ? "must be less than or equal to " : "must be equal to ";
    errors.push_back(
        field_error::invalid(at.text(), request->text(), relation + member.key + " limit of " + limit->text()));
  }
}

void check_http_get(const Value& get, const FieldPath& path, FieldErrors& errors) {
  if (get["path"].as_string().empty()) report(errors, field_error::required(path.child("path").text()));
  check_port_number_or_name(get["port"], path.child("port"), errors);
  const Value& headers = get["httpHeaders"];
  for (std::size_t i = 0; i < headers.size(); ++i) {
    add_name_errors(path.child("httpHeaders"), headers.at(i)["name"],
                    check_http_header_name(headers.at(i)["name"].as_string()), errors);
  }
}

void check_handler(const Value& handler, const FieldPath& path, FieldErrors& errors) {
  int handlers = 0;
  for (const std::string_view kind : {"exec", "httpGet", "tcpSocket", "grpc", "sleep"}) {
    const Value& action = handler[kind];
    if (!action.is_object()) continue;
    const FieldPath at = path.child(kind);
    if (++handlers > 1) {
      errors.push_back(field_error::forbidden(at.text(), "may not specify more than 1 handler type"));
    } else if (kind == "exec") {
      if (action["command"].empty()) report(errors, field_error::required(at.child("command").text()));
    } else if (kind == "httpGet") {
      check_http_get(action, at, errors);
    } else if (kind != "sleep") {
      check_port_number_or_name(action["port"], at.child("port"), errors);
    }
  }
  if (handlers == 0) errors.push_back(field_error::required(path.text(), "must specify a handler type"));
}

void check_probes(const Value& container, const FieldPath& path, FieldErrors& errors) {
  for (const std::string_view kind : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    const Value& probe = container[kind];
    if (!probe.is_object()) continue;
    const FieldPath at = path.child(kind);
    check_handler(probe, at, errors);
    for (const std::string_view field :
         {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"}) {
      check_not_negative(probe[field], at.child(field), errors);
    }
    const Value& grace = probe["terminationGracePeriodSeconds"];
    if (grace.is_int() && grace.as_int() <= 0) {
      errors.push_back(
          field_error::invalid(at.child("terminationGracePeriodSeconds").text(), grace, "must be greater than 0"));
    }
    const Value& successes = probe["successThreshold"];
    if (kind != "readinessProbe" && successes.is_int() && successes.as_int() > 1) {
      errors.push_back(field_error::invalid(at.child("successThreshold").text(), successes, "must be 1"));
    }
  }
  for (const std::string_view hook : {"postStart", "preStop"}) {
    const Value& handler = container["lifecycle"][hook];
    if (handler.is_object()) check_handler(handler, path.child("lifecycle").child(hook), errors);
  }
}

struct PodParts {
  const VolumeNames& volumes;
  bool host_network;
};

void check_container(const Value& container, const FieldPath& path, const PodParts& parts, Names& names,
                     FieldErrors& errors) {
  const std::string_view name = container["name"].as_string();
  if (name.empty()) {
    report(errors, field_error::required(path.child("name").text()));
  } else {
    add_name_errors(path.child("name"), container["name"], check_dns1123_label(name), errors);
    if (!names.emplace(name).second) {
      errors.push_back(field_error::duplicate(path.child("name").text(), container["name"]));
    }
  }
  const std::string_view image = container["image"].as_string();
  if (image.empty()) {
    report(errors, field_error::required(path.child("image").text()));
  } else if (trim(image) != image) {
    errors.push_back(field_error::invalid(path.child("image").text(), container["image"],
                                          "must not have leading or trailing whitespace"));
  }
  check_container_ports(container, path.child("ports"), parts.host_network, errors);
  check_environment(container, path, errors);
  check_mounts(container, path.child("volumeMounts"), parts.volumes, errors);
  check_amounts(container["resources"], path.child("resources"), errors);
}

// What an init container that ends cannot have.
void check_init_container(const Value& container, const FieldPath& path, FieldErrors& errors) {
  for (const std::string_view field : {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"}) {
    if (!container[field].is_object()) continue;
    errors.push_back(field_error::forbidden(path.child(field).text(),
                                            "may not be set for init containers without restartPolicy=Always"));
  }
}

// What a container that is added to a running pod cannot have.
void check_ephemeral_container(const Value& container, const FieldPath& path, FieldErrors& errors) {
  for (const std::string_view field :
       {"ports", "lifecycle", "livenessProbe", "readinessProbe", "startupProbe", "resources"}) {
    if (is_zero(container[field])) continue;
    errors.push_back(field_error::forbidden(path.child(field).text(), "cannot be set for an Ephemeral Container"));
  }
}

}  // namespace

void check_containers(const Value& pod_spec, const FieldPath& path, const VolumeNames& volumes, FieldErrors& errors) {
  const PodParts parts{volumes, pod_spec["hostNetwork"].as_bool()};
  Names names;
  if (pod_spec["containers"].empty()) report(errors, field_error::required(path.child("containers").text()));
  for (std::size_t i = 0; i < pod_spec["containers"].size(); ++i) {
    const Value& container = pod_spec["containers"].at(i);
    const FieldPath at = path.child("containers").index(i);
    check_container(container, at, parts, names, errors);
    check_probes(container, at, errors);
  }
  for (std::size_t i = 0; i < pod_spec["initContainers"].size(); ++i) {
    const Value& container = pod_spec["initContainers"].at(i);
    const FieldPath at = path.child("initContainers").index(i);
    check_container(container, at, parts, names, errors);
    if (container["restartPolicy"].as_string() == "Always") {
      check_probes(container, at, errors);
    } else {
      check_init_container(container, at, errors);
    }
  }
  for (std::size_t i = 0; i < pod_spec["ephemeralContainers"].size(); ++i) {
    const FieldPath at = path.child("ephemeralContainers").index(i);
    check_container(pod_spec["ephemeralContainers"].at(i), at, parts, names, errors);
    check_ephemeral_container(pod_spec["ephemeralContainers"].at(i), at, errors);
  }
}

}  // namespace coracle::kube::apiserver
