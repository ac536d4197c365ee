#include <catch2/catch.hpp>
#include <set>

#include "base/json/json.h"
#include "kube/apiserver/internal/builtin_resources.h"
#include "kube/apiserver/internal/conversions.h"

namespace coracle::kube::apiserver {

TEST_CASE("every built-in resource has a schema and a place of its own", "[builtin_resources]") {
  std::set<std::string> names, places;
  for (const ResourcePtr& resource : builtin_resources({})) {
    INFO(resource->qualified_resource());
    CHECK(resource->builtin_schema != nullptr);
    CHECK(resource->strategy != nullptr);
    CHECK(names.insert(resource->gvk.version + "/" + resource->qualified_resource()).second);
    for (const SubresourceDescriptor& subresource : resource->subresources) {
      CHECK_FALSE(subresource.kind.empty());
      CHECK_FALSE(subresource.verbs.empty());
    }
    const bool shared = resource->gvk.kind == "Event" || resource->gvk.kind == "HorizontalPodAutoscaler";
    if (!resource->storage_prefix.empty() && !shared) CHECK(places.insert(resource->storage_prefix).second);
    for (const std::string& place : places) {
      const bool nested = place != resource->storage_prefix && resource->storage_prefix.starts_with(place);
      CHECK_FALSE(nested);
    }
  }
  CHECK(names.size() > 60);
}

TEST_CASE("the table answers by name and kind in discovery order", "[registry]") {
  const auto registry = make_registry(builtin_resources({}));
  const ResourceTablePtr table = registry->table();
  REQUIRE(table->find("", "v1", "pods") != nullptr);
  CHECK(table->find("", "v1", "nothings") == nullptr);
  CHECK(table->find_kind({"apps", "v1", "Deployment"})->resource == "deployments");
  CHECK(table->has_group_version("apps", "v1"));
  CHECK_FALSE(table->has_group_version("apps", "v2"));
  CHECK(table->find("", "v1", "nodes")->storage_prefix == "/registry/minions/");
  CHECK(table->all().front()->resource == "bindings");
  std::vector<std::string> autoscaling;
  for (const ResourcePtr& resource : table->all()) {
    if (resource->gvk.group == "autoscaling") autoscaling.push_back(resource->gvk.version);
  }
  CHECK(autoscaling == std::vector<std::string>{"v2", "v1"});

  int calls = 0;
  registry->on_change([&](const ResourceTablePtr&) { ++calls; });
  auto custom = std::make_shared<ResourceDescriptor>();
  custom->gvk = {"example.com", "v1", "Widget"};
  custom->resource = "widgets";
  registry->set_custom("example.com", "widgets", {custom});
  CHECK(calls == 1);
  CHECK(registry->table()->generation() > table->generation());
  CHECK(registry->table()->all().back()->resource == "widgets");
  registry->set_custom("example.com", "widgets", {});
  CHECK(registry->table()->find("example.com", "v1", "widgets") == nullptr);
}

TEST_CASE("versions are ranked as Kubernetes ranks them", "[registry]") {
  const std::vector<std::string> order = {"v10",     "v2",        "v1",   "v11beta2", "v10beta3",
                                          "v3beta1", "v12alpha1", "foo1", "foo10"};
  for (std::size_t i = 0; i + 1 < order.size(); ++i) {
    INFO(order[i] << " before " << order[i + 1]);
    CHECK(version_before(order[i], order[i + 1]));
    CHECK_FALSE(version_before(order[i + 1], order[i]));
  }
}

TEST_CASE("an autoscaler keeps everything on its way through v1", "[conversions]") {
  const auto tree = json::read(R"({"kind":"HorizontalPodAutoscaler","apiVersion":"autoscaling/v2",
    "metadata":{"name":"h","annotations":{"a":"b"}},
    "spec":{"scaleTargetRef":{"kind":"Deployment","name":"d"},"minReplicas":1,"maxReplicas":5,
      "metrics":[{"type":"Pods","pods":{"metric":{"name":"q"},"target":{"type":"AverageValue","averageValue":"10"}}},
        {"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":80}}}],
      "behavior":{"scaleDown":{"stabilizationWindowSeconds":60}}},
    "status":{"currentReplicas":1,"desiredReplicas":2,"conditions":[{"type":"AbleToScale","status":"True"}]}})");
  REQUIRE(tree.ok());
  const Object v2(*tree);
  const auto convert = builtin_conversion(v2.gvk());
  const auto v1 = convert(v2, {"autoscaling", "v1", "HorizontalPodAutoscaler"});
  REQUIRE(v1.ok());
  CHECK((*v1)["spec"]["targetCPUUtilizationPercentage"].as_int() == 80);
  CHECK(v1->has_annotation("autoscaling.alpha.kubernetes.io/metrics"));
  const auto back = convert(*v1, v2.gvk());
  REQUIRE(back.ok());
  CHECK(json::write_sorted(back->tree()) == json::write_sorted(v2.tree()));
}

TEST_CASE("the processor time that an autoscaler sees is a metric of v2", "[conversions]") {
  const auto tree = json::read(
      R"({"kind":"HorizontalPodAutoscaler","apiVersion":"autoscaling/v1","metadata":{"name":"h"},
    "spec":{"maxReplicas":5,"targetCPUUtilizationPercentage":80},
    "status":{"currentReplicas":3,"desiredReplicas":4,"currentCPUUtilizationPercentage":5}})");
  REQUIRE(tree.ok());
  const Object v1(*tree);
  const auto convert = builtin_conversion(v1.gvk());
  const auto v2 = convert(v1, {"autoscaling", "v2", "HorizontalPodAutoscaler"});
  REQUIRE(v2.ok());
  CHECK(json::write((*v2)["status"]["currentMetrics"]) ==
        R"([{"type":"Resource","resource":{"name":"cpu","current":{"averageUtilization":5}}}])");
  const auto back = convert(*v2, v1.gvk());
  REQUIRE(back.ok());
  CHECK(json::write((*back)["status"]) ==
        R"({"currentReplicas":3,"desiredReplicas":4,"currentCPUUtilizationPercentage":5})");
  CHECK(back->annotation("autoscaling.alpha.kubernetes.io/current-metrics") ==
        R"([{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":5,"currentAverageValue":"0"}}])");
}

TEST_CASE("events change their field names between the groups", "[conversions]") {
  const auto tree = json::read(R"({"kind":"Event","apiVersion":"v1","metadata":{"name":"e"},
    "involvedObject":{"kind":"Pod"},"reason":"R","message":"m","source":{"component":"c"},"count":3,"type":"Normal"})");
  REQUIRE(tree.ok());
  const Object core(*tree);
  const auto convert = builtin_conversion(core.gvk());
  const auto other = convert(core, {"events.k8s.io", "v1", "Event"});
  REQUIRE(other.ok());
  CHECK((*other)["note"].as_string() == "m");
  CHECK((*other)["regarding"]["kind"].as_string() == "Pod");
  const auto back = convert(*other, core.gvk());
  REQUIRE(back.ok());
  CHECK(json::write_sorted(back->tree()) == json::write_sorted(core.tree()));
}

}  // namespace coracle::kube::apiserver
