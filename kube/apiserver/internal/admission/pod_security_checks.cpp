#include "kube/apiserver/internal/admission/pod_security_checks.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <set>
#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/admission/common.h"

namespace coracle::kube::apiserver {
namespace {

using Violation = std::optional<SecurityViolation>;

struct CheckedPod {
  const Value& metadata;
  const Value& spec;
  int minor;
  const Value& security() const { return spec["securityContext"]; }
  bool windows() const { return spec["os"]["name"].as_string() == "windows"; }
  // Inside a user namespace root is nobody on the node, which the standards know since 1.35.
  bool own_users() const { return minor >= 35 && spec["hostUsers"].is_bool() && !spec["hostUsers"].as_bool(); }
};

void each_container(const CheckedPod& pod, const std::function<void(const Value& container)>& visit) {
  for (std::string_view list : {"initContainers", "containers", "ephemeralContainers"}) {
    for (const Value& container : pod.spec[list].items()) visit(container);
  }
}

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

template <class Texts>
std::string quoted_list(const Texts& texts) {
  std::vector<std::string> parts;
  for (const auto& text : texts) parts.push_back(quoted(text));
  return join(parts, ", ");
}

std::string plural(std::string_view word, std::size_t count) {
  return std::string(word) + (count == 1 ? "" : "s");
}

// Who set something: the pod, containers, or both.
struct Setters {
  bool pod = false;
  std::vector<std::string> containers;

  bool empty() const { return !pod && containers.empty(); }
  void add(const Value& container) { containers.emplace_back(container["name"].as_string()); }
  std::string containers_text() const { return plural("container", containers.size()) + " " + quoted_list(containers); }
  // "pod and container "a""
  std::string text(std::string_view joint = " and ") const {
    if (containers.empty()) return "pod";
    return pod ? "pod" + std::string(joint) + containers_text() : containers_text();
  }
};

Violation check_app_armor(const CheckedPod& pod) {
  constexpr std::string_view kAnnotation = "container.apparmor.security.beta.kubernetes.io/";
  std::vector<std::string> setters;
  std::set<std::string> values;
  auto bad = [&](const Value& context) {
    std::string_view type = context["appArmorProfile"]["type"].as_string();
    if (type.empty() || type == "RuntimeDefault" || type == "Localhost") return false;
    values.emplace(type);
    return true;
  };
  Setters fields;
  fields.pod = bad(pod.security());
  each_container(pod, [&](const Value& container) {
    if (bad(container["securityContext"])) fields.add(container);
  });
  if (!fields.empty()) setters.push_back(fields.text());
  std::size_t annotations = 0;
  for (const Value::Member& annotation : pod.metadata["annotations"].members()) {
    std::string_view value = annotation.value.as_string();
    bool fine = value.empty() || value == "runtime/default" || value.substr(0, 10) == "localhost/";
    if (annotation.key.rfind(kAnnotation, 0) != 0 || fine) continue;
    values.insert(annotation.key + "=" + quoted(value));
    ++annotations;
  }
  if (annotations > 0) setters.push_back(plural("annotation", annotations));
  if (setters.empty()) return std::nullopt;
  return SecurityViolation{plural("forbidden AppArmor profile", values.size()),
                           join(setters, " and ") + " must not set AppArmor profile type to " + quoted_list(values)};
}

bool default_capability(std::string_view name) {
  constexpr std::string_view kDefault[] = {"AUDIT_WRITE", "CHOWN",  "DAC_OVERRIDE",     "FOWNER",  "FSETID",
                                           "KILL",        "MKNOD",  "NET_BIND_SERVICE", "SETFCAP", "SETGID",
                                           "SETPCAP",     "SETUID", "SYS_CHROOT"};
  return std::find(std::begin(kDefault), std::end(kDefault), name) != std::end(kDefault);
}

// Containers that add a capability which `allowed` refuses, and those capabilities.
template <class Allowed>
Setters capability_setters(const CheckedPod& pod, const Allowed& allowed, std::set<std::string>& names) {
  Setters setters;
  each_container(pod, [&](const Value& container) {
    bool bad = false;
    for (const Value& capability : container["securityContext"]["capabilities"]["add"].items()) {
      if (allowed(capability.as_string())) continue;
      names.emplace(capability.as_string());
      bad = true;
    }
    if (bad) setters.add(container);
  });
  return setters;
}

Violation check_default_capabilities(const CheckedPod& pod) {
  std::set<std::string> names;
  Setters setters = capability_setters(pod, default_capability, names);
  if (setters.empty()) return std::nullopt;
  return SecurityViolation{"non-default capabilities", setters.text() + " must not include " + quoted_list(names) +
                                                           " in securityContext.capabilities.add"};
}

Violation check_host_namespaces(const CheckedPod& pod) {
  std::vector<std::string> parts;
  for (std::string_view field : {"hostNetwork", "hostPID", "hostIPC"}) {
    if (pod.spec[field].as_bool()) parts.push_back(std::string(field) + "=true");
  }
  if (parts.empty()) return std::nullopt;
  return SecurityViolation{"host namespaces", join(parts, ", ")};
}

Violation check_host_path_volumes(const CheckedPod& pod) {
  std::vector<std::string> names;
  for (const Value& volume : pod.spec["volumes"].items()) {
    if (volume.contains("hostPath")) names.emplace_back(volume["name"].as_string());
  }
  if (names.empty()) return std::nullopt;
  return SecurityViolation{"hostPath volumes", plural("volume", names.size()) + " " + quoted_list(names)};
}

Violation check_host_ports(const CheckedPod& pod) {
  Setters setters;
  std::set<std::string> ports;
  each_container(pod, [&](const Value& container) {
    bool bad = false;
    for (const Value& port : container["ports"].items()) {
      if (port["hostPort"].as_int() == 0) continue;
      ports.insert(std::to_string(port["hostPort"].as_int()));
      bad = true;
    }
    if (bad) setters.add(container);
  });
  if (setters.empty()) return std::nullopt;
  std::string verb = setters.containers.size() == 1 ? " uses " : " use ";
  return SecurityViolation{"hostPort",
                           setters.text() + verb + plural("hostPort", ports.size()) + " " + join(ports, ", ")};
}

Violation check_probe_hosts(const CheckedPod& pod) {
  Setters setters;
  std::set<std::string> hosts;
  each_container(pod, [&](const Value& container) {
    bool bad = false;
    auto look_at = [&](const Value& handler) {
      for (std::string_view action : {"httpGet", "tcpSocket"}) {
        std::string_view host = handler[action]["host"].as_string();
        if (host.empty()) continue;
        hosts.emplace(host);
        bad = true;
      }
    };
    for (std::string_view probe : {"livenessProbe", "readinessProbe", "startupProbe"}) look_at(container[probe]);
    for (std::string_view hook : {"postStart", "preStop"}) look_at(container["lifecycle"][hook]);
    if (bad) setters.add(container);
  });
  if (setters.empty()) return std::nullopt;
  std::string verb = setters.containers.size() == 1 ? " uses " : " use ";
  return SecurityViolation{
      "probe or lifecycle host",
      setters.text() + verb + plural("probe or lifecycle host", hosts.size()) + " " + quoted_list(hosts)};
}

Violation check_privileged(const CheckedPod& pod) {
  Setters setters;
  each_container(pod, [&](const Value& container) {
    if (container["securityContext"]["privileged"].as_bool()) setters.add(container);
  });
  if (setters.empty()) return std::nullopt;
  return SecurityViolation{"privileged", setters.text() + " must not set securityContext.privileged=true"};
}

Violation check_proc_mount(const CheckedPod& pod) {
  Setters setters;
  std::set<std::string> types;
  each_container(pod, [&](const Value& container) {
    std::string_view type = container["securityContext"]["procMount"].as_string("Default");
    if (type == "Default") return;
    setters.add(container);
    types.emplace(type);
  });
  if (setters.empty()) return std::nullopt;
  return SecurityViolation{"procMount",
                           setters.text() + " must not set securityContext.procMount to " + quoted_list(types)};
}

Violation check_proc_mount_baseline(const CheckedPod& pod) {
  return pod.own_users() ? std::nullopt : check_proc_mount(pod);
}

Violation check_se_linux(const CheckedPod& pod) {
  Setters setters;
  std::set<std::string> types;
  bool user = false;
  bool role = false;
  auto bad = [&](const Value& context) {
    const Value& options = context["seLinuxOptions"];
    std::string_view type = options["type"].as_string();
    bool allowed = type.empty() || type == "container_t" || type == "container_init_t" || type == "container_kvm_t" ||
                   (pod.minor >= 31 && type == "container_engine_t");
    bool sets_user = !options["user"].as_string().empty();
    bool sets_role = !options["role"].as_string().empty();
    if (!allowed) types.emplace(type);
    user = user || sets_user;
    role = role || sets_role;
    return !allowed || sets_user || sets_role;
  };
  setters.pod = bad(pod.security());
  each_container(pod, [&](const Value& container) {
    if (bad(container["securityContext"])) setters.add(container);
  });
  if (setters.empty()) return std::nullopt;
  std::vector<std::string> parts;
  if (!types.empty()) parts.push_back(plural("type", types.size()) + " " + quoted_list(types));
  if (user) parts.emplace_back("user may not be set");
  if (role) parts.emplace_back("role may not be set");
  return SecurityViolation{"seLinuxOptions",
                           setters.text() + " set forbidden securityContext.seLinuxOptions: " + join(parts, "; ")};
}

bool allowed_seccomp(std::string_view type) {
  return type == "RuntimeDefault" || type == "Localhost";
}

// The explicit profile types that are not allowed, with who set them.
Setters forbidden_seccomp(const CheckedPod& pod, std::set<std::string>& types) {
  Setters setters;
  auto bad = [&](const Value& context) {
    std::string_view type = context["seccompProfile"]["type"].as_string();
    if (type.empty() || allowed_seccomp(type)) return false;
    types.emplace(type);
    return true;
  };
  setters.pod = bad(pod.security());
  each_container(pod, [&](const Value& container) {
    if (bad(container["securityContext"])) setters.add(container);
  });
  return setters;
}

Violation check_seccomp_baseline(const CheckedPod& pod) {
  std::set<std::string> types;
  Setters setters = forbidden_seccomp(pod, types);
  if (setters.empty()) return std::nullopt;
  return SecurityViolation{
      "seccompProfile", setters.text() + " must not set securityContext.seccompProfile.type to " + quoted_list(types)};
}

bool safe_sysctl(std::string_view name, int minor) {
  struct SafeSysctl {
    std::string_view name;
    int since;
  };
  constexpr SafeSysctl kSafe[] = {{"kernel.shm_rmid_forced", 0},
                                  {"net.ipv4.ip_local_port_range", 0},
                                  {"net.ipv4.tcp_syncookies", 0},
                                  {"net.ipv4.ping_group_range", 0},
                                  {"net.ipv4.ip_unprivileged_port_start", 0},
                                  {"net.ipv4.ip_local_reserved_ports", 27},
                                  {"net.ipv4.tcp_keepalive_time", 29},
                                  {"net.ipv4.tcp_fin_timeout", 29},
                                  {"net.ipv4.tcp_keepalive_intvl", 29},
                                  {"net.ipv4.tcp_keepalive_probes", 29},
                                  {"net.ipv4.tcp_rmem", 32},
                                  {"net.ipv4.tcp_wmem", 32}};
  return std::any_of(std::begin(kSafe), std::end(kSafe),
                     [&](const SafeSysctl& safe) { return safe.name == name && minor >= safe.since; });
}

Violation check_sysctls(const CheckedPod& pod) {
  std::vector<std::string> names;
  for (const Value& sysctl : pod.security()["sysctls"].items()) {
    std::string_view name = sysctl["name"].as_string();
    if (!safe_sysctl(name, pod.minor)) names.emplace_back(name);
  }
  if (names.empty()) return std::nullopt;
  return SecurityViolation{"forbidden sysctls", join(names, ", ")};
}

Violation check_host_process(const CheckedPod& pod) {
  Setters setters;
  setters.pod = pod.security()["windowsOptions"]["hostProcess"].as_bool();
  each_container(pod, [&](const Value& container) {
    if (container["securityContext"]["windowsOptions"]["hostProcess"].as_bool()) setters.add(container);
  });
  if (setters.empty()) return std::nullopt;
  return SecurityViolation{"hostProcess",
                           setters.text() + " must not set securityContext.windowsOptions.hostProcess=true"};
}

Violation check_privilege_escalation(const CheckedPod& pod) {
  Setters setters;
  each_container(pod, [&](const Value& container) {
    if (container["securityContext"]["allowPrivilegeEscalation"].as_bool(true)) setters.add(container);
  });
  if (setters.empty() || pod.windows()) return std::nullopt;
  return SecurityViolation{"allowPrivilegeEscalation != false",
                           setters.text() + " must set securityContext.allowPrivilegeEscalation=false"};
}

Violation check_restricted_capabilities(const CheckedPod& pod) {
  if (pod.windows()) return std::nullopt;
  Setters keepers;
  each_container(pod, [&](const Value& container) {
    std::span<const Value> drop = container["securityContext"]["capabilities"]["drop"].items();
    bool all = std::any_of(drop.begin(), drop.end(), [](const Value& name) { return name.as_string() == "ALL"; });
    if (!all) keepers.add(container);
  });
  std::set<std::string> names;
  Setters adders = capability_setters(
      pod, [](std::string_view name) { return name == "NET_BIND_SERVICE"; }, names);
  std::vector<std::string> parts;
  if (!keepers.empty()) parts.push_back(keepers.text() + " must set securityContext.capabilities.drop=[\"ALL\"]");
  if (!adders.empty()) {
    parts.push_back(adders.text() + " must not include " + quoted_list(names) + " in securityContext.capabilities.add");
  }
  if (parts.empty()) return std::nullopt;
  return SecurityViolation{"unrestricted capabilities", join(parts, "; ")};
}

Violation check_restricted_volumes(const CheckedPod& pod) {
  constexpr std::string_view kAllowed[] = {"configMap", "csi",   "downwardAPI",           "emptyDir",
                                           "ephemeral", "image", "persistentVolumeClaim", "projected",
                                           "secret"};
  std::vector<std::string> names;
  std::set<std::string> types;
  for (const Value& volume : pod.spec["volumes"].items()) {
    std::string_view type;
    for (const Value::Member& member : volume.members()) {
      if (member.key != "name") type = member.key;
    }
    // A volume without a source is an emptyDir.
    if (type.empty() || std::find(std::begin(kAllowed), std::end(kAllowed), type) != std::end(kAllowed)) continue;
    names.emplace_back(volume["name"].as_string());
    types.emplace(type);
  }
  if (names.empty()) return std::nullopt;
  std::string verb = names.size() == 1 ? " uses " : " use ";
  return SecurityViolation{"restricted volume types", plural("volume", names.size()) + " " + quoted_list(names) + verb +
                                                          plural("restricted volume type", types.size()) + " " +
                                                          quoted_list(types)};
}

Violation check_run_as_non_root(const CheckedPod& pod) {
  if (pod.own_users()) return std::nullopt;
  const Value& of_pod = pod.security()["runAsNonRoot"];
  Setters explicit_root;
  Setters silent;
  explicit_root.pod = of_pod.is_bool() && !of_pod.as_bool();
  each_container(pod, [&](const Value& container) {
    const Value& own = container["securityContext"]["runAsNonRoot"];
    if (own.is_bool() && !own.as_bool()) explicit_root.add(container);
    if (!own.is_bool() && !of_pod.as_bool()) silent.add(container);
  });
  if (!explicit_root.empty()) {
    return SecurityViolation{"runAsNonRoot != true",
                             explicit_root.text() + " must not set securityContext.runAsNonRoot=false"};
  }
  if (silent.empty()) return std::nullopt;
  silent.pod = true;
  return SecurityViolation{"runAsNonRoot != true", silent.text(" or ") + " must set securityContext.runAsNonRoot=true"};
}

Violation check_run_as_user(const CheckedPod& pod) {
  if (pod.own_users()) return std::nullopt;
  auto root = [](const Value& context) { return context["runAsUser"].is_int() && context["runAsUser"].as_int() == 0; };
  Setters setters;
  setters.pod = root(pod.security());
  each_container(pod, [&](const Value& container) {
    if (root(container["securityContext"])) setters.add(container);
  });
  if (setters.empty()) return std::nullopt;
  return SecurityViolation{"runAsUser=0", setters.text() + " must not set runAsUser=0"};
}

Violation check_seccomp_restricted(const CheckedPod& pod) {
  if (pod.windows()) return std::nullopt;
  std::set<std::string> types;
  Setters forbidden_types = forbidden_seccomp(pod, types);
  if (!forbidden_types.empty()) {
    return SecurityViolation{
        "seccompProfile",
        forbidden_types.text() + " must not set securityContext.seccompProfile.type to " + quoted_list(types)};
  }
  if (allowed_seccomp(pod.security()["seccompProfile"]["type"].as_string())) return std::nullopt;
  Setters silent;
  each_container(pod, [&](const Value& container) {
    if (!allowed_seccomp(container["securityContext"]["seccompProfile"]["type"].as_string())) silent.add(container);
  });
  if (silent.empty()) return std::nullopt;
  silent.pod = true;
  return SecurityViolation{"seccompProfile", silent.text(" or ") +
                                                 " must set securityContext.seccompProfile.type to \"RuntimeDefault\" "
                                                 "or \"Localhost\""};
}

constexpr int kNever = std::numeric_limits<int>::max();

struct SecurityCheck {
  Violation (*run)(const CheckedPod&);
  int since;                          // minor version of the standards
  int restricted_otherwise = kNever;  // from there on a stricter check of the same thing stands in for it
};

constexpr SecurityCheck kBaselineChecks[] = {{check_app_armor, 0},       {check_default_capabilities, 0, 22},
                                             {check_host_namespaces, 0}, {check_host_path_volumes, 0, 0},
                                             {check_host_ports, 0},      {check_probe_hosts, 34},
                                             {check_privileged, 0},      {check_proc_mount_baseline, 0, 35},
                                             {check_se_linux, 0},        {check_seccomp_baseline, 19, 19},
                                             {check_sysctls, 0},         {check_host_process, 0}};

constexpr SecurityCheck kRestrictedChecks[] = {{check_privilege_escalation, 8}, {check_restricted_capabilities, 22},
                                               {check_proc_mount, 35},          {check_restricted_volumes, 0},
                                               {check_run_as_non_root, 0},      {check_run_as_user, 23},
                                               {check_seccomp_restricted, 19}};

}  // namespace

std::string SecurityPolicy::text() const {
  std::string name = "privileged";
  if (level == SecurityLevel::Baseline) name = "baseline";
  if (level == SecurityLevel::Restricted) name = "restricted";
  return name + ":" + version.text();
}

std::optional<SecurityLevel> read_security_level(std::string_view text) {
  if (text == "privileged") return SecurityLevel::Privileged;
  if (text == "baseline") return SecurityLevel::Baseline;
  if (text == "restricted") return SecurityLevel::Restricted;
  return std::nullopt;
}

std::optional<SecurityVersion> read_security_version(std::string_view text) {
  if (text == "latest") return SecurityVersion{};
  if (text.substr(0, 3) != "v1.") return std::nullopt;
  std::optional<int> minor = parse_int<int>(text.substr(3));
  if (!minor || *minor < 0) return std::nullopt;
  return SecurityVersion{*minor};
}

std::vector<SecurityViolation> check_pod_security(const SecurityPolicy& policy, const Value& pod_metadata,
                                                  const Value& pod_spec) {
  std::vector<SecurityViolation> violations;
  if (policy.level == SecurityLevel::Privileged) return violations;
  CheckedPod pod{pod_metadata, pod_spec, policy.version.minor};
  bool restricted = policy.level == SecurityLevel::Restricted;
  auto run = [&](const SecurityCheck& check) {
    if (pod.minor < check.since || (restricted && pod.minor >= check.restricted_otherwise)) return;
    if (Violation violation = check.run(pod)) violations.push_back(std::move(*violation));
  };
  for (const SecurityCheck& check : kBaselineChecks) run(check);
  if (!restricted) return violations;
  for (const SecurityCheck& check : kRestrictedChecks) run(check);
  return violations;
}

std::string security_details(const std::vector<SecurityViolation>& violations) {
  std::vector<std::string> parts;
  for (const SecurityViolation& violation : violations) {
    parts.push_back(violation.reason + " (" + violation.detail + ")");
  }
  return join(parts, ", ");
}

std::string security_reasons(const std::vector<SecurityViolation>& violations) {
  std::vector<std::string> parts;
  for (const SecurityViolation& violation : violations) parts.push_back(violation.reason);
  return join(parts, ", ");
}

}  // namespace coracle::kube::apiserver
