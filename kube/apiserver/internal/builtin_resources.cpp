#include "kube/apiserver/internal/builtin_resources.h"

#include <algorithm>
#include <span>
#include <string>

#include "base/text.h"
#include "kube/apiserver/internal/conversions.h"
#include "kube/object/names.h"

namespace coracle::kube::apiserver {

namespace {

// Behaviour bits of a row; everything else about a resource is text.
enum Behaviour : unsigned {
  kStatus = 1,           // has a status that only /status writes
  kGeneration = 2,       // counts changes of its specification
  kResetsMeta = 4,       // /status keeps metadata
  kPutCreates = 8,       // PUT of a missing object makes it
  kNeedsRevision = 16,   // PUT without resourceVersion is invalid
  kReturnsDeleted = 32,  // DELETE answers the object
  kSpec = kStatus | kGeneration,
};

struct Row {
  std::string_view group;
  std::string_view version;
  std::string_view resource;
  std::string_view kind;
  char scope;              // 'N' or 'C'
  std::string_view verbs;  // "*": all eight; "-x": all but x
  std::string_view subresources;
  std::string_view short_names;
  std::string_view categories;
  std::string_view key;  // below /registry/; empty: not stored
  unsigned behaviour = 0;
  std::string_view storage = {};  // version that is stored, where it is another
  std::string_view fields = {};   // selectable beside name and namespace
  std::string_view deprecated = {};
  int lease_seconds = 0;
};

constexpr std::string_view kRegistration = "admissionregistration.k8s.io";
constexpr std::string_view kRbac = "rbac.authorization.k8s.io";
constexpr std::string_view kExtensions = "api-extensions";
constexpr std::string_view kPodSubresources =
    "attach,binding,ephemeralcontainers,eviction,exec,log,portforward,proxy,resize,status";
constexpr std::string_view kPodFields =
    "spec.nodeName,spec.restartPolicy,spec.schedulerName,spec.serviceAccountName,spec.hostNetwork,status.phase,"
    "status.podIP,status.podIPs,status.nominatedNodeName";
constexpr std::string_view kEventFields =
    "involvedObject.kind,involvedObject.namespace,involvedObject.name,involvedObject.uid,involvedObject.apiVersion,"
    "involvedObject.resourceVersion,involvedObject.fieldPath,reason,reportingComponent,source,type";
constexpr std::string_view kNewEventFields =
    "regarding.kind,regarding.namespace,regarding.name,regarding.uid,regarding.apiVersion,regarding.resourceVersion,"
    "regarding.fieldPath,reason,reportingController,type";
constexpr std::string_view kDeprecatedEndpoints =
    "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";

constexpr Row kRows[] = {
    {"", "v1", "bindings", "Binding", 'N', "create", "", "", "", ""},
    {"", "v1", "componentstatuses", "ComponentStatus", 'C', "get,list", "", "cs", "", "", 0, "", "",
     "v1 ComponentStatus is deprecated in v1.19+"},
    {"", "v1", "configmaps", "ConfigMap", 'N', "*", "", "cm", "", "configmaps"},
    {"", "v1", "endpoints", "Endpoints", 'N', "*", "", "ep", "", "services/endpoints", kPutCreates, "", "",
     kDeprecatedEndpoints},
    {"", "v1", "events", "Event", 'N', "*", "", "ev", "", "events", kPutCreates, "", kEventFields, "", 3600},
    {"", "v1", "limitranges", "LimitRange", 'N', "*", "", "limits", "", "limitranges", kPutCreates},
    {"", "v1", "namespaces", "Namespace", 'C', "-deletecollection", "finalize,status", "ns", "", "namespaces",
     kStatus | kReturnsDeleted, "", "status.phase"},
    {"", "v1", "nodes", "Node", 'C', "*", "proxy,status", "no", "", "minions", kStatus, "", "spec.unschedulable"},
    {"", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", 'N', "*", "status", "pvc", "",
     "persistentvolumeclaims", kStatus | kReturnsDeleted},
    {"", "v1", "persistentvolumes", "PersistentVolume", 'C', "*", "status", "pv", "", "persistentvolumes",
     kStatus | kReturnsDeleted},
    {"", "v1", "pods", "Pod", 'N', "*", kPodSubresources, "po", "all", "pods", kSpec | kReturnsDeleted, "", kPodFields},
    {"", "v1", "podtemplates", "PodTemplate", 'N', "*", "", "", "", "podtemplates", kGeneration | kReturnsDeleted},
    {"", "v1", "replicationcontrollers", "ReplicationController", 'N', "*", "scale,status", "rc", "all", "controllers",
     kSpec, "", "status.replicas"},
    {"", "v1", "resourcequotas", "ResourceQuota", 'N', "*", "status", "quota", "", "resourcequotas",
     kStatus | kReturnsDeleted},
    {"", "v1", "secrets", "Secret", 'N', "*", "", "", "", "secrets", 0, "", "type"},
    {"", "v1", "serviceaccounts", "ServiceAccount", 'N', "*", "token", "sa", "", "serviceaccounts", kReturnsDeleted},
    {"", "v1", "services", "Service", 'N', "*", "proxy,status", "svc", "all", "services/specs",
     kStatus | kPutCreates | kReturnsDeleted, "", "spec.clusterIP,spec.type"},

    {"apiregistration.k8s.io", "v1", "apiservices", "APIService", 'C', "*", "status", "", kExtensions,
     "apiregistration.k8s.io/apiservices", kStatus | kNeedsRevision},

    {"apps", "v1", "controllerrevisions", "ControllerRevision", 'N', "*", "", "", "", "controllerrevisions"},
    {"apps", "v1", "daemonsets", "DaemonSet", 'N', "*", "status", "ds", "all", "daemonsets", kSpec},
    {"apps", "v1", "deployments", "Deployment", 'N', "*", "scale,status", "deploy", "all", "deployments", kSpec},
    {"apps", "v1", "replicasets", "ReplicaSet", 'N', "*", "scale,status", "rs", "all", "replicasets", kSpec},
    {"apps", "v1", "statefulsets", "StatefulSet", 'N', "*", "scale,status", "sts", "all", "statefulsets", kSpec},

    {"events.k8s.io", "v1", "events", "Event", 'N', "*", "", "ev", "", "events", kPutCreates, "", kNewEventFields, "",
     3600},

    {"authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", 'C', "create", "", "", "", ""},
    {"authentication.k8s.io", "v1", "tokenreviews", "TokenReview", 'C', "create", "", "", "", ""},
    {"authorization.k8s.io", "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview", 'N', "create", "", "", "",
     ""},
    {"authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", 'C', "create", "", "", "",
     ""},
    {"authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", 'C', "create", "", "", "", ""},
    {"authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", 'C', "create", "", "", "", ""},

    {"autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", 'N', "*", "status", "hpa", "all",
     "horizontalpodautoscalers", kStatus},
    {"autoscaling", "v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler", 'N', "*", "status", "hpa", "all",
     "horizontalpodautoscalers", kStatus, "v2"},
    {"batch", "v1", "cronjobs", "CronJob", 'N', "*", "status", "cj", "all", "cronjobs", kSpec},
    {"batch", "v1", "jobs", "Job", 'N', "*", "status", "", "all", "jobs", kSpec, "", "status.successful"},
    {"certificates.k8s.io", "v1", "certificatesigningrequests", "CertificateSigningRequest", 'C', "*",
     "approval,status", "csr", "", "certificatesigningrequests", kStatus, "", "spec.signerName"},

    {"networking.k8s.io", "v1", "ingressclasses", "IngressClass", 'C', "*", "", "", "", "ingressclasses", kGeneration},
    {"networking.k8s.io", "v1", "ingresses", "Ingress", 'N', "*", "status", "ing", "", "ingress", kSpec},
    {"networking.k8s.io", "v1", "ipaddresses", "IPAddress", 'C', "*", "", "ip", "", "ipaddresses"},
    {"networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", 'N', "*", "", "netpol", "", "networkpolicies",
     kGeneration},
    {"networking.k8s.io", "v1", "servicecidrs", "ServiceCIDR", 'C', "*", "status", "", "", "servicecidrs",
     kStatus | kResetsMeta},
    {"policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", 'N', "*", "status", "pdb", "",
     "poddisruptionbudgets", kSpec | kNeedsRevision},

    {kRbac, "v1", "clusterrolebindings", "ClusterRoleBinding", 'C', "*", "", "", "", "clusterrolebindings",
     kPutCreates},
    {kRbac, "v1", "clusterroles", "ClusterRole", 'C', "*", "", "", "", "clusterroles", kPutCreates},
    {kRbac, "v1", "rolebindings", "RoleBinding", 'N', "*", "", "", "", "rolebindings", kPutCreates},
    {kRbac, "v1", "roles", "Role", 'N', "*", "", "", "", "roles", kPutCreates},

    {"storage.k8s.io", "v1", "csidrivers", "CSIDriver", 'C', "*", "", "", "", "csidrivers",
     kNeedsRevision | kReturnsDeleted},
    {"storage.k8s.io", "v1", "csinodes", "CSINode", 'C', "*", "", "", "", "csinodes", kNeedsRevision | kReturnsDeleted},
    {"storage.k8s.io", "v1", "csistoragecapacities", "CSIStorageCapacity", 'N', "*", "", "", "", "csistoragecapacities",
     kNeedsRevision},
    {"storage.k8s.io", "v1", "storageclasses", "StorageClass", 'C', "*", "", "sc", "", "storageclasses",
     kReturnsDeleted},
    {"storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment", 'C', "*", "status", "", "", "volumeattachments",
     kStatus | kResetsMeta | kNeedsRevision | kReturnsDeleted},
    {"storage.k8s.io", "v1", "volumeattributesclasses", "VolumeAttributesClass", 'C', "*", "", "vac", "",
     "volumeattributesclasses", kReturnsDeleted},

    {kRegistration, "v1", "mutatingadmissionpolicies", "MutatingAdmissionPolicy", 'C', "*", "", "", kExtensions,
     "mutatingadmissionpolicies", kGeneration | kNeedsRevision, "v1beta1"},
    {kRegistration, "v1", "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", 'C', "*", "", "",
     kExtensions, "mutatingadmissionpolicybindings", kGeneration | kNeedsRevision, "v1beta1"},
    {kRegistration, "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", 'C', "*", "", "",
     kExtensions, "mutatingwebhookconfigurations", kGeneration | kNeedsRevision},
    {kRegistration, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", 'C', "*", "status", "",
     kExtensions, "validatingadmissionpolicies", kSpec | kResetsMeta | kNeedsRevision},
    {kRegistration, "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", 'C', "*", "", "",
     kExtensions, "validatingadmissionpolicybindings", kGeneration | kNeedsRevision},
    {kRegistration, "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", 'C', "*", "", "",
     kExtensions, "validatingwebhookconfigurations", kGeneration | kNeedsRevision},
    {"apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", 'C', "*", "status",
     "crd,crds", kExtensions, "apiextensions.k8s.io/customresourcedefinitions", kSpec | kResetsMeta | kNeedsRevision},

    {"scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", 'C', "*", "", "pc", "", "priorityclasses",
     kGeneration},
    {"coordination.k8s.io", "v1", "leases", "Lease", 'N', "*", "", "", "", "leases", kPutCreates | kNeedsRevision},
    {"node.k8s.io", "v1", "runtimeclasses", "RuntimeClass", 'C', "*", "", "", "", "runtimeclasses",
     kPutCreates | kNeedsRevision},
    {"discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", 'N', "*", "", "", "", "endpointslices", kGeneration},
    {"resource.k8s.io", "v1", "deviceclasses", "DeviceClass", 'C', "*", "", "", "", "deviceclasses",
     kGeneration | kReturnsDeleted},
    {"resource.k8s.io", "v1", "resourceclaims", "ResourceClaim", 'N', "*", "status", "", "", "resourceclaims",
     kStatus | kResetsMeta | kReturnsDeleted},
    {"resource.k8s.io", "v1", "resourceclaimtemplates", "ResourceClaimTemplate", 'N', "*", "", "", "",
     "resourceclaimtemplates", kReturnsDeleted},
    {"resource.k8s.io", "v1", "resourceslices", "ResourceSlice", 'C', "*", "", "", "", "resourceslices",
     kGeneration | kReturnsDeleted, "", "spec.nodeName,spec.driver"},
    {"flowcontrol.apiserver.k8s.io", "v1", "flowschemas", "FlowSchema", 'C', "*", "status", "", "", "flowschemas",
     kSpec | kResetsMeta},
    {"flowcontrol.apiserver.k8s.io", "v1", "prioritylevelconfigurations", "PriorityLevelConfiguration", 'C', "*",
     "status", "", "", "prioritylevelconfigurations", kSpec | kResetsMeta},
};

struct SubresourceRow {
  std::string_view name;
  std::string_view parent;  // resource; empty: any
  std::string_view group;
  std::string_view version;
  std::string_view kind;  // empty: the parent's
  std::string_view verbs;
};

constexpr std::string_view kProxyVerbs = "create,delete,get,patch,update";
constexpr SubresourceRow kSubresourceRows[] = {
    {"status", "", "", "", "", "get,patch,update"},
    {"approval", "", "", "", "", "get,patch,update"},
    {"finalize", "", "", "", "", "update"},
    {"scale", "", "autoscaling", "v1", "Scale", "get,patch,update"},
    {"token", "", "authentication.k8s.io", "v1", "TokenRequest", "create"},
    {"binding", "", "", "", "Binding", "create"},
    {"eviction", "", "policy", "v1", "Eviction", "create"},
    {"ephemeralcontainers", "", "", "", "Pod", "get,patch,update"},
    {"resize", "", "", "", "Pod", "get,patch,update"},
    {"attach", "", "", "", "PodAttachOptions", "create,get"},
    {"exec", "", "", "", "PodExecOptions", "create,get"},
    {"portforward", "", "", "", "PodPortForwardOptions", "create,get"},
    {"log", "", "", "", "Pod", "get"},
    {"proxy", "pods", "", "", "PodProxyOptions", kProxyVerbs},
    {"proxy", "services", "", "", "ServiceProxyOptions", kProxyVerbs},
    {"proxy", "nodes", "", "", "NodeProxyOptions", kProxyVerbs},
};

std::vector<std::string> split_list(std::string_view text) {
  if (text.empty()) return {};
  const std::vector<std::string_view> items = split(text, ',');
  return {items.begin(), items.end()};
}

std::vector<std::string> verbs_of(std::string_view text) {
  if (!text.starts_with('*') && !text.starts_with('-')) return split_list(text);
  std::vector<std::string> verbs = {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
  if (text.starts_with('-')) verbs.erase(std::find(verbs.begin(), verbs.end(), text.substr(1)));
  return verbs;
}

std::vector<SubresourceDescriptor> subresources_of(const Row& row) {
  std::vector<SubresourceDescriptor> subresources;
  for (std::string& name : split_list(row.subresources)) {
    const auto found = std::find_if(std::begin(kSubresourceRows), std::end(kSubresourceRows), [&](const auto& s) {
      return s.name == name && (s.parent.empty() || s.parent == row.resource);
    });
    SubresourceDescriptor subresource;
    subresource.name = std::move(name);
    subresource.kind = found->kind.empty() ? row.kind : found->kind;
    subresource.group = found->group;
    subresource.version = found->version;
    subresource.verbs = split_list(found->verbs);
    subresources.push_back(std::move(subresource));
  }
  return subresources;
}

// Rules for names that are no DNS-1123 subdomains (the default).
NameErrors (*name_rule(const Row& row))(std::string_view) {
  const bool label = row.resource == "namespaces" || row.resource == "services" || row.resource == "statefulsets";
  if (label) return check_dns1123_label;
  const bool segment = row.group == kRbac || row.resource == "ipaddresses" || row.resource == "events" ||
                       row.resource == "apiservices" || row.resource == "customresourcedefinitions" ||
                       row.resource == "poddisruptionbudgets" || row.resource == "certificatesigningrequests";
  return segment ? check_path_segment_name : nullptr;
}

GroupVersionKind storage_of(const Row& row) {
  if (row.group == "events.k8s.io") return {"", "v1", "Event"};
  return {std::string(row.group), std::string(row.storage.empty() ? row.version : row.storage), std::string(row.kind)};
}

StandardBehaviour behaviour_of(const Row& row) {
  StandardBehaviour standard;
  standard.has_status = (row.behaviour & kStatus) != 0;
  standard.counts_generation = (row.behaviour & kGeneration) != 0;
  standard.status_resets_metadata = (row.behaviour & kResetsMeta) != 0;
  standard.create_on_update = (row.behaviour & kPutCreates) != 0;
  standard.unconditional_update = (row.behaviour & kNeedsRevision) == 0;
  standard.returns_object_on_delete = (row.behaviour & kReturnsDeleted) != 0;
  return standard;
}

ResourcePtr make_builtin(const Row& row, const BuiltinHooks& hooks) {
  auto resource = std::make_shared<ResourceDescriptor>();
  resource->gvk = {std::string(row.group), std::string(row.version), std::string(row.kind)};
  resource->resource = row.resource;
  resource->singular = to_lower(row.kind);
  resource->list_kind = std::string(row.kind) + "List";
  resource->namespaced = row.scope == 'N';
  resource->short_names = split_list(row.short_names);
  resource->categories = split_list(row.categories);
  resource->verbs = verbs_of(row.verbs);
  resource->subresources = subresources_of(row);
  if (!row.key.empty()) resource->storage_prefix = "/registry/" + std::string(row.key) + "/";
  resource->storage_gvk = storage_of(row);
  if (const KindSchema* kind = find_builtin_kind(row.group, row.version, row.kind))
    resource->builtin_schema = kind->schema;
  const StandardBehaviour standard = behaviour_of(row);
  if (hooks.strategy) resource->strategy = hooks.strategy(row.group, row.resource, standard);
  if (resource->strategy == nullptr) resource->strategy = make_standard_strategy(standard);
  if (hooks.table) resource->table = hooks.table(row.group, row.resource);
  resource->check_name = name_rule(row);
  resource->selectable_fields = split_list(row.fields);
  resource->field_value = builtin_field_value(resource->gvk);
  resource->convert = builtin_conversion(resource->gvk);
  resource->deprecation_warning = row.deprecated;
  resource->lease = std::chrono::seconds(row.lease_seconds);
  return resource;
}

struct Priority {
  std::string_view group;
  int value;
};

constexpr Priority kGroupPriorities[] = {
    {"", 18001},
    {"apiregistration.k8s.io", 18000},
    {"apps", 17800},
    {"events.k8s.io", 17750},
    {"authentication.k8s.io", 17700},
    {"authorization.k8s.io", 17600},
    {"autoscaling", 17500},
    {"batch", 17400},
    {"certificates.k8s.io", 17300},
    {"networking.k8s.io", 17200},
    {"policy", 17100},
    {kRbac, 17000},
    {"storage.k8s.io", 16800},
    {kRegistration, 16700},
    {"apiextensions.k8s.io", 16700},
    {"scheduling.k8s.io", 16600},
    {"coordination.k8s.io", 16500},
    {"node.k8s.io", 16300},
    {"discovery.k8s.io", 16200},
    {"resource.k8s.io", 16200},
    {"flowcontrol.apiserver.k8s.io", 16100},
};
constexpr int kCustomPriority = 1000;

}  // namespace

std::vector<ResourcePtr> builtin_resources(const BuiltinHooks& hooks) {
  std::vector<ResourcePtr> resources;
  resources.reserve(std::size(kRows));
  for (const Row& row : kRows) resources.push_back(make_builtin(row, hooks));
  return resources;
}

int group_priority(std::string_view group) {
  const auto found = std::find_if(std::begin(kGroupPriorities), std::end(kGroupPriorities),
                                  [&](const Priority& priority) { return priority.group == group; });
  return found == std::end(kGroupPriorities) ? kCustomPriority : found->value;
}

}  // namespace coracle::kube::apiserver
