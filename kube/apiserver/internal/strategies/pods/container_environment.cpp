#include "kube/apiserver/internal/strategies/pods/container_environment.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

#include "base/text.h"
#include "kube/object/quantity.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kEnvironmentFields[] = {
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs",     "status.podIP", "status.podIPs"};
constexpr std::string_view kVolumeFields[] = {"metadata.annotations", "metadata.labels", "metadata.name",
                                              "metadata.namespace", "metadata.uid"};
// What is a field of a pod at all; some of these are shown nowhere.
constexpr std::string_view kKnownPodFields[] = {
    "metadata.annotations", "metadata.labels", "metadata.name",      "metadata.namespace",
    "metadata.uid",         "spec.nodeName",   "spec.restartPolicy", "spec.serviceAccountName",
    "spec.schedulerName",   "status.phase",    "status.hostIP",      "status.hostIPs",
    "status.podIP",         "status.podIPs"};
constexpr std::string_view kShownResources[] = {"limits.cpu",   "limits.ephemeral-storage",   "limits.memory",
                                                "requests.cpu", "requests.ephemeral-storage", "requests.memory"};
constexpr std::string_view kOldNodeField = "spec.host";
constexpr std::string_view kNodeField = "spec.nodeName";

bool is_huge_page_resource(std::string_view resource) {
  return resource.starts_with("limits.hugepages-") || resource.starts_with("requests.hugepages-");
}

// metadata.labels['key']
struct Subscript {
  std::string_view path;
  std::string_view key;
};
bool split_subscript(std::string_view text, Subscript& parts) {
  constexpr std::string_view kOpen = "['";
  constexpr std::string_view kClose = "']";
  if (!text.ends_with(kClose)) return false;
  text.remove_suffix(kClose.size());
  const std::size_t open = text.find(kOpen);
  if (open == std::string_view::npos || open == 0) return false;
  parts = {text.substr(0, open), text.substr(open + kOpen.size())};
  return true;
}

void check_field_ref(const FieldCheck& reference, std::span<const std::string_view> shown) {
  const FieldCheck path = reference["fieldPath"];
  const FieldCheck version = reference["apiVersion"];
  if (!version.require() || !path.require()) return;
  constexpr std::string_view kProblem = "error converting fieldPath: ";
  Subscript parts;
  const bool subscripted = split_subscript(path.text(), parts);
  if (version.text() != "v1") {
    path.invalid(std::string(kProblem) + "unsupported pod version: " + std::string(version.text()));
  } else if (subscripted && parts.path == "metadata.annotations") {
    const std::string key = to_lower(parts.key);
    for (const std::string& finding : check_qualified_name(key)) reference.invalid(key, finding);
  } else if (subscripted && parts.path == "metadata.labels") {
    for (const std::string& finding : check_qualified_name(parts.key)) reference.invalid(parts.key, finding);
  } else if (subscripted) {
    path.invalid(std::string(kProblem) + "field label does not support subscript: " + std::string(path.text()));
  } else if (!is_listed(path.text(), kKnownPodFields) && path.text() != kOldNodeField) {
    path.invalid(std::string(kProblem) + "field label not supported: " + std::string(path.text()));
  } else {
    const Value field(path.text() == kOldNodeField ? kNodeField : path.text());
    path.with(field).require_one_of(shown);
  }
}

// The units in which a resource may be counted.
struct Divisors {
  std::string_view resource;
  std::string_view called;
  bool of_bytes;
};
constexpr Divisors kDivisors[] = {
    {"cpu", "cpu", false}, {"memory", "memory", true}, {"ephemeral-storage", "local ephemeral storage", true}};
constexpr std::string_view kWholeUnits[] = {"1m", "1"};
constexpr std::string_view kByteUnits[] = {"1",   "1k",  "1M",  "1G",  "1T",  "1P", "1E",
                                           "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"};

void check_divisor(const FieldCheck& reference) {
  const FieldCheck divisor = reference["divisor"];
  const auto amount = Quantity::from_value(divisor.value());
  if (!amount.ok() || amount->is_zero()) return;
  const std::string unit = amount->text();
  const std::string_view resource = reference["resource"].text();
  const auto complain = [&](std::string_view units, std::string_view called) {
    divisor.invalid(resource, "only divisor's values " + std::string(units) + " are supported with the " +
                                  std::string(called) + " resource");
  };
  const std::string bytes = join(kByteUnits, ", ");
  if (is_huge_page_resource(resource) && !is_listed(unit, kByteUnits)) complain(bytes, "hugepages");
  if (!is_listed(resource, kShownResources)) return;
  const std::string_view counted = resource.substr(resource.find('.') + 1);
  for (const Divisors& row : kDivisors) {
    if (row.resource != counted) continue;
    if (row.of_bytes ? is_listed(unit, kByteUnits) : is_listed(unit, kWholeUnits)) continue;
    complain(row.of_bytes ? bytes : "1m and 1", row.called);
  }
}

void check_resource_ref(const FieldCheck& reference, bool needs_container) {
  const FieldCheck resource = reference["resource"];
  if (needs_container && reference["containerName"].is_empty()) {
    reference["containerName"].required();
  } else if (resource.require() && !is_huge_page_resource(resource.text())) {
    resource.require_one_of(kShownResources);
  }
  check_divisor(reference);
}

void check_key_ref(const FieldCheck& reference) {
  reference["name"].invalid(check_dns1123_subdomain(reference["name"].text()));
  const FieldCheck key = reference["key"];
  if (key.require()) key.invalid(check_config_map_key(key.text()));
}

void check_file_ref(const FieldCheck& reference) {
  const FieldCheck key = reference["key"];
  if (key.require()) key.invalid(check_environment_name(key.text()));
  const FieldCheck volume = reference["volumeName"];
  if (volume.require()) volume.invalid(check_dns1123_label(volume.text()));
  if (reference["path"].require()) reference["path"].require_no_backsteps();
}

struct Source {
  std::string_view field;
  void (*check)(const FieldCheck& source);
};
constexpr Source kSources[] = {
    {"fieldRef", [](const FieldCheck& source) { check_field_ref(source, kEnvironmentFields); }},
    {"resourceFieldRef", [](const FieldCheck& source) { check_resource_ref(source, false); }},
    {"configMapKeyRef", check_key_ref},
    {"secretKeyRef", check_key_ref},
    {"fileKeyRef", check_file_ref},
};

void check_variable(const FieldCheck& variable) {
  const FieldCheck name = variable["name"];
  if (name.require()) name.invalid(check_environment_name(name.text()));
  const FieldCheck from = variable["valueFrom"];
  if (!from.is_set()) return;
  int sources = 0;
  for (const Source& source : kSources) {
    const FieldCheck given = from[source.field];
    if (!given.is_set()) continue;
    ++sources;
    source.check(given);
  }
  if (sources == 0) {
    from.invalid("",
                 "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or "
                 "`fileKeyRef`");
  } else if (!variable["value"].is_empty()) {
    from.invalid("", "may not be specified when `value` is not empty");
  } else if (sources > 1) {
    from.invalid("", "may not have more than one field specified at a time");
  }
}

// Names may end as generated ones do, with the random part still to come.
std::string without_trailing_dash(std::string_view name) {
  std::string text(name);
  if (text.size() > 1 && text.ends_with('-')) text.back() = 'a';
  return text;
}

void check_from(const FieldCheck& list) {
  list.each([&](const FieldCheck& from) {
    const FieldCheck prefix = from["prefix"];
    if (!prefix.is_empty()) prefix.invalid(check_environment_name(prefix.text()));
    int sources = 0;
    for (const std::string_view field : {"configMapRef", "secretRef"}) {
      const FieldCheck source = from[field];
      if (!source.is_set()) continue;
      ++sources;
      const FieldCheck name = source["name"];
      if (name.require()) name.invalid(check_dns1123_subdomain(without_trailing_dash(name.text())));
    }
    if (sources == 0) list.invalid("", "must specify one of: `configMapRef` or `secretRef`");
    if (sources > 1) list.invalid("", "may not have more than one field specified at a time");
  });
}

}  // namespace

void check_environment(const FieldCheck& container) {
  container["env"].each(check_variable);
  check_from(container["envFrom"]);
}

void check_volume_field_ref(const FieldCheck& reference) {
  check_field_ref(reference, kVolumeFields);
}

void check_volume_resource_ref(const FieldCheck& reference) {
  check_resource_ref(reference, true);
}

void check_descending_path(const FieldCheck& path) {
  if (path.text().starts_with('/')) path.invalid("must be a relative path");
  path.require_no_backsteps();
}

}  // namespace coracle::kube::apiserver
