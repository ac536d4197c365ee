#include "daemon/proxy_environment.h"

#include <vector>

#include "base/text.h"

namespace coracle::daemon {

std::map<std::string, std::string> proxy_environment(
    const std::function<std::optional<std::string>(std::string_view)>& environment, const ServerSettings& settings) {
  const auto either = [&environment](std::string_view capitals) {
    const std::optional<std::string> value = environment(capitals);
    return value && !value->empty() ? *value : environment(to_lower(capitals)).value_or("");
  };
  std::map<std::string, std::string> found;
  for (const std::string_view name : {"HTTP_PROXY", "HTTPS_PROXY"}) {
    if (std::string value = either(name); !value.empty()) found[to_lower(name)] = std::move(value);
  }
  if (found.empty()) return found;
  std::vector<std::string> direct = {"localhost",          "127.0.0.0/8", "::1", ".svc", "." + settings.cluster_domain,
                                     settings.service_cidr};
  direct.insert(direct.end(), settings.cluster_cidrs.begin(), settings.cluster_cidrs.end());
  if (const std::string given = either("NO_PROXY"); !given.empty()) direct.insert(direct.begin(), given);
  found["no_proxy"] = join(direct, ",");
  return found;
}

}  // namespace coracle::daemon
