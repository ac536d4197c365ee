#include "kube/apiserver/internal/bootstrap/objects.h"

#include <cstdint>
#include <utility>

#include "base/ip.h"
#include "base/json/json.h"
#include "base/text.h"
#include "base/tls/crypto.h"
#include "kube/object/names.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::int64_t kIdentityLeaseSeconds = 3600;

Object plain_object(std::string_view api_version, std::string_view kind, Value metadata) {
  return Object(Value::object({{"apiVersion", api_version}, {"kind", kind}, {"metadata", std::move(metadata)}}));
}

struct DefaultPriorityClass {
  std::string_view name;
  std::int64_t value;
  std::string_view description;
};

constexpr DefaultPriorityClass kPriorityClasses[] = {
    {"system-node-critical", 2000001000,
     "Used for system critical pods that must not be moved from their current node."},
    {"system-cluster-critical", 2000000000,
     "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."},
};

// queues 0: requests beyond the limit are rejected.
struct DefaultPriorityLevel {
  std::string_view name;
  std::int64_t shares;
  std::int64_t lendable_percent;
  std::int64_t queues;
  std::int64_t hand_size;
};

constexpr std::int64_t kQueueLengthLimit = 50;
constexpr DefaultPriorityLevel kPriorityLevels[] = {
    {"leader-election", 10, 0, 16, 4}, {"node-high", 40, 25, 64, 6},      {"system", 30, 33, 64, 6},
    {"workload-high", 40, 50, 128, 6}, {"workload-low", 100, 90, 128, 6}, {"global-default", 20, 50, 128, 6},
    {"catch-all", 5, 0, 0, 0},
};

enum class FlowRules : std::uint8_t { Everything, Probes, Leases, NodeObjects };

struct DefaultFlowSchema {
  std::string_view name;
  std::int64_t precedence;
  std::string_view level;
  std::string_view distinguisher;  // empty: none
  FlowRules rules;
  std::string_view subjects;  // as "Group:name,User:name,ServiceAccount:namespace:name"
};

constexpr std::string_view kEverybody = "Group:system:unauthenticated,Group:system:authenticated";
constexpr DefaultFlowSchema kFlowSchemas[] = {
    {"exempt", 1, "exempt", "", FlowRules::Everything, "Group:system:masters"},
    {"probes", 2, "exempt", "", FlowRules::Probes, kEverybody},
    {"system-leader-election", 100, "leader-election", "ByUser", FlowRules::Leases,
     "User:system:kube-controller-manager,User:system:kube-scheduler,ServiceAccount:kube-system:*"},
    {"system-node-high", 400, "node-high", "ByUser", FlowRules::NodeObjects, "Group:system:nodes"},
    {"system-nodes", 500, "system", "ByUser", FlowRules::Everything, "Group:system:nodes"},
    {"kube-controller-manager", 800, "workload-high", "ByNamespace", FlowRules::Everything,
     "User:system:kube-controller-manager"},
    {"kube-scheduler", 800, "workload-high", "ByNamespace", FlowRules::Everything, "User:system:kube-scheduler"},
    {"kube-system-service-accounts", 900, "workload-high", "ByNamespace", FlowRules::Everything,
     "ServiceAccount:kube-system:*"},
    {"service-accounts", 9000, "workload-low", "ByUser", FlowRules::Everything, "Group:system:serviceaccounts"},
    {"global-default", 9900, "global-default", "ByUser", FlowRules::Everything, kEverybody},
    {"catch-all", 10000, "catch-all", "ByUser", FlowRules::Everything, kEverybody},
};

Value flow_metadata(std::string_view name) {
  return Value::object(
      {{"name", name}, {"annotations", Value::object({{"apf.kubernetes.io/autoupdate-spec", "true"}})}});
}

Value flow_texts(std::initializer_list<std::string_view> texts) {
  Value::ArrayBuilder builder;
  for (std::string_view text : texts) builder.add(text);
  return std::move(builder).build();
}

Value flow_subject(std::string_view text) {
  std::size_t colon = text.find(':');
  std::string_view kind = text.substr(0, colon);
  std::string_view name = text.substr(colon + 1);
  if (kind == "Group") return Value::object({{"kind", kind}, {"group", Value::object({{"name", name}})}});
  if (kind == "User") return Value::object({{"kind", kind}, {"user", Value::object({{"name", name}})}});
  std::size_t second = name.find(':');
  Value account = Value::object({{"namespace", name.substr(0, second)}, {"name", name.substr(second + 1)}});
  return Value::object({{"kind", kind}, {"serviceAccount", std::move(account)}});
}

Value flow_resource_rule(Value verbs, std::string_view group, Value resources, bool cluster_scope) {
  Value::ObjectBuilder rule;
  rule.set("verbs", std::move(verbs));
  rule.set("apiGroups", flow_texts({group}));
  rule.set("resources", std::move(resources));
  if (cluster_scope) rule.set("clusterScope", true);
  rule.set("namespaces", flow_texts({"*"}));
  return std::move(rule).build();
}

Value flow_rules(const DefaultFlowSchema& schema) {
  Value::ArrayBuilder subjects;
  for (std::string_view subject : split(schema.subjects, ',')) subjects.add(flow_subject(subject));
  Value::ObjectBuilder rule;
  rule.set("subjects", std::move(subjects).build());
  auto set_paths = [&](Value verbs, Value paths) {
    Value one = Value::object({{"verbs", std::move(verbs)}, {"nonResourceURLs", std::move(paths)}});
    rule.set("nonResourceRules", Value::array({std::move(one)}));
  };
  switch (schema.rules) {
    case FlowRules::Everything:
      rule.set("resourceRules", Value::array({flow_resource_rule(flow_texts({"*"}), "*", flow_texts({"*"}), true)}));
      set_paths(flow_texts({"*"}), flow_texts({"*"}));
      break;
    case FlowRules::Probes:
      set_paths(flow_texts({"get"}), flow_texts({"/healthz", "/readyz", "/livez"}));
      break;
    case FlowRules::Leases:
      rule.set("resourceRules",
               Value::array({flow_resource_rule(flow_texts({"get", "create", "update"}), "coordination.k8s.io",
                                                flow_texts({"leases"}), false)}));
      break;
    case FlowRules::NodeObjects:
      rule.set(
          "resourceRules",
          Value::array({flow_resource_rule(flow_texts({"*"}), "", flow_texts({"nodes", "nodes/status"}), true),
                        flow_resource_rule(flow_texts({"*"}), "coordination.k8s.io", flow_texts({"leases"}), false)}));
      break;
  }
  return Value::array({std::move(rule).build()});
}

Value https_port(const Options& options) {
  return Value::object({{"name", "https"}, {"port", options.advertise_port}, {"protocol", "TCP"}});
}

Value condition_value(std::string_view type, std::string_view status, std::string_view reason, std::string_view message,
                      WallTime now) {
  return Value::object({{"type", type},
                        {"status", status},
                        {"lastTransitionTime", format_time(now)},
                        {"reason", reason},
                        {"message", message}});
}

Value config_map_list(std::initializer_list<std::string_view> texts) {
  return json::write(flow_texts(texts));
}

}  // namespace

std::vector<Object> default_namespaces() {
  std::vector<Object> objects;
  for (std::string_view name : {"kube-system", "kube-public", "kube-node-lease", "default"}) {
    // The label is what a decoder would add. It is here already, so that somebody owns it.
    Value labels = Value::object({{"kubernetes.io/metadata.name", name}});
    objects.push_back(plain_object("v1", "Namespace", Value::object({{"name", name}, {"labels", std::move(labels)}})));
  }
  return objects;
}

std::vector<Object> default_priority_classes() {
  std::vector<Object> objects;
  for (const DefaultPriorityClass& one : kPriorityClasses) {
    objects.push_back(plain_object("scheduling.k8s.io/v1", "PriorityClass", Value::object({{"name", one.name}}))
                          .with("value", one.value)
                          .with("description", one.description)
                          .with("preemptionPolicy", "PreemptLowerPriority"));
  }
  return objects;
}

std::vector<Object> default_priority_levels() {
  std::vector<Object> objects;
  auto add = [&](std::string_view name, Value spec) {
    objects.push_back(plain_object("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration", flow_metadata(name))
                          .with("spec", std::move(spec)));
  };
  Value exempt = Value::object({{"nominalConcurrencyShares", 0}, {"lendablePercent", 0}});
  add("exempt", Value::object({{"type", "Exempt"}, {"exempt", std::move(exempt)}}));
  for (const DefaultPriorityLevel& level : kPriorityLevels) {
    Value response = Value::object({{"type", "Reject"}});
    if (level.queues > 0) {
      Value queuing = Value::object(
          {{"queues", level.queues}, {"handSize", level.hand_size}, {"queueLengthLimit", kQueueLengthLimit}});
      response = Value::object({{"type", "Queue"}, {"queuing", std::move(queuing)}});
    }
    Value limited = Value::object({{"nominalConcurrencyShares", level.shares},
                                   {"limitResponse", std::move(response)},
                                   {"lendablePercent", level.lendable_percent}});
    add(level.name, Value::object({{"type", "Limited"}, {"limited", std::move(limited)}}));
  }
  return objects;
}

std::vector<Object> default_flow_schemas() {
  std::vector<Object> objects;
  for (const DefaultFlowSchema& schema : kFlowSchemas) {
    Value::ObjectBuilder spec;
    spec.set("priorityLevelConfiguration", Value::object({{"name", schema.level}}));
    spec.set("matchingPrecedence", schema.precedence);
    if (!schema.distinguisher.empty()) {
      spec.set("distinguisherMethod", Value::object({{"type", schema.distinguisher}}));
    }
    spec.set("rules", flow_rules(schema));
    objects.push_back(plain_object("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", flow_metadata(schema.name))
                          .with("spec", std::move(spec).build()));
  }
  return objects;
}

Value flow_schema_status(const Object& flow_schema, WallTime now) {
  std::string level(flow_schema["spec"]["priorityLevelConfiguration"]["name"].as_string());
  std::string message =
      "This FlowSchema references the PriorityLevelConfiguration object named \"" + level + "\" and it exists";
  return Value::object({{"conditions", Value::array({condition_value("Dangling", "False", "Found", message, now)})}});
}

Value service_cidr_status(WallTime now) {
  Value ready = condition_value("Ready", "True", "", "Kubernetes default Service CIDR is ready", now);
  return Value::object({{"conditions", Value::array({std::move(ready)})}});
}

Object default_service_cidr(const Options& options) {
  return plain_object("networking.k8s.io/v1", "ServiceCIDR", Value::object({{"name", "kubernetes"}}))
      .with("spec", Value::object({{"cidrs", Value::array({options.service_cidr})}}));
}

Object kubernetes_service(const Options& options) {
  std::string address = ipv4_text(ipv4_network_of(options.service_cidr).value_or(Ipv4Network{}).base + 1);
  Value labels = Value::object({{"component", "apiserver"}, {"provider", "kubernetes"}});
  Value port =
      Value::object({{"name", "https"}, {"protocol", "TCP"}, {"port", 443}, {"targetPort", options.advertise_port}});
  Value spec = Value::object({{"ports", Value::array({std::move(port)})},
                              {"clusterIP", address},
                              {"type", "ClusterIP"},
                              {"sessionAffinity", "None"},
                              {"ipFamilyPolicy", "SingleStack"},
                              {"internalTrafficPolicy", "Cluster"}});
  return plain_object("v1", "Service",
                      Value::object({{"name", "kubernetes"}, {"namespace", "default"}, {"labels", std::move(labels)}}))
      .with("spec", std::move(spec));
}

Object kubernetes_endpoints(const Options& options) {
  Value labels = Value::object({{"endpointslice.kubernetes.io/skip-mirror", "true"}});
  Value address = Value::object({{"ip", options.advertise_address}});
  Value subset = Value::object(
      {{"addresses", Value::array({std::move(address)})}, {"ports", Value::array({https_port(options)})}});
  return plain_object("v1", "Endpoints",
                      Value::object({{"name", "kubernetes"}, {"namespace", "default"}, {"labels", std::move(labels)}}))
      .with("subsets", Value::array({std::move(subset)}));
}

Object kubernetes_endpoint_slice(const Options& options) {
  Value labels = Value::object({{"kubernetes.io/service-name", "kubernetes"}});
  Value endpoint = Value::object(
      {{"addresses", Value::array({options.advertise_address})}, {"conditions", Value::object({{"ready", true}})}});
  return plain_object("discovery.k8s.io/v1", "EndpointSlice",
                      Value::object({{"name", "kubernetes"}, {"namespace", "default"}, {"labels", std::move(labels)}}))
      .with("addressType", ip_family(options.advertise_address))
      .with("endpoints", Value::array({std::move(endpoint)}))
      .with("ports", Value::array({https_port(options)}));
}

Object authentication_config_map(const Options& options) {
  Value::ObjectBuilder data;
  if (!options.client_ca_pem.empty()) data.set("client-ca-file", options.client_ca_pem);
  if (!options.request_header_ca_pem.empty()) {
    Value::ArrayBuilder names;
    for (const std::string& name : options.request_header_allowed_names) names.add(name);
    data.set("requestheader-allowed-names", json::write(std::move(names).build()));
    data.set("requestheader-client-ca-file", options.request_header_ca_pem);
    data.set("requestheader-extra-headers-prefix", config_map_list({"X-Remote-Extra-"}));
    data.set("requestheader-group-headers", config_map_list({"X-Remote-Group"}));
    data.set("requestheader-uid-headers", config_map_list({"X-Remote-Uid"}));
    data.set("requestheader-username-headers", config_map_list({"X-Remote-User"}));
  }
  return plain_object("v1", "ConfigMap",
                      Value::object({{"name", "extension-apiserver-authentication"}, {"namespace", "kube-system"}}))
      .with("data", std::move(data).build());
}

Object legacy_token_tracking_config_map(WallTime now) {
  constexpr std::size_t kDateLength = 10;
  return plain_object("v1", "ConfigMap",
                      Value::object({{"name", "kube-apiserver-legacy-service-account-token-tracking"},
                                     {"namespace", "kube-system"}}))
      .with("data", Value::object({{"since", format_time(now).substr(0, kDateLength)}}));
}

Object identity_lease(const Options& options, std::string_view instance_id, WallTime now) {
  constexpr std::size_t kHashLength = 26;
  const std::string address = url_host(options.advertise_address) + ":" + std::to_string(options.advertise_port);
  std::string name = "apiserver-" + crypto::sha256_hex(address).substr(0, kHashLength);
  Value::ObjectBuilder labels;
  labels.set("apiserver.kubernetes.io/identity", "kube-apiserver");
  // A host may be called what no label can say, and the server must start there, too.
  if (check_label_value(options.host_name).empty()) labels.set_nonempty("kubernetes.io/hostname", options.host_name);
  Value metadata = Value::object({{"name", name},
                                  {"namespace", "kube-system"},
                                  {"labels", std::move(labels).build()},
                                  {"annotations", Value::object({{"kubernetes.io/peer-advertise-address", address}})}});
  Value spec = Value::object({{"holderIdentity", name + "_" + std::string(instance_id)},
                              {"leaseDurationSeconds", kIdentityLeaseSeconds},
                              {"renewTime", format_micro_time(now)}});
  return plain_object("coordination.k8s.io/v1", "Lease", std::move(metadata)).with("spec", std::move(spec));
}

}  // namespace coracle::kube::apiserver
