#include "kube/apiserver/internal/strategies/pods/container_validation.h"

#include <set>
#include <string>
#include <string_view>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/pods/container_environment.h"
#include "kube/apiserver/internal/strategies/pods/container_mounts.h"
#include "kube/apiserver/internal/strategies/pods/container_probes.h"
#include "kube/apiserver/internal/strategies/pods/container_resources.h"
#include "kube/apiserver/internal/strategies/pods/pod_security_validation.h"

namespace coracle::kube::apiserver {

namespace {

using Names = std::set<std::string_view>;

constexpr std::string_view kNotEphemeral = "cannot be set for an Ephemeral Container";

// What the rules of one container take from its pod.
struct Pod {
  const FieldCheck& spec;
  const PodVolumes& volumes;
  const PodSpecOptions& options;
  ClaimNames claims;
  bool host_users;

  const Value& grace() const { return spec.value()["terminationGracePeriodSeconds"]; }
};

void check_ports(const FieldCheck& ports) {
  constexpr std::string_view kProtocols[] = {"SCTP", "TCP", "UDP"};
  Names names;
  ports.each([&](const FieldCheck& port) {
    const FieldCheck name = port["name"];
    if (!name.is_empty()) {
      const NameErrors findings = check_port_name(name.text());
      name.invalid(findings);
      if (findings.empty() && !names.insert(name.text()).second) name.duplicate();
    }
    const FieldCheck number = port["containerPort"];
    if (number.require()) number.invalid(check_port_number(number.number()));
    const FieldCheck on_host = port["hostPort"];
    if (on_host.number() != 0) on_host.invalid(check_port_number(on_host.number()));
    if (port["protocol"].require()) port["protocol"].require_one_of(kProtocols);
  });
}

// Ports of the host that containers which run at the same time would share.
void check_taken_ports(const FieldCheck& container, std::set<std::string>& taken) {
  container["ports"].each([&](const FieldCheck& port) {
    const FieldCheck on_host = port["hostPort"];
    if (on_host.number() == 0) return;
    const std::string key = std::string(port["protocol"].text()) + "/" + std::string(port["hostIP"].text()) + "/" +
                            std::to_string(on_host.number());
    if (!taken.insert(key).second) on_host.duplicate(key);
  });
}

void check_resize_policies(const FieldCheck& policies, std::string_view pod_policy) {
  constexpr std::string_view kResources[] = {"cpu", "memory"};
  constexpr std::string_view kPolicies[] = {"NotRequired", "RestartContainer"};
  Names resources;
  policies.each([&](const FieldCheck& policy) {
    const Value& resource = policy.value()["resourceName"];
    const Value& restart = policy.value()["restartPolicy"];
    if (!resources.insert(resource.as_string()).second) policy.duplicate(resource);
    const FieldCheck of_resource = policies.with(resource);
    const FieldCheck of_restart = policies.with(restart);
    if (of_resource.require()) of_resource.require_one_of(kResources);
    if (of_restart.require()) of_restart.require_one_of(kPolicies);
    if (pod_policy == "Never" && restart.as_string() != "NotRequired") {
      of_restart.invalid("must be 'NotRequired' when pod `restartPolicy` is 'Never'");
    }
  });
}

void check_restart_rule(const FieldCheck& rule) {
  constexpr std::string_view kActions[] = {"Restart", "RestartAllContainers"};
  constexpr std::string_view kOperators[] = {"In", "NotIn"};
  constexpr std::int64_t kMaxCodes = 255;
  rule["action"].require_one_of(kActions);
  const FieldCheck codes = rule["exitCodes"];
  if (!codes.is_set()) return codes.required("must be specified");
  codes["operator"].require_one_of(kOperators);
  codes["values"].require_at_most(kMaxCodes);
}

void check_restart(const FieldCheck& container) {
  constexpr std::string_view kPolicies[] = {"Always", "Never", "OnFailure"};
  constexpr std::int64_t kMaxRules = 20;
  const FieldCheck policy = container["restartPolicy"];
  const FieldCheck rules = container["restartPolicyRules"];
  if (policy.is_set()) {
    policy.require_one_of(kPolicies);
  } else if (!rules.is_empty()) {
    policy.required("must specify restartPolicy when restart rules are used");
  }
  rules.require_at_most(kMaxRules);
  rules.each(check_restart_rule);
}

void check_common(const FieldCheck& container, const Pod& pod) {
  constexpr std::string_view kMessagePolicies[] = {"File", "FallbackToLogsOnError"};
  constexpr std::string_view kPullPolicies[] = {"Always", "IfNotPresent", "Never"};
  const FieldCheck name = container["name"];
  if (name.require()) name.invalid(check_dns1123_label(name.text()));
  container["image"].require();
  const FieldCheck message = container["terminationMessagePolicy"];
  if (message.require()) message.require_one_of(kMessagePolicies);
  check_ports(container["ports"]);
  check_environment(container);
  check_mounts(container, pod.volumes);
  const FieldCheck pull = container["imagePullPolicy"];
  if (pull.require()) pull.require_one_of(kPullPolicies);
  check_container_resources(container["resources"], pod.claims, pod.options);
  check_resize_policies(container["resizePolicy"], pod.spec.value()["restartPolicy"].as_string());
  check_container_security_context(container["securityContext"], pod.host_users);
}

void check_image_text(const FieldCheck& container) {
  const FieldCheck image = container["image"];
  if (trim(image.text()) != image.text()) image.invalid("must not have leading or trailing whitespace");
}

void check_regular(const Pod& pod, Names& names) {
  const FieldCheck containers = pod.spec["containers"];
  if (containers.is_empty()) return containers.required();
  containers.each([&](const FieldCheck& container) {
    check_common(container, pod);
    if (!names.insert(container["name"].text()).second) container["name"].duplicate();
    check_lifecycle(container["lifecycle"], pod.grace());
    check_probes(container, pod.grace());
    check_restart(container);
  });
  std::set<std::string> host_ports;
  containers.each([&](const FieldCheck& container) { check_taken_ports(container, host_ports); });
}

// What an init container that ends cannot have.
void check_ending(const FieldCheck& container, bool tolerates_restart) {
  for (const std::string_view field : {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"}) {
    if (container[field].is_set()) {
      container[field].forbidden("may not be set for init containers without restartPolicy=Always");
    }
  }
  if (tolerates_restart) return;
  container["resizePolicy"].each([](const FieldCheck& policy) {
    if (policy["restartPolicy"].text() != "RestartContainer") return;
    policy["restartPolicy"].invalid("must not be set to 'RestartContainer' for non-sidecar initContainers");
  });
}

bool is_sidecar(const Value& container) {
  return container["restartPolicy"].as_string() == "Always";
}

bool restarts_ending_container(const Value& containers) {
  for (const Value& container : containers.items()) {
    for (const Value& policy : container["resizePolicy"].items()) {
      if (!is_sidecar(container) && policy["restartPolicy"].as_string() == "RestartContainer") return true;
    }
  }
  return false;
}

void check_init(const Pod& pod, Names& names) {
  const FieldCheck containers = pod.spec["initContainers"];
  const bool tolerates_restart = restarts_ending_container(pod.options.old_value("initContainers"));
  containers.each([&](const FieldCheck& container) {
    const FieldCheck name = container["name"];
    const FieldCheck policy = container["restartPolicy"];
    check_common(container, pod);
    if (policy.is_set()) {
      check_restart(container);
    } else if (!container["restartPolicyRules"].is_empty()) {
      policy.required("must specify restartPolicy when restart rules are used");
    }
    if (names.contains(name.text())) {
      name.duplicate();
    } else if (!name.is_empty()) {
      names.insert(name.text());
    }
    // These run one after the other, so each has the host's ports for itself; upstream calls each the first.
    std::set<std::string> host_ports;
    check_taken_ports(containers.at(0).with(container.value()), host_ports);
    if (is_sidecar(container.value())) {
      check_lifecycle(container["lifecycle"], pod.grace());
      check_probes(container, pod.grace());
    } else {
      check_ending(container, tolerates_restart);
    }
  });
}

void check_ephemeral(const Pod& pod, Names& names) {
  constexpr std::string_view kForbidden[] = {"ports",          "resources",          "resizePolicy",
                                             "restartPolicy",  "restartPolicyRules", "livenessProbe",
                                             "readinessProbe", "startupProbe",       "lifecycle"};
  const Names others = names;
  pod.spec["ephemeralContainers"].each([&](const FieldCheck& container) {
    const FieldCheck name = container["name"];
    const FieldCheck target = container["targetContainerName"];
    check_common(container, pod);
    check_image_text(container);
    if (!names.insert(name.text()).second) name.duplicate();
    if (!target.is_empty() && !others.contains(target.text())) target.not_found();
    for (const std::string_view field : kForbidden) {
      const FieldCheck one = container[field];
      // Amounts of nothing are as good as none where they stand for themselves.
      const bool given = field == "resources" ? !one.is_empty() : one.is_set();
      if (given) one.forbidden(kNotEphemeral);
    }
    container["volumeMounts"].each([](const FieldCheck& mount) {
      for (const std::string_view field : {"subPath", "subPathExpr"}) {
        if (!mount[field].is_empty()) mount[field].forbidden(kNotEphemeral);
      }
    });
  });
}

}  // namespace

void check_containers(const FieldCheck& spec, const PodVolumes& volumes, const PodSpecOptions& options) {
  const Pod pod{spec, volumes, options, claim_names(spec.value()["resourceClaims"]),
                spec.value()["hostUsers"].as_bool(true)};
  Names names;
  check_regular(pod, names);
  check_init(pod, names);
  check_ephemeral(pod, names);
}

void check_images_of_pod(const FieldCheck& spec) {
  for (const std::string_view list : {"containers", "initContainers"}) spec[list].each(check_image_text);
}

}  // namespace coracle::kube::apiserver
