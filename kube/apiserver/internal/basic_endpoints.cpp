#include "kube/apiserver/internal/basic_endpoints.h"

#include "base/json/json.h"
#include "kube/apiserver/internal/responses.h"

namespace coracle::kube::apiserver {

namespace {

http::Response json_document(const Value& tree) {
  return http::Response::text(200, json::write_pretty(tree), "application/json");
}

Value version_document(const Options& options) {
#if defined(__aarch64__)
  const char* platform = "linux/arm64";
#else
  const char* platform = "linux/amd64";
#endif
  return Value::object({{"major", "1"},
                        {"minor", "36"},
                        {"emulationMajor", "1"},
                        {"emulationMinor", "36"},
                        {"minCompatibilityMajor", "1"},
                        {"minCompatibilityMinor", "35"},
                        {"gitVersion", options.git_version},
                        {"gitCommit", options.git_commit},
                        {"gitTreeState", "clean"},
                        {"buildDate", options.build_date},
                        {"goVersion", ""},
                        {"compiler", "gc"},
                        {"platform", platform}});
}

}  // namespace

void add_basic_endpoints(EndpointTable& endpoints, const Options& options) {
  const EndpointHandler version = [&options](RequestScope& scope) -> Result<http::Response> {
    TRY(only_gets(scope));
    return json_document(version_document(options));
  };
  endpoints.set_exact("/version", version);
  endpoints.set_exact("/version/", version);
  endpoints.set_exact("/", [&endpoints](RequestScope&) -> Result<http::Response> {
    Value::ArrayBuilder paths;
    for (const std::string& path : endpoints.paths()) paths.add(path);
    return json_document(Value::object({{"paths", std::move(paths).build()}}));
  });
}

}  // namespace coracle::kube::apiserver
