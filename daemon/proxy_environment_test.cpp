#include "daemon/proxy_environment.h"

#include <catch2/catch.hpp>

namespace coracle::daemon {
namespace {

using Variables = std::map<std::string, std::string, std::less<>>;

Variables proxies(const Variables& given) {
  ServerSettings settings;
  settings.cluster_domain = "cluster.local";
  settings.service_cidr = "10.43.0.0/16";
  settings.cluster_cidrs = {"10.42.0.0/16"};
  const auto found = proxy_environment(
      [&given](std::string_view name) {
        const auto variable = given.find(name);
        return variable == given.end() ? std::nullopt : std::optional<std::string>(variable->second);
      },
      settings);
  return {found.begin(), found.end()};
}

constexpr const char* kDirect = "localhost,127.0.0.0/8,::1,.svc,.cluster.local,10.43.0.0/16,10.42.0.0/16";

}  // namespace

TEST_CASE("calls into the cluster take no proxy") {
  CHECK(proxies({{"HTTPS_PROXY", "http://proxy:3128"}}) ==
        Variables{{"https_proxy", "http://proxy:3128"}, {"no_proxy", kDirect}});
  CHECK(proxies({{"http_proxy", "http://proxy:3128"}, {"no_proxy", "example.com"}})["no_proxy"] ==
        std::string("example.com,") + kDirect);
}

TEST_CASE("a proxy's variable in capitals comes first") {
  Variables found = proxies({{"HTTP_PROXY", "http://a:1"}, {"http_proxy", "http://b:1"}, {"NO_PROXY", "one"}});
  CHECK(found["http_proxy"] == "http://a:1");
  CHECK(found["no_proxy"] == std::string("one,") + kDirect);
}

TEST_CASE("without a proxy the environment stays as it is") {
  CHECK(proxies({{"NO_PROXY", "example.com"}, {"HTTP_PROXY", ""}}).empty());
}

}  // namespace coracle::daemon
