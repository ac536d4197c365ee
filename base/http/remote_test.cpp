#include "base/http/remote.h"

#include <catch2/catch.hpp>

#include "base/http/testing/support.h"

namespace coracle::http {
namespace {

using testing::TestServer;

constexpr std::string_view kBasic = "Basic cm9ib3Q6Ymx1ZQ==";  // robot:blue

Remote remote_at(std::string url) {
  Remote remote;
  remote.url = std::move(url);
  remote.username = "robot";
  remote.password = "blue";
  return remote;
}

// Leads from /<status> to /end, and tells with whose credentials it was asked.
Response leading(const Context&, const Request& request) {
  const std::string_view credentials = request.headers.get("Authorization");
  if (request.path == "/end") return Response::text(200, request.method + " " + std::string(credentials));
  Response response = Response::text(std::stoi(request.path.substr(1)), "");
  response.headers.add("Location", request.path == "/308" ? "/308" : request.path == "/307" ? "gopher://x/" : "/end");
  return response;
}

}  // namespace

TEST_CASE("a user in the URL counts where there are no other credentials") {
  Remote remote;
  remote.url = "https://robot:bl%75e@example.com/x";
  CHECK(without_user(remote).url == "https://example.com/x");
  CHECK(without_user(remote).username == "robot");
  CHECK(without_user(remote).password == "blue");
  remote.bearer_token = "token";
  CHECK(without_user(remote).url == "https://example.com/x");
  CHECK(without_user(remote).username.empty());
}

TEST_CASE("credentials are for the origin that they were given for") {
  Remote remote = remote_at("https://example.com/x");
  CHECK(authorization_for(remote, "https://example.com/y/z") == kBasic);
  CHECK(authorization_for(remote, "https://example.com:8443/x").empty());
  CHECK(authorization_for(remote, "https://charts.example.com/x").empty());
  CHECK(authorization_for(remote, "http://example.com/x").empty());
  remote.bearer_token = "token";
  CHECK(authorization_for(remote, "https://example.com/x") == "Bearer token");
  CHECK(authorization_for(Remote{}, "https://example.com/x").empty());
}

TEST_CASE("credentials that are passed on stay encrypted where they were") {
  Remote remote = remote_at("https://example.com/x");
  remote.pass_credentials = true;
  CHECK(authorization_for(remote, "https://other.example.com/x") == kBasic);
  CHECK(authorization_for(remote, "http://other.example.com/x").empty());
  CHECK(authorization_for(remote, "http://example.com/x").empty());
  remote.url = "http://example.com/x";
  CHECK(authorization_for(remote, "http://other.example.com/x") == kBasic);
}

TEST_CASE("answers are followed where they lead to") {
  TestServer server(leading, false);
  const auto client = make_client();
  const Remote remote = remote_at(server.url("/"));
  for (const char* path : {"/301", "/302", "/303"}) {
    const RemoteAnswer answer =
        ask(server.context(), *client, remote, server.url(path), testing::make_request()).value();
    CHECK(answer.url == server.url("/end"));
    CHECK(answer.incoming->read(server.context()).value() == "GET " + std::string(kBasic));
  }
  // Not every status below 400 leads on.
  for (const int status : {300, 304}) {
    const RemoteAnswer answer =
        ask(server.context(), *client, remote, server.url("/" + std::to_string(status)), testing::make_request())
            .value();
    CHECK(answer.incoming->status() == status);
  }
  const auto round = ask(server.context(), *client, remote, server.url("/308"), testing::make_request());
  REQUIRE_FALSE(round.ok());
  CHECK(round.error().message() == "more than 10 redirects from " + server.url("/"));
}

TEST_CASE("whose fault a bad URL is says the reason") {
  TestServer server(leading, false);
  const auto client = make_client();
  const Remote remote = remote_at(server.url("/"));
  const auto own = ask(server.context(), *client, remote, "ftp://robot:blue@x/", testing::make_request());
  REQUIRE_FALSE(own.ok());
  CHECK(own.error().reason() == Reason::BadRequest);
  CHECK(own.error().message() == "\"ftp://x/\": expected a URL with http:// or https://");
  const auto theirs = ask(server.context(), *client, remote, server.url("/307"), testing::make_request());
  REQUIRE_FALSE(theirs.ok());
  CHECK(theirs.error().reason() == Reason::Unavailable);
}

TEST_CASE("a rule may refuse to be led on") {
  TestServer server(leading, false);
  const auto client = make_client();
  const auto refused = ask(server.context(), *client, remote_at(server.url("/")), server.url("/302"),
                           testing::make_request(), [&](const Redirect& redirect) -> Result<void> {
                             CHECK(redirect.from == server.url("/302"));
                             return unavailable(redirect.text());
                           });
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message() == "302 redirect to " + server.url("/end"));
}

}  // namespace coracle::http
