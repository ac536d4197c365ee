#pragma once

#include "kube/client/parameters.h"

// The resources that reconcilers name directly. Anything else is found through discovery.
namespace coracle::kube::resources {

ResourceRef namespaces();
ResourceRef nodes();
ResourceRef pods();
ResourceRef config_maps();
ResourceRef secrets();
ResourceRef services();
ResourceRef service_accounts();
ResourceRef events();
ResourceRef resource_quotas();
ResourceRef persistent_volume_claims();
ResourceRef persistent_volumes();
ResourceRef volume_attributes_classes();
ResourceRef cluster_roles();
ResourceRef custom_resource_definitions();
ResourceRef addons();       // k3s.cattle.io
ResourceRef helm_charts();  // helm.cattle.io
ResourceRef helm_chart_configs();
ResourceRef git_repositories();  // source.toolkit.fluxcd.io
ResourceRef kustomizations();    // kustomize.toolkit.fluxcd.io

}  // namespace coracle::kube::resources
