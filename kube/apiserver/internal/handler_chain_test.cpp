#include "kube/apiserver/internal/handler_chain.h"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "base/json/json.h"
#include "base/sim_executor.h"
#include "base/sync.h"

namespace coracle::kube::apiserver {

namespace {

class OneToken : public Authenticator {
 public:
  Result<std::optional<Identity>> authenticate(const Context&, const http::Request& request) override {
    const std::string_view token = request.headers.get("Authorization");
    if (token.empty()) return std::optional<Identity>();
    if (token != "Bearer good") return Error(Reason::Unauthorized, "invalid bearer token");
    Identity who;
    who.user = "alice";
    return std::optional<Identity>(std::move(who));
  }
};

class AllButSecrets : public Authorizer {
 public:
  Decision authorize(const Context&, const Identity&, const Attributes& what) override {
    return {what.resource == "secrets" ? Decision::Outcome::NoOpinion : Decision::Outcome::Allow, ""};
  }
  std::vector<PolicyRule> rules_for(const Context&, const Identity&, std::string_view, bool&) override { return {}; }
};

struct Chain {
  explicit Chain(SimExecutor& executor, EndpointHandler endpoint, InflightLimits limits = {}) {
    ChainParts parts{
        executor, authenticator, authorizer, {}, std::move(endpoint), {}, limits, Logger(null_log_sink(), "chain")};
    handler = make_handler_chain(std::move(parts));
  }
  http::Response ask(SimExecutor& executor, std::string path, std::string query = {},
                     std::string token = "Bearer good") const {
    http::Request request;
    request.method = "GET";
    request.path = std::move(path);
    request.query = std::move(query);
    if (!token.empty()) request.headers = {{"Authorization", std::move(token)}};
    return handler->handle(Context(executor), request);
  }

  OneToken authenticator;
  AllButSecrets authorizer;
  std::unique_ptr<http::Handler> handler;
};

Value status_in(const http::Response& response) {
  auto tree = json::read(response.body_text());
  return tree.ok() ? *tree : Value();
}

void with_executor(const std::function<void(SimExecutor&)>& test) {
  const auto executor = SimExecutor::make(1, WallTime{});
  executor->run([&] { test(*executor); });
}

}  // namespace

TEST_CASE("the chain authenticates and authorizes before it answers", "[handler_chain]") {
  with_executor([](SimExecutor& executor) {
    const Chain chain(executor, [](RequestScope& scope) -> Result<http::Response> {
      return http::Response::text(200, scope.who().user);
    });
    CHECK(chain.ask(executor, "/api/v1/pods").body_text() == "alice");
    CHECK(chain.ask(executor, "/api/v1/pods", "", "Bearer bad").status == 401);
    CHECK(status_in(chain.ask(executor, "/api/v1/pods", "", ""))["message"].as_string() == "Unauthorized");
    const http::Response refused = chain.ask(executor, "/api/v1/namespaces/d/secrets/s");
    CHECK(refused.status == 403);
    CHECK_FALSE(refused.headers.get("Audit-Id").empty());
  });
}

TEST_CASE("an exception ends one request", "[handler_chain]") {
  with_executor([](SimExecutor& executor) {
    const Chain chain(executor, [](RequestScope&) -> Result<http::Response> { throw std::runtime_error("boom"); });
    const http::Response response = chain.ask(executor, "/api/v1/pods");
    CHECK(response.status == 500);
    CHECK(status_in(response)["message"].as_string() == "Internal error occurred: boom");
  });
}

TEST_CASE("warnings become headers, each once", "[handler_chain]") {
  with_executor([](SimExecutor& executor) {
    const Chain chain(executor, [](RequestScope& scope) -> Result<http::Response> {
      scope.warnings.add("unknown field \"a\"");
      scope.warnings.add("unknown field \"a\"");
      scope.warnings.add("line\nbreak");
      return http::Response::text(200, "");
    });
    const http::Response response = chain.ask(executor, "/api/v1/pods");
    const auto warnings = response.headers.all("Warning");
    REQUIRE(warnings.size() == 2);
    CHECK(warnings[0] == "299 - \"unknown field \\\"a\\\"\"");
    CHECK(warnings[1] == "299 - \"linebreak\"");
  });
}

TEST_CASE("requests beyond the limit are sent away, watches are not counted", "[handler_chain]") {
  with_executor([](SimExecutor& executor) {
    Event go(executor);
    int running = 0;
    const Chain chain(executor,
                      [&](RequestScope& scope) -> Result<http::Response> {
                        if (scope.info.verb == "watch") return http::Response::text(200, "");
                        ++running;
                        TRY(go.wait(scope.context));
                        return http::Response::text(200, "");
                      },
                      {1, 1});
    executor.post(Lane::Worker, [&] { chain.ask(executor, "/api/v1/pods"); });
    while (running == 0) executor.yield();
    const http::Response busy = chain.ask(executor, "/api/v1/pods");
    CHECK(busy.status == 429);
    CHECK(busy.headers.get("Retry-After") == "1");
    CHECK(chain.ask(executor, "/api/v1/pods", "watch=1").status == 200);
    go.set();
    for (int i = 0; i < 10; ++i) executor.yield();
    CHECK(chain.ask(executor, "/api/v1/pods").status == 200);
  });
}

TEST_CASE("a request ends with its time-out", "[handler_chain]") {
  with_executor([](SimExecutor& executor) {
    const Chain chain(executor, [](RequestScope& scope) -> Result<http::Response> {
      TRY(scope.context.sleep(std::chrono::hours(1)));
      return http::Response::text(200, "");
    });
    const http::Response response = chain.ask(executor, "/api/v1/pods", "timeout=5s");
    CHECK(response.status == 504);
    CHECK(status_in(response)["message"].as_string() ==
          "Timeout: request did not complete within the allotted timeout");
    CHECK(chain.ask(executor, "/api/v1/pods", "timeout=abc").status == 400);
  });
}

}  // namespace coracle::kube::apiserver
