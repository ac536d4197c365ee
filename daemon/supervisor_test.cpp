#include "daemon/supervisor.h"

#include <catch2/catch.hpp>

#include "base/executor.h"

namespace coracle::daemon {
namespace {

class Teapot : public http::Handler {
 public:
  http::Response handle(const Context&, const http::Request&) override { return http::Response::text(418, "next"); }
};

}  // namespace

TEST_CASE("the supervisor serves its own paths and hands on the rest") {
  auto executor = make_thread_executor();
  const Context context(*executor);
  auto files = make_memory_file_system(*executor);
  REQUIRE(files->make_directories("/data/static/charts", 0755).ok());
  REQUIRE(files->write_file_atomic("/data/static/charts/a.tgz", "chart", 0644).ok());
  REQUIRE(files->write_file_atomic("/data/secret", "secret", 0600).ok());
  REQUIRE(files->make_link("/data/secret", "/data/static/link").ok());
  Teapot next;
  const auto supervisor = make_supervisor(next, *files, {"SERVER CA", "CLIENT CA", "/data/static"});
  const auto get = [&](std::string path) {
    http::Request request;
    request.method = "GET";
    request.path = std::move(path);
    const http::Response response = supervisor->handle(context, request);
    return std::to_string(response.status) + " " + response.body_text();
  };
  CHECK(get("/ping") == "200 pong");
  CHECK(get("/cacerts") == "200 SERVER CA");
  CHECK(get("/v1-k3s/client-ca.crt") == "200 CLIENT CA");
  CHECK(get("/static/charts/a.tgz") == "200 chart");
  CHECK(get("/api/v1/pods") == "418 next");
  for (const char* outside :
       {"/static/../secret", "/static/%2e%2e/secret", "/static/link", "/static/none", "/static/"}) {
    INFO(outside);
    CHECK(get(outside).starts_with("404"));
  }
  CHECK(get("/v1-k3s/connect").starts_with("501"));
}

}  // namespace coracle::daemon
