#include "kube/client/client.h"

#include <catch2/catch.hpp>
#include <functional>

#include "base/executor.h"
#include "base/json/json.h"
#include "kube/client/discovery.h"
#include "kube/client/request_builder.h"
#include "kube/client/resources.h"

namespace coracle::kube {
namespace {

// Answers every request from a function and remembers the last one.
class ScriptedTransport : public Transport {
 public:
  explicit ScriptedTransport(std::function<http::Response(const http::Request&)> answer) : answer_(std::move(answer)) {}
  Result<http::Response> send(const Context&, const http::Request& request) override {
    requests.push_back(request);
    return answer_(request);
  }
  std::vector<http::Request> requests;

 private:
  std::function<http::Response(const http::Request&)> answer_;
};

const ResourceRef kDeployments{{"apps", "v1", "deployments"}, "Deployment", true};

}  // namespace

TEST_CASE("paths name group, namespace, name and subresource") {
  CHECK(resource_path(resources::pods(), "default") == "/api/v1/namespaces/default/pods");
  CHECK(resource_path(resources::pods(), "") == "/api/v1/pods");
  CHECK(resource_path(kDeployments, "shop", "web", "scale") == "/apis/apps/v1/namespaces/shop/deployments/web/scale");
  CHECK(resource_path(resources::namespaces(), "ignored", "shop") == "/api/v1/namespaces/shop");
  CHECK(resource_path(resources::cluster_roles(), "", "system:node") ==
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode");
}

TEST_CASE("requests carry what their parameters say") {
  const Object config(Value::object({{"metadata", Value::object({{"name", "a"}, {"namespace", "n"}})}}));
  const http::Request apply = patch_request(resources::config_maps(), config.key(), {}, PatchType::Apply, config.tree(),
                                            {.field_manager = "me", .dry_run = true, .force = true});
  CHECK(apply.method == "PATCH");
  CHECK(apply.headers.get("Content-Type") == "application/apply-patch+yaml");
  CHECK(apply.query == "fieldManager=me&force=true&dryRun=All");

  const http::Request watch =
      watch_request(resources::pods(), "", {.label_selector = "a=b", .resource_version = "7", .metadata_only = true});
  CHECK(watch.query == "labelSelector=a%3Db&resourceVersion=7&watch=true&allowWatchBookmarks=true");
  CHECK(watch.headers.get("Accept") == "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");

  const http::Request remove =
      delete_request(resources::config_maps(), config.key(), {.propagation = "Orphan", .uid = "u1"});
  const Value options = json::read(remove.body).value();
  CHECK(options["propagationPolicy"].as_string() == "Orphan");
  CHECK(options["preconditions"]["uid"].as_string() == "u1");
  CHECK_FALSE(options.contains("dryRun"));
}

TEST_CASE("metadata is changed only of the object that was read") {
  auto executor = make_thread_executor();
  ScriptedTransport transport([](const http::Request&) { return http::Response::text(200, "{}"); });
  const Object read(Value::object({{"metadata", Value::object({{"name", "a"},
                                                               {"namespace", "n"},
                                                               {"uid", "u"},
                                                               {"resourceVersion", "7"},
                                                               {"labels", Value::object({{"x", "y"}})}})}}));
  const Result<Object> written =
      Client(transport).patch_metadata(Context(*executor), resources::config_maps(), read,
                                       Value::ObjectBuilder().set("finalizers", Value()), {.field_manager = "me"});
  CHECK(written.ok());
  REQUIRE(transport.requests.size() == 1);
  CHECK(transport.requests[0].headers.get("Content-Type") == "application/merge-patch+json");
  CHECK(transport.requests[0].query == "fieldManager=me");
  CHECK(json::read(transport.requests[0].body).value() ==
        json::read(R"({"metadata":{"finalizers":null,"uid":"u","resourceVersion":"7"}})").value());
}

TEST_CASE("a client that has a name says it in every request") {
  auto executor = make_thread_executor();
  ScriptedTransport transport([](const http::Request&) { return http::Response::text(200, "{}"); });
  const Context context(*executor);
  const Object config(Value::object({{"metadata", Value::object({{"name", "a"}, {"namespace", "n"}})}}));
  const Client named(transport, "kube-controller-manager");
  CHECK(named.create(context, resources::config_maps(), config).ok());
  CHECK(named.get(context, resources::config_maps(), config.key()).ok());
  CHECK_FALSE(named.watch(context, resources::config_maps(), "n", {}).ok());
  REQUIRE(transport.requests.size() == 3);
  for (const http::Request& request : transport.requests) {
    CHECK(request.headers.get("User-Agent") == "kube-controller-manager");
  }
  CHECK(Client(transport).get(context, resources::config_maps(), config.key()).ok());
  CHECK(transport.requests.back().headers.get("User-Agent").empty());
}

TEST_CASE("a Status answer becomes an error of the same shape") {
  http::Response response = http::Response::text(
      404, R"({"kind":"Status","apiVersion":"v1","status":"Failure","message":"pods \"x\" not found",)"
           R"("reason":"NotFound","details":{"name":"x","kind":"pods"},"code":404})");
  const Error error = error_from_response(response);
  CHECK(error.reason() == Reason::NotFound);
  CHECK(error.message() == "pods \"x\" not found");
  CHECK(error.details().name == "x");

  const Error plain = error_from_response(http::Response::text(502, "bad gateway"));
  CHECK(plain.code() == 502);
  CHECK(plain.message() == "the server answered 502: bad gateway");
}

TEST_CASE("list_all follows continue tokens and gives items their kind") {
  auto executor = make_thread_executor();
  ScriptedTransport transport([](const http::Request& request) {
    const bool second = http::Query::parse(request.query).has("continue");
    return http::Response::text(
        200, second ? R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9"},)"
                      R"("items":[{"metadata":{"name":"b"}}]})"
                    : R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9","continue":"t"},)"
                      R"("items":[{"metadata":{"name":"a"}}]})");
  });
  const Client client(transport);
  const ObjectList list = client.list_all(Context(*executor), resources::pods(), "").value();
  REQUIRE(list.items.size() == 2);
  CHECK(list.items[0].kind() == "Pod");
  CHECK(list.items[1].name() == "b");
  CHECK(list.resource_version == "9");
  REQUIRE(transport.requests.size() == 2);
  CHECK(http::Query::parse(transport.requests[1].query).get("continue") == "t");
}

TEST_CASE("the mapper reads discovery again for a kind it does not know") {
  auto executor = make_thread_executor();
  bool crd = false;
  ScriptedTransport transport([&crd](const http::Request& request) {
    std::string items;
    if (request.path == "/apis" && crd) {
      items = R"({"metadata":{"name":"ex.io"},"versions":[{"version":"v1","freshness":"Current","resources":[)"
              R"({"resource":"widgets","responseKind":{"group":"ex.io","version":"v1","kind":"Widget"},)"
              R"("scope":"Namespaced","verbs":["get","list"],"subresources":[{"subresource":"status"}]}]}]})";
    }
    return http::Response::text(200, R"({"kind":"APIGroupDiscoveryList","items":[)" + items + "]}");
  });
  const Client client(transport);
  RestMapper mapper(client);
  const Context context(*executor);
  const Result<DiscoveredResource> missing = mapper.find(context, {"ex.io", "v1", "Widget"});
  REQUIRE_FALSE(missing.ok());
  CHECK(is_no_kind_match(missing.error().in("Widget/a")));
  CHECK_FALSE(is_no_kind_match(Error(Reason::NotFound, missing.error().message())));
  CHECK(missing.error().message() == "no matches for kind \"Widget\" in version \"ex.io/v1\"");

  crd = true;
  const DiscoveredResource widget = mapper.find(context, {"ex.io", "v1", "Widget"}).value();
  CHECK(widget.ref.gvr.resource == "widgets");
  CHECK(widget.ref.namespaced);
  CHECK(widget.can("list"));
  CHECK_FALSE(widget.can("create"));
  CHECK(widget.subresources == std::vector<std::string>{"status"});

  // What was applied in the past may be served at another version only.
  CHECK(is_no_kind_match(mapper.find(context, {"ex.io", "v1alpha1", "Widget"}).error()));
  CHECK(mapper.find_at_any_version(context, {"ex.io", "v1alpha1", "Widget"})->ref.gvr.version == "v1");
  CHECK(is_no_kind_match(mapper.find_at_any_version(context, {"ex.io", "v1alpha1", "Gadget"}).error()));
  CHECK(is_no_kind_match(mapper.find_at_any_version(context, {"ex.org", "v1", "Widget"}).error()));
}

}  // namespace coracle::kube
