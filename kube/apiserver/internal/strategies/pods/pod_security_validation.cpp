#include "kube/apiserver/internal/strategies/pods/pod_security_validation.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <string_view>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/pods/container_environment.h"
#include "kube/apiserver/internal/strategies/pods/container_validation.h"
#include "kube/apiserver/internal/strategies/pods/pod_os_validation.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::size_t kMaxSysctlName = 253;
constexpr std::string_view kSysctlRule =
    "must have at most 253 characters and match regex "
    "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
constexpr std::string_view kSeccompPod = "seccomp.security.alpha.kubernetes.io/pod";
constexpr std::string_view kSeccompContainer = "container.seccomp.security.alpha.kubernetes.io/";
constexpr std::string_view kAppArmorContainer = "container.apparmor.security.beta.kubernetes.io/";
constexpr std::string_view kLocalhost = "localhost/";

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
  return name.starts_with("fs.mqueue.") || is_listed(name, kNames);
}

bool belongs_to_host(const Value& spec, const std::string& dotted, std::string_view& field) {
  if (spec["hostNetwork"].as_bool() && dotted.starts_with("net.")) {
    field = "hostNetwork";
  } else if (spec["hostIPC"].as_bool() && belongs_to_ipc(dotted)) {
    field = "hostIPC";
  }
  return !field.empty();
}

bool sets_sysctls_of_host(const Value& spec) {
  const auto items = spec["securityContext"]["sysctls"].items();
  return std::any_of(items.begin(), items.end(), [&](const Value& one) {
    std::string_view field;
    return belongs_to_host(spec, with_dots(one["name"].as_string()), field);
  });
}

void check_pod_sysctls(const FieldCheck& spec, const PodSpecOptions& options) {
  const bool tolerated = options.old_spec != nullptr && sets_sysctls_of_host(*options.old_spec);
  std::set<std::string_view> names;
  spec["securityContext"]["sysctls"].each([&](const FieldCheck& sysctl) {
    const FieldCheck name = sysctl["name"];
    if (name.is_empty()) {
      name.required();
    } else if (!is_sysctl_name(name.text())) {
      name.invalid(kSysctlRule);
    } else if (names.contains(name.text())) {
      name.duplicate();
    }
    std::string_view field;
    if (!tolerated && belongs_to_host(spec.value(), with_dots(name.text()), field)) {
      name.invalid("may not be specified when '" + std::string(field) + "' is true");
    }
    names.insert(name.text());
  });
}

void check_id(const FieldCheck& id) {
  id.require_between(0, std::numeric_limits<std::int32_t>::max());
}

// The type of a profile; false when it is none that is known.
bool check_profile_type(const FieldCheck& profile, std::string_view called) {
  constexpr std::string_view kTypes[] = {"Localhost", "RuntimeDefault", "Unconfined"};
  const FieldCheck type = profile["type"];
  if (!type.is_empty()) return type.require_one_of(kTypes);
  type.required("type is required when " + std::string(called) + " is set");
  return false;
}

void check_seccomp_profile(const FieldCheck& profile) {
  if (!profile.is_set()) return;
  check_profile_type(profile, "seccompProfile");
  const FieldCheck local = profile["localhostProfile"];
  const std::string_view type = profile["type"].text();
  if (type != "Localhost") {
    if (!local.is_set()) return;
    local.invalid(Value::object({{"Type", type}, {"LocalhostProfile", local.value()}}),
                  "can only be set when seccomp type is Localhost");
  } else if (local.is_set()) {
    check_descending_path(local);
  } else {
    local.required("must be set when seccomp type is Localhost");
  }
}

void check_app_armor_profile(const FieldCheck& profile) {
  constexpr std::size_t kMaxPath = 4095;
  constexpr std::string_view kMissing = "must be set when AppArmor type is Localhost";
  if (!profile.is_set() || !check_profile_type(profile, "appArmorProfile")) return;
  const FieldCheck local = profile["localhostProfile"];
  if (profile["type"].text() != "Localhost") {
    if (local.is_set()) local.invalid("can only be set when AppArmor type is Localhost");
    return;
  }
  if (!local.is_set()) return local.required(kMissing);
  if (trim(local.text()) != local.text()) {
    local.invalid("must not be padded with whitespace");
  } else if (local.is_empty()) {
    local.required(kMissing);
  }
  if (local.text().size() > kMaxPath) local.too_long(kMaxPath);
}

// A structure as upstream prints it: every field, by its name in Go; what is no pointer there is never null.
struct ShownField {
  std::string_view go_name;
  std::string_view field;
  bool is_text = false;
};

Value shown_struct(const Value& value, std::span<const ShownField> fields) {
  if (value.is_null()) return {};
  Value::ObjectBuilder shown;
  for (const ShownField& one : fields) {
    shown.set(one.go_name, one.is_text ? Value(value[one.field].as_string()) : value[one.field]);
  }
  return std::move(shown).build();
}

Value shown_context(const Value& context) {
  constexpr ShownField kCapabilities[] = {{"Add", "add"}, {"Drop", "drop"}};
  constexpr ShownField kLabels[] = {
      {"User", "user", true}, {"Role", "role", true}, {"Type", "type", true}, {"Level", "level", true}};
  constexpr ShownField kWindows[] = {{"GMSACredentialSpecName", "gmsaCredentialSpecName"},
                                     {"GMSACredentialSpec", "gmsaCredentialSpec"},
                                     {"RunAsUserName", "runAsUserName"},
                                     {"HostProcess", "hostProcess"}};
  constexpr ShownField kProfile[] = {{"Type", "type", true}, {"LocalhostProfile", "localhostProfile"}};
  constexpr ShownField kPlain[] = {{"RunAsUser", "runAsUser"},
                                   {"RunAsGroup", "runAsGroup"},
                                   {"RunAsNonRoot", "runAsNonRoot"},
                                   {"ReadOnlyRootFilesystem", "readOnlyRootFilesystem"},
                                   {"AllowPrivilegeEscalation", "allowPrivilegeEscalation"},
                                   {"ProcMount", "procMount"}};
  Value::ObjectBuilder shown;
  shown.set("Capabilities", shown_struct(context["capabilities"], kCapabilities));
  shown.set("Privileged", context["privileged"]);
  shown.set("SELinuxOptions", shown_struct(context["seLinuxOptions"], kLabels));
  shown.set("WindowsOptions", shown_struct(context["windowsOptions"], kWindows));
  for (const ShownField& one : kPlain) shown.set(one.go_name, context[one.field]);
  shown.set("SeccompProfile", shown_struct(context["seccompProfile"], kProfile));
  shown.set("AppArmorProfile", shown_struct(context["appArmorProfile"], kProfile));
  return std::move(shown).build();
}

void check_escalation(const FieldCheck& context) {
  const Value& allowed = context["allowPrivilegeEscalation"].value();
  if (allowed.as_bool(true)) return;
  if (context["privileged"].value().as_bool()) {
    context.invalid(shown_context(context.value()),
                    "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
  }
  for (const Value& capability : context["capabilities"]["add"].value().items()) {
    if (capability.as_string() != "CAP_SYS_ADMIN") continue;
    context.invalid(shown_context(context.value()),
                    "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
  }
}

// Text of an annotation that stands for a profile, compared with the field that says it now.
struct Annotated {
  std::string_view runtime_default;
  std::string_view other_default;
  std::string_view unconfined;
  std::string_view called;
};
constexpr Annotated kSeccompWords = {"runtime/default", "docker/default", "unconfined", "seccomp"};
constexpr Annotated kAppArmorWords = {"runtime/default", "runtime/default", "unconfined", "apparmor"};

void check_agreement(const FieldCheck& at, const Value& profile, std::string_view text, const Annotated& words) {
  const std::string_view type = profile["type"].as_string();
  const bool same_type = (type == "Unconfined" && text == words.unconfined) ||
                         (type == "RuntimeDefault" && (text == words.runtime_default || text == words.other_default)) ||
                         (type == "Localhost" && text.starts_with(kLocalhost));
  if (!same_type && (type == "Unconfined" || type == "RuntimeDefault" || type == "Localhost")) {
    at["type"].forbidden(std::string(words.called) + " type in annotation and field must match");
  } else if (type == "Localhost" && text.substr(kLocalhost.size()) != profile["localhostProfile"].as_string()) {
    at["localhostProfile"].forbidden(std::string(words.called) + " profile in annotation and field must match");
  }
}

const Value* annotation_of(const Value& annotations, std::string_view prefix, const FieldCheck& container) {
  return annotations.find(std::string(prefix) + std::string(container["name"].text()));
}

void check_seccomp_annotations(const FieldCheck& spec, const Value& annotations, const FieldPath& path) {
  for (const Value::Member& annotation : annotations.members()) {
    if (annotation.key != kSeccompPod && !annotation.key.starts_with(kSeccompContainer)) continue;
    const FieldCheck profile = FieldCheck(annotations, path, spec.errors())[annotation.key];
    const std::string_view text = profile.text();
    if (text == kSeccompWords.runtime_default || text == kSeccompWords.other_default ||
        text == kSeccompWords.unconfined) {
      continue;
    }
    if (text.starts_with(kLocalhost)) {
      const Value local(text.substr(kLocalhost.size()));
      check_descending_path(profile.with(local));
    } else {
      profile.invalid("must be a valid seccomp profile");
    }
  }
}

void check_app_armor_annotations(const FieldCheck& spec, const Value& annotations, const FieldPath& path) {
  for (const Value::Member& annotation : annotations.members()) {
    if (!annotation.key.starts_with(kAppArmorContainer)) continue;
    const std::string_view name = std::string_view(annotation.key).substr(kAppArmorContainer.size());
    const FieldCheck profile = FieldCheck(annotations, path, spec.errors()).entry(annotation.key);
    bool known = false;
    visit_containers(spec, [&](const FieldCheck& container) { known = known || container["name"].text() == name; });
    if (!known) profile.invalid(name, "container not found");
    const std::string_view text = profile.text();
    if (text.empty() || text == kAppArmorWords.runtime_default || text == kAppArmorWords.unconfined ||
        text.starts_with(kLocalhost)) {
      continue;
    }
    profile.invalid("invalid AppArmor profile name: \"" + std::string(text) + "\"");
  }
}

}  // namespace

void check_pod_security_context(const FieldCheck& spec, const PodSpecOptions& options) {
  constexpr std::string_view kChangePolicies[] = {"Always", "OnRootMismatch"};
  constexpr std::string_view kGroupPolicies[] = {"Merge", "Strict"};
  constexpr std::string_view kLabelPolicies[] = {"Recursive"};
  const FieldCheck context = spec["securityContext"];
  for (const std::string_view field : {"fsGroup", "runAsUser", "runAsGroup"}) check_id(context[field]);
  context["supplementalGroups"].each(check_id);
  // Upstream keeps what is shared with the host in this context, and names it so.
  const FieldCheck shared = context["shareProcessNamespace"].with(spec["shareProcessNamespace"].value());
  if (shared.value().as_bool() && spec["hostPID"].value().as_bool()) {
    shared.invalid("ShareProcessNamespace and HostPID cannot both be enabled");
  }
  check_pod_sysctls(spec, options);
  const auto check_policy = [&](std::string_view field, std::span<const std::string_view> supported) {
    if (context[field].is_set()) context[field].require_one_of(supported);
  };
  check_policy("fsGroupChangePolicy", kChangePolicies);
  check_seccomp_profile(context["seccompProfile"]);
  check_windows_options(context["windowsOptions"]);
  check_app_armor_profile(context["appArmorProfile"]);
  check_policy("supplementalGroupsPolicy", kGroupPolicies);
  check_policy("seLinuxChangePolicy", kLabelPolicies);
}

void check_container_security_context(const FieldCheck& context, bool host_users) {
  constexpr std::string_view kMounts[] = {"Default", "Unmasked"};
  if (!context.is_set()) return;
  check_id(context["runAsUser"]);
  check_id(context["runAsGroup"]);
  const FieldCheck mount = context["procMount"];
  if (mount.is_set()) {
    mount.require_one_of(kMounts);
    if (host_users && mount.text() == "Unmasked") mount.invalid("`hostUsers` must be false to use `Unmasked`");
  }
  check_seccomp_profile(context["seccompProfile"]);
  check_escalation(context);
  check_windows_options(context["windowsOptions"]);
  check_app_armor_profile(context["appArmorProfile"]);
}

void check_security_annotations(const FieldCheck& spec, const Value& annotations, const FieldPath& path) {
  if (annotations.empty()) return;
  check_seccomp_annotations(spec, annotations, path);
  check_app_armor_annotations(spec, annotations, path);
}

void check_security_annotations_agree(const FieldCheck& spec, const Value& annotations) {
  if (annotations.empty()) return;
  const FieldCheck pod_seccomp = spec["securityContext"]["seccompProfile"];
  const Value* pod_text = annotations.find(kSeccompPod);
  if (pod_text != nullptr && pod_seccomp.is_set()) {
    check_agreement(pod_seccomp, pod_seccomp.value(), pod_text->as_string(), kSeccompWords);
  }
  visit_containers(spec, [&](const FieldCheck& container) {
    const FieldCheck profile = container["securityContext"]["seccompProfile"];
    const Value* text = annotation_of(annotations, kSeccompContainer, container);
    if (text != nullptr && profile.is_set())
      check_agreement(profile, profile.value(), text->as_string(), kSeccompWords);
  });
  if (spec["os"]["name"].text() == "windows") return;
  const Value& pod_profile = spec["securityContext"]["appArmorProfile"].value();
  visit_containers(spec, [&](const FieldCheck& container) {
    const FieldCheck own = container["securityContext"]["appArmorProfile"];
    const Value& profile = own.is_set() ? own.value() : pod_profile;
    const Value* text = annotation_of(annotations, kAppArmorContainer, container);
    if (text != nullptr && profile.is_object()) check_agreement(own, profile, text->as_string(), kAppArmorWords);
  });
}

}  // namespace coracle::kube::apiserver
