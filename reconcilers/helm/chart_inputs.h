#pragma once

#include <optional>
#include <string>

#include "base/context.h"
#include "base/result.h"
#include "charts/chart.h"
#include "kube/client/client.h"
#include "reconcilers/helm/chart_fetcher.h"
#include "reconcilers/helm/chart_spec.h"
#include "reconcilers/helm/chart_turns.h"
#include "reconcilers/helm/chart_values.h"

namespace coracle::reconcilers {

// Everything that a HelmChart refers to outside itself.
class ChartInputs {
 public:
  // `api_ca_pem` is the authority of this cluster's own API server, for charts below its /static/.
  ChartInputs(const kube::Client& client, ChartFetcher& fetcher, std::string api_ca_pem);

  Result<LayeredValues> values(const Context& context, const kube::Object& chart,
                               const std::optional<kube::Object>& config) const;
  // Where the chart is, when it is not in spec.chartContent.
  Result<ChartLocation> location(const Context& context, const kube::Object& chart, const HelmSpec& spec) const;
  static Result<charts::Chart> from_content(const HelmSpec& spec);
  // Downloads it within spec.timeout; ends with Canceled when the turn is outdated.
  Result<charts::Chart> fetch(const Context& context, ChartTurns::Turn& turn, const HelmSpec& spec,
                              const ChartLocation& from) const;

 private:
  Result<void> add_authorities(const Context& context, const kube::Object& chart, http::Remote& remote) const;
  Result<void> add_credentials(const Context& context, const kube::Object& chart, http::Remote& remote) const;

  const kube::Client& client_;
  ChartFetcher& fetcher_;
  const std::string api_ca_pem_;
};

}  // namespace coracle::reconcilers
