#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/metrics.h"
#include "kube/apiserver/internal/endpoint_table.h"
#include "kube/apiserver/internal/handler_chain.h"

namespace coracle::kube::apiserver {

// What dashboards know of upstream's API server: apiserver_request_total and its durations, by verb
// and resource. What is not served is counted without a name: whoever sends requests, and need not even be
// authenticated, could invent any number of them. Thread-safe.
class RequestMetrics {
 public:
  // Whether a request for a resource names one, and a subresource, that is served.
  using IsServed = std::function<bool(const RequestInfo&)>;

  RequestMetrics(MetricRegistry& registry, IsServed is_served)
      : registry_(registry), is_served_(std::move(is_served)) {}

  void observe(const RequestRecord& record);

 private:
  struct Instruments {
    Counter* total = nullptr;
    Histogram* duration = nullptr;
  };
  // `known`: what is asked for is served, and named.
  Instruments make(const RequestRecord& record, const std::string& verb, bool known) const;

  MetricRegistry& registry_;
  const IsServed is_served_;
  std::mutex mutex_;
  std::unordered_map<std::string, Instruments> known_;  // by everything that makes up the labels
};

// GET /metrics in Prometheus' text format. `registry` outlives the handler.
void add_metrics_endpoint(EndpointTable& endpoints, MetricRegistry& registry);

}  // namespace coracle::kube::apiserver
