#pragma once

#include <memory>
#include <string>

#include "kube/controller/manager.h"
#include "reconcilers/helm/chart_fetcher.h"

namespace coracle::reconcilers {

// Charts that may be under way at once; each holds a thread of the Blocking lane, mostly to wait for a repository or a
// hook.
inline constexpr unsigned kChartsUnderWay = 64;

struct HelmControllerOptions {
  std::string api_address;  // "127.0.0.1:6443": what %{KUBERNETES_API}% stands for
  std::string api_ca_pem;   // the authority that signed its certificate
};

// Keeps HelmCharts (helm.cattle.io/v1) of all namespaces installed, with the HelmChartConfigs over them,
// without Jobs: charts are rendered in this process, and releases are recorded as Helm records them.
// `fetcher` outlives the controller.
std::unique_ptr<kube::ManagedController> make_helm_controller(const kube::ControllerDeps& deps, ChartFetcher& fetcher,
                                                              HelmControllerOptions options);

}  // namespace coracle::reconcilers
