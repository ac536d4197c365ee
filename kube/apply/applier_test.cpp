#include "kube/apply/applier.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/executor.h"
#include "base/json/json.h"
#include "base/text.h"

namespace coracle::kube {
namespace {

std::string entry(std::string_view manager, std::string_view operation, std::string_view fields,
                  std::string_view more = "") {
  return R"({"manager":")" + std::string(manager) + R"(","operation":")" + std::string(operation) +
         R"(","apiVersion":"v1","fieldsV1":)" + std::string(fields) + std::string(more) + "}";
}

// What is left of entries when "kustomize-controller" has taken over from kubectl.
std::string after_take_over(std::initializer_list<std::string> entries) {
  const std::optional<Value> taken = taken_over(json::read("[" + join(entries, ",") + "]").value(),
                                                {"kubectl", "before-first-apply"}, "kustomize-controller");
  return taken ? json::write_sorted(*taken) : "nothing";
}

std::string as_written(std::initializer_list<std::string> entries) {
  return json::write_sorted(json::read("[" + join(entries, ",") + "]").value());
}

// A server that has the Widget "a" and serves its kind at some versions.
class WidgetServer : public Transport {
 public:
  std::vector<std::string> versions = {"v1", "v1alpha1"};
  bool there = true;
  std::string owner = "us";  // its revision tells
  bool taken_over = false;   // by another, before the next deletion

  Result<http::Response> send(const Context&, const http::Request& request) override {
    if (request.path == "/api" || request.path == "/apis") return discovery(request.path == "/apis");
    const bool served = std::any_of(versions.begin(), versions.end(), [&request](const std::string& version) {
      return request.path == "/apis/ex.io/" + version + "/widgets/a";
    });
    if (!served) return not_found("");
    if (!there) return not_found(R"(,"details":{"name":"a","group":"ex.io","kind":"widgets"})");
    if (request.method == "DELETE") {
      const Value expected = json::read(request.body).value()["preconditions"];
      if (std::exchange(taken_over, false)) owner = "other";
      if (expected["resourceVersion"].as_string() != owner) {
        return http::Response::text(
            409, R"({"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Conflict","code":409})",
            "application/json");
      }
      there = false;
    }
    return http::Response::text(200, R"({"apiVersion":"ex.io/v1","kind":"Widget","metadata":{"name":"a","uid":"u",)"
                                     R"("resourceVersion":")" +
                                         owner + R"("}})");
  }

 private:
  http::Response discovery(bool groups) const {
    std::vector<std::string> served;
    for (const std::string& version : versions) {
      served.push_back(R"({"version":")" + version + R"(","resources":[{"resource":"widgets","scope":"Cluster",)" +
                       R"("responseKind":{"kind":"Widget"},"verbs":["get"]}]})");
    }
    const std::string group = R"({"metadata":{"name":"ex.io"},"versions":[)" + join(served, ",") + "]}";
    return http::Response::text(
        200, R"({"kind":"APIGroupDiscoveryList","items":[)" + std::string(groups ? group : "") + "]}");
  }
  static http::Response not_found(std::string_view details) {
    return http::Response::text(
        404, R"({"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","message":"no",)"
             R"("code":404)" +
                 std::string(details) + "}");
  }
};

}  // namespace

TEST_CASE("fields that are taken over become one entry with our own") {
  const std::string ours = entry("kustomize-controller", "Apply", R"({"f:data":{"f:a":{}}})");
  const std::string other = entry("helm", "Update", R"({"f:data":{"f:h":{}}})");
  CHECK(after_take_over({ours, entry("kubectl", "Apply", R"({"f:data":{"f:a":{},"f:b":{}}})"), other,
                         entry("kubectl-edit", "Update", R"({"f:metadata":{"f:labels":{}}})")}) ==
        as_written({other, entry("kustomize-controller", "Apply",
                                 R"({"f:data":{"f:a":{},"f:b":{}},"f:metadata":{"f:labels":{}}})")}));
  // Without one of our own, what is taken over becomes it.
  CHECK(after_take_over({entry("before-first-apply", "Update", R"({"f:a":{}})"),
                         entry("kustomize-controller", "Update", R"({"f:b":{}})")}) ==
        as_written({entry("kustomize-controller", "Apply", R"({"f:a":{},"f:b":{}})")}));
}

TEST_CASE("nothing is taken over where nobody else owns, and nothing of subresources") {
  const std::string ours = entry("kustomize-controller", "Apply", R"({"f:a":{}})");
  CHECK(after_take_over({ours}) == "nothing");
  CHECK(after_take_over({ours, entry("kubectl", "Update", R"({"f:status":{}})", R"(,"subresource":"status")")}) ==
        "nothing");
}

TEST_CASE("objects are found and pruned at whatever version is served") {
  const auto executor = make_thread_executor();
  const Context context(*executor);
  WidgetServer server;
  const Client client(server);
  RestMapper mapper(client);
  const Applier applier(client, mapper, Logger(null_log_sink(), "test"));
  const InventoryEntry entry{"", "a", "ex.io", "Widget", "v1alpha1"};
  CHECK(applier.live(context, entry).value());
  // The mapper still knows the version that has gone.
  server.versions = {"v1"};
  CHECK(applier.live(context, entry).value());

  std::optional<Error> error;
  std::vector<Applied> deleted;
  CHECK(applier.prune(context, {entry}, {}, error, deleted).empty());
  CHECK_FALSE(error);
  CHECK(deleted.size() == 1);
  CHECK_FALSE(server.there);
  CHECK_FALSE(applier.live(context, entry).value());
  server.versions = {};
  CHECK_FALSE(applier.live(context, entry).value());
}

TEST_CASE("what another takes over at the same time is not pruned") {
  const auto executor = make_thread_executor();
  const Context context(*executor);
  WidgetServer server;
  server.taken_over = true;
  const Client client(server);
  RestMapper mapper(client);
  const Applier applier(client, mapper, Logger(null_log_sink(), "test"));
  const InventoryEntry entry{"", "a", "ex.io", "Widget", "v1"};
  std::optional<Error> error;
  std::vector<Applied> deleted;
  Applier::PruneOptions options;
  options.owned = [](const Object& object) { return object.resource_version() == "us"; };
  CHECK(applier.prune(context, {entry}, options, error, deleted).empty());
  CHECK_FALSE(error);
  CHECK(deleted.empty());
  CHECK(server.there);
}

}  // namespace coracle::kube
