#include "reconcilers/helm/k3s_leftovers.h"

#include "kube/apply/deletion.h"
#include "kube/client/resources.h"

namespace coracle::reconcilers {

std::vector<Leftover> k3s_leftovers(const kube::ObjectKey& chart) {
  const kube::ResourceRef jobs{{"batch", "v1", "jobs"}, "Job", true};
  const kube::ResourceRef bindings{
      {"rbac.authorization.k8s.io", "v1", "clusterrolebindings"}, "ClusterRoleBinding", false};
  const auto named = [&chart](std::string_view prefix) {
    return kube::ObjectKey{chart.namespace_, std::string(prefix) + chart.name};
  };
  return {{jobs, named("helm-install-")},
          {jobs, named("helm-delete-")},
          {bindings, {"", "helm-" + chart.namespace_ + "-" + chart.name}},
          {kube::resources::service_accounts(), named("helm-")},
          {kube::resources::secrets(), named("chart-values-")},
          {kube::resources::config_maps(), named("chart-content-")}};
}

Result<void> remove_k3s_leftovers(const Context& context, const kube::Client& client, const kube::ObjectKey& chart) {
  for (const Leftover& leftover : k3s_leftovers(chart)) {
    const Result<void> removed = kube::remove_in_background(context, client, leftover.resource, leftover.key);
    if (!removed.ok()) {
      return removed.error().in("deleting what k3s has left, " + leftover.resource.kind + " " + leftover.key.text());
    }
  }
  return {};
}

}  // namespace coracle::reconcilers
