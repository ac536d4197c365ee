#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "base/ip.h"
#include "base/json/json.h"
#include "base/task_group.h"
#include "kube/apiserver/internal/strategies/network/number_pool.h"
#include "kube/apiserver/testing/test_server.h"

// Cluster IPs and node ports over their whole life.
namespace coracle::kube::apiserver::testing {

namespace {

constexpr const char* kServices = "/api/v1/namespaces/default/services";

std::string service_path(const std::string& name) {
  return std::string(kServices) + "/" + name;
}

// `spec`: members of the spec, as JSON without braces.
std::string service_body(const std::string& name, const std::string& spec) {
  return R"({"metadata":{"name":")" + name + R"("},"spec":{)" + spec + "}}";
}

TestServer::Answer make_service(TestServer& server, const std::string& name, const std::string& spec) {
  return server.request("POST", kServices, service_body(name, spec));
}

constexpr const char* kOnePort = R"("ports":[{"port":80}],"selector":{"a":"b"})";

std::string ip_of(const TestServer::Answer& answer) {
  return std::string(answer.tree["spec"]["clusterIP"].as_string());
}

http::Headers patch_headers() {
  http::Headers headers;
  headers.set("Content-Type", "application/merge-patch+json");
  return headers;
}

bool has_address_object(TestServer& server, const std::string& ip) {
  return server.request("GET", "/apis/networking.k8s.io/v1/ipaddresses/" + ip).status == 200;
}

}  // namespace

TEST_CASE("a pool leaves its band to the last", "[strategies]") {
  const auto random = seeded_random(1);
  NumberPool pool(64, NumberPool::band_size(64, 16, 16, 256));
  std::set<std::size_t> numbers;
  for (int i = 0; i < 48; ++i) numbers.insert(*pool.take_any(*random));
  CHECK(numbers.size() == 48);
  CHECK(*numbers.begin() == 16);
  for (int i = 0; i < 15; ++i) CHECK(*pool.take_any(*random, 1) < 16);
  CHECK_FALSE(pool.take_any(*random, 1).has_value());
  CHECK(pool.take(0));
  CHECK_FALSE(pool.take(0));
  pool.release(20);
  CHECK(*pool.take_any(*random) == 20);
  CHECK(NumberPool::band_size(2768, 32, 16, 128) == 86);
  CHECK(NumberPool::band_size(65534, 16, 16, 256) == 256);
  CHECK(NumberPool::band_size(8, 16, 16, 256) == 0);
}

TEST_CASE("a service gets its address and gives it back", "[strategies]") {
  TestServer::run([](TestServer& server) {
    const auto created = make_service(server, "web", kOnePort);
    REQUIRE(created.status == 201);
    const std::string ip = ip_of(created);
    CHECK(ip.starts_with("10.43."));
    CHECK(*ipv4_number(ip) > *ipv4_number("10.43.1.0"));
    const Value& spec = created.tree["spec"];
    CHECK(spec["clusterIPs"] == Value::array({ip}));
    CHECK(spec["ipFamilies"] == Value::array({"IPv4"}));
    CHECK(spec["ipFamilyPolicy"].as_string() == "SingleStack");
    const auto address = server.request("GET", "/apis/networking.k8s.io/v1/ipaddresses/" + ip);
    REQUIRE(address.status == 200);
    CHECK(address.tree["spec"]["parentRef"]["name"].as_string() == "web");
    CHECK(address.tree["metadata"]["labels"]["ipaddress.kubernetes.io/ip-family"].as_string() == "IPv4");
    const auto taken = make_service(server, "other", std::string(kOnePort) + R"(,"clusterIP":")" + ip + "\"");
    CHECK(taken.status == 422);
    CHECK(taken.tree["message"].as_string() == "Service \"other\" is invalid: spec.clusterIPs: Invalid value: [\"" +
                                                   ip + "\"]: failed to allocate IP " + ip +
                                                   ": provided IP is already allocated");
    REQUIRE(server.request("DELETE", service_path("web")).status == 200);
    CHECK_FALSE(has_address_object(server, ip));
    CHECK(ip_of(make_service(server, "other", std::string(kOnePort) + R"(,"clusterIP":")" + ip + "\"")) == ip);
  });
}

TEST_CASE("the API server's own service keeps the first address", "[strategies]") {
  TestServer::run([](TestServer& server) {
    CHECK(ip_of(server.request("GET", service_path("kubernetes"))) == "10.43.0.1");
    CHECK(has_address_object(server, "10.43.0.1"));
    const auto outside = make_service(server, "a", std::string(kOnePort) + R"(,"clusterIP":"10.44.0.9")");
    CHECK(outside.tree["message"].as_string() ==
          "Service \"a\" is invalid: spec.clusterIPs: Invalid value: [\"10.44.0.9\"]: failed to allocate IP 10.44.0.9: "
          "the provided IP (10.44.0.9) is not in the valid range. The range of valid IPs is 10.43.0.0/16");
    CHECK(make_service(server, "a", std::string(kOnePort) + R"(,"clusterIP":"10.43.0.10")").status == 201);
  });
}

TEST_CASE("concurrent services get distinct addresses", "[strategies]") {
  TestServer::run([](TestServer& server) {
    constexpr int kWriters = 8;
    std::set<std::string> ips;
    {
      TaskGroup group(server.context());
      for (int i = 0; i < kWriters; ++i) {
        group.spawn(Lane::Worker, [&server, &ips, i](const Context&) {
          ips.insert(ip_of(make_service(server, "s" + std::to_string(i), kOnePort)));
        });
      }
      group.join();
    }
    CHECK(ips.size() == kWriters);
    CHECK(ips.count("") == 0);
  });
}

TEST_CASE("a restarted server knows who has what", "[strategies]") {
  TestServer::run([](TestServer& server) {
    const auto web = make_service(server, "web", R"("type":"NodePort","ports":[{"port":80,"nodePort":30080}])");
    REQUIRE(web.status == 201);
    server.restart();
    CHECK(ip_of(server.request("GET", service_path("web"))) == ip_of(web));
    CHECK(make_service(server, "b", R"("type":"NodePort","ports":[{"port":80,"nodePort":30080}])").status == 422);
    CHECK(make_service(server, "b", std::string(kOnePort) + R"(,"clusterIP":")" + ip_of(web) + R"(")").status == 422);
    REQUIRE(server.request("DELETE", service_path("web")).status == 200);
    CHECK(make_service(server, "b", R"("type":"NodePort","ports":[{"port":80,"nodePort":30080}])").status == 201);
  });
}

TEST_CASE("dry run and failed writes take nothing", "[strategies]") {
  TestServer::run([](TestServer& server) {
    const std::string fixed = std::string(kOnePort) + R"(,"clusterIP":"10.43.9.9")";
    const auto dry = server.request("POST", std::string(kServices) + "?dryRun=All", service_body("web", fixed));
    CHECK(dry.status == 201);
    CHECK_FALSE(has_address_object(server, "10.43.9.9"));
    REQUIRE(make_service(server, "web", kOnePort).status == 201);
    CHECK(make_service(server, "web", fixed).status == 409);
    CHECK_FALSE(has_address_object(server, "10.43.9.9"));
    CHECK(make_service(server, "free", fixed).status == 201);
  });
}

TEST_CASE("node ports", "[strategies]") {
  TestServer::run([](TestServer& server) {
    const auto dynamic = make_service(
        server, "dns", R"("type":"NodePort","ports":[{"name":"t","port":53},{"name":"u","port":53,"protocol":"UDP"}])");
    REQUIRE(dynamic.status == 201);
    const std::int64_t port = dynamic.tree["spec"]["ports"].at(0)["nodePort"].as_int();
    CHECK(port >= 30086);
    CHECK(port <= 32767);
    CHECK(dynamic.tree["spec"]["ports"].at(1)["nodePort"].as_int() == port);
    const auto clash =
        make_service(server, "b", R"("type":"NodePort","ports":[{"port":80,"nodePort":)" + std::to_string(port) + "}]");
    CHECK(clash.tree["message"].as_string() == "Service \"b\" is invalid: spec.ports[0].nodePort: Invalid value: " +
                                                   std::to_string(port) + ": provided port is already allocated");
    const auto range = make_service(server, "b", R"("type":"NodePort","ports":[{"port":80,"nodePort":80}])");
    CHECK(range.tree["message"].as_string() ==
          "Service \"b\" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid "
          "range. The range of valid ports is 30000-32767");
    // The address that the refused service had for a moment is free again.
    CHECK(server.request("GET", "/apis/networking.k8s.io/v1/ipaddresses").tree["items"].size() == 2);
    REQUIRE(server.request("DELETE", service_path("dns")).status == 200);
    CHECK(
        make_service(server, "b", R"("type":"NodePort","ports":[{"port":80,"nodePort":)" + std::to_string(port) + "}]")
            .status == 201);
  });
}

TEST_CASE("an update keeps what was allocated", "[strategies]") {
  TestServer::run([](TestServer& server) {
    const auto created = make_service(server, "web", R"("type":"NodePort","ports":[{"name":"http","port":80}])");
    REQUIRE(created.status == 201);
    const auto put = server.request("PUT", service_path("web"),
                                    service_body("web", R"("type":"NodePort","ports":[{"name":"http","port":81}])"));
    REQUIRE(put.status == 200);
    CHECK(ip_of(put) == ip_of(created));
    CHECK(put.tree["spec"]["ports"].at(0)["nodePort"] == created.tree["spec"]["ports"].at(0)["nodePort"]);
    const auto moved =
        server.request("PATCH", service_path("web"), R"({"spec":{"clusterIP":"10.43.7.7"}})", patch_headers());
    CHECK(moved.status == 422);
    CHECK(moved.tree["message"].as_string() ==
          "Service \"web\" is invalid: spec.clusterIPs[0]: Invalid value: [\"10.43.7.7\"]: may not change once set");
  });
}

TEST_CASE("a changed type drops and takes what it needs", "[strategies]") {
  TestServer::run([](TestServer& server) {
    const auto created = make_service(server, "web", R"("type":"NodePort","ports":[{"port":80}])");
    const std::string ip = ip_of(created);
    const auto plain =
        server.request("PATCH", service_path("web"), R"({"spec":{"type":"ClusterIP"}})", patch_headers());
    REQUIRE(plain.status == 200);
    CHECK(ip_of(plain) == ip);
    CHECK_FALSE(plain.tree["spec"]["ports"].at(0).contains("nodePort"));
    CHECK_FALSE(plain.tree["spec"].contains("externalTrafficPolicy"));
    const auto name =
        server.request("PATCH", service_path("web"),
                       R"({"spec":{"type":"ExternalName","externalName":"a.example.com"}})", patch_headers());
    REQUIRE(name.status == 200);
    CHECK_FALSE(name.tree["spec"].contains("clusterIP"));
    CHECK_FALSE(name.tree["spec"].contains("ipFamilies"));
    CHECK_FALSE(has_address_object(server, ip));
    const auto back = server.request("PATCH", service_path("web"), R"({"spec":{"type":"ClusterIP"}})", patch_headers());
    REQUIRE(back.status == 200);
    CHECK(has_address_object(server, ip_of(back)));
  });
}

TEST_CASE("load balancers with local traffic have a health check port", "[strategies]") {
  TestServer::run([](TestServer& server) {
    const auto created =
        make_service(server, "lb", R"("type":"LoadBalancer","externalTrafficPolicy":"Local","ports":[{"port":80}])");
    REQUIRE(created.status == 201);
    CHECK(created.tree["spec"]["healthCheckNodePort"].as_int() >= 30086);
    CHECK(created.tree["spec"]["allocateLoadBalancerNodePorts"].as_bool());
    const auto none = make_service(
        server, "quiet", R"("type":"LoadBalancer","allocateLoadBalancerNodePorts":false,"ports":[{"port":80}])");
    REQUIRE(none.status == 201);
    CHECK_FALSE(none.tree["spec"]["ports"].at(0).contains("nodePort"));
  });
}

TEST_CASE("headless services and external names", "[strategies]") {
  TestServer::run([](TestServer& server) {
    const auto headless = make_service(server, "h", R"("clusterIP":"None","selector":{"a":"b"})");
    REQUIRE(headless.status == 201);
    CHECK(headless.tree["spec"]["clusterIPs"] == Value::array({"None"}));
    CHECK(headless.tree["spec"]["ipFamilyPolicy"].as_string() == "SingleStack");
    const auto open = make_service(server, "o", R"("clusterIP":"None")");
    REQUIRE(open.status == 201);
    CHECK(open.tree["spec"]["ipFamilyPolicy"].as_string() == "RequireDualStack");
    CHECK(open.tree["spec"]["ipFamilies"] == Value::array({"IPv4", "IPv6"}));
    const auto name = make_service(server, "n", R"("type":"ExternalName","externalName":"example.com")");
    REQUIRE(name.status == 201);
    CHECK_FALSE(name.tree["spec"].contains("clusterIP"));
    CHECK_FALSE(name.tree["spec"].contains("ipFamilyPolicy"));
  });
}

TEST_CASE("what a service may not say", "[strategies]") {
  struct Row {
    const char* spec;
    const char* message;
  };
  const Row rows[] = {
      {R"("selector":{"a":"b"})", "spec.ports: Required value"},
      {R"("ports":[{"port":80},{"port":81}])",
       "[spec.ports[0].name: Required value, spec.ports[1].name: Required value]"},
      {R"("ports":[{"port":80,"nodePort":30000}])",
       "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"},
      {R"("ports":[{"name":"a","port":80},{"name":"a","port":81}])", "spec.ports[1].name: Duplicate value: \"a\""},
      {R"("ports":[{"port":0,"targetPort":80}])",
       "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"},
      {R"("ports":[{"port":80}],"ipFamilyPolicy":"RequireDualStack")",
       "spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": this cluster is not configured for dual-stack "
       "services"},
      {R"("ports":[{"port":80}],"clusterIP":"x")",
       "spec.clusterIPs[0]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"},
      {R"("ports":[{"port":80}],"type":"NodePort","clusterIP":"None")",
       "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"},
      {R"("type":"ExternalName")", "spec.externalName: Required value"},
  };
  TestServer::run([&](TestServer& server) {
    for (const Row& row : rows) {
      const auto answer = make_service(server, "s", row.spec);
      CHECK(answer.status == 422);
      CHECK(answer.tree["message"].as_string() == std::string("Service \"s\" is invalid: ") + row.message);
    }
    CHECK(server.request("GET", "/apis/networking.k8s.io/v1/ipaddresses").tree["items"].size() == 1);
  });
}

}  // namespace coracle::kube::apiserver::testing
