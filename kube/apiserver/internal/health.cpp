#include "kube/apiserver/internal/health.h"

#include <algorithm>
#include <set>

#include "kube/apiserver/internal/responses.h"

namespace coracle::kube::apiserver {

void Health::add(std::string name, Check check, unsigned probes) {
  std::lock_guard lock(mutex_);
  entries_.push_back({std::move(name), std::move(check), probes});
}

std::vector<Health::Entry> Health::entries(Probe probe) const {
  std::lock_guard lock(mutex_);
  std::vector<Entry> wanted;
  for (const Entry& entry : entries_) {
    if ((entry.probes & probe) != 0) wanted.push_back(entry);
  }
  return wanted;
}

http::Response Health::answer(const RequestScope& scope, std::string_view path, Probe probe) const {
  const std::string_view rest = std::string_view(scope.request.path).substr(path.size());
  const std::string_view one = rest.starts_with('/') ? rest.substr(1) : std::string_view();
  std::set<std::string, std::less<>> excluded;
  for (std::string_view name : scope.query.all("exclude")) excluded.emplace(name);

  std::string text;
  bool failed = false, found = false;
  for (const Entry& entry : entries(probe)) {
    if (!one.empty() && entry.name != one) continue;
    found = true;
    if (excluded.erase(entry.name) > 0) {
      text += "[+]" + entry.name + " excluded: ok\n";
      continue;
    }
    const std::string problem = entry.check();
    failed = failed || !problem.empty();
    // Why it failed may tell secrets of the machine; the log has it.
    text += problem.empty() ? "[+]" + entry.name + " ok\n" : "[-]" + entry.name + " failed: reason withheld\n";
  }
  if (!one.empty() && !found) return page_not_found();
  const std::string name(path.substr(1));
  for (const std::string& unknown : excluded) {
    text += "warn: some health checks cannot be excluded: no matches for \"" + unknown + "\"\n";
  }
  http::Response response;
  if (failed) {
    response = http::Response::text(
        500, (one.empty() ? text + name + " check failed" : "internal server error: " + text) + "\n");
  } else if (scope.query.has("verbose") && one.empty()) {
    response = http::Response::text(200, text + name + " check passed\n");
  } else {
    response = http::Response::text(200, "ok");
  }
  response.headers.set("X-Content-Type-Options", "nosniff");
  return response;
}

void Health::add_endpoints(EndpointTable& endpoints) {
  struct Path {
    const char* path;
    Probe probe;
  };
  for (const Path& each : {Path{"/healthz", kHealthz}, Path{"/livez", kLivez}, Path{"/readyz", kReadyz}}) {
    endpoints.set_prefix(each.path, [this, each](RequestScope& scope) -> Result<http::Response> {
      return answer(scope, each.path, each.probe);
    });
  }
}

}  // namespace coracle::kube::apiserver
