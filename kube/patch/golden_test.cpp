#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/json/json.h"
#include "base/yaml/yaml.h"
#include "kube/codec/normalise.h"
#include "kube/object/status.h"
#include "kube/patch/apply.h"
#include "kube/patch/patch.h"
#include "kube/schema/crd_schema.h"
#include "kube/schema/defaulting.h"

// Runs what upstream Kubernetes answered to the same requests: tests/golden/patch/*.yaml holds the
// live object, the request and the answer of each step, times replaced by fixed ones.
namespace coracle::kube::patch {
namespace {

constexpr std::string_view kNow = "2026-06-01T12:00:00Z";
constexpr std::string_view kOldest = "2026-01-01T00:00:00Z";

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// What the server resets per resource: the main resource never writes status, and the other way round.
const FieldSet* reset_fields(std::string_view kind, std::string_view subresource) {
  static const FieldSet main = FieldSet::of_fields({"status"});
  static const FieldSet status = FieldSet::of_fields({"spec", "metadata.labels"});
  if (kind != "Deployment" && kind != "Node" && kind != "Service" && kind != "Thing") return nullptr;
  return subresource == "status" ? &status : &main;
}

// Structs that Go always writes ("resources": {}) come with the codec, not with a patch.
Value without_empty(const Value& value) {
  if (value.is_array()) {
    std::vector<Value> items;
    for (const Value& item : value.items()) items.push_back(without_empty(item));
    return Value::array(std::move(items));
  }
  if (!value.is_object()) return value;
  Value::ObjectBuilder out;
  for (const Value::Member& member : value.members()) {
    Value inner = without_empty(member.value);
    if (!(inner.is_object() && inner.empty()) && !(inner.is_array() && inner.empty())) out.set(member.key, inner);
  }
  return std::move(out).build();
}

// What both sides must agree on besides managedFields; a Service's spec holds allocated addresses.
// The strategy of a resource keeps status and the rest apart, after the patch.
Value comparable(const Object& object, std::string_view subresource) {
  if (subresource == "status") return without_empty(object["status"]);
  Value::ObjectBuilder out;
  for (const std::string_view field : {"data", "binaryData", "spec", "secrets", "imagePullSecrets"}) {
    const bool allocated = object.kind() == "Service" && field == "spec";
    if (!allocated && object.tree().contains(field)) out.set(field, object[field]);
  }
  for (const std::string_view field : {"labels", "annotations", "finalizers", "ownerReferences"}) {
    if (object.metadata().contains(field)) out.set(field, object.metadata()[field]);
  }
  return without_empty(std::move(out).build());
}

Object without_owners(const Object& object) {
  return object.with_metadata("managedFields", Value());
}

// The answer of the step before, its times made old: one minute apart, in their order.
Object grown_old(const Object& object) {
  std::set<std::string_view> times;
  for (const Value& entry : object.metadata()["managedFields"].items()) {
    if (entry.contains("time")) times.insert(entry["time"].as_string());
  }
  std::vector<Value> entries;
  for (const Value& entry : object.metadata()["managedFields"].items()) {
    if (!entry.contains("time")) {
      entries.push_back(entry);
      continue;
    }
    const auto minutes = std::distance(times.begin(), times.find(entry["time"].as_string()));
    entries.push_back(entry.with("time", format_time(*parse_time(kOldest) + std::chrono::minutes(minutes))));
  }
  return entries.empty() ? object : object.with_metadata("managedFields", Value::array(std::move(entries)));
}

class Case {
 public:
  // `custom` is the schema of a custom resource, or null.
  Case(const Value& step, const Object& previous, const Schema* custom)
      : step_(step), operation_(step["operation"].as_string()) {
    management_.gvk = GroupVersionKind::parse(step["apiVersion"].as_string(), step["kind"].as_string());
    const KindSchema* kind = find_builtin_kind(management_.gvk.group, management_.gvk.version, management_.gvk.kind);
    management_.schema = kind != nullptr ? kind->schema : custom;
    management_.custom = kind == nullptr;
    REQUIRE(management_.schema != nullptr);
    management_.manager = step["manager"].as_string();
    management_.subresource = step["subresource"].as_string();
    management_.now = *parse_time(kNow);
    management_.reset_fields = reset_fields(management_.gvk.kind, management_.subresource);
    if (step["live"].is_object()) live_ = Object(step["live"]);
    if (step["live"].is_string()) live_ = grown_old(previous);
  }

  Result<Object> run() const;

 private:
  Result<Object> patched() const;
  // What the server does between a patch and the owners: decode into the type, and default.
  Object defaulted(const Value& tree) const {
    Value decoded = tree;
    if (!management_.custom) {
      Result<Value> normal = normalise(tree, *management_.schema);
      REQUIRE(normal.ok());
      decoded = std::move(*normal);
    }
    return Object(apply_defaults(decoded, *management_.schema, management_.now));
  }

  const Value& step_;
  std::string_view operation_;
  FieldManagement management_;
  std::optional<Object> live_;
};

Result<Object> Case::patched() const {
  const Value& patch = step_["patch"];
  Result<Value> tree = operation_ == "json"        ? apply_json_patch(live_->tree(), patch)
                       : operation_ == "strategic" ? apply_strategic_patch(live_->tree(), patch, *management_.schema)
                                                   : Result<Value>(apply_merge_patch(live_->tree(), patch));
  if (!tree.ok()) return tree.error();
  return defaulted(*tree);
}

Result<Object> Case::run() const {
  const Object* live = live_ ? &*live_ : nullptr;
  if (operation_ == "apply") {
    ASSIGN_OR_RETURN(Object applied, apply(management_, live, Object(step_["patch"]), step_["force"].as_bool()));
    return defaulted(applied.tree());
  }
  if (operation_ == "create" || operation_ == "update") {
    // What the server decoded is what it answered, but for the owners.
    Object updated = without_owners(Object(step_["expected"]));
    if (step_["sentManagedFields"].is_array())
      updated = updated.with_metadata("managedFields", step_["sentManagedFields"]);
    return update_managed_fields(management_, live, updated);
  }
  ASSIGN_OR_RETURN(const Object updated, patched());
  return without_timestamp_changes(*live, update_managed_fields(management_, live, updated));
}

std::vector<std::string> sorted_texts(const Value& list) {
  std::vector<std::string> texts;
  for (const Value& item : list.items()) texts.push_back(json::write_sorted(item));
  std::sort(texts.begin(), texts.end());
  return texts;
}

void check_error(const Value& expected, const Result<Object>& result) {
  REQUIRE_FALSE(result.ok());
  const Value status = to_status(result.error());
  CHECK(status["message"].as_string() == expected["message"].as_string());
  CHECK(status["code"].as_int() == expected["code"].as_int());
  CHECK(status["reason"].as_string() == expected["reason"].as_string());
  // Upstream reports the managers' causes in no particular order.
  CHECK(sorted_texts(status["details"]["causes"]) == sorted_texts(expected["causes"]));
}

}  // namespace

TEST_CASE("patches and field ownership follow upstream's recorded answers") {
  std::size_t steps = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(CORACLE_SOURCE_DIR) + "/tests/golden/patch")) {
    Result<Value> file = yaml::read(read_text(entry.path()));
    REQUIRE(file.ok());
    Object previous;
    std::shared_ptr<const CompiledSchema> custom;
    for (const Value& step : file->items()) {
      if (step.contains("openAPIV3Schema")) {
        custom = *CompiledSchema::compile(step["openAPIV3Schema"]);
        continue;
      }
      INFO(entry.path().filename().string() << ": " << step["name"].as_string());
      ++steps;
      const Result<Object> result = Case(step, previous, custom ? &custom->root() : nullptr).run();
      if (step.contains("error")) {
        check_error(step["error"], result);
        continue;
      }
      REQUIRE(result.ok());
      const Object expected(step["expected"]);
      previous = expected;
      CHECK(json::write_sorted(result->metadata()["managedFields"]) ==
            json::write_sorted(expected.metadata()["managedFields"]));
      const std::string_view subresource = step["subresource"].as_string();
      CHECK(json::write_sorted(comparable(*result, subresource)) ==
            json::write_sorted(comparable(expected, subresource)));
    }
  }
  CHECK(steps > 50);
}

}  // namespace coracle::kube::patch
