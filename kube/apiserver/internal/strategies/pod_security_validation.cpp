#include "kube/apiserver/internal/strategies/pod_security_validation.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>
#include <string>
#include <string_view>

#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::size_t kMaxSysctlName = 253;
constexpr std::string_view kSysctlRule =
    "must have at most 253 characters and match regex "
    "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";

bool is_sysctl_edge(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_sysctl_segment(std::string_view text) {
  return !text.empty() && is_sysctl_edge(text.front()) && is_sysctl_edge(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_sysctl_edge(c) || c == '-' || c == '_'; });
}

bool is_sysctl_name(std::string_view name) {
  if (name.size() > kMaxSysctlName) return false;
  for (;;) {
    const std::size_t end = name.find_first_of("./");
    if (!is_sysctl_segment(name.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    name.remove_prefix(end + 1);
  }
}

// The parameter with dots between its segments: where the first separator is a slash, the two stand for each other.
std::string with_dots(std::string_view name) {
  std::string text(name);
  const std::size_t first = text.find_first_of("./");
  if (first == std::string::npos || text[first] == '.') return text;
  for (char& c : text) c = c == '/' ? '.' : c == '.' ? '/' : c;
  return text;
}

bool belongs_to_ipc(std::string_view name) {
  constexpr std::string_view kNames[] = {"kernel.sem",    "kernel.shmall",          "kernel.shmmax", "kernel.shmmni",
                                         "kernel.msgmax", "kernel.shm_rmid_forced", "kernel.msgmnb", "kernel.msgmni"};
  return name.starts_with("fs.mqueue.") || std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

void check_sysctls(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  const Value& sysctls = spec["securityContext"]["sysctls"];
  std::set<std::string, std::less<>> names;
  for (std::size_t i = 0; i < sysctls.size(); ++i) {
    const FieldPath at = path.index(i).child("name");
    const Value& value = sysctls.at(i)["name"];
    const std::string_view name = value.as_string();
    if (name.empty()) {
      report(errors, field_error::required(at.text()));
    } else if (!is_sysctl_name(name)) {
      errors.push_back(field_error::invalid(at.text(), value, kSysctlRule));
    } else if (!names.emplace(name).second) {
      errors.push_back(field_error::duplicate(at.text(), value));
    }
    const std::string dotted = with_dots(name);
    if (spec["hostNetwork"].as_bool() && dotted.starts_with("net.")) {
      errors.push_back(field_error::invalid(at.text(), value, "may not be specified when 'hostNetwork' is true"));
    } else if (spec["hostIPC"].as_bool() && belongs_to_ipc(dotted)) {
      errors.push_back(field_error::invalid(at.text(), value, "may not be specified when 'hostIPC' is true"));
    }
  }
}

void check_id(const Value& id, const FieldPath& path, FieldErrors& errors) {
  constexpr std::int64_t kHighest = std::numeric_limits<std::int32_t>::max();
  if (!id.is_int() || (id.as_int() >= 0 && id.as_int() <= kHighest)) return;
  errors.push_back(field_error::invalid(path.text(), id, "must be between 0 and 2147483647, inclusive"));
}

}  // namespace

void check_pod_security_context(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  const Value& security = spec["securityContext"];
  const FieldPath at = path.child("securityContext");
  for (const std::string_view field : {"fsGroup", "runAsUser", "runAsGroup"}) {
    check_id(security[field], at.child(field), errors);
  }
  const Value& groups = security["supplementalGroups"];
  for (std::size_t i = 0; i < groups.size(); ++i) {
    check_id(groups.at(i), at.child("supplementalGroups").index(i), errors);
  }
  const Value& shared = spec["shareProcessNamespace"];
  if (shared.as_bool() && spec["hostPID"].as_bool()) {
    errors.push_back(field_error::invalid(at.child("shareProcessNamespace").text(), shared,
                                          "ShareProcessNamespace and HostPID cannot both be enabled"));
  }
  check_sysctls(spec, at.child("sysctls"), errors);
}

}  // namespace coracle::kube::apiserver
