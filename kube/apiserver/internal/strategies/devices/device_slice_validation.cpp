#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/devices/device_validation.h"
#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/internal_form.h"
#include "kube/apiserver/internal/strategies/node_selector_validation.h"
#include "kube/apiserver/internal/strategies/storage/volume_sources.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::int64_t kMaxDevices = 128;
constexpr std::int64_t kMaxAdvancedDevices = 64;  // with taints or counters
constexpr std::int64_t kMaxCounterSets = 8;
constexpr std::int64_t kMaxCounters = 32;
constexpr std::int64_t kMaxConsumed = 2;
constexpr std::int64_t kMaxTaints = 16;
constexpr std::size_t kMaxProperties = 32;
constexpr std::size_t kMaxAttribute = 64;
constexpr std::string_view kSwitchText = "must be either unset or set to true";

bool is_semver_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit) && (text.size() == 1 || text[0] != '0');
}

// Dot-separated identifiers; numbers among those of a pre-release have no leading zeros.
bool are_semver_identifiers(std::string_view text, bool prerelease) {
  const auto fits = [](char c) { return c == '-' || is_alphanumeric(c); };
  for (const std::string_view part : split(text, '.')) {
    if (part.empty() || !std::all_of(part.begin(), part.end(), fits)) return false;
    if (prerelease && std::all_of(part.begin(), part.end(), is_digit) && !is_semver_number(part)) return false;
  }
  return true;
}

// "1.2.3-alpha.1+build.5"
bool is_semver(std::string_view text) {
  const std::size_t plus = text.find('+');
  if (plus != std::string_view::npos && !are_semver_identifiers(text.substr(plus + 1), false)) return false;
  text = text.substr(0, plus);
  const std::size_t dash = text.find('-');
  if (dash != std::string_view::npos && !are_semver_identifiers(text.substr(dash + 1), true)) return false;
  const std::vector<std::string_view> numbers = split(text.substr(0, dash), '.');
  return numbers.size() == 3 && std::all_of(numbers.begin(), numbers.end(), is_semver_number);
}

void check_attribute(const Value& attribute, const FieldPath& path, FieldErrors& errors) {
  for (const char* field : {"string", "version"}) {
    const std::string_view text = attribute[field].as_string();
    const std::string at = path.child(field).text();
    if (std::string_view(field) == "version" && !attribute[field].is_null() && !is_semver(text)) {
      errors.push_back(field_error::invalid(at, text, "must be a string compatible with semver.org spec 2.0.0"));
    }
    if (text.size() > kMaxAttribute) errors.push_back(field_error::too_long(at, kMaxAttribute));
  }
  int values = 0;
  for (const char* field : {"bool", "int", "string", "version"}) values += attribute[field].is_null() ? 0 : 1;
  if (values == 1) return;
  // Several are shown as the server's own structure.
  const Value shown = values == 0 ? Value("")
                                  : Value::object({{"IntValue", attribute["int"]},
                                                   {"BoolValue", attribute["bool"]},
                                                   {"StringValue", attribute["string"]},
                                                   {"VersionValue", attribute["version"]},
                                                   {"IntValues", Value()},
                                                   {"BoolValues", Value()},
                                                   {"StringValues", Value()},
                                                   {"VersionValues", Value()}});
  errors.push_back(field_error::invalid(path.text(), shown, "exactly one value must be specified"));
}

// How much of a capacity a claim may take.
void check_request_policy(const Value& policy, const FieldPath& path, FieldErrors& errors) {
  const bool values = !policy["validValues"].empty();
  const bool range = policy["validRange"].is_object();
  if (values && range) {
    errors.push_back(field_error::forbidden(path.text(),
                                            "exactly one policy can be specified, cannot specify \"validValues\" and "
                                            "\"validRange\" at the same time"));
  } else if ((values || range) && policy["default"].is_null()) {
    errors.push_back(
        field_error::required(path.child("default").text(),
                              std::string("required when ") + (values ? "validValues" : "validRange") + " is defined"));
  } else if (range && policy["validRange"]["min"].is_null()) {
    errors.push_back(
        field_error::required(path.child("validRange").child("min").text(), "required when validRange is defined"));
  }
}

void check_properties(const Value& device, const FieldPath& path, FieldErrors& errors) {
  const Value& attributes = device["attributes"];
  const Value& capacities = device["capacity"];
  const std::size_t count = attributes.size() + capacities.size();
  if (count > kMaxProperties) {
    errors.push_back(field_error::invalid(path.text(), static_cast<std::int64_t>(count),
                                          "the total number of attributes and capacities must not exceed 32"));
  }
  for (const Value::Member& member : attributes.members()) {
    check_device_attribute_name(member.key, path.child("attributes"), errors);
    check_attribute(member.value, path.child("attributes").key(member.key), errors);
  }
  for (const Value::Member& member : capacities.members()) {
    const FieldPath at = path.child("capacity").key(member.key).child("requestPolicy");
    check_device_attribute_name(member.key, path.child("capacity"), errors);
    if (!member.value["requestPolicy"].is_object()) continue;
    if (device["allowMultipleAllocations"].as_bool()) {
      check_request_policy(member.value["requestPolicy"], at, errors);
    } else {
      errors.push_back(field_error::forbidden(at.text(), "allowMultipleAllocations must be true"));
    }
  }
}

void check_device_taints(const Value& taints, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kEffects[] = {"NoExecute", "NoSchedule", "None"};
  if (!check_list_size(taints, kMaxTaints, path, errors)) return;
  for (std::size_t i = 0; i < taints.size(); ++i) {
    const FieldPath at = path.index(i);
    const std::string_view key = taints.at(i)["key"].as_string();
    const std::string_view value = taints.at(i)["value"].as_string();
    const std::string_view effect = taints.at(i)["effect"].as_string();
    add_name_errors(at.child("key"), key, check_qualified_name(key), errors);
    add_name_errors(at.child("value"), value, check_label_value(value), errors);
    if (effect.empty()) {
      errors.push_back(field_error::required(at.child("effect").text()));
    } else if (!is_listed(effect, kEffects)) {
      errors.push_back(field_error::not_supported(at.child("effect").text(), effect, kEffects));
    }
  }
}

// A set of counters, or what a device takes of one; `name` is the field that says which.
void check_counters(const Value& counters, std::string_view name, const FieldPath& path, FieldErrors& errors) {
  if (counters[name].as_string().empty()) {
    errors.push_back(field_error::required(path.child(name).text()));
  } else {
    check_device_label(counters[name], path.child(name), errors);
  }
  const Value& amounts = counters["counters"];
  const FieldPath at = path.child("counters");
  if (amounts.empty()) errors.push_back(field_error::required(at.text()));
  if (!check_list_size(amounts, kMaxCounters, at, errors)) return;
  for (const Value::Member& member : amounts.members()) check_device_label(member.key, at, errors);
}

void check_counter_list(const Value& list, std::int64_t maximum, std::string_view name, const FieldPath& path,
                        FieldErrors& errors) {
  if (!check_list_size(list, maximum, path, errors)) return;
  for (std::size_t i = 0; i < list.size(); ++i) check_counters(list.at(i), name, path.index(i), errors);
  check_repeated_items(list, name, path, errors);
}

// Which nodes have the devices: the fields that say so. `empty_name` is said of a name that is none.
std::vector<std::string_view> check_places(const Value& owner, std::string_view empty_name,
                                           std::span<const std::string_view> switches, const FieldPath& path,
                                           FieldErrors& errors) {
  std::vector<std::string_view> places;
  const Value& name = owner["nodeName"];
  if (!name.is_null() && name.as_string().empty()) {
    errors.push_back(field_error::invalid(path.child("nodeName").text(), name, empty_name));
  } else if (!name.is_null()) {
    places.push_back("`nodeName`");
    add_name_errors(path.child("nodeName"), name, check_dns1123_subdomain(name.as_string()), errors);
  }
  if (owner["nodeSelector"].is_object()) {
    places.push_back("`nodeSelector`");
    check_node_selector(FieldCheck(owner["nodeSelector"], path.child("nodeSelector"), errors));
  }
  for (const std::string_view field : switches) {
    if (owner[field].is_null()) continue;
    if (!owner[field].as_bool()) {
      errors.push_back(field_error::invalid(path.child(field).text(), owner[field], kSwitchText));
    } else {
      places.push_back(field == "allNodes" ? "`allNodes`" : "`perDeviceNodeSelection`");
    }
  }
  return places;
}

void check_device_place(const Value& device, bool chosen_here, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kSwitches[] = {"allNodes"};
  constexpr std::string_view kOneOf =
      "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to "
      "true in the ResourceSlice spec";
  if (!chosen_here) {
    if (device["nodeName"].is_null() && device["nodeSelector"].is_null() && device["allNodes"].is_null()) return;
    errors.push_back(field_error::invalid(path.text(), Value(),
                                          "`nodeName`, `nodeSelector` and `allNodes` can only be set if "
                                          "`perDeviceNodeSelection` is set to true in the ResourceSlice spec"));
    return;
  }
  const std::vector<std::string_view> places = check_places(device, "must not be empty", kSwitches, path, errors);
  if (places.empty()) {
    errors.push_back(field_error::required(path.text(), kOneOf));
  } else if (places.size() > 1) {
    errors.push_back(field_error::invalid(path.text(), "{" + join(places, ", ") + "}", kOneOf));
  }
}

void check_slice_place(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kSwitches[] = {"allNodes", "perDeviceNodeSelection"};
  constexpr std::string_view kOneOf =
      "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
  const std::vector<std::string_view> places =
      check_places(spec, "must be either unset or set to a non-empty string", kSwitches, path, errors);
  const Value& terms = spec["nodeSelector"]["nodeSelectorTerms"];
  if (spec["nodeSelector"].is_object() && terms.size() != 1) {
    errors.push_back(
        field_error::invalid(path.child("nodeSelector").child("nodeSelectorTerms").text(),
                             internal_form(spec["nodeSelector"], node_selector_form())["NodeSelectorTerms"],
                             "must have exactly one node selector term"));
  }
  if (places.empty()) {
    errors.push_back(field_error::required(path.text(), kOneOf));
  } else if (places.size() > 1) {
    errors.push_back(field_error::invalid(path.text(), "{" + join(places, ", ") + "}",
                                          std::string(kOneOf) + ", but multiple fields are set"));
  }
}

void check_device(const Value& device, const Value& before, bool chosen_here, const FieldPath& path,
                  FieldErrors& errors) {
  check_device_label(device["name"], path.child("name"), errors);
  check_properties(device, path, errors);
  if (!(device["taints"] == before["taints"])) check_device_taints(device["taints"], path.child("taints"), errors);
  check_counter_list(device["consumesCounters"], kMaxConsumed, "counterSet", path.child("consumesCounters"), errors);
  check_device_place(device, chosen_here, path, errors);
  check_binding_conditions(device, path, errors);
}

Value find_device(const Value& devices, const Value& name) {
  for (const Value& device : devices.items()) {
    if (device["name"] == name) return device;
  }
  return {};
}

}  // namespace

void check_device_slice(const Object& object, const Object* old, FieldErrors& errors) {
  const FieldPath path("spec");
  const Value& spec = object["spec"];
  const Value& pool = spec["pool"];
  const Value& devices = spec["devices"];
  check_csi_driver_name(spec["driver"], path.child("driver"), errors);
  check_device_pool(pool["name"], FieldPath("spec.pool.name"), errors);
  if (pool["resourceSliceCount"].as_int() <= 0) {
    errors.push_back(field_error::invalid("spec.pool.resourceSliceCount", pool["resourceSliceCount"].as_int(),
                                          "must be greater than zero"));
  }
  if (pool["generation"].as_int() < 0) {
    errors.push_back(
        field_error::invalid("spec.pool.generation", pool["generation"], "must be greater than or equal to zero"));
  }
  check_slice_place(spec, path, errors);
  if (!spec["sharedCounters"].is_null() && !devices.is_null()) {
    errors.push_back(field_error::invalid("spec", "", "only one of `sharedCounters` or `devices` is allowed"));
  }
  const bool advanced = std::any_of(devices.items().begin(), devices.items().end(), [](const Value& device) {
    return !device["taints"].empty() || !device["consumesCounters"].empty();
  });
  const FieldPath listed = path.child("devices");
  if (check_list_size(devices, advanced ? kMaxAdvancedDevices : kMaxDevices, listed, errors)) {
    const Value before = old == nullptr ? Value() : (*old)["spec"]["devices"];
    for (std::size_t i = 0; i < devices.size(); ++i) {
      check_device(devices.at(i), find_device(before, devices.at(i)["name"]), spec["perDeviceNodeSelection"].as_bool(),
                   listed.index(i), errors);
    }
    check_repeated_items(devices, "name", listed, errors);
  }
  check_counter_list(spec["sharedCounters"], kMaxCounterSets, "name", path.child("sharedCounters"), errors);
}

}  // namespace coracle::kube::apiserver
