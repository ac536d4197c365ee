#include "kube/schema/schema.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

namespace coracle::kube {
namespace {

const Schema& builtin(std::string_view name) {
  const Schema* schema = find_builtin_type(name);
  REQUIRE(schema != nullptr);
  return *schema;
}

const Field& field_of(const Schema& schema, std::string_view name) {
  const Field* field = schema.find(name);
  REQUIRE(field != nullptr);
  return *field;
}

}  // namespace

TEST_CASE("every stable kind is found by group, version and kind") {
  struct {
    std::string_view group, version, kind, type;
  } const rows[] = {
      {"", "v1", "Pod", "io.k8s.api.core.v1.Pod"},
      {"", "v1", "Status", "io.k8s.apimachinery.pkg.apis.meta.v1.Status"},
      {"", "v1", "PodList", "io.k8s.api.core.v1.PodList"},
      {"meta.k8s.io", "v1", "Table", "io.k8s.apimachinery.pkg.apis.meta.v1.Table"},
      {"meta.k8s.io", "v1", "PartialObjectMetadata", "io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadata"},
      {"apps", "v1", "Deployment", "io.k8s.api.apps.v1.Deployment"},
      {"autoscaling", "v1", "Scale", "io.k8s.api.autoscaling.v1.Scale"},
      {"policy", "v1", "Eviction", "io.k8s.api.policy.v1.Eviction"},
      {"apiextensions.k8s.io", "v1", "CustomResourceDefinition",
       "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"},
      {"apiregistration.k8s.io", "v1", "APIService", "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService"},
      {"resource.k8s.io", "v1", "ResourceClaim", "io.k8s.api.resource.v1.ResourceClaim"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.kind);
    const KindSchema* found = find_builtin_kind(row.group, row.version, row.kind);
    REQUIRE(found != nullptr);
    CHECK(found->schema == find_builtin_type(row.type));
  }
  CHECK(find_builtin_kind("apps", "v1beta1", "Deployment") == nullptr);
  CHECK(find_builtin_kind("", "v1", "Deployment") == nullptr);
  CHECK(find_builtin_type("io.k8s.api.core.v1.Nothing") == nullptr);
}

TEST_CASE("the tables are sorted and every kind has apiVersion, kind and a structure") {
  const auto kinds = builtin_kinds();
  CHECK(kinds.size() > 150);
  for (const KindSchema& row : kinds) {
    CAPTURE(row.kind);
    CHECK(row.schema->kind == SchemaKind::Struct);
    if (row.kind == "WatchEvent") continue;  // a frame around an object, without type information of its own
    CHECK(field_of(*row.schema, "apiVersion").number == 0);
    CHECK(field_of(*row.schema, "kind").number == 0);
  }
  const auto types = builtin_types();
  CHECK(std::is_sorted(types.begin(), types.end(), [](const Schema* a, const Schema* b) { return a->name < b->name; }));
}

TEST_CASE("field facts: numbers, flags, merge behaviour") {
  const Schema& spec = builtin("io.k8s.api.apps.v1.DeploymentSpec");
  CHECK(field_of(spec, "replicas").number == 1);
  CHECK(field_of(spec, "replicas").pointer);
  CHECK(field_of(spec, "selector").required);
  CHECK(field_of(spec, "strategy").schema->patch_strategy == kPatchRetainKeys);

  const Schema& pod = builtin("io.k8s.api.core.v1.PodSpec");
  const Schema& containers = *field_of(pod, "containers").schema;
  CHECK(containers.kind == SchemaKind::List);
  CHECK(containers.list_type == ListType::Map);
  CHECK(containers.list_map_keys.front() == "name");
  CHECK(containers.patch_strategy == kPatchMerge);
  CHECK(containers.patch_merge_key == "name");
  CHECK(field_of(*containers.items, "ports").schema->list_map_keys.size() == 2);
  CHECK(field_of(pod, "volumes").schema->patch_strategy == (kPatchMerge | kPatchRetainKeys));
  CHECK(field_of(pod, "restartPolicy").schema->constraints->enum_values.size() == 3);

  const Schema& volume = builtin("io.k8s.api.core.v1.Volume");
  CHECK(field_of(volume, "name").embedded_in.empty());
  REQUIRE(field_of(volume, "hostPath").embedded_in.size() == 1);
  CHECK(field_of(volume, "hostPath").embedded_in[0] == 2);

  const Schema& meta = builtin("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  CHECK_FALSE(field_of(meta, "creationTimestamp").always_emitted);
  CHECK(field_of(builtin("io.k8s.api.core.v1.Pod"), "status").always_emitted);
  CHECK(builtin("io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector").atomic_map);
  CHECK(field_of(builtin("io.k8s.api.core.v1.ContainerPort"), "protocol").default_json == "\"TCP\"");
  CHECK(builtin("io.k8s.api.core.v1.Pod").has_defaults);
  CHECK_FALSE(builtin("io.k8s.api.core.v1.ConfigMap").has_defaults);
}

TEST_CASE("no structure has two fields of one name or one number") {
  for (const Schema* type : builtin_types()) {
    CAPTURE(type->name);
    std::set<std::string_view> names;
    std::set<std::pair<std::vector<std::uint32_t>, std::uint32_t>> numbers;
    for (const Field& field : type->fields) {
      CAPTURE(field.name);
      CHECK(names.insert(field.name).second);
      if (field.number == 0) continue;
      CHECK(numbers.insert({{field.embedded_in.begin(), field.embedded_in.end()}, field.number}).second);
    }
  }
}

}  // namespace coracle::kube
