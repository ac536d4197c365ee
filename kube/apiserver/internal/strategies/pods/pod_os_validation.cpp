#include "kube/apiserver/internal/strategies/pods/pod_os_validation.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/pods/container_validation.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kNotOnWindows = "cannot be set for a windows pod";

// Fields that mean nothing on Windows; those of the pod that stand outside its securityContext come by themselves.
constexpr std::string_view kLinuxPodContext[] = {"appArmorProfile", "seLinuxOptions"};
constexpr std::string_view kLinuxPodFields[] = {"hostUsers", "hostPID", "hostIPC"};
constexpr std::string_view kMoreLinuxPodContext[] = {"seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls"};
constexpr std::string_view kLastLinuxPodContext[] = {"runAsUser", "runAsGroup", "supplementalGroups",
                                                     "supplementalGroupsPolicy", "seLinuxChangePolicy"};
constexpr std::string_view kLinuxContainerContext[] = {
    "appArmorProfile", "seLinuxOptions",           "seccompProfile", "capabilities", "readOnlyRootFilesystem",
    "privileged",      "allowPrivilegeEscalation", "procMount",      "runAsUser",    "runAsGroup"};

template <std::size_t Size>
void forbid_on_windows(const FieldCheck& parent, const std::string_view (&fields)[Size]) {
  for (const std::string_view field : fields) {
    const FieldCheck one = parent[field];
    // Lists and switches that are off cannot be told from absent ones.
    const bool given = one.value().is_array() ? !one.is_empty() : one.is_set();
    const bool off = (field == "hostPID" || field == "hostIPC") && one.is_empty();
    if (given && !off) one.forbidden(kNotOnWindows);
  }
}

void check_windows(const FieldCheck& spec) {
  const FieldCheck context = spec["securityContext"];
  forbid_on_windows(context, kLinuxPodContext);
  forbid_on_windows(spec, kLinuxPodFields);
  forbid_on_windows(context, kMoreLinuxPodContext);
  if (spec["shareProcessNamespace"].is_set()) spec["shareProcessNamespace"].forbidden(kNotOnWindows);
  forbid_on_windows(context, kLastLinuxPodContext);
  visit_containers(spec, [](const FieldCheck& container) {
    forbid_on_windows(container["securityContext"], kLinuxContainerContext);
  });
}

void check_linux(const FieldCheck& spec) {
  const auto check = [](const FieldCheck& owner) {
    const FieldCheck options = owner["securityContext"]["windowsOptions"];
    if (options.is_set()) options.forbidden("windows options cannot be set for a linux pod");
  };
  check(spec);
  visit_containers(spec, check);
}

bool is_net_bios_domain(std::string_view domain) {
  constexpr std::size_t kMaximum = 15;
  return !domain.empty() && domain.size() <= kMaximum && domain.front() != '.' &&
         domain.find_first_of("\\/:*?\"<>|") == std::string_view::npos;
}

bool is_dns_domain(std::string_view domain) {
  for (const std::string_view label : split(domain, '.')) {
    if (label.empty() || label.size() > kMaxDns1123Label || !is_alphanumeric(label.front()) ||
        !is_alphanumeric(label.back()) ||
        !std::all_of(label.begin(), label.end(), [](char c) { return is_alphanumeric(c) || c == '-'; })) {
      return false;
    }
  }
  return true;
}

void check_user(const FieldCheck& field, std::string_view user) {
  constexpr std::size_t kMaximum = 104;
  if (user.empty()) {
    field.invalid("runAsUserName's User cannot be empty");
  } else if (user.size() > kMaximum) {
    field.invalid("runAsUserName's User length must not be longer than 104 characters");
  }
  if (!user.empty() && user.find_first_not_of(". ") == std::string_view::npos) {
    field.invalid("runAsUserName's User cannot contain only periods or spaces");
  }
  if (user.find_first_of("\"/\\:;|=,+*?<>@[]") != std::string_view::npos) {
    field.invalid("runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
  }
}

// "DOMAIN\user", where the domain may be left out.
void check_user_name(const FieldCheck& field) {
  constexpr std::size_t kMaxDomain = 256;
  const std::string_view name = field.text();
  if (!field.is_set()) return;
  if (name.empty()) return field.invalid("runAsUserName cannot be an empty string");
  if (std::any_of(name.begin(), name.end(), is_control)) {
    return field.invalid("runAsUserName cannot contain control characters");
  }
  const auto parts = split(name, '\\');
  if (parts.size() > 2) return field.invalid("runAsUserName cannot contain more than one backslash");
  if (parts.size() == 2) {
    const std::string_view domain = parts.front();
    if (domain.size() >= kMaxDomain) {
      field.invalid("runAsUserName's Domain length must be under 256 characters");
    }
    if (!is_net_bios_domain(domain) && !is_dns_domain(domain)) {
      field.invalid("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
    }
  }
  check_user(field, parts.back());
}

}  // namespace

void check_os(const FieldCheck& spec) {
  constexpr std::string_view kSystems[] = {"linux", "windows"};
  const FieldCheck system = spec["os"];
  if (!system.is_set() || !system["name"].require()) return;
  if (!system.with(system["name"].value()).require_one_of(kSystems)) return;
  if (system["name"].text() == "linux") {
    check_linux(spec);
  } else {
    check_windows(spec);
  }
}

void check_host_processes(const FieldCheck& spec) {
  const Value& of_pod = spec["securityContext"]["windowsOptions"]["hostProcess"].value();
  std::size_t containers = 0;
  std::size_t processes = 0;
  visit_containers(spec, [&](const FieldCheck& container) {
    const FieldCheck own = container["securityContext"]["windowsOptions"]["hostProcess"];
    ++containers;
    if (own.is_set() && !of_pod.is_null() && own.value().as_bool() != of_pod.as_bool()) {
      own.invalid("pod hostProcess value must be identical if both are specified, was " +
                  std::string(of_pod.as_bool() ? "true" : "false"));
    }
    processes += (own.is_set() ? own.value() : of_pod).as_bool() ? 1 : 0;
  });
  if (processes == 0) return;
  if (processes != containers) {
    spec.invalid("", "If pod contains any hostProcess containers then all containers must be HostProcess containers");
  }
  if (!spec["hostNetwork"].value().as_bool()) {
    spec["hostNetwork"].invalid(false, "hostNetwork must be true if pod contains any hostProcess containers");
  }
}

void check_windows_options(const FieldCheck& options) {
  constexpr std::size_t kMaxSpec = 64 * 1024;
  if (!options.is_set()) return;
  const FieldCheck spec_name = options["gmsaCredentialSpecName"];
  const FieldCheck spec = options["gmsaCredentialSpec"];
  if (spec_name.is_set()) spec_name.invalid(check_dns1123_subdomain(spec_name.text()));
  if (spec.is_set() && spec.is_empty()) {
    spec.invalid("gmsaCredentialSpec cannot be an empty string");
  } else if (spec.text().size() > kMaxSpec) {
    spec.invalid("gmsaCredentialSpec size must be under 64 KiB");
  }
  check_user_name(options["runAsUserName"]);
}

}  // namespace coracle::kube::apiserver
