#include "kube/client/resources.h"

namespace coracle::kube::resources {

ResourceRef namespaces() {
  return {{"", "v1", "namespaces"}, "Namespace", false};
}
ResourceRef nodes() {
  return {{"", "v1", "nodes"}, "Node", false};
}
ResourceRef pods() {
  return {{"", "v1", "pods"}, "Pod", true};
}
ResourceRef config_maps() {
  return {{"", "v1", "configmaps"}, "ConfigMap", true};
}
ResourceRef secrets() {
  return {{"", "v1", "secrets"}, "Secret", true};
}
ResourceRef services() {
  return {{"", "v1", "services"}, "Service", true};
}
ResourceRef service_accounts() {
  return {{"", "v1", "serviceaccounts"}, "ServiceAccount", true};
}
ResourceRef events() {
  return {{"", "v1", "events"}, "Event", true};
}
ResourceRef resource_quotas() {
  return {{"", "v1", "resourcequotas"}, "ResourceQuota", true};
}
ResourceRef persistent_volume_claims() {
  return {{"", "v1", "persistentvolumeclaims"}, "PersistentVolumeClaim", true};
}
ResourceRef persistent_volumes() {
  return {{"", "v1", "persistentvolumes"}, "PersistentVolume", false};
}
ResourceRef volume_attributes_classes() {
  return {{"storage.k8s.io", "v1", "volumeattributesclasses"}, "VolumeAttributesClass", false};
}
ResourceRef cluster_roles() {
  return {{"rbac.authorization.k8s.io", "v1", "clusterroles"}, "ClusterRole", false};
}
ResourceRef custom_resource_definitions() {
  return {{"apiextensions.k8s.io", "v1", "customresourcedefinitions"}, "CustomResourceDefinition", false};
}
ResourceRef addons() {
  return {{"k3s.cattle.io", "v1", "addons"}, "Addon", true};
}
ResourceRef helm_charts() {
  return {{"helm.cattle.io", "v1", "helmcharts"}, "HelmChart", true};
}
ResourceRef helm_chart_configs() {
  return {{"helm.cattle.io", "v1", "helmchartconfigs"}, "HelmChartConfig", true};
}
ResourceRef git_repositories() {
  return {{"source.toolkit.fluxcd.io", "v1", "gitrepositories"}, "GitRepository", true};
}
ResourceRef kustomizations() {
  return {{"kustomize.toolkit.fluxcd.io", "v1", "kustomizations"}, "Kustomization", true};
}

}  // namespace coracle::kube::resources
