#include "kube/apiserver/internal/bootstrap/roles.h"

// The roles of the controllers, each bound to the service account kube-system/<name>: wire facts, in the
// order of the API's lists.
namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kReadByController = "get,list,watch";
constexpr std::string_view kListWatchByController = "list,watch";
constexpr std::string_view kChangeByController = "patch,update";
constexpr DefaultRule kWriteEventsByController = {"create,patch,update", ",events.k8s.io", "events"};

constexpr DefaultRule kControllerAttachdetachController[] = {
    {kListWatchByController, "", "persistentvolumeclaims,persistentvolumes"},
    {kReadByController, "", "nodes"},
    {kChangeByController, "", "nodes/status"},
    {kListWatchByController, "", "pods"},
    kWriteEventsByController,
    {"create,delete,get,list,watch", "storage.k8s.io", "volumeattachments"},
    {kReadByController, "storage.k8s.io", "csidrivers"},
    {kReadByController, "storage.k8s.io", "csinodes"},
};
constexpr DefaultRule kControllerCertificateController[] = {
    {"delete,get,list,watch", "certificates.k8s.io", "certificatesigningrequests"},
    {"update", "certificates.k8s.io", "certificatesigningrequests/approval,certificatesigningrequests/status"},
    {"approve", "certificates.k8s.io", "signers", "kubernetes.io/kube-apiserver-client-kubelet"},
    {"sign", "certificates.k8s.io", "signers",
     "kubernetes.io/kube-apiserver-client,kubernetes.io/kube-apiserver-client-kubelet,"
     "kubernetes.io/kubelet-serving,kubernetes.io/legacy-unknown"},
    {"create", "authorization.k8s.io", "subjectaccessreviews"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerClusterroleAggregationController[] = {
    {"escalate,get,list,patch,update,watch", "rbac.authorization.k8s.io", "clusterroles"},
};
constexpr DefaultRule kControllerCronjobController[] = {
    {"get,list,update,watch", "batch", "cronjobs"},
    {"create,delete,get,list,patch,update,watch", "batch", "jobs"},
    {"update", "batch", "cronjobs/status"},
    {"update", "batch", "cronjobs/finalizers"},
    {"delete,list,watch", "", "pods"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerDaemonSetController[] = {
    {kReadByController, "apps,extensions", "daemonsets"},
    {"update", "apps,extensions", "daemonsets/status"},
    {"update", "apps,extensions", "daemonsets/finalizers"},
    {kListWatchByController, "", "nodes"},
    {"create,delete,list,patch,watch", "", "pods"},
    {"create", "", "pods/binding"},
    {"create,delete,get,list,patch,update,watch", "apps", "controllerrevisions"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerDeploymentController[] = {
    {"get,list,update,watch", "apps,extensions", "deployments"},
    {"update", "apps,extensions", "deployments/status"},
    {"update", "apps,extensions", "deployments/finalizers"},
    {"create,delete,get,list,patch,update,watch", "apps,extensions", "replicasets"},
    {"get,list,update,watch", "", "pods"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerDeviceTaintEvictionController[] = {
    {"delete,get,list,watch", "", "pods"},
    {kChangeByController, "", "pods/status"},
    {kReadByController, "resource.k8s.io", "resourceclaims"},
    {kReadByController, "resource.k8s.io", "resourceslices"},
    {kReadByController, "resource.k8s.io", "deviceclasses"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerDisruptionController[] = {
    {kReadByController, "apps,extensions", "deployments"},
    {kReadByController, "apps,extensions", "replicasets"},
    {kReadByController, "", "replicationcontrollers"},
    {kReadByController, "policy", "poddisruptionbudgets"},
    {kReadByController, "apps", "statefulsets"},
    {"update", "policy", "poddisruptionbudgets/status"},
    {kChangeByController, "", "pods/status"},
    {"get", "*", "*/scale"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerEndpointController[] = {
    {kReadByController, "", "pods,services"},
    {"create,delete,get,list,update,watch", "", "endpoints"},
    {"create", "", "endpoints/restricted"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerEndpointsliceController[] = {
    {kReadByController, "", "nodes,pods,services"},
    {"update", "", "services/finalizers"},
    {"create,delete,get,list,update,watch", "discovery.k8s.io", "endpointslices"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerEndpointslicemirroringController[] = {
    {kReadByController, "", "endpoints,services"},
    {"update", "", "services/finalizers"},
    {"update", "", "endpoints/finalizers"},
    {"create,delete,get,list,update,watch", "discovery.k8s.io", "endpointslices"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerEphemeralVolumeController[] = {
    {kReadByController, "", "pods"},
    {"update", "", "pods/finalizers"},
    {"create,get,list,watch", "", "persistentvolumeclaims"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerExpandController[] = {
    {"get,list,patch,update,watch", "", "persistentvolumes"},
    {kChangeByController, "", "persistentvolumeclaims/status"},
    {kReadByController, "", "persistentvolumeclaims"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerGenericGarbageCollector[] = {
    {"delete,get,list,patch,update,watch", "*", "*"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerHorizontalPodAutoscaler[] = {
    {kReadByController, "autoscaling", "horizontalpodautoscalers"},
    {"update", "autoscaling", "horizontalpodautoscalers/status"},
    {"get,update", "*", "*/scale"},
    {kListWatchByController, "", "pods"},
    {kListWatchByController, "metrics.k8s.io", "pods"},
    {kReadByController, "custom.metrics.k8s.io", "*"},
    {kReadByController, "external.metrics.k8s.io", "*"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerJobController[] = {
    {"get,list,patch,update,watch", "batch", "jobs"},
    {"update", "batch", "jobs/status"},
    {"update", "batch", "jobs/finalizers"},
    {"create,delete,list,patch,watch", "", "pods"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerLegacyServiceAccountTokenCleaner[] = {
    {"get", "", "configmaps", "kube-apiserver-legacy-service-account-token-tracking"},
    {"delete,patch", "", "secrets"},
};
constexpr DefaultRule kControllerNamespaceController[] = {
    {"delete,get,list,watch", "", "namespaces"},
    {"update", "", "namespaces/finalize,namespaces/status"},
    {"delete,deletecollection,get,list,watch", "*", "*"},
};
constexpr DefaultRule kControllerNodeController[] = {
    {"delete,get,list,patch,update,watch", "", "nodes"},
    {kChangeByController, "", "nodes/status"},
    {kChangeByController, "", "pods/status"},
    {"delete,get,list,watch", "", "pods"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerPersistentVolumeBinder[] = {
    {"create,delete,get,list,update,watch", "", "persistentvolumes"},
    {"update", "", "persistentvolumes/status"},
    {"get,list,update,watch", "", "persistentvolumeclaims"},
    {"update", "", "persistentvolumeclaims/status"},
    {"create,delete,get,list,watch", "", "pods"},
    {kReadByController, "storage.k8s.io", "storageclasses"},
    {kListWatchByController, "", "nodes"},
    kWriteEventsByController,
    {"watch", "", "events"},
};
constexpr DefaultRule kControllerPodGarbageCollector[] = {
    {"delete,list,watch", "", "pods"},
    {kReadByController, "", "nodes"},
    {"patch", "", "pods/status"},
};
constexpr DefaultRule kControllerPvProtectionController[] = {
    {"get,list,update,watch", "", "persistentvolumes"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerPvcProtectionController[] = {
    {"get,list,update,watch", "", "persistentvolumeclaims"},
    {"update", "", "persistentvolumeclaims/status"},
    {kReadByController, "", "pods"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerReplicasetController[] = {
    {"get,list,update,watch", "apps,extensions", "replicasets"},
    {"update", "apps,extensions", "replicasets/status"},
    {"update", "apps,extensions", "replicasets/finalizers"},
    {"create,delete,list,patch,watch", "", "pods"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerReplicationController[] = {
    {"get,list,update,watch", "", "replicationcontrollers"},
    {"update", "", "replicationcontrollers/status"},
    {"update", "", "replicationcontrollers/finalizers"},
    {"create,delete,list,patch,watch", "", "pods"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerResourceClaimController[] = {
    {kReadByController, "", "pods"},
    {"update", "", "pods/finalizers"},
    {"create,delete,get,list,watch", "resource.k8s.io", "resourceclaims"},
    {kChangeByController, "resource.k8s.io", "resourceclaims,resourceclaims/status"},
    {kChangeByController, "", "pods/status"},
    kWriteEventsByController,
    {kChangeByController, "resource.k8s.io", "resourceclaims/binding"},
};
constexpr DefaultRule kControllerResourcequotaController[] = {
    {kListWatchByController, "*", "*"},
    {"update", "", "resourcequotas/status"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerRootCaCertPublisher[] = {
    {"create,update", "", "configmaps"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerRouteController[] = {
    {kListWatchByController, "", "nodes"},
    {"patch", "", "nodes/status"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerSelinuxWarningController[] = {
    kWriteEventsByController,
    {kReadByController, "", "persistentvolumes"},
    {kReadByController, "", "persistentvolumeclaims"},
    {kReadByController, "", "pods"},
    {kReadByController, "storage.k8s.io", "csidrivers"},
};
constexpr DefaultRule kControllerServiceAccountController[] = {
    {"create", "", "serviceaccounts"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerServiceCidrsController[] = {
    {"get,list,patch,update,watch", "networking.k8s.io", "servicecidrs"},
    {kChangeByController, "networking.k8s.io", "servicecidrs/finalizers"},
    {kChangeByController, "networking.k8s.io", "servicecidrs/status"},
    {kReadByController, "networking.k8s.io", "ipaddresses"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerServiceController[] = {
    {kReadByController, "", "services"},
    {kChangeByController, "", "services/status"},
    {kListWatchByController, "", "nodes"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerStatefulsetController[] = {
    {kListWatchByController, "", "pods"},
    {kReadByController, "apps", "statefulsets"},
    {"update", "apps", "statefulsets/status"},
    {"update", "apps", "statefulsets/finalizers"},
    {"create,delete,get,patch,update", "", "pods"},
    {"create,delete,get,list,patch,update,watch", "apps", "controllerrevisions"},
    {"create,get,list,watch", "", "persistentvolumeclaims"},
    {"delete,update", "", "persistentvolumeclaims"},
    {"update", "", "pods/finalizers"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerTtlAfterFinishedController[] = {
    {"delete,get,list,watch", "batch", "jobs"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerTtlController[] = {
    {"list,patch,update,watch", "", "nodes"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerValidatingadmissionpolicyStatusController[] = {
    {kReadByController, "admissionregistration.k8s.io", "validatingadmissionpolicies"},
    {"get,patch,update", "admissionregistration.k8s.io", "validatingadmissionpolicies/status"},
    kWriteEventsByController,
};
constexpr DefaultRule kControllerVolumeattributesclassProtectionController[] = {
    {kReadByController, "", "persistentvolumeclaims"},
    {kReadByController, "", "persistentvolumes"},
    {"get,list,update,watch", "storage.k8s.io", "volumeattributesclasses"},
    kWriteEventsByController,
};

constexpr DefaultRole kControllerRoles[] = {
    {"attachdetach-controller", kControllerAttachdetachController},
    {"certificate-controller", kControllerCertificateController},
    {"clusterrole-aggregation-controller", kControllerClusterroleAggregationController},
    {"cronjob-controller", kControllerCronjobController},
    {"daemon-set-controller", kControllerDaemonSetController},
    {"deployment-controller", kControllerDeploymentController},
    {"device-taint-eviction-controller", kControllerDeviceTaintEvictionController},
    {"disruption-controller", kControllerDisruptionController},
    {"endpoint-controller", kControllerEndpointController},
    {"endpointslice-controller", kControllerEndpointsliceController},
    {"endpointslicemirroring-controller", kControllerEndpointslicemirroringController},
    {"ephemeral-volume-controller", kControllerEphemeralVolumeController},
    {"expand-controller", kControllerExpandController},
    {"generic-garbage-collector", kControllerGenericGarbageCollector},
    {"horizontal-pod-autoscaler", kControllerHorizontalPodAutoscaler},
    {"job-controller", kControllerJobController},
    {"legacy-service-account-token-cleaner", kControllerLegacyServiceAccountTokenCleaner},
    {"namespace-controller", kControllerNamespaceController},
    {"node-controller", kControllerNodeController},
    {"persistent-volume-binder", kControllerPersistentVolumeBinder},
    {"pod-garbage-collector", kControllerPodGarbageCollector},
    {"pv-protection-controller", kControllerPvProtectionController},
    {"pvc-protection-controller", kControllerPvcProtectionController},
    {"replicaset-controller", kControllerReplicasetController},
    {"replication-controller", kControllerReplicationController},
    {"resource-claim-controller", kControllerResourceClaimController},
    {"resourcequota-controller", kControllerResourcequotaController},
    {"root-ca-cert-publisher", kControllerRootCaCertPublisher},
    {"route-controller", kControllerRouteController},
    {"selinux-warning-controller", kControllerSelinuxWarningController},
    {"service-account-controller", kControllerServiceAccountController},
    {"service-cidrs-controller", kControllerServiceCidrsController},
    {"service-controller", kControllerServiceController},
    {"statefulset-controller", kControllerStatefulsetController},
    {"ttl-after-finished-controller", kControllerTtlAfterFinishedController},
    {"ttl-controller", kControllerTtlController},
    {"validatingadmissionpolicy-status-controller", kControllerValidatingadmissionpolicyStatusController},
    {"volumeattributesclass-protection-controller", kControllerVolumeattributesclassProtectionController},
};

}  // namespace

std::span<const DefaultRole> default_controller_roles() {
  return kControllerRoles;
}

}  // namespace coracle::kube::apiserver
