#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/encoding.h"
#include "base/text.h"
#include "kube/apiserver/internal/admission/certificate_request.h"
#include "kube/apiserver/internal/admission/common.h"
#include "kube/apiserver/internal/admission/plugins.h"
#include "kube/apiserver/internal/identity/authorization_node.h"
#include "kube/apiserver/internal/identity/rbac_rules.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kMirrorMark = "kubernetes.io/config.mirror";
// Labels of the kubernetes.io and k8s.io domains that a kubelet may set on its own node.
constexpr std::string_view kKubeletLabels[] = {"kubernetes.io/hostname",
                                               "kubernetes.io/arch",
                                               "kubernetes.io/os",
                                               "beta.kubernetes.io/arch",
                                               "beta.kubernetes.io/os",
                                               "beta.kubernetes.io/instance-type",
                                               "node.kubernetes.io/instance-type",
                                               "failure-domain.beta.kubernetes.io/region",
                                               "failure-domain.beta.kubernetes.io/zone",
                                               "topology.kubernetes.io/region",
                                               "topology.kubernetes.io/zone"};
constexpr std::string_view kKubeletLabelDomains[] = {"kubelet.kubernetes.io", "node.kubernetes.io"};

bool domain_within(std::string_view domain, std::string_view parent) {
  if (domain == parent) return true;
  return domain.size() > parent.size() && domain.substr(domain.size() - parent.size()) == parent &&
         domain[domain.size() - parent.size() - 1] == '.';
}

// Labels that administrators keep for themselves.
bool restricted_label(std::string_view key) {
  return domain_within(key.substr(0, key.find('/')), "node-restriction.kubernetes.io");
}

bool kubelet_may_set_label(std::string_view key) {
  std::size_t slash = key.find('/');
  if (slash == std::string_view::npos) return true;
  std::string_view domain = key.substr(0, slash);
  if (!domain_within(domain, "kubernetes.io") && !domain_within(domain, "k8s.io")) return true;
  if (std::find(std::begin(kKubeletLabels), std::end(kKubeletLabels), key) != std::end(kKubeletLabels)) return true;
  return std::any_of(std::begin(kKubeletLabelDomains), std::end(kKubeletLabelDomains),
                     [&](std::string_view allowed) { return domain_within(domain, allowed); });
}

// Keys whose values differ between two maps, sorted.
std::set<std::string> changed_keys(const Value& a, const Value& b) {
  std::set<std::string> keys;
  for (const Value::Member& m : a.members()) {
    if (!b.contains(m.key) || !(b[m.key] == m.value)) keys.insert(m.key);
  }
  for (const Value::Member& m : b.members()) {
    if (!a.contains(m.key)) keys.insert(m.key);
  }
  return keys;
}

std::string keys_text(const std::set<std::string>& keys) {
  return join(keys, ", ");
}

// What a mirror pod may not hold, in upstream's words.
std::string mirror_reference_fault(const std::string& node, const Value& spec) {
  std::string start = "node \"" + node + "\" can not create pods that reference ";
  PodReferences references = pod_references(Object(Value::object({{"spec", spec.with("nodeName", node)}})));
  if (!references.service_account.empty()) return start + "a service account";
  if (!references.secrets.empty()) return start + "secrets";
  if (!references.config_maps.empty()) return start + "configmaps";
  for (const Value& volume : spec["volumes"].items()) {
    if (volume.contains("persistentVolumeClaim")) return start + "persistentvolumeclaims";
    for (const Value& source : volume["projected"]["sources"].items()) {
      if (source.contains("serviceAccountToken")) return start + "a service account token";
      if (source.contains("clusterTrustBundle")) return start + "clustertrustbundles";
    }
  }
  if (!references.resource_claims.empty()) return start + "resourceclaims";
  return {};
}

// A kubelet may change its own node and what runs on it, nothing else.
class NodeRestriction : public AdmissionPlugin {
 public:
  NodeRestriction(const ObjectReader& objects, Authorizer& authorizer) : objects_(objects), authorizer_(authorizer) {}
  std::string_view name() const override { return "NodeRestriction"; }

  Result<void> admit(const Context& context, const AdmissionAttributes& attributes, Object* object,
                     std::vector<std::string>&) override {
    NodeIdentity identity = node_identity(attributes.who);
    if (!identity.is_node || attributes.operation == Operation::Connect) return {};
    const std::string& node = identity.name;
    const GroupVersionKind& gvk = attributes.resource.gvk;
    const std::string& resource = attributes.resource.resource;
    if (node.empty()) {
      return admission_forbidden(attributes, object,
                                 "could not determine node from user " + go_quote(attributes.who.user));
    }
    if (gvk.group.empty() && resource == "pods") return check_pod(context, attributes, node, object);
    if (gvk.group.empty() && resource == "nodes") return check_node(attributes, node, object);
    if (concerns(attributes, "", "persistentvolumeclaims", "status")) return check_claim(attributes, node, *object);
    if (concerns(attributes, "", "serviceaccounts", "token")) return check_token(context, attributes, node, *object);
    if (gvk.group == "coordination.k8s.io" && resource == "leases") return check_lease(attributes, node, object);
    if (gvk.group == "storage.k8s.io" && resource == "csinodes") return check_csi_node(attributes, node, object);
    if (gvk.group == "resource.k8s.io" && resource == "resourceslices") return check_slice(attributes, node, object);
    if (concerns(attributes, "certificates.k8s.io", "certificatesigningrequests")) {
      return check_certificate(attributes, node, object);
    }
    return {};
  }

 private:
  Result<void> check_pod(const Context& context, const AdmissionAttributes& attributes, const std::string& node,
                         const Object* object) const {
    if (attributes.subresource == "eviction") {
      ASSIGN_OR_RETURN(bool own, pod_on_node(context, attributes, node));
      if (own) return {};
      return admission_forbidden(attributes, object,
                                 "node " + node + " can only evict pods with spec.nodeName set to itself");
    }
    if (attributes.subresource == "status") {
      if (attributes.old == nullptr || object == nullptr) return {};
      return check_pod_status(attributes, node, *object);
    }
    if (!attributes.subresource.empty()) {
      return admission_forbidden(attributes, object,
                                 "unexpected pod subresource " + go_quote(attributes.subresource) +
                                     ", only 'status' and 'eviction' are allowed");
    }
    if (attributes.operation == Operation::Create && object != nullptr) {
      return check_mirror(context, attributes, node, *object);
    }
    if (attributes.operation == Operation::Delete) {
      ASSIGN_OR_RETURN(bool own, pod_on_node(context, attributes, node));
      if (own) return {};
      return admission_forbidden(attributes, object,
                                 "node " + go_quote(node) + " can only delete pods with spec.nodeName set to itself");
    }
    return admission_forbidden(
        attributes, object,
        "unexpected operation \"UPDATE\", node " + go_quote(node) + " can only create and delete mirror pods");
  }

  // True also for pods that are gone: the request fails on its own then.
  Result<bool> pod_on_node(const Context& context, const AdmissionAttributes& attributes,
                           const std::string& node) const {
    if (attributes.old != nullptr && attributes.subresource.empty()) {
      return (*attributes.old)["spec"]["nodeName"].as_string() == node;
    }
    ASSIGN_OR_RETURN(std::optional<Object> pod,
                     objects_.find(context, KnownResource::Pods, attributes.namespace_, attributes.name));
    return !pod || (*pod)["spec"]["nodeName"].as_string() == node;
  }

  static Result<void> check_pod_status(const AdmissionAttributes& attributes, const std::string& node,
                                       const Object& pod) {
    if ((*attributes.old)["spec"]["nodeName"].as_string() != node) {
      return admission_forbidden(
          attributes, &pod,
          "node " + go_quote(node) + " can only update pod status for pods with spec.nodeName set to itself");
    }
    if (!changed_keys(attributes.old->metadata()["labels"], pod.metadata()["labels"]).empty()) {
      return admission_forbidden(attributes, &pod,
                                 "node " + go_quote(node) + " cannot update labels through pod status");
    }
    return {};
  }

  Result<void> check_mirror(const Context& context, const AdmissionAttributes& attributes, const std::string& node,
                            const Object& pod) const {
    std::string subject = "node " + go_quote(node);
    if (!pod.has_annotation(kMirrorMark)) {
      return admission_forbidden(
          attributes, &pod,
          "pod does not have " + go_quote(kMirrorMark) + " annotation, " + subject + " can only create mirror pods");
    }
    if (pod["spec"]["nodeName"].as_string() != node) {
      return admission_forbidden(attributes, &pod, subject + " can only create pods with spec.nodeName set to itself");
    }
    std::vector<OwnerReference> owners = pod.owner_references();
    bool single = owners.size() == 1 && owners[0].api_version == "v1" && owners[0].kind == "Node" &&
                  owners[0].name == node && owners[0].controller;
    if (!single) {
      return admission_forbidden(attributes, &pod,
                                 subject + " can only create pods with an owner reference set to itself");
    }
    if (owners[0].block_owner_deletion) {
      return admission_forbidden(attributes, &pod, subject + " must not set blockOwnerDeletion on an owner reference");
    }
    ASSIGN_OR_RETURN(StoredObjectPtr stored, objects_.find_stored(context, KnownResource::Nodes, {}, node));
    if (stored == nullptr) return not_found(*objects_.descriptor(KnownResource::Nodes), node);
    if (stored->uid() != owners[0].uid) {
      return admission_forbidden(
          attributes, &pod,
          subject + " UID mismatch: expected " + owners[0].uid + " got " + std::string(stored->uid()));
    }
    std::string fault = mirror_reference_fault(node, pod["spec"]);
    if (!fault.empty()) return admission_forbidden(attributes, &pod, fault);
    return {};
  }

  static Result<void> check_node(const AdmissionAttributes& attributes, const std::string& node, const Object* object) {
    std::string subject = "node " + go_quote(node);
    std::string target(attributes.name);
    if (target.empty() && object != nullptr) target = object->name();
    if (target != node) {
      return admission_forbidden(attributes, object, subject + " is not allowed to modify node " + go_quote(target));
    }
    if (object == nullptr) return {};
    if (attributes.operation == Operation::Create) {
      std::set<std::string> wrong;
      for (const Value::Member& label : object->metadata()["labels"].members()) {
        if (restricted_label(label.key) || !kubelet_may_set_label(label.key)) wrong.insert(label.key);
      }
      if (!wrong.empty()) {
        return admission_forbidden(attributes, object,
                                   subject + " is not allowed to set the following labels: " + keys_text(wrong));
      }
      if (!object->metadata()["ownerReferences"].empty()) {
        return admission_forbidden(attributes, object, subject + " is not allowed to set ownerReferences");
      }
      return {};
    }
    if (attributes.operation != Operation::Update || attributes.old == nullptr) return {};
    return check_node_update(attributes, subject, *object);
  }

  static Result<void> check_node_update(const AdmissionAttributes& attributes, const std::string& subject,
                                        const Object& object) {
    const Object& old = *attributes.old;
    const Value& taints = object["spec"]["taints"];
    const Value& old_taints = old["spec"]["taints"];
    bool same_taints = taints == old_taints || (taints.empty() && old_taints.empty());
    if (!same_taints) return admission_forbidden(attributes, &object, subject + " is not allowed to modify taints");
    const Value& owners = object.metadata()["ownerReferences"];
    const Value& old_owners = old.metadata()["ownerReferences"];
    if (!(owners == old_owners) && !(owners.empty() && old_owners.empty())) {
      return admission_forbidden(attributes, &object, subject + " is not allowed to modify ownerReferences");
    }
    std::set<std::string> wrong;
    for (const std::string& key : changed_keys(old.metadata()["labels"], object.metadata()["labels"])) {
      if (restricted_label(key) || !kubelet_may_set_label(key)) wrong.insert(key);
    }
    if (wrong.empty()) return {};
    return admission_forbidden(attributes, &object, "is not allowed to modify labels: " + keys_text(wrong));
  }

  static Result<void> check_claim(const AdmissionAttributes& attributes, const std::string& node, const Object& claim) {
    if (attributes.operation != Operation::Update || attributes.old == nullptr) return {};
    // Sizes and conditions of a resize are the kubelet's, everything else must stay.
    auto rest = [](const Object& object) {
      Value status = object["status"];
      for (std::string_view field : {"capacity", "conditions", "allocatedResources", "allocatedResourceStatuses",
                                     "currentVolumeAttributesClassName", "modifyVolumeStatus"}) {
        status = status.without(field);
      }
      Object without = object.with("status", std::move(status));
      return without.with_metadata("managedFields", Value()).with_metadata("resourceVersion", Value());
    };
    if (rest(claim) == rest(*attributes.old)) return {};
    return admission_forbidden(
        attributes, &claim,
        "node " + go_quote(node) + " is not allowed to update fields other than status.quantity and status.conditions");
  }

  Result<void> check_token(const Context& context, const AdmissionAttributes& attributes, const std::string& node,
                           const Object& request) const {
    const Value& reference = request["spec"]["boundObjectRef"];
    bool pod_bound = reference["apiVersion"].as_string() == "v1" && reference["kind"].as_string() == "Pod";
    if (!pod_bound || reference["name"].as_string().empty()) {
      return admission_forbidden(attributes, &request, "node requested token not bound to a pod");
    }
    std::string_view uid = reference["uid"].as_string();
    if (uid.empty()) {
      return admission_forbidden(attributes, &request, "node requested token with a pod binding without a uid");
    }
    std::string pod_name(reference["name"].as_string());
    ASSIGN_OR_RETURN(std::optional<Object> pod,
                     objects_.find(context, KnownResource::Pods, attributes.namespace_, pod_name));
    if (!pod) return not_found(*objects_.descriptor(KnownResource::Pods), pod_name);
    if (pod->uid() != uid) {
      return admission_forbidden(attributes, &request,
                                 "the UID in the bound object reference (" + std::string(uid) +
                                     ") does not match the UID in record. The object might have been deleted and then "
                                     "recreated");
    }
    if ((*pod)["spec"]["nodeName"].as_string() != node) {
      return admission_forbidden(attributes, &request,
                                 "node requested token bound to a pod scheduled on a different node");
    }
    return check_audiences(context, attributes, request, *pod);
  }

  // A kubelet asks for the audiences that the pod's volumes name, and for the API server's.
  Result<void> check_audiences(const Context& context, const AdmissionAttributes& attributes, const Object& request,
                               const Object& pod) const {
    const Value& audiences = request["spec"]["audiences"];
    if (audiences.empty()) return {};
    std::set<std::string> known = {""};
    for (const Value& volume : pod["spec"]["volumes"].items()) {
      for (const Value& source : volume["projected"]["sources"].items()) {
        if (source.contains("serviceAccountToken")) {
          known.emplace(source["serviceAccountToken"]["audience"].as_string());
        }
      }
    }
    if (audiences.size() > 1) {
      return admission_forbidden(attributes, &request, "node may only request 0 or 1 audiences");
    }
    std::string audience(audiences.at(0).as_string());
    if (known.count(audience) != 0) return {};
    Attributes what;
    what.verb = "request-serviceaccounts-token-audience";
    what.version = "*";
    what.resource = audience;
    what.namespace_ = attributes.namespace_;
    what.name = attributes.name;
    if (authorizer_.authorize(context, attributes.who, what).outcome == Decision::Outcome::Allow) return {};
    return admission_forbidden(attributes, &request,
                               "audience " + go_quote(audience) + " not found in pod spec volume, " +
                                   attributes.who.user + " is not authorized to request tokens for this audience");
  }

  static std::string target_name(const AdmissionAttributes& attributes, const Object* object) {
    if (!attributes.name.empty() || object == nullptr) return std::string(attributes.name);
    return std::string(object->name());
  }

  static Result<void> check_lease(const AdmissionAttributes& attributes, const std::string& node,
                                  const Object* object) {
    if (attributes.namespace_ != "kube-node-lease") {
      return admission_forbidden(attributes, object,
                                 "can only access leases in the \"kube-node-lease\" system namespace");
    }
    if (target_name(attributes, object) == node) return {};
    return admission_forbidden(attributes, object,
                               "can only access node lease with the same name as the requesting node");
  }

  static Result<void> check_csi_node(const AdmissionAttributes& attributes, const std::string& node,
                                     const Object* object) {
    if (target_name(attributes, object) == node) return {};
    return admission_forbidden(attributes, object, "can only access CSINode with the same name as the requesting node");
  }

  static Result<void> check_slice(const AdmissionAttributes& attributes, const std::string& node,
                                  const Object* object) {
    const Object* slice = attributes.operation == Operation::Create ? object : attributes.old;
    if (slice == nullptr || (*slice)["spec"]["nodeName"].as_string() == node) return {};
    std::string verb = "update";
    if (attributes.operation == Operation::Create) verb = "create";
    if (attributes.operation == Operation::Delete) verb = "delete";
    return admission_forbidden(attributes, object,
                               "can only " + verb + " ResourceSlice with the same NodeName as the requesting node");
  }

  static Result<void> check_certificate(const AdmissionAttributes& attributes, const std::string& node,
                                        const Object* object) {
    if (attributes.operation != Operation::Create || object == nullptr) return {};
    std::string_view signer = (*object)["spec"]["signerName"].as_string();
    if (signer != "kubernetes.io/kubelet-serving" && signer != "kubernetes.io/kube-apiserver-client-kubelet") return {};
    Result<std::string> pem = base64_decode((*object)["spec"]["request"].as_string());
    Result<tls::Name> subject = pem.ok() ? certificate_request_subject(*pem) : Result<tls::Name>(pem.error());
    if (!subject.ok()) {
      return admission_forbidden(attributes, object, "failed to parse CSR: " + subject.error().message());
    }
    if (subject->common_name == "system:node:" + node) return {};
    return admission_forbidden(attributes, object, "can only create a node CSR with CN=system:node:" + node);
  }

  const ObjectReader& objects_;
  Authorizer& authorizer_;
};

}  // namespace

AdmissionPluginPtr make_node_restriction(const ObjectReader& objects, Authorizer& authorizer) {
  return std::make_unique<NodeRestriction>(objects, authorizer);
}

}  // namespace coracle::kube::apiserver
