#include <catch2/catch.hpp>

#include "base/json/json.h"
#include "kube/patch/apply.h"
#include "kube/patch/internal/typed_tree.h"
#include "kube/schema/crd_schema.h"

namespace coracle::kube::patch {
namespace {

using internal::TypeRef;

Value tree_of(std::string_view text) {
  Result<Value> value = json::read(text);
  REQUIRE(value.ok());
  return *value;
}

std::string fields_text(const FieldSet& set) {
  return json::write(set.to_fields_v1());
}

// A custom resource's schema with every kind of list and map.
struct CustomSchema {
  Schema text, number, any, open, item, keyed, set, atomic_list, atomic_map, map, spec, root;
  Field item_fields[3], spec_fields[8], root_fields[4];
  std::string_view keys[2] = {"name", "zone"};

  CustomSchema() {
    text.kind = SchemaKind::String;
    number.kind = SchemaKind::Integer;
    number.nullable = true;
    any.kind = SchemaKind::Any;
    open.kind = SchemaKind::Any;
    open.preserve_unknown_fields = true;
    item.kind = SchemaKind::Struct;
    item_fields[0] = {.name = "name", .schema = &text};
    item_fields[1] = {.name = "zone", .schema = &text, .default_json = "\"z0\""};
    item_fields[2] = {.name = "size", .schema = &number};
    item.fields = item_fields;
    keyed.kind = SchemaKind::List;
    keyed.items = &item;
    keyed.list_type = ListType::Map;
    keyed.list_map_keys = keys;
    set.kind = SchemaKind::List;
    set.items = &text;
    set.list_type = ListType::Set;
    atomic_list.kind = SchemaKind::List;
    atomic_list.items = &text;
    atomic_map.kind = SchemaKind::Map;
    atomic_map.items = &text;
    atomic_map.atomic_map = true;
    map.kind = SchemaKind::Map;
    map.items = &text;
    spec.kind = SchemaKind::Struct;
    spec_fields[0] = {.name = "keyed", .schema = &keyed};
    spec_fields[1] = {.name = "set", .schema = &set};
    spec_fields[2] = {.name = "list", .schema = &atomic_list};
    spec_fields[3] = {.name = "whole", .schema = &atomic_map};
    spec_fields[4] = {.name = "map", .schema = &map};
    spec_fields[5] = {.name = "any", .schema = &any};
    spec_fields[6] = {.name = "open", .schema = &open};
    spec_fields[7] = {.name = "number", .schema = &number};
    spec.fields = spec_fields;
    root.kind = SchemaKind::Struct;
    root_fields[0] = {.name = "apiVersion", .schema = &text};
    root_fields[1] = {.name = "kind", .schema = &text};
    root_fields[2] = {.name = "metadata",
                      .schema = find_builtin_type("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")};
    root_fields[3] = {.name = "spec", .schema = &spec};
    root.fields = root_fields;
  }
  CustomSchema(const CustomSchema&) = delete;
  CustomSchema& operator=(const CustomSchema&) = delete;
};

FieldManagement management_of(const Schema* schema, std::string manager) {
  FieldManagement management;
  management.gvk = {"x.io", "v1", "Thing"};
  management.schema = schema;
  management.manager = std::move(manager);
  management.now = WallTime(std::chrono::seconds(1'000'000));
  management.custom = true;
  return management;
}

Object thing(std::string_view spec) {
  return Object(
      tree_of(R"({"apiVersion":"x.io/v1","kind":"Thing","metadata":{"name":"t"},"spec":)" + std::string(spec) + "}"));
}

Object applied(const FieldManagement& management, const Object* live, std::string_view spec) {
  Result<Object> result = apply(management, live, thing(spec), false);
  REQUIRE(result.ok());
  return *result;
}

std::string owner_fields(const Object& object, std::string_view manager) {
  for (const Value& entry : object.metadata()["managedFields"].items()) {
    if (entry["manager"].as_string() == manager) return json::write(entry["fieldsV1"]);
  }
  return "";
}

}  // namespace

TEST_CASE("field sets of objects follow list and map types") {
  const CustomSchema schema;
  const Value spec = tree_of(R"({"keyed":[{"name":"a","size":1},{"name":"a","zone":"z1"}],"set":["x","y"],"list":["p"],
      "whole":{"k":"v"},"map":{"m":"1"},"any":{"deep":{"er":1}},"open":{"deep":{"er":1},"l":[1]},"number":null})");
  CHECK(fields_text(internal::to_field_set(TypeRef::declared(&schema.spec), spec)) ==
        R"({"f:any":{},"f:keyed":{"k:{\"name\":\"a\",\"zone\":\"z0\"}":{".":{},"f:name":{},"f:size":{}},)"
        R"("k:{\"name\":\"a\",\"zone\":\"z1\"}":{".":{},"f:name":{},"f:zone":{}}},"f:list":{},"f:map":{"f:m":{}},)"
        R"("f:number":{},"f:open":{"f:deep":{".":{},"f:er":{}},"f:l":{}},"f:set":{"v:\"x\"":{},"v:\"y\"":{}},)"
        R"("f:whole":{}})");
}

TEST_CASE("objects without a schema are tracked by field, their lists as a whole") {
  const FieldSet set =
      internal::to_field_set(TypeRef::deduced(), tree_of(R"({"spec":{"a":[1,{"b":2}],"c":{"d":null,"e":{}}}})"));
  CHECK(fields_text(set) == R"({"f:spec":{".":{},"f:a":{},"f:c":{".":{},"f:d":{},"f:e":{}}}})");
}

TEST_CASE("typed trees are checked against their schema") {
  const CustomSchema schema;
  const auto check = [&](std::string_view text) {
    const auto errors = internal::check_typed(TypeRef::declared(&schema.spec), tree_of(text), false);
    return errors.empty() ? std::string() : errors[0];
  };
  CHECK(check(R"({"keyed":[{"name":"a"}],"open":{"x":[1]},"any":3,"number":null})").empty());
  CHECK(check(R"({"nope":1})") == ".nope: field not declared in schema");
  CHECK(check(R"({"number":"x"})") == ".number: expected numeric (int or float), got string");
  CHECK(check(R"({"map":{"a":1}})") == ".map.a: expected string, got &value.valueUnstructured{Value:1}");
  CHECK(check(R"({"set":["a","a"]})") == R"(.set: duplicate entries for key [="a"])");
  CHECK(check(R"({"keyed":{}})") == ".keyed: expected list, got &{map[]}");
  CHECK(check(R"({"keyed":[{"name":"a","x":{"y":1}}]})") ==
        R"(.keyed[name="a",zone="z0"].x: field not declared in schema)");
}

TEST_CASE("what a custom resource leaves open is open inside as well") {
  const Value source = tree_of(R"({"type":"object","properties":{"spec":{"type":"object",
      "x-kubernetes-preserve-unknown-fields":true,"properties":{"inner":{"type":"object","properties":{"a":{"type":
      "string"}}},"list":{"type":"array","items":{"type":"object","properties":{"b":{"type":"string"}}}}}},
      "closed":{"type":"object","properties":{"when":{"type":"string","format":"date-time"},
      "port":{"x-kubernetes-int-or-string":true},"on":{"type":"boolean"}}}}})");
  const auto compiled = CompiledSchema::compile(source);
  REQUIRE(compiled.ok());
  const auto check = [&](std::string_view text) {
    const auto errors = internal::check_typed(TypeRef::declared(&(*compiled)->root()), tree_of(text), false);
    return errors.empty() ? std::string() : errors[0];
  };
  CHECK(check(R"({"spec":{"x":1,"inner":{"x":{"y":1}},"list":[{"b":"c","x":1}]}})").empty());
  CHECK(check(R"({"closed":{"x":1}})") == ".closed.x: field not declared in schema");
  CHECK(check(R"({"metadata":{"x":1}})") == ".metadata.x: field not declared in schema");
  CHECK(check(R"({"closed":{"when":1,"port":{"a":[1]}}})").empty());
  CHECK(check(R"({"closed":{"when":[1]}})") == ".closed.when: expected any scalar, got &{[1]}");
  CHECK(check(R"({"closed":{"on":"x"}})") == ".closed.on: expected boolean, got &{x}");
  CHECK(check(R"({"closed":1})") == ".closed: expected map, got &{1}");
}

TEST_CASE("apply on a custom resource merges by key, adds to sets and replaces atomic values") {
  const CustomSchema schema;
  const Object first = applied(management_of(&schema.root, "m1"), nullptr,
                               R"({"keyed":[{"name":"a","size":1}],"set":["x"],"list":["p"],"map":{"k":"1"}})");
  const Object both = applied(management_of(&schema.root, "m2"), &first,
                              R"({"keyed":[{"name":"b"},{"name":"a","zone":"z0"}],"set":["y"],"map":{"l":"2"}})");
  CHECK(json::write_sorted(both["spec"]) ==
        R"({"keyed":[{"name":"b"},{"name":"a","size":1,"zone":"z0"}],"list":["p"],"map":{"k":"1","l":"2"},)"
        R"("set":["x","y"]})");
  const Object again = applied(management_of(&schema.root, "m1"), &both, R"({"map":{"k":"1"}})");
  // The item stays because the other applier owns it; what only the first owned is gone.
  CHECK(json::write_sorted(again["spec"]) ==
        R"({"keyed":[{"name":"b"},{"name":"a","zone":"z0"}],"map":{"k":"1","l":"2"},"set":["y"]})");
  CHECK(owner_fields(again, "m1") == R"({"f:spec":{"f:map":{"f:k":{}}}})");

  const Result<Object> conflict =
      apply(management_of(&schema.root, "m3"), &again, thing(R"({"map":{"k":"9"}})"), false);
  CHECK(conflict.error().message() == R"(Apply failed with 1 conflict: conflict with "m1": .spec.map.k)");
}

TEST_CASE("containers that somebody owns stay when they become empty") {
  const CustomSchema schema;
  const Object first =
      applied(management_of(&schema.root, "m1"), nullptr, R"({"map":{"k":"1"},"open":{"a":1},"set":["w"]})");
  const Object both = applied(management_of(&schema.root, "m2"), &first, R"({"map":{},"open":{},"set":[]})");
  const Object left = applied(management_of(&schema.root, "m1"), &both, R"({"number":1})");
  CHECK(json::write_sorted(left["spec"]) == R"({"map":{},"number":1,"open":{}})");
  const Object gone = applied(management_of(&schema.root, "m2"), &left, R"({"number":1})");
  CHECK(json::write_sorted(gone["spec"]) == R"({"number":1})");
}

TEST_CASE("owners of parts of a value that became atomic own it as a whole") {
  CustomSchema schema;
  schema.atomic_map.atomic_map = false;
  const Object object =
      update_managed_fields(management_of(&schema.root, "m1"), nullptr, thing(R"({"whole":{"a":"1"}})"));
  CHECK(owner_fields(object, "m1") == R"({"f:spec":{".":{},"f:whole":{".":{},"f:a":{}}}})");
  schema.atomic_map.atomic_map = true;
  const Object changed(object.tree().with("spec", tree_of(R"({"whole":{"a":"1"},"map":{"k":"v"}})")));
  const Object updated = update_managed_fields(management_of(&schema.root, "m2"), &object, changed);
  CHECK(owner_fields(updated, "m1") == R"({"f:spec":{".":{},"f:whole":{}}})");
  CHECK(owner_fields(updated, "m2") == R"({"f:spec":{"f:map":{".":{},"f:k":{}}}})");
}

TEST_CASE("owners under another version are asked in that version") {
  // v1beta1 calls spec.map "labels".
  Schema text, map, spec, root;
  text.kind = SchemaKind::String;
  map.kind = SchemaKind::Map;
  map.items = &text;
  const Field spec_fields[] = {{.name = "labels", .schema = &map}};
  spec.kind = SchemaKind::Struct;
  spec.fields = spec_fields;
  const Field root_fields[] = {{.name = "spec", .schema = &spec}};
  root.kind = SchemaKind::Struct;
  root.fields = root_fields;
  root.preserve_unknown_fields = true;

  const CustomSchema schema;
  FieldManagement old_version = management_of(&root, "m1");
  old_version.gvk.version = "v1beta1";
  Object object(
      tree_of(R"({"apiVersion":"x.io/v1beta1","kind":"Thing","metadata":{"name":"t"},"spec":{"labels":{"a":"1"}}})"));
  object = update_managed_fields(old_version, nullptr, object);

  FieldManagement management = management_of(&schema.root, "m2");
  management.convert = [&](const Value& tree, std::string_view version) -> Result<VersionedTree> {
    if (version == "x.io/v1alpha1") return Error(Reason::NotFound, "not served");
    const bool to_old = version == "x.io/v1beta1";
    const Value& entries = tree["spec"][to_old ? "map" : "labels"];
    Value spec_tree = entries.is_null() ? tree["spec"] : Value::object({{to_old ? "labels" : "map", entries}});
    return VersionedTree{tree.with("apiVersion", version).with("spec", spec_tree), to_old ? &root : &schema.root};
  };
  const Object live = thing(R"({"map":{"a":"1"}})").with_metadata("managedFields", object.metadata()["managedFields"]);
  const Result<Object> conflict = apply(management, &live, thing(R"({"map":{"a":"2"}})"), false);
  CHECK(conflict.error().message() ==
        R"(Apply failed with 1 conflict: conflict with "m1" using x.io/v1beta1: .spec.labels.a)");
  const Result<Object> shared = apply(management, &live, thing(R"({"map":{"a":"1"}})"), false);
  REQUIRE(shared.ok());
  CHECK(shared->metadata()["managedFields"].size() == 2);
}

TEST_CASE("nulls that a custom object was given stay: its schema tells the validation what to say of them") {
  const CustomSchema schema;
  const Object object =
      applied(management_of(&schema.root, "m1"), nullptr, R"({"number":null,"map":{"k":null},"list":null})");
  CHECK(json::write_sorted(object["spec"]) == R"({"list":null,"map":{"k":null},"number":null})");
}

TEST_CASE("writes that differ only in times are none") {
  FieldManagement management = management_of(nullptr, "m1");
  const Object old = update_managed_fields(management, nullptr, thing(R"({"a":1})"));
  management.now += std::chrono::hours(1);
  const Object later = update_managed_fields(management, nullptr, thing(R"({"a":1})"));
  CHECK_FALSE(later == old);
  CHECK(without_timestamp_changes(old, later) == old);
  const Object changed = update_managed_fields(management, nullptr, thing(R"({"a":2})"));
  CHECK(without_timestamp_changes(old, changed) == changed);
}

TEST_CASE("a scale shows and returns the owners of its replicas") {
  const std::string_view path[] = {"spec", "replicas"};
  FieldManagement management = management_of(nullptr, "m1");
  const Object parent = update_managed_fields(management, nullptr, thing(R"({"replicas":1,"other":2})"));
  const Value& fields = parent.metadata()["managedFields"];
  Value scale = scale_managed_fields(fields, "x.io/v1", path);
  REQUIRE(scale.size() == 1);
  CHECK(scale.at(0)["apiVersion"].as_string() == "autoscaling/v1");
  CHECK(json::write(scale.at(0)["fieldsV1"]) == R"({"f:spec":{"f:replicas":{}}})");
  CHECK(parent_managed_fields(fields, scale, "x.io/v1", path) == fields);

  // Another manager takes the replicas by the scale.
  scale = Value::array({scale.at(0).with("manager", "hpa").with("subresource", "scale")});
  const Value taken = parent_managed_fields(fields, scale, "x.io/v1", path);
  REQUIRE(taken.size() == 2);
  CHECK(taken.at(0)["manager"].as_string() == "hpa");
  CHECK(json::write(taken.at(1)["fieldsV1"]) == R"({"f:spec":{".":{},"f:other":{}}})");
}

}  // namespace coracle::kube::patch
