#include "kube/apiserver/internal/stored_versions.h"

#include <array>
#include <deque>
#include <limits>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json/json.h"
#include "kube/codec/protobuf.h"

namespace coracle::kube::apiserver {

namespace {

// A field of an older version that its current type lacks or numbers otherwise.
struct OldField {
  std::string_view type;                 // the current one
  std::string_view name;                 // empty: the older version has none in the place of `replaces`
  std::uint32_t number = 0;              // in protobuf
  std::string_view replaces = {};        // the current field in whose place it stands, and whose type it has
  SchemaKind kind = SchemaKind::String;  // where it replaces none
};

constexpr std::string_view kIngressSpec = "io.k8s.api.networking.v1.IngressSpec";
constexpr std::string_view kIngressBackend = "io.k8s.api.networking.v1.IngressBackend";
constexpr std::string_view kEndpoint = "io.k8s.api.discovery.v1.Endpoint";

constexpr OldField kOldIngress[] = {
    {kIngressSpec, "backend", 1, "defaultBackend"},
    {kIngressBackend, "serviceName", 1},
    {kIngressBackend, "servicePort", 2, "", SchemaKind::IntOrString},
};
constexpr OldField kOldEndpointSlice[] = {
    {kEndpoint, "topology", 5, "deprecatedTopology"},
    {kEndpoint, "", 0, "zone"},
    {kEndpoint, "hints", 7, "hints"},
};

// The schema of an older version: the current one with some fields exchanged. What does not change is shared.
class OldSchema {
 public:
  OldSchema(const Schema& current, std::span<const OldField> changes) : changes_(changes), root_(rebuilt(&current)) {}

  const Schema& root() const { return *root_; }

 private:
  const Schema* rebuilt(const Schema* schema) {
    if (schema == nullptr) return nullptr;
    const auto [known, is_new] = done_.emplace(schema, schema);  // itself, for types that contain themselves
    if (!is_new) return known->second;
    std::vector<Field> fields;
    bool changed = false;
    for (Field field : schema->fields) {
      const OldField* old = change_of(schema->name, field.name);
      const Schema* inner = rebuilt(field.schema);
      changed = changed || old != nullptr || inner != field.schema;
      if (old != nullptr && old->name.empty()) continue;
      field.schema = inner;
      if (old != nullptr) field.name = old->name;
      if (old != nullptr) field.number = old->number;
      fields.push_back(field);
    }
    for (const OldField& old : changes_) {
      if (old.type != schema->name || !old.replaces.empty()) continue;
      Schema& leaf = schemas_.emplace_back();
      leaf.kind = old.kind;
      fields.push_back({.name = old.name, .schema = &leaf, .number = old.number});
      changed = true;
    }
    const Schema* items = rebuilt(schema->items);
    if (!changed && items == schema->items) return schema;
    Schema& copy = schemas_.emplace_back(*schema);
    copy.fields = fields_.emplace_back(std::move(fields));
    copy.items = items;
    done_[schema] = &copy;
    return &copy;
  }

  const OldField* change_of(std::string_view type, std::string_view field) const {
    for (const OldField& change : changes_) {
      if (change.type == type && change.replaces == field && !change.replaces.empty()) return &change;
    }
    return nullptr;
  }

  const std::span<const OldField> changes_;
  std::map<const Schema*, const Schema*> done_;
  std::deque<Schema> schemas_;
  std::deque<std::vector<Field>> fields_;
  const Schema* root_;
};

const Schema& old_ingress_schema(const Schema& current) {
  static const OldSchema schema(current, kOldIngress);
  return schema.root();
}

const Schema& old_endpoint_slice_schema(const Schema& current) {
  static const OldSchema schema(current, kOldEndpointSlice);
  return schema.root();
}

// A copy of a list with each of its items changed; other values as they are.
template <class Change>
Value each_item(const Value& list, const Change& change) {
  if (!list.is_array()) return list;
  Value::ArrayBuilder out;
  for (const Value& item : list.items()) out.add(change(item));
  return std::move(out).build();
}

// A copy of a member changed, where the object has it.
template <class Change>
Value member_changed(const Value& object, std::string_view member, const Change& change) {
  const Value* found = object.find(member);
  return found == nullptr || found->is_null() ? object : object.with(member, change(*found));
}

Value with_default(const Value& object, std::string_view field, Value value) {
  return is_zero(object[field]) ? object.with(field, std::move(value)) : object;
}

Value backend_to_v1(const Value& backend) {
  const Value& name = backend["serviceName"];
  const Value& port = backend["servicePort"];
  const Value kept = backend.without("serviceName").without("servicePort");
  // An absent port is 0 in protobuf.
  if (is_zero(name) && (is_zero(port) || kept.contains("resource"))) return kept;
  Value::ObjectBuilder numbered;
  numbered.set_nonempty(port.is_string() ? "name" : "number", port);
  return kept.with("service", Value::object({{"name", name}, {"port", std::move(numbered).build()}}));
}

Value ingress_to_v1(const Value& ingress) {
  const auto path_to_v1 = [](const Value& path) {
    const Value backed = path.with("backend", backend_to_v1(path["backend"]));
    return with_default(backed, "pathType", "ImplementationSpecific");
  };
  const auto http_to_v1 = [&](const Value& http) {
    return member_changed(http, "paths", [&](const Value& paths) { return each_item(paths, path_to_v1); });
  };
  const auto rule_to_v1 = [&](const Value& rule) { return member_changed(rule, "http", http_to_v1); };
  return member_changed(ingress, "spec", [&](const Value& old) {
    Value spec = old.without("backend");
    if (const Value& backend = old["backend"]; backend.is_object()) {
      spec = spec.with("defaultBackend", backend_to_v1(backend));
    }
    return member_changed(spec, "rules", [&](const Value& rules) { return each_item(rules, rule_to_v1); });
  });
}

// The zone has become a field; the host's name is one already where it is the node's.
Value endpoint_to_v1(const Value& endpoint) {
  constexpr std::string_view kZone = "topology.kubernetes.io/zone";
  constexpr std::string_view kHost = "kubernetes.io/hostname";
  const Value& topology = endpoint["topology"];
  Value out = endpoint.without("topology");
  if (const Value* zone = topology.find(kZone)) out = out.with("zone", *zone);
  Value rest = topology.without(kZone);
  if (const Value* host = topology.find(kHost); host != nullptr && *host == endpoint["nodeName"]) {
    rest = rest.without(kHost);
  }
  return rest.empty() ? out : out.with("deprecatedTopology", rest);
}

Value endpoint_slice_to_v1(const Value& slice) {
  return member_changed(slice, "endpoints",
                        [](const Value& endpoints) { return each_item(endpoints, endpoint_to_v1); });
}

// An empty selector chose no pod and now chooses all: what upstream writes instead chooses none.
Value budget_to_v1(const Value& budget) {
  constexpr std::string_view kNoPod = "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match";
  return member_changed(budget, "spec", [&](const Value& spec) {
    return member_changed(spec, "selector", [&](const Value& selector) {
      if (!selector["matchLabels"].empty() || !selector["matchExpressions"].empty()) return selector;
      const Value never = Value::object({{"key", kNoPod}, {"operator", "Exists"}});
      return selector.with("matchExpressions", Value::array({never}));
    });
  });
}

Value webhooks_to_v1(const Value& configuration) {
  return member_changed(configuration, "webhooks", [](const Value& webhooks) {
    return each_item(webhooks, [](const Value& webhook) {
      Value out = with_default(webhook, "failurePolicy", "Ignore");
      out = with_default(out, "matchPolicy", "Exact");
      out = with_default(out, "sideEffects", "Unknown");
      out = with_default(out, "timeoutSeconds", 30);
      return with_default(out, "admissionReviewVersions", Value::array({"v1beta1"}));
    });
  });
}

Value signing_request_to_v1(const Value& request) {
  const auto decided = [](const Value& condition) { return with_default(condition, "status", "True"); };
  const Value signer = member_changed(request, "spec", [](const Value& spec) {
    return with_default(spec, "signerName", "kubernetes.io/legacy-unknown");
  });
  return member_changed(signer, "status", [&](const Value& status) {
    return member_changed(status, "conditions", [&](const Value& list) { return each_item(list, decided); });
  });
}

// A share of 0 meant the usual one, unless its owner had said that it is meant.
Value priority_level_to_v1(const Value& level) {
  constexpr std::string_view kKeepsZero = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares";
  constexpr int kUsualShares = 30;
  const bool keeps_zero = level["metadata"]["annotations"].contains(kKeepsZero);
  return member_changed(level, "spec", [&](const Value& spec) {
    return member_changed(spec, "limited", [&](const Value& limited) {
      Value out = limited.without("assuredConcurrencyShares");
      if (const Value* shares = limited.find("assuredConcurrencyShares"))
        out = out.with("nominalConcurrencyShares", *shares);
      return keeps_zero ? out : with_default(out, "nominalConcurrencyShares", kUsualShares);
    });
  });
}

// Labels and selector of the first workloads are those of their pods where they say nothing.
Value with_pod_labels(const Value& workload) {
  const Value& labels = workload["spec"]["template"]["metadata"]["labels"];
  if (labels.empty()) return workload;
  Value out = workload;
  if (workload["metadata"]["labels"].empty()) out = out.with("metadata", out["metadata"].with("labels", labels));
  return member_changed(out, "spec", [&](const Value& spec) {
    return spec["selector"].is_object() ? spec : spec.with("selector", Value::object({{"matchLabels", labels}}));
  });
}

Value apps_deployment_to_v1(const Value& deployment) {
  return member_changed(with_pod_labels(deployment), "spec",
                        [](const Value& spec) { return with_default(spec, "revisionHistoryLimit", 2); });
}

Value extensions_deployment_to_v1(const Value& deployment) {
  constexpr int kUnlimited = std::numeric_limits<std::int32_t>::max();
  return member_changed(with_pod_labels(deployment), "spec", [](const Value& spec) {
    Value out = with_default(spec, "revisionHistoryLimit", kUnlimited);
    out = with_default(out, "progressDeadlineSeconds", kUnlimited);
    const Value& strategy = spec["strategy"];
    if (strategy["type"].as_string("RollingUpdate") == "Recreate") return out;
    Value rolling = strategy["rollingUpdate"];
    for (const std::string_view field : {"maxUnavailable", "maxSurge"}) {
      if (rolling[field].is_null()) rolling = rolling.with(field, 1);
    }
    return out.with("strategy", strategy.with("rollingUpdate", rolling));
  });
}

// Their pods stayed until somebody deleted them.
Value on_delete_to_v1(const Value& workload) {
  return member_changed(with_pod_labels(workload), "spec", [](const Value& spec) {
    return spec.with("updateStrategy", with_default(spec["updateStrategy"], "type", "OnDelete"));
  });
}

// An older version in which objects of a built-in kind may lie in the store.
struct StoredVersion {
  std::string_view api_version;
  std::string_view kind;  // empty: every other kind of its group
  // To the fields that the current version has; null: they are the same.
  Value (*to_current)(const Value& object) = nullptr;
  // Of its protobuf form, given the current one; null: it is the same.
  const Schema& (*wire)(const Schema& current) = nullptr;
  bool json_only = false;  // its protobuf form is not known
};

constexpr StoredVersion kStoredVersions[] = {
    {"networking.k8s.io/v1beta1", "Ingress", ingress_to_v1, old_ingress_schema},
    {"networking.k8s.io/v1beta1", "IngressClass"},
    {"networking.k8s.io/v1beta1", "IPAddress"},
    {"networking.k8s.io/v1beta1", "ServiceCIDR"},
    {"extensions/v1beta1", "Ingress", ingress_to_v1, old_ingress_schema},
    {"extensions/v1beta1", "NetworkPolicy"},
    {"extensions/v1beta1", "Deployment", extensions_deployment_to_v1},
    {"extensions/v1beta1", "DaemonSet", on_delete_to_v1},
    {"extensions/v1beta1", "ReplicaSet", with_pod_labels},
    {"apps/v1beta1", "Deployment", apps_deployment_to_v1},
    {"apps/v1beta1", "StatefulSet", on_delete_to_v1},
    {"apps/v1beta1", "ControllerRevision"},
    {"apps/v1beta2", ""},
    {"discovery.k8s.io/v1beta1", "EndpointSlice", endpoint_slice_to_v1, old_endpoint_slice_schema},
    {"policy/v1beta1", "PodDisruptionBudget", budget_to_v1},
    {"batch/v1beta1", "CronJob"},
    {"coordination.k8s.io/v1beta1", "Lease"},
    {"certificates.k8s.io/v1beta1", "CertificateSigningRequest", signing_request_to_v1},
    {"admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration", webhooks_to_v1},
    {"admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration", webhooks_to_v1},
    {"admissionregistration.k8s.io/v1beta1", ""},
    {"flowcontrol.apiserver.k8s.io/v1beta1", "PriorityLevelConfiguration", priority_level_to_v1},
    {"flowcontrol.apiserver.k8s.io/v1beta2", "PriorityLevelConfiguration", priority_level_to_v1},
    {"flowcontrol.apiserver.k8s.io/v1beta3", "PriorityLevelConfiguration", priority_level_to_v1},
    {"flowcontrol.apiserver.k8s.io/v1beta1", "FlowSchema"},
    {"flowcontrol.apiserver.k8s.io/v1beta2", "FlowSchema"},
    {"flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema"},
    {"node.k8s.io/v1beta1", "RuntimeClass"},
    {"rbac.authorization.k8s.io/v1beta1", ""},
    {"resource.k8s.io/v1beta2", ""},
    {"scheduling.k8s.io/v1beta1", "PriorityClass"},
    {"storage.k8s.io/v1beta1", ""},
    {"apiregistration.k8s.io/v1beta1", "APIService"},
    {"apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", nullptr, nullptr, true},
};

const StoredVersion* find_stored_version(const GroupVersionKind& gvk, const GroupVersionKind& current) {
  const std::string api_version = gvk.api_version();
  for (const StoredVersion& version : kStoredVersions) {
    if (version.api_version != api_version) continue;
    if (version.kind.empty() ? gvk.group == current.group : version.kind == gvk.kind) return &version;
  }
  return nullptr;
}

Error unknown_version(const GroupVersionKind& gvk, std::string_view form) {
  return Error(Reason::Corrupt, "the object is stored as " + std::string(form) + " of " + gvk.api_version() + " " +
                                    gvk.kind +
                                    ", which this server cannot read: write it in a newer version with an older server "
                                    "first");
}

}  // namespace

Error unreadable(const std::string& stored, const Error& error) {
  constexpr std::string_view kEncrypted = "k8s:enc:";
  if (!stored.starts_with(kEncrypted)) return Error(Reason::Corrupt, "the stored value is " + error.message());
  const std::string kind = stored.substr(0, stored.find(':', kEncrypted.size()));
  return Error(Reason::Corrupt, "the stored value is encrypted (" + kind +
                                    "): this server cannot read it, write it as plain text with k3s first "
                                    "(k3s secrets-encrypt disable, then reencrypt)");
}

Result<Value> read_builtin(const std::string& stored, const ResourceDescriptor& resource, const Schema* schema) {
  const bool protobuf = has_envelope(stored);
  const std::string_view form = protobuf ? "protobuf" : "JSON";
  if (protobuf && schema == nullptr) return Error(Reason::Corrupt, "protobuf value of a kind without schema");
  Value tree;
  Envelope envelope;
  GroupVersionKind gvk;
  if (protobuf) {
    ASSIGN_OR_RETURN(envelope, read_envelope(stored));
    gvk = GroupVersionKind::parse(envelope.api_version, envelope.kind);
  } else {
    auto read = json::read(stored);
    if (!read.ok()) return unreadable(stored, read.error());
    tree = std::move(read).value();
    gvk = Object(tree).gvk();
  }
  const GroupVersionKind& current = resource.storage_gvk;
  const Schema* wire = schema;
  const StoredVersion* old = nullptr;
  if (gvk != current) {
    if (gvk.kind != current.kind) return unknown_version(gvk, form);
    const KindSchema* served = find_builtin_kind(gvk.group, gvk.version, gvk.kind);
    if (served != nullptr && (resource.convert || gvk.group == current.group)) {
      wire = served->schema;
    } else {
      old = find_stored_version(gvk, current);
      if (old == nullptr || (protobuf && old->json_only)) return unknown_version(gvk, form);
      if (old->wire != nullptr && schema != nullptr) wire = &old->wire(*schema);
    }
  }
  if (protobuf) {
    auto decoded = decode_protobuf(envelope.raw, *wire, envelope.api_version, envelope.kind);
    if (!decoded.ok()) return Error(Reason::Corrupt, "the stored value: " + decoded.error().message());
    tree = std::move(decoded).value();
  }
  return old != nullptr && old->to_current != nullptr ? old->to_current(tree) : tree;
}

}  // namespace coracle::kube::apiserver
