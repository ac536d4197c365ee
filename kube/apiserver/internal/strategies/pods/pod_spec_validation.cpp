#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

#include "base/ip.h"
#include "base/text.h"
#include "kube/apiserver/internal/strategies/pods/container_resources.h"
#include "kube/apiserver/internal/strategies/pods/container_validation.h"
#include "kube/apiserver/internal/strategies/pods/pod_os_validation.h"
#include "kube/apiserver/internal/strategies/pods/pod_scheduling.h"
#include "kube/apiserver/internal/strategies/pods/pod_security_validation.h"
#include "kube/apiserver/internal/strategies/pods/pod_template.h"
#include "kube/apiserver/internal/strategies/pods/pod_volumes.h"
#include "kube/apiserver/internal/strategies/toleration_validation.h"
#include "kube/apiserver/internal/strategies/validation_common.h"

namespace coracle::kube::apiserver {

namespace {

void check_ip(const FieldCheck& address) {
  if (ip_family(address.text()).empty()) address.invalid(kInvalidIp);
}

// On the host's network a port is the same inside and outside.
void check_host_network(const FieldCheck& spec, const PodSpecOptions& options) {
  if (!spec["hostNetwork"].value().as_bool()) return;
  spec["containers"].each([&](const FieldCheck& container) {
    container["ports"].each([&](const FieldCheck& port) {
      const std::int64_t outside = port["hostPort"].number();
      // That of a template is set when a pod is made.
      if (outside == 0 && options.pod_metadata == nullptr) return;
      if (outside == port["containerPort"].number()) return;
      port["hostPort"].invalid(outside, "must match `containerPort` when `hostNetwork` is true");
    });
  });
}

void check_choice(const FieldCheck& choice, std::span<const std::string_view> supported) {
  if (choice.require()) choice.require_one_of(supported);
}

void check_search(const FieldCheck& search) {
  std::string_view name = search.text();
  if (name == ".") return;
  if (name.ends_with('.')) name.remove_suffix(1);
  for (const std::string& finding : check_dns1123_subdomain_with_underscore(name)) search.invalid(name, finding);
}

void check_dns(const FieldCheck& spec) {
  constexpr std::size_t kMaxServers = 3;
  constexpr std::size_t kMaxSearches = 32;
  constexpr std::size_t kMaxSearchText = 2048;
  const FieldCheck config = spec["dnsConfig"];
  const FieldCheck servers = config["nameservers"];
  const FieldCheck searches = config["searches"];
  if (spec["dnsPolicy"].text() == "None") {
    if (!config.is_set()) return config.required("must provide `dnsConfig` when `dnsPolicy` is None");
    if (servers.is_empty()) {
      return servers.required("must provide at least one DNS nameserver when `dnsPolicy` is None");
    }
  }
  if (servers.value().size() > kMaxServers) servers.invalid("must not have more than 3 nameservers");
  servers.each(check_ip);
  std::size_t text = 0;
  for (const Value& search : searches.value().items()) text += search.as_string().size() + 1;
  if (searches.value().size() > kMaxSearches) searches.invalid("must not have more than 32 search paths");
  if (text > kMaxSearchText + 1) {
    searches.invalid("must not have more than 2048 characters (including spaces) in the search list");
  }
  searches.each(check_search);
  config["options"].each([](const FieldCheck& option) {
    if (option["name"].is_empty()) option.required("must not be empty");
  });
}

// Users of their own do not go together with namespaces of the host. Upstream spells two of these fields as Go does.
void check_host_users(const FieldCheck& spec, const PodSpecOptions& options) {
  constexpr std::string_view kReason = "when `hostUsers` is false";
  if (spec["hostUsers"].value().as_bool(true)) return;
  if (spec["hostNetwork"].value().as_bool()) spec["hostNetwork"].forbidden(kReason);
  if (spec["hostPID"].value().as_bool()) spec["HostPID"].forbidden(kReason);
  if (spec["hostIPC"].value().as_bool()) spec["HostIPC"].forbidden(kReason);
  if (!options.old_value("hostUsers").as_bool(true)) return;
  visit_containers(spec, [&](const FieldCheck& container) {
    if (!container["volumeDevices"].is_empty()) container["volumeDevices"].forbidden(kReason);
  });
}

void check_hostname_override(const FieldCheck& spec) {
  constexpr std::size_t kMaximum = 64;
  const FieldCheck name = spec["hostnameOverride"];
  if (!name.is_set()) return;
  for (const std::string_view other : {"setHostnameAsFQDN", "hostNetwork"}) {
    if (spec[other].value().as_bool()) {
      name.forbidden("may not be specified when " + std::string(other) + " is true");
    }
  }
  if (name.text().size() > kMaximum) name.too_long(kMaximum);
  name.invalid(check_dns1123_subdomain(name.text()));
}

void check_optional_name(const FieldCheck& name, NameErrors (*check)(std::string_view)) {
  if (!name.is_empty()) name.invalid(check(name.text()));
}

void check_host_aliases(const FieldCheck& spec) {
  spec["hostAliases"].each([](const FieldCheck& alias) {
    check_ip(alias["ip"]);
    alias["hostnames"].each([](const FieldCheck& name) { name.invalid(check_dns1123_subdomain(name.text())); });
  });
}

// A variable from a file needs a directory that the pod's containers share.
void check_file_variables(const FieldCheck& spec) {
  const auto source_of = [&](std::string_view name) -> const Value* {
    for (const Value& volume : spec["volumes"].value().items()) {
      if (volume["name"].as_string() == name) return &volume;
    }
    return nullptr;
  };
  visit_containers(spec, [&](const FieldCheck& container) {
    container["env"].each([&](const FieldCheck& variable) {
      const FieldCheck file = variable["valueFrom"]["fileKeyRef"];
      if (!file.is_set()) return;
      const Value* volume = source_of(file["volumeName"].text());
      if (volume == nullptr) {
        file["volumeName"].not_found();
      } else if (!volume->contains("emptyDir")) {
        file["volumeName"].invalid("referenced volume must be of type emptyDir");
      }
    });
  });
}

// The second half of upstream's list, in its order.
void check_remaining_fields(const FieldCheck& spec, const PodSpecOptions& options) {
  constexpr std::string_view kPreemption[] = {"PreemptLowerPriority", "Never"};
  check_optional_name(spec["serviceAccountName"], check_dns1123_subdomain);
  check_optional_name(spec["nodeName"], check_dns1123_subdomain);
  spec["activeDeadlineSeconds"].require_between(1, std::numeric_limits<std::int32_t>::max());
  check_optional_name(spec["hostname"], check_dns1123_label);
  check_optional_name(spec["subdomain"], check_dns1123_label);
  check_tolerations(spec["tolerations"]);
  check_host_aliases(spec);
  check_optional_name(spec["priorityClassName"], check_dns1123_subdomain);
  const FieldCheck runtime = spec["runtimeClassName"];
  if (runtime.is_set()) runtime.invalid(check_dns1123_subdomain(runtime.text()));
  if (spec["preemptionPolicy"].is_set()) check_choice(spec["preemptionPolicy"], kPreemption);
  check_overhead(spec["overhead"], options);
  check_os(spec);
  check_file_variables(spec);
}

// Only for pods: what a template may leave to whoever makes pods of it.
void check_whole_pod(const FieldCheck& spec) {
  const bool has_account = !spec["serviceAccountName"].is_empty();
  spec["volumes"].each([&](const FieldCheck& volume) {
    volume["projected"]["sources"].each([&](const FieldCheck& source) {
      const FieldCheck token = source["serviceAccountToken"];
      if (!has_account && token.is_set()) token.forbidden("must not be specified when serviceAccountName is not set");
    });
  });
  check_images_of_pod(spec);
}

}  // namespace

PodSpecOptions options_of_update(const Value& old_spec) {
  PodSpecOptions options;
  options.old_spec = &old_spec;
  options.tolerates_odd_pages = has_odd_pages(old_spec);
  return options;
}

void check_pod_spec(const Value& value, const FieldPath& path, FieldErrors& errors, const PodSpecOptions& options) {
  constexpr std::string_view kRestartPolicies[] = {"Always", "OnFailure", "Never"};
  constexpr std::string_view kDnsPolicies[] = {"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"};
  if (!errors.empty()) retract_below(errors, path.text());
  const FieldCheck spec(value, path, errors);
  if (!spec["terminationGracePeriodSeconds"].is_set()) spec["terminationGracePeriodSeconds"].required();
  const PodVolumes volumes = check_volumes(spec["volumes"], options);
  check_resource_claims(spec["resourceClaims"], options);
  check_containers(spec, volumes, options);
  check_pod_resources(spec, claim_names(value["resourceClaims"]), options);
  check_host_network(spec, options);
  check_choice(spec["restartPolicy"], kRestartPolicies);
  check_choice(spec["dnsPolicy"], kDnsPolicies);
  if (spec["nodeSelector"].is_set()) {
    check_labels(value["nodeSelector"], path.child("nodeSelector"), errors);
  }
  check_pod_security_context(spec, options);
  check_affinity(spec, options);
  check_dns(spec);
  check_gates(spec);
  check_topology_spread(spec, options);
  check_host_processes(spec);
  check_host_users(spec, options);
  check_hostname_override(spec);
  check_remaining_fields(spec, options);
  if (options.pod_metadata != nullptr) check_whole_pod(spec);
}

}  // namespace coracle::kube::apiserver
