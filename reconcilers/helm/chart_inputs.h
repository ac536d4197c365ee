#pragma once

#include <optional>
#include <string>

#include "base/context.h"
#include "base/result.h"
#include "charts/chart.h"
#include "kube/client/client.h"
#include "reconcilers/helm/chart_fetcher.h"
#include "reconcilers/helm/chart_spec.h"
#include "reconcilers/helm/chart_values.h"

namespace coracle::reconcilers {

// Everything that a HelmChart refers to outside itself.
class ChartInputs {
 public:
  // `api_ca_pem` is the authority of this cluster's own API server, for charts below its /static/.
  ChartInputs(const kube::Client& client, ChartFetcher& fetcher, std::string api_ca_pem);

  Result<LayeredValues> values(const Context& context, const kube::Object& chart,
                               const std::optional<kube::Object>& config) const;
  // The chart from its content, or from where it is.
  Result<charts::Chart> chart(const Context& context, const kube::Object& chart, const HelmSpec& spec) const;

 private:
  Result<ChartLocation> location(const Context& context, const kube::Object& chart, const HelmSpec& spec) const;
  Result<void> add_authorities(const Context& context, const kube::Object& chart, ChartLocation& location) const;
  Result<void> add_credentials(const Context& context, const kube::Object& chart, ChartLocation& location) const;

  const kube::Client& client_;
  ChartFetcher& fetcher_;
  const std::string api_ca_pem_;
};

}  // namespace coracle::reconcilers
