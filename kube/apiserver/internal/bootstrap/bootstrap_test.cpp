#include <catch2/catch.hpp>

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include "base/files.h"
#include "kube/apiserver/internal/bootstrap/bootstrap.h"
#include "kube/apiserver/internal/bootstrap/objects.h"
#include "kube/apiserver/internal/bootstrap/roles.h"
#include "kube/apiserver/internal/identity/identity_test_support.h"
#include "kube/apiserver/internal/identity/rbac_rules.h"
#include "kube/apiserver/testing/test_server.h"

namespace coracle::kube::apiserver {
namespace {

using testing::object_of;
using testing::TestCluster;

constexpr WallTime kStart = WallTime(std::chrono::seconds(1'800'000'000));

Options bootstrap_options() {
  Options options;
  options.advertise_address = "192.0.2.2";
  options.host_name = "server-1";
  options.client_ca_pem = "client ca";
  options.request_header_ca_pem = "front ca";
  options.request_header_allowed_names = {"system:auth-proxy"};
  return options;
}

// Every default object as one line, the way the golden file has them.
std::string default_objects_text() {
  std::string text;
  auto add = [&](const std::vector<Object>& objects) {
    for (const Object& object : objects) text += json::write_sorted(object.tree()) + "\n";
  };
  Options options = bootstrap_options();
  add(default_namespaces());
  add(default_cluster_role_objects());
  add(default_cluster_role_binding_objects());
  add(default_role_objects());
  add(default_role_binding_objects());
  add(default_priority_classes());
  add(default_priority_levels());
  add(default_flow_schemas());
  add({default_service_cidr(options), kubernetes_service(options), kubernetes_endpoints(options),
       kubernetes_endpoint_slice(options), authentication_config_map(options), legacy_token_tracking_config_map(kStart),
       identity_lease(options, "instance", kStart)});
  return text;
}

}  // namespace

TEST_CASE("the objects of a new cluster are those of upstream", "[bootstrap]") {
  std::string path = CORACLE_SOURCE_DIR "/tests/golden/apiserver/bootstrap_objects.jsonl";
  Result<std::string> golden = read_file(path, 1 << 20);
  REQUIRE(golden.ok());
  CHECK(default_objects_text() == *golden);
}

TEST_CASE("default roles have names of their own and complete bindings", "[bootstrap]") {
  std::set<std::string> roles;
  for (const Object& role : default_cluster_role_objects()) CHECK(roles.insert(std::string(role.name())).second);
  CHECK(roles.size() == 69);
  for (const Object& binding : default_cluster_role_binding_objects()) {
    CHECK(roles.count(std::string(binding["roleRef"]["name"].as_string())) == 1);
  }
  CHECK(default_role_rules("system:node").size() > 20);
}

TEST_CASE("the API's own service has the first address of the service network", "[bootstrap]") {
  Options options;
  options.service_cidr = "10.43.7.9/16";
  CHECK(kubernetes_service(options)["spec"]["clusterIP"].as_string() == "10.43.0.1");
}

TEST_CASE("what a default role lacks is added, what it has more stays", "[bootstrap]") {
  Object wanted = object_of(R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"r",
    "labels":{"l":"1"},"annotations":{"rbac.authorization.kubernetes.io/autoupdate":"true"}},
    "rules":[{"verbs":["get","list"],"apiGroups":[""],"resources":["pods"]}]})");
  CHECK_FALSE(complete_default_role(wanted, wanted).has_value());

  Object less =
      wanted.with("rules", json::read(R"([{"verbs":["get","delete"],"apiGroups":[""],"resources":["pods"]}])").value());
  std::optional<Object> completed = complete_default_role(less, wanted);
  REQUIRE(completed);
  CHECK(json::write((*completed)["rules"]) == R"([{"verbs":["get","delete"],"apiGroups":[""],"resources":["pods"]},)"
                                              R"({"verbs":["list"],"apiGroups":[""],"resources":["pods"]}])");
  Object kept = less.with_annotation("rbac.authorization.kubernetes.io/autoupdate", "false");
  CHECK_FALSE(complete_default_role(kept, wanted).has_value());
  CHECK(complete_default_role(wanted.with_metadata("labels", Value()), wanted)->label("l") == "1");
}

TEST_CASE("subjects of a default binding are completed", "[bootstrap]") {
  Object wanted = object_of(R"({"metadata":{"name":"b"},"subjects":[{"kind":"User","name":"a"}]})");
  Object current = object_of(R"({"metadata":{"name":"b"},"subjects":[{"kind":"User","name":"b"}]})");
  CHECK(json::write((*complete_default_binding(current, wanted))["subjects"]) ==
        R"([{"kind":"User","name":"b"},{"kind":"User","name":"a"}])");
  CHECK_FALSE(complete_default_binding(wanted, wanted).has_value());
}

TEST_CASE("the lease of a host whose name is no label has no such label", "[bootstrap]") {
  Options options = bootstrap_options();
  CHECK(identity_lease(options, "instance", kStart).label("kubernetes.io/hostname") == "server-1");
  for (const std::string& name : {std::string(), std::string("rack_"), std::string(64, 'a')}) {
    options.host_name = name;
    CHECK_FALSE(identity_lease(options, "instance", kStart).metadata()["labels"].contains("kubernetes.io/hostname"));
  }
}

// What was said at info or above.
class SaidLines : public LogSink {
 public:
  bool enabled(LogLevel level) const override { return level >= LogLevel::Info; }
  void write(const LogRecord& record) override {
    std::lock_guard lock(mutex_);
    lines_.emplace_back(record.message);
  }
  std::vector<std::string> take() {
    std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

class StartedCluster {
 public:
  // The first error of a start, or nothing.
  std::string start(std::string instance) {
    return run(std::move(instance),
               [](const Bootstrap& bootstrap, const Context& context) { return bootstrap.run(context); });
  }
  std::string renew_identity_lease(std::string instance) {
    return run(std::move(instance), [](const Bootstrap& bootstrap, const Context& context) {
      return bootstrap.renew_identity_lease(context);
    });
  }

  TestCluster cluster;
  Options options = bootstrap_options();
  std::shared_ptr<SaidLines> said = std::make_shared<SaidLines>();

 private:
  template <typename Work>
  std::string run(std::string instance, const Work& work) {
    Bootstrap bootstrap(cluster.table, cluster.store, options, std::move(instance), Logger(said, "bootstrap"));
    std::string fault;
    cluster.executor->run([&] {
      Result<void> done = work(bootstrap, cluster.context);
      if (!done.ok()) fault = done.error().message();
    });
    return fault;
  }
};

TEST_CASE("a start writes what is missing and the next one writes nothing", "[bootstrap]") {
  StartedCluster started;
  testing::MapStore& store = started.cluster.store;
  CHECK(started.start("instance").empty());
  const ResourceDescriptor& services = started.cluster.resource("", "services");
  CHECK(store.find(started.cluster.context, services, "default", "kubernetes").value() != nullptr);
  std::size_t writes = store.writes();
  CHECK(writes > 150);

  store.erase(started.cluster.resource("rbac.authorization.k8s.io", "clusterroles"), "", "view");
  CHECK(started.start("instance").empty());
  CHECK(store.writes() == writes + 1);
}

TEST_CASE("a start goes on when what is there cannot be completed", "[bootstrap]") {
  StartedCluster started;
  CHECK(started.start("first").empty());
  started.cluster.store.refuse_writes(Error(Reason::Unavailable, "the disk is full"));
  CHECK(started.start("second").empty());

  started.cluster.store.erase(started.cluster.resource("", "namespaces"), "", "default");
  CHECK_THAT(started.start("second"), Catch::Contains("writing Namespace default: the disk is full"));
}

TEST_CASE("the lease of the server is renewed without a word, and keeps what others added", "[bootstrap]") {
  StartedCluster started;
  CHECK(started.start("first").empty());
  const ResourceDescriptor& leases = started.cluster.resource("coordination.k8s.io", "leases");
  const std::string name(identity_lease(started.options, "first", kStart).name());
  const auto lease = [&] { return started.cluster.store.get(started.cluster.context, leases, "kube-system", name); };
  started.cluster.store.put(leases, lease()->with_label("rack", "7"));

  started.options.host_name = "server-2";
  CHECK(started.renew_identity_lease("second").empty());
  CHECK(started.said->take().empty());
  CHECK(lease()->label("rack") == "7");
  CHECK(lease()->label("kubernetes.io/hostname") == "server-2");
  CHECK((*lease())["spec"]["holderIdentity"].as_string() == name + "_second");

  // A start, which takes the lease over, says what it had to complete and nothing of the lease.
  const ResourceDescriptor& roles = started.cluster.resource("rbac.authorization.k8s.io", "clusterroles");
  const Object view = started.cluster.store.get(started.cluster.context, roles, "", "view").value();
  started.cluster.store.put(roles, view.with_metadata("labels", Value()));
  CHECK(started.start("third").empty());
  CHECK(started.said->take() == std::vector<std::string>{"completing a default object"});
}

// The only entry of managedFields: "manager operation fields".
std::string owner_of(testing::TestServer& server, std::string_view path) {
  const Value entries = server.request("GET", path).tree["metadata"]["managedFields"];
  if (entries.size() != 1) return std::to_string(entries.size()) + " entries";
  const Value& entry = entries.at(0);
  return std::string(entry["manager"].as_string()) + " " + std::string(entry["operation"].as_string()) + " " +
         json::write_sorted(entry["fieldsV1"]);
}

TEST_CASE("what a start writes is owned as upstream's is", "[bootstrap]") {
  testing::TestServer::run([](testing::TestServer& server) {
    for (std::string name : {"default", "kube-system", "kube-public", "kube-node-lease"}) {
      INFO(name);
      CHECK(owner_of(server, "/api/v1/namespaces/" + name) ==
            R"(kube-apiserver Update {"f:metadata":{"f:labels":{".":{},"f:kubernetes.io/metadata.name":{}}}})");
    }
    CHECK(owner_of(server, "/api/v1/namespaces/default/services/kubernetes") ==
          R"(kube-apiserver Update {"f:metadata":{"f:labels":{".":{},"f:component":{},"f:provider":{}}},)"
          R"("f:spec":{"f:clusterIP":{},"f:internalTrafficPolicy":{},"f:ipFamilyPolicy":{},"f:ports":{".":{},)"
          R"("k:{\"port\":443,\"protocol\":\"TCP\"}":{".":{},"f:name":{},"f:port":{},"f:protocol":{},)"
          R"("f:targetPort":{}}},"f:sessionAffinity":{},"f:type":{}}})");
    CHECK(owner_of(server, "/apis/networking.k8s.io/v1/ipaddresses/10.43.0.1") ==
          R"(kube-apiserver Update {"f:metadata":{"f:labels":{".":{},"f:ipaddress.kubernetes.io/ip-family":{},)"
          R"("f:ipaddress.kubernetes.io/managed-by":{}}},"f:spec":{"f:parentRef":{".":{},"f:name":{},)"
          R"("f:namespace":{},"f:resource":{}}}})");
  });
}

}  // namespace coracle::kube::apiserver
