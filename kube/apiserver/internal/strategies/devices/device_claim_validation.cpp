#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>

#include "base/json/json.h"
#include "base/text.h"
#include "kube/apiserver/internal/strategies/devices/device_validation.h"
#include "kube/apiserver/internal/strategies/node_selector_validation.h"
#include "kube/apiserver/internal/strategies/resource_names.h"
#include "kube/apiserver/internal/strategies/storage/volume_sources.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::int64_t kMaxItems = 32;  // requests, constraints, configurations, selectors, results
constexpr std::int64_t kMaxAlternatives = 8;
constexpr std::int64_t kMaxConsumers = 256;
constexpr std::size_t kMaxText = 10 * 1024;  // of an expression or of a driver's parameters
constexpr std::string_view kUnknownRequest =
    "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

// The requests of a claim and their alternatives.
using RequestNames = std::map<std::string_view, std::set<std::string_view>>;

RequestNames request_names(const Value& devices) {
  RequestNames names;
  for (const Value& request : devices["requests"].items()) {
    std::set<std::string_view>& alternatives = names[request["name"].as_string()];
    for (const Value& one : request["firstAvailable"].items()) alternatives.insert(one["name"].as_string());
  }
  return names;
}

void check_request_name(std::string_view name, const RequestNames& names, const FieldPath& path, FieldErrors& errors) {
  const std::vector<std::string_view> parts = split(name, '/');
  if (parts.size() <= 2) {
    for (const std::string_view part : parts) add_name_errors(path, part, check_dns1123_label(part), errors);
    const auto found = names.find(parts[0]);
    if (found != names.end() && (parts.size() == 1 || found->second.contains(parts[1]))) return;
  }
  errors.push_back(field_error::invalid(path.text(), name, kUnknownRequest));
}

void check_request_names(const Value& list, const RequestNames& names, const FieldPath& path, FieldErrors& errors) {
  if (!check_list_size(list, kMaxItems, path, errors)) return;
  for (std::size_t i = 0; i < list.size(); ++i) {
    check_request_name(list.at(i).as_string(), names, path.index(i), errors);
  }
  check_repeated_items(list, {}, path, errors);
}

void check_selectors(const Value& selectors, const FieldPath& path, FieldErrors& errors) {
  if (!check_list_size(selectors, kMaxItems, path, errors)) return;
  for (std::size_t i = 0; i < selectors.size(); ++i) {
    const FieldPath at = path.index(i).child("cel");
    const Value& cel = selectors.at(i)["cel"];
    if (!cel.is_object()) {
      errors.push_back(field_error::required(at.text()));
    } else if (cel["expression"].as_string().size() > kMaxText) {
      errors.push_back(field_error::too_long(at.child("expression").text(), kMaxText));
    }
  }
}

void check_choice_of(const Value& value, std::span<const std::string_view> choices, const FieldPath& path,
                     FieldErrors& errors) {
  const std::string_view text = value.as_string();
  if (std::find(choices.begin(), choices.end(), text) != choices.end()) return;
  errors.push_back(text.empty() ? field_error::required(path.text())
                                : field_error::not_supported(path.text(), text, choices));
}

void check_device_toleration(const Value& toleration, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kOperators[] = {"Equal", "Exists"};
  constexpr std::string_view kEffects[] = {"NoExecute", "NoSchedule", "None"};
  const std::string_view key = toleration["key"].as_string();
  const std::string_view op = toleration["operator"].as_string();
  const std::string_view value = toleration["value"].as_string();
  if (!key.empty()) add_name_errors(path.child("key"), key, check_qualified_name(key), errors);
  check_choice_of(toleration["operator"], kOperators, path.child("operator"), errors);
  if (op == "Exists" && !value.empty()) {
    errors.push_back(field_error::invalid(path.child("value").text(), value, "must be empty for operator `Exists`"));
  } else if (op == "Equal") {
    add_name_errors(path.child("value"), value, check_label_value(value), errors);
  }
  if (!is_zero(toleration["effect"])) check_choice_of(toleration["effect"], kEffects, path.child("effect"), errors);
}

void check_count(const Value& request, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kModes[] = {"All", "ExactCount"};
  const std::string_view mode = request["allocationMode"].as_string();
  const std::int64_t count = request["count"].as_int();
  const std::string at = path.child("count").text();
  if (mode == "All") {
    if (count == 0) return;
    errors.push_back(field_error::invalid(at, count, "must not be specified when allocationMode is 'All'"));
  } else if (mode == "ExactCount") {
    if (count <= 0) errors.push_back(field_error::invalid(at, count, "must be greater than zero"));
  } else {
    errors.push_back(field_error::not_supported(path.child("allocationMode").text(), mode, kModes));
  }
}

// What a request asks for, be it its only way or one of several.
void check_wanted_device(const Value& request, const FieldPath& path, FieldErrors& errors) {
  const std::string_view name = request["deviceClassName"].as_string();
  if (name.empty()) {
    errors.push_back(field_error::required(path.child("deviceClassName").text()));
  } else {
    add_name_errors(path.child("deviceClassName"), name, check_dns1123_subdomain(name), errors);
  }
  check_selectors(request["selectors"], path.child("selectors"), errors);
  check_count(request, path, errors);
  const Value& tolerations = request["tolerations"];
  for (std::size_t i = 0; i < tolerations.size(); ++i) {
    check_device_toleration(tolerations.at(i), path.child("tolerations").index(i), errors);
  }
}

void check_request(const Value& request, const FieldPath& path, FieldErrors& errors) {
  const Value& alternatives = request["firstAvailable"];
  const bool exact = request["exactly"].is_object();
  check_device_label(request["name"], path.child("name"), errors);
  if (!exact && alternatives.empty()) {
    errors.push_back(field_error::required(path.text(), "exactly one of `exactly` or `firstAvailable` is required"));
  } else if (exact && !alternatives.empty()) {
    errors.push_back(field_error::invalid(
        path.text(), Value(), "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set"));
  } else if (exact) {
    check_wanted_device(request["exactly"], path.child("exactly"), errors);
  } else {
    const FieldPath at = path.child("firstAvailable");
    if (!check_list_size(alternatives, kMaxAlternatives, at, errors)) return;
    for (std::size_t i = 0; i < alternatives.size(); ++i) {
      check_device_label(alternatives.at(i)["name"], at.index(i).child("name"), errors);
      check_wanted_device(alternatives.at(i), at.index(i), errors);
    }
    check_repeated_items(alternatives, "name", at, errors);
  }
}

void check_constraint(const Value& constraint, const RequestNames& names, const FieldPath& path, FieldErrors& errors) {
  check_request_names(constraint["requests"], names, path.child("requests"), errors);
  for (const char* field : {"matchAttribute", "distinctAttribute"}) {
    if (constraint[field].is_null()) continue;
    const std::string_view name = constraint[field].as_string();
    const FieldPath at = path.child(field);
    check_device_attribute_name(name, at, errors);
    if (name.find('/') != std::string_view::npos) return;
    errors.push_back(field_error::invalid(at.text(), name,
                                          "a fully qualified name must be a domain and a name separated by a slash"));
    return;
  }
  errors.push_back(field_error::required(path.text(),
                                         "exactly one of \"matchAttribute\" or \"distinctAttribute\" is required, "
                                         "but multiple fields are set"));
}

void check_configuration(const Value& configuration, const FieldPath& path, FieldErrors& errors) {
  const FieldPath at = path.child("opaque");
  const Value& opaque = configuration["opaque"];
  if (!opaque.is_object()) {
    errors.push_back(field_error::required(at.text()));
    return;
  }
  check_csi_driver_name(opaque["driver"], at.child("driver"), errors);
  const Value& parameters = opaque["parameters"];
  const std::string where = at.child("parameters").text();
  if (parameters.is_null()) {
    errors.push_back(field_error::required(where));
  } else if (json::write(parameters).size() > kMaxText) {
    errors.push_back(field_error::too_long(where, kMaxText));
  } else if (!parameters.is_object()) {
    errors.push_back(field_error::invalid(where, "<value omitted>", "must be a valid JSON object"));
  }
}

void check_allocation(const Value& allocation, const RequestNames& names, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kSources[] = {"FromClaim", "FromClass"};
  const Value& results = allocation["devices"]["results"];
  const FieldPath found = path.child("devices").child("results");
  if (check_list_size(results, kMaxItems, found, errors)) {
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Value& result = results.at(i);
      check_request_name(result["request"].as_string(), names, found.index(i).child("request"), errors);
      check_csi_driver_name(result["driver"], found.index(i).child("driver"), errors);
      check_device_pool(result["pool"], found.index(i).child("pool"), errors);
      check_device_label(result["device"], found.index(i).child("device"), errors);
      check_binding_conditions(result, found.index(i), errors);
    }
  }
  const Value& configurations = allocation["devices"]["config"];
  const FieldPath configured = path.child("devices").child("config");
  // Those of the class and those of the claim.
  if (check_list_size(configurations, 2 * kMaxItems, configured, errors)) {
    for (std::size_t i = 0; i < configurations.size(); ++i) {
      const FieldPath at = configured.index(i);
      check_choice_of(configurations.at(i)["source"], kSources, at.child("source"), errors);
      check_request_names(configurations.at(i)["requests"], names, at.child("requests"), errors);
      check_configuration(configurations.at(i), at, errors);
    }
  }
  const Value& selector = allocation["nodeSelector"];
  if (!selector.is_object()) return;
  check_node_selector(FieldCheck(selector, path.child("nodeSelector"), errors));
}

// A device as the server's own structure, which is how upstream shows it.
Value shown_device(const Value& device, std::string_view name) {
  return Value::object({{"Driver", device["driver"].as_string()},
                        {"Pool", device["pool"].as_string()},
                        {"Device", device[name].as_string()},
                        {"ShareID", device["shareID"].as_string()}});
}

void check_device_states(const Value& status, FieldErrors& errors) {
  std::set<std::string> allocated, seen;
  for (const Value& result : status["allocation"]["devices"]["results"].items()) {
    allocated.insert(json::write(shown_device(result, "device")));
  }
  const Value& devices = status["devices"];
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const Value& device = devices.at(i);
    const FieldPath at = FieldPath("status.devices").index(i);
    const Value shown = shown_device(device, "device");
    check_csi_driver_name(device["driver"], at.child("driver"), errors);
    check_device_pool(device["pool"], at.child("pool"), errors);
    check_device_label(device["device"], at.child("device"), errors);
    if (!allocated.contains(json::write(shown))) {
      errors.push_back(field_error::invalid(at.text(), shown, "must be an allocated device in the claim"));
    }
    if (!seen.insert(json::write(shown)).second) errors.push_back(field_error::duplicate(at.text(), shown));
  }
}

void check_consumers(const Value& consumers, const FieldPath& path, FieldErrors& errors) {
  if (!check_list_size(consumers, kMaxConsumers, path, errors)) return;
  for (std::size_t i = 0; i < consumers.size(); ++i) {
    for (const char* field : {"resource", "name", "uid"}) {
      if (!consumers.at(i)[field].as_string().empty()) continue;
      errors.push_back(field_error::required(path.index(i).child(field).text()));
    }
  }
  check_repeated_items(consumers, "uid", path, errors);
}

// Consumers have something to consume, and no new ones come to what goes.
void check_reservation(const Object& object, const Object& old, const FieldPath& path, FieldErrors& errors) {
  const Value& consumers = object["status"]["reservedFor"];
  if (consumers.empty()) return;
  if (!object["status"]["allocation"].is_object()) {
    errors.push_back(field_error::forbidden(path.text(), "may not be specified when `allocated` is not set"));
    return;
  }
  const std::span<const Value> before = old["status"]["reservedFor"].items();
  const bool added = std::any_of(consumers.items().begin(), consumers.items().end(), [&](const Value& consumer) {
    return std::find(before.begin(), before.end(), consumer) == before.end();
  });
  if (!added || object.metadata()["deletionTimestamp"].is_null()) return;
  errors.push_back(field_error::forbidden(
      path.text(), "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"));
}

}  // namespace

void check_device_claim(const Value& devices, const FieldPath& path, FieldErrors& errors) {
  const RequestNames names = request_names(devices);
  const Value& requests = devices["requests"];
  if (check_list_size(requests, kMaxItems, path.child("requests"), errors)) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      check_request(requests.at(i), path.child("requests").index(i), errors);
    }
    check_repeated_items(requests, "name", path.child("requests"), errors);
  }
  const Value& constraints = devices["constraints"];
  if (check_list_size(constraints, kMaxItems, path.child("constraints"), errors)) {
    for (std::size_t i = 0; i < constraints.size(); ++i) {
      check_constraint(constraints.at(i), names, path.child("constraints").index(i), errors);
    }
  }
  const Value& configurations = devices["config"];
  if (!check_list_size(configurations, kMaxItems, path.child("config"), errors)) return;
  for (std::size_t i = 0; i < configurations.size(); ++i) {
    const FieldPath at = path.child("config").index(i);
    check_request_names(configurations.at(i)["requests"], names, at.child("requests"), errors);
    check_configuration(configurations.at(i), at, errors);
  }
}

void check_device_class(const Object& object, const Object*, FieldErrors& errors) {
  const Value& spec = object["spec"];
  const FieldPath path("spec.config");
  check_selectors(spec["selectors"], FieldPath("spec.selectors"), errors);
  if (check_list_size(spec["config"], kMaxItems, path, errors)) {
    for (std::size_t i = 0; i < spec["config"].size(); ++i) {
      check_configuration(spec["config"].at(i), path.index(i), errors);
    }
  }
  const Value& name = spec["extendedResourceName"];
  if (name.is_null() || is_extended_resource(name.as_string())) return;
  errors.push_back(field_error::invalid("spec.extendedResourceName", name, "must be a valid extended resource name"));
}

void check_device_claim_status(const Object& object, const Object& old, FieldErrors& errors) {
  const Value& status = object["status"];
  const Value& allocation = status["allocation"];
  const Value& before = old["status"]["allocation"];
  const FieldPath reserved("status.reservedFor");
  check_consumers(status["reservedFor"], reserved, errors);
  check_device_states(status, errors);
  check_reservation(object, old, reserved, errors);
  if (!allocation.is_object() || allocation == before) return;
  if (before.is_object()) {
    errors.push_back(field_error::invalid("status.allocation", allocation, kImmutableField));
  } else {
    check_allocation(allocation, request_names(object["spec"]["devices"]), FieldPath("status.allocation"), errors);
  }
}

}  // namespace coracle::kube::apiserver
