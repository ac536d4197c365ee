#include "kube/apply/three_way.h"

#include <catch2/catch.hpp>

#include "base/executor.h"
#include "base/json/json.h"
#include "kube/client/resources.h"

namespace coracle::kube {
namespace {

// Remembers what is sent.
class RecordingTransport : public Transport {
 public:
  Result<http::Response> send(const Context&, const http::Request& request) override {
    requests.push_back(request);
    return http::Response::text(200, "{}");
  }
  std::vector<http::Request> requests;
};

Value read(std::string_view text) {
  return json::read(text).value();
}

// "application/merge-patch+json {...}", or "nothing".
std::string sent(const ResourceRef& resource, std::string_view last_applied, std::string_view desired,
                 std::string_view live) {
  auto executor = make_thread_executor();
  RecordingTransport transport;
  REQUIRE(patch_three_way(Context(*executor), Client(transport), resource, read(last_applied), Object(read(desired)),
                          Object(read(live)), {.field_manager = "me"})
              .ok());
  if (transport.requests.empty()) return "nothing";
  const http::Request& request = transport.requests.at(0);
  CHECK(request.query == "fieldManager=me");
  return std::string(request.headers.get("Content-Type")) + " " + json::write_sorted(read(request.body));
}

}  // namespace

TEST_CASE("a built-in kind is patched by its merge keys, another one by merging") {
  constexpr std::string_view kLast = R"({"metadata":{"name":"a"},"spec":{"x":"1","ports":[{"port":1}]}})";
  constexpr std::string_view kDesired =
      R"({"metadata":{"name":"a"},"spec":{"ports":[{"port":1},{"port":2,"name":"two"}]}})";
  constexpr std::string_view kLive =
      R"({"metadata":{"name":"a","uid":"u"},"spec":{"x":"1","y":"2","ports":[{"port":1}]}})";
  const ResourceRef boats{{"example.com", "v1", "boats"}, "Boat", true};
  CHECK(sent(boats, kLast, kDesired, kLive) ==
        R"(application/merge-patch+json {"spec":{"ports":[{"port":1},{"name":"two","port":2}],"x":null}})");
  const std::string strategic = sent(resources::services(), kLast, kDesired, kLive);
  CHECK(strategic.starts_with("application/strategic-merge-patch+json "));
  CHECK(strategic.find(R"("ports":[{"name":"two","port":2}])") != std::string::npos);
  for (const ResourceRef& resource : {boats, resources::services()}) {
    CHECK(sent(resource, kDesired, kDesired, kDesired) == "nothing");
  }
}

}  // namespace coracle::kube
