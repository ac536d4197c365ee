#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/metrics.h"
#include "kube/apiserver/internal/endpoint_table.h"
#include "kube/apiserver/internal/handler_chain.h"

namespace coracle::kube::apiserver {

// What dashboards know of upstream's API server: apiserver_request_total and its durations, by verb
// and resource. Thread-safe.
class RequestMetrics {
 public:
  explicit RequestMetrics(MetricRegistry& registry) : registry_(registry) {}

  void observe(const RequestRecord& record);

 private:
  struct Instruments {
    Counter* total = nullptr;
    Histogram* duration = nullptr;
  };
  Instruments make(const RequestRecord& record, const std::string& verb) const;

  MetricRegistry& registry_;
  std::mutex mutex_;
  std::unordered_map<std::string, Instruments> known_;  // by everything that makes up the labels
};

// GET /metrics in Prometheus' text format. `registry` outlives the handler.
void add_metrics_endpoint(EndpointTable& endpoints, MetricRegistry& registry);

}  // namespace coracle::kube::apiserver
