#include "kube/apiserver/internal/request_metrics.h"

#include <algorithm>
#include <cctype>

#include "base/assert.h"

namespace coracle::kube::apiserver {

namespace {

constexpr double kDurationBounds[] = {0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1,  1.25, 1.5, 2,
                                      3,     4,     5,    6,   8,   10,  15,  20,  30, 45,   60};
constexpr std::string_view kMethods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};

std::string metric_method(const std::string& method) {
  return std::find(std::begin(kMethods), std::end(kMethods), method) == std::end(kMethods) ? "other" : method;
}

std::string metric_verb(const RequestScope& scope) {
  const RequestInfo& info = scope.info;
  if (!info.resource_request) return metric_method(scope.request.method);
  if (info.verb == "list" || info.verb == "watch" || info.verb == "deletecollection") {
    std::string verb = info.verb;
    std::transform(verb.begin(), verb.end(), verb.begin(), [](unsigned char c) { return std::toupper(c); });
    return verb;
  }
  if (info.subresource == "proxy" || info.subresource == "exec" || info.subresource == "attach" ||
      info.subresource == "portforward") {
    return "CONNECT";
  }
  const bool apply = scope.request.headers.get("Content-Type").starts_with("application/apply-patch");
  return info.verb == "patch" && apply ? "APPLY" : metric_method(scope.request.method);
}

std::string metric_scope(const RequestInfo& info) {
  if (!info.resource_request) return "";
  if (!info.name.empty() || info.verb == "create") return "resource";
  return info.namespace_.empty() ? "cluster" : "namespace";
}

}  // namespace

RequestMetrics::Instruments RequestMetrics::make(const RequestRecord& record, const std::string& verb,
                                                 bool known) const {
  const RequestInfo& info = record.scope.info;
  const auto named = [&](const std::string& label) { return known ? label : std::string(); };
  const std::string dry_run = record.scope.query.get("dryRun") == "All" ? "All" : "";
  MetricLabels labels = {{"component", "apiserver"},
                         {"dry_run", dry_run},
                         {"group", named(info.group)},
                         {"resource", named(info.resource)},
                         {"scope", metric_scope(info)},
                         {"subresource", named(info.resource_request ? info.subresource : info.path)},
                         {"verb", verb},
                         {"version", named(info.version)}};
  Instruments made;
  made.duration = &registry_.histogram("apiserver_request_duration_seconds",
                                       "Response latency by verb, group, version, resource, subresource and scope.",
                                       kDurationBounds, labels);
  labels.insert(labels.begin(), {"code", std::to_string(record.status)});
  made.total = &registry_.counter("apiserver_request_total", "Requests by verb, resource and HTTP code.", labels);
  return made;
}

void RequestMetrics::observe(const RequestRecord& record) {
  const RequestInfo& info = record.scope.info;
  const std::string verb = metric_verb(record.scope);
  std::string key = verb + ' ' + std::to_string(record.status) + ' ' + info.group + '/' + info.version + '/' +
                    info.resource + '/' + info.subresource + '/' + metric_scope(info);
  if (record.scope.query.has("dryRun")) key += '?';
  if (!info.resource_request) key += info.path;
  Instruments instruments;
  {
    std::lock_guard lock(mutex_);
    const auto found = known_.find(key);
    if (found != known_.end()) instruments = found->second;
  }
  if (instruments.total == nullptr) {
    const bool known = info.resource_request ? is_served_(info) : record.status < 400;
    instruments = make(record, verb, known);
    std::lock_guard lock(mutex_);
    // What is not served is the client's to invent: it takes no place.
    if (known && known_.size() < MetricRegistry::kMaxSeriesPerName) known_.emplace(std::move(key), instruments);
  }
  instruments.total->add();
  if (info.verb == "watch") return;
  instruments.duration->observe(std::chrono::duration<double>(record.elapsed).count());
}

void add_metrics_endpoint(EndpointTable& endpoints, MetricRegistry& registry) {
  Gauge& bugs = registry.gauge("coracle_bugs", "Mistakes of the program itself that it has met and survived.");
  endpoints.set_exact("/metrics", [&registry, &bugs](RequestScope&) -> Result<http::Response> {
    bugs.set(static_cast<double>(bug_count()));
    return http::Response::text(200, registry.print(), "text/plain; version=0.0.4; charset=utf-8");
  });
}

}  // namespace coracle::kube::apiserver
