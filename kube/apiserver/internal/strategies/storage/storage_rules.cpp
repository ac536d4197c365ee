#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/internal_form.h"
#include "kube/apiserver/internal/strategies/node_labels.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/storage/volume_sources.h"
#include "kube/apiserver/internal/strategies/storage/volume_validation.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/object/quantity.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::size_t kMaxParameters = 512;
constexpr std::size_t kMaxParameterBytes = 256 * 1024;
constexpr std::size_t kMaxNodeId = 256;
constexpr std::size_t kMaxVolumeError = 1024;

std::size_t text_bytes(const Value& texts) {
  std::size_t bytes = 0;
  for (const Value::Member& member : texts.members()) bytes += member.key.size() + member.value.as_string().size();
  return bytes;
}

// The driver behind a class, which any case of letters names, and what the class tells it.
void check_provisioner(const Value& name, const FieldPath& path, FieldErrors& errors) {
  const std::string text = to_lower(name.as_string());
  if (text.empty()) {
    errors.push_back(field_error::required(path.text()));
  } else {
    add_name_errors(path, text, check_qualified_name(text), errors);
  }
}

void check_parameters(const Value& parameters, FieldErrors& errors) {
  if (parameters.size() > kMaxParameters) {
    errors.push_back(field_error::too_long("parameters", kMaxParameters));
    return;
  }
  if (parameters.contains("")) errors.push_back(field_error::invalid("parameters", "", "field can not be empty."));
  if (text_bytes(parameters) > kMaxParameterBytes) {
    errors.push_back(field_error::too_long("parameters", kMaxParameterBytes));
  }
}

void check_choice(const Value& value, std::span<const std::string_view> choices, std::string_view path,
                  FieldErrors& errors) {
  if (std::find(choices.begin(), choices.end(), value.as_string()) != choices.end()) return;
  errors.push_back(field_error::not_supported(path, value.as_string(), choices));
}

using Topology = std::map<std::string, std::set<std::string>>;

Topology check_topology(const Value& term, const FieldPath& path, FieldErrors& errors) {
  Topology topology;
  const Value& expressions = term["matchLabelExpressions"];
  for (std::size_t i = 0; i < expressions.size(); ++i) {
    const Value& expression = expressions.at(i);
    const FieldPath at = path.index(i);
    const Value& values = expression["values"];
    std::set<std::string> seen;
    if (values.empty()) errors.push_back(field_error::required(at.child("values").text()));
    for (std::size_t j = 0; j < values.size(); ++j) {
      if (seen.emplace(values.at(j).as_string()).second) continue;
      errors.push_back(field_error::duplicate(at.child("values").index(j).text(), values.at(j)));
    }
    const std::string_view key = expression["key"].as_string();
    add_name_errors(at.child("key"), key, check_qualified_name(key), errors);
    const auto [place, fresh] = topology.insert_or_assign(std::string(key), std::move(seen));
    if (!fresh) errors.push_back(field_error::duplicate(at.child("key").text(), key));
  }
  return topology;
}

void check_topologies(const Value& terms, FieldErrors& errors) {
  std::vector<Topology> seen;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const FieldPath at = FieldPath("allowedTopologies").index(i).child("matchLabelExpressions");
    Topology topology = check_topology(terms.at(i), at, errors);
    // A term without expressions is one too many, be it the only one.
    if (topology.empty() || std::find(seen.begin(), seen.end(), topology) != seen.end()) {
      errors.push_back(field_error::duplicate(at.text(), ""));
    }
    seen.push_back(std::move(topology));
  }
}

void check_storage_class(const Object& object, const Object*, FieldErrors& errors) {
  constexpr std::string_view kPolicies[] = {"Delete", "Retain"};
  constexpr std::string_view kModes[] = {"Immediate", "WaitForFirstConsumer"};
  check_provisioner(object["provisioner"], FieldPath("provisioner"), errors);
  check_parameters(object["parameters"], errors);
  if (!is_zero(object["reclaimPolicy"])) check_choice(object["reclaimPolicy"], kPolicies, "reclaimPolicy", errors);
  check_choice(object["volumeBindingMode"], kModes, "volumeBindingMode", errors);
  check_topologies(object["allowedTopologies"], errors);
}

void check_attributes_class(const Object& object, const Object*, FieldErrors& errors) {
  check_provisioner(object["driverName"], FieldPath("driverName"), errors);
  check_parameters(object["parameters"], errors);
  if (object["parameters"].empty()) {
    errors.push_back(field_error::required("parameters", "must contain at least one key/value pair"));
  }
}

void check_token_requests(const Value& requests, FieldErrors& errors) {
  constexpr std::int64_t kShortest = 600;
  constexpr std::int64_t kLongest = std::int64_t{1} << 32;
  std::set<std::string_view> audiences;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const FieldPath at = FieldPath("spec.tokenRequests").index(i);
    const std::string_view audience = requests.at(i)["audience"].as_string();
    if (!audiences.insert(audience).second) {
      errors.push_back(field_error::duplicate(at.child("audience").text(), audience));
      continue;
    }
    const Value& seconds = requests.at(i)["expirationSeconds"];
    const std::string field = at.child("expirationSeconds").text();
    if (seconds.is_null()) continue;
    if (seconds.as_int() < kShortest) {
      errors.push_back(field_error::invalid(field, seconds, "may not specify a duration less than 10 minutes"));
    } else if (seconds.as_int() > kLongest) {
      errors.push_back(field_error::invalid(field, seconds, "may not specify a duration larger than 2^32 seconds"));
    }
  }
}

void check_csi_driver(const Object& object, const Object* old, FieldErrors& errors) {
  constexpr std::string_view kPolicies[] = {"File", "None", "ReadWriteOnceWithFSType"};
  constexpr std::string_view kModes[] = {"Persistent", "Ephemeral"};
  constexpr std::int64_t kShortestPeriod = 10;
  const Value& spec = object["spec"];
  if (!spec["fsGroupPolicy"].is_null()) check_choice(spec["fsGroupPolicy"], kPolicies, "spec.fsGroupPolicy", errors);
  check_token_requests(spec["tokenRequests"], errors);
  for (const Value& mode : spec["volumeLifecycleModes"].items()) {
    check_choice(mode, kModes, "spec.volumeLifecycleModes", errors);
  }
  const Value& period = spec["nodeAllocatableUpdatePeriodSeconds"];
  if (period.is_int() && period.as_int() < kShortestPeriod) {
    errors.push_back(field_error::invalid("spec.nodeAllocatableUpdatePeriodSeconds", period,
                                          "must be greater than or equal to 10 seconds"));
  }
  const Value& secret = spec["serviceAccountTokenInSecrets"];
  if (!secret.is_null() && spec["tokenRequests"].empty()) {
    errors.push_back(field_error::invalid("spec.serviceAccountTokenInSecrets", secret,
                                          "serviceAccountTokenInSecrets is set but no tokenRequests are specified"));
  }
  if (old == nullptr) return;
  const Value& before = (*old)["spec"];
  if (!(spec["attachRequired"] == before["attachRequired"])) {
    errors.push_back(field_error::invalid("spec.attachedRequired", spec["attachRequired"], kImmutableField));
  }
  const Value& modes = spec["volumeLifecycleModes"];
  if (!(modes == before["volumeLifecycleModes"]) && !(modes.empty() && before["volumeLifecycleModes"].empty())) {
    errors.push_back(field_error::invalid("spec.volumeLifecycleModes", modes, kImmutableField));
  }
}

std::vector<std::string> storage_class_warnings(const Object& object, const Object*) {
  std::vector<std::string> warnings;
  const Value& terms = object["allowedTopologies"];
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const Value& expressions = terms.at(i)["matchLabelExpressions"];
    for (std::size_t j = 0; j < expressions.size(); ++j) {
      const std::string_view text = old_node_label_text(expressions.at(j)["key"].as_string());
      if (text.empty()) continue;
      const FieldPath at = FieldPath("allowedTopologies").index(i).child("matchLabelExpressions").index(j).child("key");
      warnings.push_back(at.text() + ": " + std::string(text));
    }
  }
  return warnings;
}

std::vector<std::string> storage_capacity_warnings(const Object& object, const Object*) {
  std::vector<std::string> warnings;
  const FieldPath path("nodeTopology");
  warn_about_old_expressions(object["nodeTopology"], path, warnings);
  for (const Value::Member& label : object["nodeTopology"]["matchLabels"].members()) {
    const std::string_view text = old_node_label_text(label.key);
    if (text.empty()) continue;
    warnings.push_back(path.child("matchLabels").child(label.key).text() + ": " + std::string(text));
  }
  return warnings;
}

// Drivers count the changes of their spec, from none.
Object prepare_csi_driver(const WriteContext&, const Object& object, const Object* old) {
  // The gate of scaling with volume limits is off.
  const Object driver = object["spec"].contains("preventPodSchedulingIfMissing")
                            ? object.with("spec", object["spec"].without("preventPodSchedulingIfMissing"))
                            : object;
  const bool changed = old != nullptr && !(driver["spec"] == (*old)["spec"]);
  return changed ? driver.with_metadata("generation", old->generation() + 1) : driver;
}

std::vector<std::string> csi_driver_warnings(const Object& object, const Object* old) {
  const Value& spec = object["spec"];
  const Value& requests = spec["tokenRequests"];
  if (requests.empty() || !spec["serviceAccountTokenInSecrets"].is_null()) return {};
  if (old != nullptr && requests == (*old)["spec"]["tokenRequests"]) return {};
  return {
      "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible "
      "logging of tokens in volume attributes"};
}

void check_node_driver(const Value& driver, const FieldPath& path, FieldErrors& errors) {
  check_csi_driver_name(driver["name"], path.child("name"), errors);
  const std::string_view id = driver["nodeID"].as_string();
  if (id.empty()) errors.push_back(field_error::required(path.child("nodeID").text()));
  if (id.size() > kMaxNodeId) {
    errors.push_back(field_error::invalid(path.child("nodeID").text(), id, "must be 256 characters or less"));
  }
  check_not_negative(driver["allocatable"]["count"], path.child("allocatable").child("count"), errors);
  std::set<std::string_view> keys;
  for (const Value& item : driver["topologyKeys"].items()) {
    const std::string_view key = item.as_string();
    if (key.empty()) errors.push_back(field_error::required(path.text()));
    if (!keys.insert(key).second) errors.push_back(field_error::duplicate(path.text(), key));
    add_name_errors(path, key, check_qualified_name(key), errors);
  }
}

void check_csi_node(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& drivers = object["spec"]["drivers"];
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < drivers.size(); ++i) {
    const FieldPath at = FieldPath("spec.drivers").index(i);
    const std::string_view name = drivers.at(i)["name"].as_string();
    check_node_driver(drivers.at(i), at, errors);
    if (!names.insert(name).second) errors.push_back(field_error::duplicate(at.child("name").text(), name));
  }
  if (old == nullptr) return;
  for (const Value& before : (*old)["spec"]["drivers"].items()) {
    for (const Value& driver : drivers.items()) {
      if (!(before["name"] == driver["name"])) continue;
      if (driver.without("allocatable") == before.without("allocatable")) continue;
      const Value shown = internal_form(driver.without("allocatable"), node_driver_form());
      errors.push_back(field_error::invalid("spec.drivers", shown, kImmutableField));
    }
  }
}

void check_storage_capacity(const Object& object, const Object* old, FieldErrors& errors) {
  if (old == nullptr || !(object["nodeTopology"] == (*old)["nodeTopology"])) {
    check_label_selector(object["nodeTopology"], FieldPath("nodeTopology"), errors);
  }
  const std::string_view name = object["storageClassName"].as_string();
  add_name_errors(FieldPath("storageClassName"), name, check_dns1123_subdomain(name), errors);
  const auto capacity = Quantity::from_value(object["capacity"]);
  if (capacity.ok() && capacity->sign() < 0) {
    errors.push_back(field_error::invalid("capacity", capacity->text(), kNotNegative));
  }
}

void check_attachment_source(const Value& source, FieldErrors& errors) {
  constexpr std::string_view kOneOf = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  const Value& name = source["persistentVolumeName"];
  const Value& inlined = source["inlineVolumeSpec"];
  if (name.is_null() && inlined.is_null()) {
    errors.push_back(field_error::required("spec.source", kOneOf));
  } else if (!name.is_null() && !inlined.is_null()) {
    errors.push_back(field_error::forbidden("spec.source", kOneOf));
  } else if (!inlined.is_null()) {
    check_inline_volume(inlined, FieldPath("spec.source.inlineVolumeSpec"), errors);
  }
  if (name.is_null()) return;
  const FieldPath at("spec.source.persistentVolumeName");
  if (name.as_string().empty()) {
    errors.push_back(field_error::required(at.text(), "must specify non empty persistentVolumeName"));
  }
  add_name_errors(at, name, check_dns1123_subdomain(name.as_string()), errors);
}

void check_attachment_state(const Value& status, FieldErrors& errors) {
  if (text_bytes(status["attachmentMetadata"]) > kMaxParameterBytes) {
    errors.push_back(field_error::too_long("status.attachmentMetadata", kMaxParameterBytes));
  }
  for (const char* field : {"attachError", "detachError"}) {
    const Value& error = status[field];
    const FieldPath at = FieldPath("status").child(field);
    if (error["message"].as_string().size() > kMaxVolumeError) {
      errors.push_back(field_error::too_long(at.child("message").text(), kMaxParameterBytes));
    }
    if (error["errorCode"].as_int() < 0) {
      errors.push_back(field_error::invalid(at.child("errorCode").text(), error["errorCode"],
                                            "must be between 0 and 2147483647, inclusive"));
    }
  }
}

void check_attachment(const Object& object, const Object* old, FieldErrors& errors) {
  const Value& spec = object["spec"];
  const Value& source = spec["source"];
  const std::string_view node = spec["nodeName"].as_string();
  check_csi_driver_name(spec["attacher"], FieldPath("spec.attacher"), errors);
  check_attachment_source(source, errors);
  add_name_errors(FieldPath("spec.nodeName"), node, check_dns1123_subdomain(node), errors);
  check_attachment_state(object["status"], errors);
  if (old == nullptr || spec == (*old)["spec"]) return;
  errors.push_back(field_error::invalid("spec", internal_form(spec, attachment_form()), kImmutableField));
}

void check_attachment_status(const Object& object, const Object&, FieldErrors& errors) {
  check_attachment_state(object["status"], errors);
}

constexpr FrozenField kFrozenClass[] = {{"parameters"}, {"provisioner"}, {"reclaimPolicy"}, {"volumeBindingMode"}};
constexpr FrozenField kFrozenAttributes[] = {
    {"driverName", "updates to driverName are forbidden.", true},
    {"parameters", "updates to parameters are forbidden.", true},
};
constexpr FrozenField kFrozenCapacity[] = {{"nodeTopology"}, {"storageClassName"}};
constexpr std::string_view kStorageApi = "storage.k8s.io";

constexpr ResourceRules kStorageRules[] = {
    {.group = "",
     .resource = "persistentvolumes",
     .prepare = prepare_volume,
     .prepare_status = prepare_volume_status,
     .check = check_volume,
     .warn = volume_warnings,
     .replaces_schema = true},
    {.group = "",
     .resource = "persistentvolumeclaims",
     .prepare = prepare_claim,
     .check = check_claim,
     .warn = claim_warnings,
     .check_status = check_claim_status,
     .replaces_schema = true},
    {.group = kStorageApi,
     .resource = "storageclasses",
     .check = check_storage_class,
     .warn = storage_class_warnings,
     .frozen = kFrozenClass,
     .replaces_schema = true},
    {.group = kStorageApi,
     .resource = "volumeattributesclasses",
     .check = check_attributes_class,
     .frozen = kFrozenAttributes,
     .replaces_schema = true},
    {.group = kStorageApi,
     .resource = "csidrivers",
     .prepare = prepare_csi_driver,
     .check = check_csi_driver,
     .warn = csi_driver_warnings,
     .replaces_schema = true},
    {.group = kStorageApi, .resource = "csinodes", .check = check_csi_node, .replaces_schema = true},
    {.group = kStorageApi,
     .resource = "csistoragecapacities",
     .check = check_storage_capacity,
     .warn = storage_capacity_warnings,
     .frozen = kFrozenCapacity,
     .replaces_schema = true},
    {.group = kStorageApi,
     .resource = "volumeattachments",
     .check = check_attachment,
     .check_status = check_attachment_status,
     .replaces_schema = true},
};

}  // namespace

std::span<const ResourceRules> storage_rules() {
  return kStorageRules;
}

}  // namespace coracle::kube::apiserver
