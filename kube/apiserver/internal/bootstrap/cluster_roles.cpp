#include "kube/apiserver/internal/bootstrap/roles.h"

// The default ClusterRoles of Kubernetes but those of controllers: wire facts, in the order of the API's lists.
namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kRead = "get,list,watch";
constexpr std::string_view kListWatch = "list,watch";
constexpr std::string_view kChange = "patch,update";
constexpr std::string_view kWrite = "create,delete,deletecollection,patch,update";
constexpr std::string_view kReadWrite = "create,delete,deletecollection,get,list,patch,update,watch";
constexpr DefaultRule kWriteEvents = {"create,patch,update", ",events.k8s.io", "events"};

constexpr DefaultRule kRulesClusterAdmin[] = {
    {"*", "*", "*"},
    {"*", "", "", "", "*"},
};
constexpr DefaultRule kRulesAggregateToAdmin[] = {
    {"create", "authorization.k8s.io", "localsubjectaccessreviews"},
    {kReadWrite, "rbac.authorization.k8s.io", "rolebindings,roles"},
};
constexpr DefaultRule kRulesAggregateToEdit[] = {
    {kRead, "", "pods/attach,pods/exec,pods/portforward,pods/proxy,secrets,services/proxy"},
    {"impersonate", "", "serviceaccounts"},
    {kWrite, "", "pods,pods/attach,pods/exec,pods/portforward,pods/proxy"},
    {"create", "", "pods/eviction"},
    {kWrite, "",
     "configmaps,persistentvolumeclaims,replicationcontrollers,"
     "replicationcontrollers/scale,secrets,serviceaccounts,services,services/proxy"},
    {"create", "", "serviceaccounts/token"},
    {kWrite, ",events.k8s.io", "events"},
    {kWrite, "apps",
     "daemonsets,deployments,deployments/rollback,deployments/scale,replicasets,"
     "replicasets/scale,statefulsets,statefulsets/scale"},
    {kWrite, "autoscaling", "horizontalpodautoscalers"},
    {kWrite, "batch", "cronjobs,jobs"},
    {kWrite, "extensions",
     "daemonsets,deployments,deployments/rollback,deployments/scale,ingresses,"
     "networkpolicies,replicasets,replicasets/scale,replicationcontrollers/scale"},
    {kWrite, "policy", "poddisruptionbudgets"},
    {kWrite, "networking.k8s.io", "ingresses,networkpolicies"},
    {kReadWrite, "coordination.k8s.io", "leases"},
    {kWrite, "resource.k8s.io", "resourceclaims,resourceclaimtemplates"},
};
constexpr DefaultRule kRulesAggregateToView[] = {
    {kRead, "",
     "configmaps,endpoints,persistentvolumeclaims,persistentvolumeclaims/status,pods,"
     "replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,"
     "services/status"},
    {kRead, "",
     "bindings,limitranges,namespaces/status,pods/log,pods/status,"
     "replicationcontrollers/status,resourcequotas,resourcequotas/status"},
    {kRead, "", "namespaces"},
    {kRead, ",events.k8s.io", "events"},
    {kRead, "discovery.k8s.io", "endpointslices"},
    {kRead, "apps",
     "controllerrevisions,daemonsets,daemonsets/status,deployments,deployments/scale,"
     "deployments/status,replicasets,replicasets/scale,replicasets/status,statefulsets,"
     "statefulsets/scale,statefulsets/status"},
    {kRead, "autoscaling", "horizontalpodautoscalers,horizontalpodautoscalers/status"},
    {kRead, "batch", "cronjobs,cronjobs/status,jobs,jobs/status"},
    {kRead, "extensions",
     "daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,"
     "ingresses,ingresses/status,networkpolicies,replicasets,replicasets/scale,"
     "replicasets/status,replicationcontrollers/scale"},
    {kRead, "policy", "poddisruptionbudgets,poddisruptionbudgets/status"},
    {kRead, "networking.k8s.io", "ingresses,ingresses/status,networkpolicies"},
    {kRead, "resource.k8s.io", "resourceclaims,resourceclaims/status,resourceclaimtemplates"},
};
constexpr DefaultRule kRulesAuthDelegator[] = {
    {"create", "authentication.k8s.io", "tokenreviews"},
    {"create", "authorization.k8s.io", "subjectaccessreviews"},
};
constexpr DefaultRule kRulesBasicUser[] = {
    {"create", "authorization.k8s.io", "selfsubjectaccessreviews,selfsubjectrulesreviews"},
    {"create", "authentication.k8s.io", "selfsubjectreviews"},
};
constexpr DefaultRule kRulesRequestNodeclient[] = {
    {"create", "certificates.k8s.io", "certificatesigningrequests/nodeclient"},
};
constexpr DefaultRule kRulesRequestSelfnodeclient[] = {
    {"create", "certificates.k8s.io", "certificatesigningrequests/selfnodeclient"},
};
constexpr DefaultRule kRulesKubeApiserverClientApprover[] = {
    {"approve", "certificates.k8s.io", "signers", "kubernetes.io/kube-apiserver-client"},
};
constexpr DefaultRule kRulesKubeApiserverClientKubeletApprover[] = {
    {"approve", "certificates.k8s.io", "signers", "kubernetes.io/kube-apiserver-client-kubelet"},
};
constexpr DefaultRule kRulesKubeletServingApprover[] = {
    {"approve", "certificates.k8s.io", "signers", "kubernetes.io/kubelet-serving"},
};
constexpr DefaultRule kRulesLegacyUnknownApprover[] = {
    {"approve", "certificates.k8s.io", "signers", "kubernetes.io/legacy-unknown"},
};
constexpr DefaultRule kRulesDiscovery[] = {
    {"get", "", "", "", "/api,/api/*,/apis,/apis/*,/healthz,/livez,/openapi,/openapi/*,/readyz,/version,/version/"},
};
constexpr DefaultRule kRulesHeapster[] = {
    {kRead, "", "events,namespaces,nodes,pods"},
    {kRead, "extensions", "deployments"},
};
constexpr DefaultRule kRulesKubeAggregator[] = {
    {kRead, "", "endpoints,services"},
};
constexpr DefaultRule kRulesKubeControllerManager[] = {
    kWriteEvents,
    {"create", "coordination.k8s.io", "leases"},
    {"get,update", "coordination.k8s.io", "leases", "kube-controller-manager"},
    {"create", "", "secrets,serviceaccounts"},
    {"delete", "", "secrets"},
    {"get", "", "configmaps,namespaces,secrets,serviceaccounts"},
    {"update", "", "secrets,serviceaccounts"},
    {"create", "authentication.k8s.io", "tokenreviews"},
    {"create", "authorization.k8s.io", "subjectaccessreviews"},
    {kListWatch, "*", "*"},
    {"create", "", "serviceaccounts/token"},
};
constexpr DefaultRule kRulesKubeDns[] = {
    {kListWatch, "", "endpoints,services"},
};
constexpr DefaultRule kRulesKubeScheduler[] = {
    kWriteEvents,
    {"create", "coordination.k8s.io", "leases"},
    {"get,list,update,watch", "coordination.k8s.io", "leases", "kube-scheduler"},
    {kReadWrite, "coordination.k8s.io", "leasecandidates"},
    {kRead, "", "nodes"},
    {"delete,get,list,watch", "", "pods"},
    {"create", "", "bindings,pods/binding"},
    {kChange, "", "pods/status"},
    {kRead, "", "replicationcontrollers,services"},
    {kRead, "apps,extensions", "replicasets"},
    {kRead, "apps", "statefulsets"},
    {kRead, "policy", "poddisruptionbudgets"},
    {kRead, "", "persistentvolumeclaims,persistentvolumes"},
    {"create", "authentication.k8s.io", "tokenreviews"},
    {"create", "authorization.k8s.io", "subjectaccessreviews"},
    {kRead, "storage.k8s.io", "csinodes"},
    {kRead, "storage.k8s.io", "volumeattachments"},
    {kRead, "", "namespaces"},
    {kRead, "storage.k8s.io", "csidrivers"},
    {kRead, "storage.k8s.io", "csistoragecapacities"},
    {kRead, "resource.k8s.io", "deviceclasses"},
    {"get,list,patch,update,watch", "resource.k8s.io", "resourceclaims"},
    {"get,list,patch,update,watch", "resource.k8s.io", "resourceclaims/status"},
    {"update", "", "pods/finalizers"},
    {kRead, "resource.k8s.io", "resourceslices"},
    {"create,delete", "resource.k8s.io", "resourceclaims"},
    {kChange, "resource.k8s.io", "resourceclaims/binding"},
};
constexpr DefaultRule kRulesKubeletApiAdmin[] = {
    {kRead, "", "nodes"},
    {"proxy", "", "nodes"},
    {"*", "", "nodes/log,nodes/metrics,nodes/proxy,nodes/stats"},
    {"*", "", "nodes/configz,nodes/healthz,nodes/pods"},
};
constexpr DefaultRule kRulesMonitoring[] = {
    {"get", "", "", "", "/flagz,/healthz,/healthz/*,/livez,/livez/*,/metrics,/metrics/slis,/readyz,/readyz/*,/statusz"},
    {"get", "", "nodes/metrics"},
};
constexpr DefaultRule kRulesNode[] = {
    {"create", "authentication.k8s.io", "tokenreviews"},
    {"create", "authorization.k8s.io", "localsubjectaccessreviews,subjectaccessreviews"},
    {kRead, "", "services"},
    {"create,get,list,watch", "", "nodes"},
    {kChange, "", "nodes/status"},
    {kChange, "", "nodes"},
    kWriteEvents,
    {kRead, "", "pods"},
    {"create,delete", "", "pods"},
    {kChange, "", "pods/status"},
    {"create", "", "pods/eviction"},
    {kRead, "", "configmaps,secrets"},
    {"get", "", "persistentvolumeclaims,persistentvolumes"},
    {"get", "", "endpoints"},
    {"create,get,list,watch", "certificates.k8s.io", "certificatesigningrequests"},
    {"create,delete,get,patch,update", "coordination.k8s.io", "leases"},
    {"get", "storage.k8s.io", "volumeattachments"},
    {"create", "", "serviceaccounts/token"},
    {"get,patch,update", "", "persistentvolumeclaims/status"},
    {kRead, "storage.k8s.io", "csidrivers"},
    {"create,delete,get,patch,update", "storage.k8s.io", "csinodes"},
    {kRead, "node.k8s.io", "runtimeclasses"},
    {"get", "resource.k8s.io", "resourceclaims"},
    {"deletecollection", "resource.k8s.io", "resourceslices"},
    {"get", "", "serviceaccounts"},
};
constexpr DefaultRule kRulesNodeBootstrapper[] = {
    {"create,get,list,watch", "certificates.k8s.io", "certificatesigningrequests"},
};
constexpr DefaultRule kRulesNodeProblemDetector[] = {
    {"get", "", "nodes"},
    {"patch", "", "nodes/status"},
    kWriteEvents,
};
constexpr DefaultRule kRulesNodeProxier[] = {
    {kListWatch, "", "endpoints,services"},
    {kRead, "", "nodes"},
    kWriteEvents,
    {kListWatch, "networking.k8s.io", "servicecidrs"},
    {kListWatch, "discovery.k8s.io", "endpointslices"},
};
constexpr DefaultRule kRulesPersistentVolumeProvisioner[] = {
    {"create,delete,get,list,watch", "", "persistentvolumes"},
    {"get,list,update,watch", "", "persistentvolumeclaims"},
    {kRead, "storage.k8s.io", "storageclasses"},
    {"watch", "", "events"},
    kWriteEvents,
};
constexpr DefaultRule kRulesPublicInfoViewer[] = {
    {"get", "", "", "", "/healthz,/livez,/readyz,/version,/version/"},
};
constexpr DefaultRule kRulesServiceAccountIssuerDiscovery[] = {
    {"get", "", "", "",
     "/.well-known/openid-configuration,/.well-known/openid-configuration/,"
     "/openid/v1/jwks,/openid/v1/jwks/"},
};
constexpr DefaultRule kRulesVolumeScheduler[] = {
    {"get,list,patch,update,watch", "", "persistentvolumes"},
    {kRead, "storage.k8s.io", "storageclasses"},
    {"get,list,patch,update,watch", "", "persistentvolumeclaims"},
};

constexpr DefaultRole kClusterRoles[] = {
    {"admin", {}, "", "admin"},
    {"cluster-admin", kRulesClusterAdmin},
    {"edit", {}, "admin", "edit"},
    {"system:aggregate-to-admin", kRulesAggregateToAdmin, "admin"},
    {"system:aggregate-to-edit", kRulesAggregateToEdit, "edit"},
    {"system:aggregate-to-view", kRulesAggregateToView, "view"},
    {"system:auth-delegator", kRulesAuthDelegator},
    {"system:basic-user", kRulesBasicUser},
    {"system:certificates.k8s.io:certificatesigningrequests:nodeclient", kRulesRequestNodeclient},
    {"system:certificates.k8s.io:certificatesigningrequests:selfnodeclient", kRulesRequestSelfnodeclient},
    {"system:certificates.k8s.io:kube-apiserver-client-approver", kRulesKubeApiserverClientApprover},
    {"system:certificates.k8s.io:kube-apiserver-client-kubelet-approver", kRulesKubeApiserverClientKubeletApprover},
    {"system:certificates.k8s.io:kubelet-serving-approver", kRulesKubeletServingApprover},
    {"system:certificates.k8s.io:legacy-unknown-approver", kRulesLegacyUnknownApprover},
    {"system:discovery", kRulesDiscovery},
    {"system:heapster", kRulesHeapster},
    {"system:kube-aggregator", kRulesKubeAggregator},
    {"system:kube-controller-manager", kRulesKubeControllerManager},
    {"system:kube-dns", kRulesKubeDns},
    {"system:kube-scheduler", kRulesKubeScheduler},
    {"system:kubelet-api-admin", kRulesKubeletApiAdmin},
    {"system:monitoring", kRulesMonitoring},
    {"system:node", kRulesNode},
    {"system:node-bootstrapper", kRulesNodeBootstrapper},
    {"system:node-problem-detector", kRulesNodeProblemDetector},
    {"system:node-proxier", kRulesNodeProxier},
    {"system:persistent-volume-provisioner", kRulesPersistentVolumeProvisioner},
    {"system:public-info-viewer", kRulesPublicInfoViewer},
    {"system:service-account-issuer-discovery", kRulesServiceAccountIssuerDiscovery},
    {"system:volume-scheduler", kRulesVolumeScheduler},
    {"view", {}, "edit", "view"},
};

}  // namespace

std::span<const DefaultRole> default_cluster_roles() {
  return kClusterRoles;
}

}  // namespace coracle::kube::apiserver
