#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "base/json/json.h"
#include "kube/schema/crd_schema.h"
#include "kube/schema/field_error.h"
#include "kube/schema/internal/pattern.h"
#include "kube/schema/pruning.h"
#include "kube/schema/validation.h"

namespace coracle::kube {
namespace {

constexpr std::array<std::string_view, 6> kTypes = {"array", "boolean", "integer", "number", "object", "string"};
constexpr std::array<std::string_view, 3> kJunctors = {"allOf", "anyOf", "oneOf"};
constexpr std::array<std::string_view, 3> kListTypes = {"atomic", "set", "map"};
constexpr std::array<std::string_view, 2> kMapTypes = {"atomic", "granular"};
constexpr std::array<std::string_view, 4> kRuleReasons = {"FieldValueDuplicate", "FieldValueForbidden",
                                                          "FieldValueInvalid", "FieldValueRequired"};
// With a status subresource the root may hold these, of which status keeps its own.
constexpr std::array<std::string_view, 22> kRootKeys = {"description",
                                                        "type",
                                                        "format",
                                                        "title",
                                                        "maximum",
                                                        "exclusiveMaximum",
                                                        "minimum",
                                                        "exclusiveMinimum",
                                                        "maxLength",
                                                        "minLength",
                                                        "pattern",
                                                        "maxItems",
                                                        "minItems",
                                                        "uniqueItems",
                                                        "multipleOf",
                                                        "required",
                                                        "items",
                                                        "properties",
                                                        "externalDocs",
                                                        "example",
                                                        "x-kubernetes-preserve-unknown-fields",
                                                        "x-kubernetes-validations"};
// Keys of JSON schema that custom resources may not use, and what is said of them.
constexpr std::array<std::string_view, 6> kUnsupported = {"id",          "additionalItems", "patternProperties",
                                                          "definitions", "dependencies",    "$ref"};
// What only the structural part of a schema may say, and how its absence is worded.
struct ForbiddenKey {
  std::string_view key;
  std::string_view detail;
};
constexpr std::array kNotNested = {
    ForbiddenKey{"type", "must be empty to be structural"},
    ForbiddenKey{"additionalProperties", "must be undefined to be structural"},
    ForbiddenKey{"default", "must be undefined to be structural"},
    ForbiddenKey{"title", "must be empty to be structural"},
    ForbiddenKey{"description", "must be empty to be structural"},
    ForbiddenKey{"nullable", "must be false to be structural"},
    ForbiddenKey{"x-kubernetes-preserve-unknown-fields", "must be false to be structural"},
    ForbiddenKey{"x-kubernetes-embedded-resource", "must be false to be structural"},
    ForbiddenKey{"x-kubernetes-int-or-string", "must be false to be structural"},
    ForbiddenKey{"x-kubernetes-list-map-keys", "must be empty to be structural"},
    ForbiddenKey{"x-kubernetes-list-type", "must be undefined to be structural"},
    ForbiddenKey{"x-kubernetes-map-type", "must be undefined to be structural"},
    ForbiddenKey{"x-kubernetes-validations", "must be empty to be structural"},
};

bool contains_name(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

enum class Level { Root, Item, Field };

class CrdSchemaChecker {
 public:
  void check_root(const Value& schema, const std::string& path, bool has_status) {
    if (has_status) check_root_keys(schema, path);
    if (schema["nullable"].as_bool()) forbid(path + ".nullable", "nullable cannot be true at the root");
    structural(schema, path, Level::Root);
    const bool well_formed = problems_.empty();
    completeness(schema, &schema, path, path);
    if (well_formed && problems_.empty()) check_defaults(schema, path);
    constructs(schema, path, true);
  }

  std::vector<Cause> take() && { return std::move(problems_); }

 private:
  void require(const std::string& path, std::string_view detail) { add(field_error::required(path, detail)); }
  void forbid(const std::string& path, std::string_view detail) { add(field_error::forbidden(path, detail)); }
  void refuse(const std::string& path, const Value& value, std::string_view detail) {
    add(field_error::invalid(path, value, detail));
  }
  void add(Cause cause) {
    if (problems_.size() < kMaxProblems) problems_.push_back(std::move(cause));
  }

  bool too_deep(const std::string& path) {
    if (depth_ <= kMaxSchemaDepth) return false;
    forbid(path, "must not be nested deeper than " + std::to_string(kMaxSchemaDepth) + " levels");
    return true;
  }

  static std::string property_path(const std::string& path, std::string_view name) {
    return path + ".properties[" + std::string(name) + "]";
  }
  static std::string branch_path(const std::string& path, std::string_view junctor, std::size_t index) {
    return path + "." + std::string(junctor) + "[" + std::to_string(index) + "]";
  }

  void check_root_keys(const Value& schema, const std::string& path) {
    for (const Value::Member& member : schema.members()) {
      if (is_zero(member.value) || contains_name(kRootKeys, member.key)) continue;
      std::string allowed;
      for (const std::string_view key : kRootKeys) allowed += (allowed.empty() ? "" : " ") + std::string(key);
      refuse(path, schema,
             "only [" + allowed +
                 "] fields are allowed at the root of the schema if the status "
                 "subresource is enabled");
      return;
    }
  }

  // Shape: every value has a type, and only the outer part of the schema says so.
  void structural(const Value& schema, const std::string& path, Level level) {
    ++depth_;
    if (!too_deep(path)) structural_node(schema, path, level);
    --depth_;
  }

  void structural_node(const Value& schema, const std::string& path, Level level) {
    const std::string_view type = schema["type"].as_string();
    const Value& items = schema["items"];
    if (type == "array" && items.is_null()) require(path + ".items", "must be specified");
    if (items.is_object()) structural(items, path + ".items", Level::Item);
    for (const Value::Member& property : schema["properties"].members()) {
      structural(property.value, property_path(path, property.key), Level::Field);
    }
    const Value& additional = schema["additionalProperties"];
    if (!additional.is_null() && level == Level::Root) {
      forbid(path + ".additionalProperties", "must not be used at the root");
    }
    if (additional.is_object()) structural(additional, path + ".additionalProperties", Level::Field);
    structural_type(schema, path, level);
    structural_metadata(schema, path, level);
    const bool int_or_string = schema["x-kubernetes-int-or-string"].as_bool();
    value_validation(schema, path, int_or_string);
  }

  void structural_type(const Value& schema, const std::string& path, Level level) {
    const std::string_view type = schema["type"].as_string();
    const bool embedded = schema["x-kubernetes-embedded-resource"].as_bool();
    const bool int_or_string = schema["x-kubernetes-int-or-string"].as_bool();
    const bool preserve = schema["x-kubernetes-preserve-unknown-fields"].as_bool();
    if (int_or_string && preserve) {
      refuse(path + ".x-kubernetes-preserve-unknown-fields", Value(true),
             "must be false if x-kubernetes-int-or-string is true");
    }
    if (int_or_string && embedded) {
      refuse(path + ".x-kubernetes-embedded-resource", Value(true),
             "must be false if x-kubernetes-int-or-string is true");
    }
    if (embedded && type != "object") {
      constexpr std::string_view kDetail = "must be object if x-kubernetes-embedded-resource is true";
      type.empty() ? require(path + ".type", kDetail) : refuse(path + ".type", Value(type), kDetail);
    } else if (type.empty() && !int_or_string && !preserve) {
      require(path + ".type", level == Level::Root   ? "must not be empty at the root"
                              : level == Level::Item ? "must not be empty for specified array items"
                                                     : "must not be empty for specified object fields");
    }
    if (embedded && !schema["additionalProperties"].is_null()) {
      forbid(path + ".additionalProperties", "must not be used if x-kubernetes-embedded-resource is set");
    }
    if (level == Level::Root && !type.empty() && type != "object") {
      refuse(path + ".type", Value(type), "must be object at the root");
    }
    if (embedded && !preserve && schema["properties"].empty()) {
      require(path + ".properties",
              "must not be empty if x-kubernetes-embedded-resource is true without "
              "x-kubernetes-preserve-unknown-fields");
    }
  }

  void structural_metadata(const Value& schema, const std::string& path, Level level) {
    if (level != Level::Root && !schema["x-kubernetes-embedded-resource"].as_bool()) return;
    const Value& properties = schema["properties"];
    for (const std::string_view name : {"kind", "apiVersion"}) {
      const Value* found = properties.find(name);
      if (found == nullptr || (*found)["type"].as_string() == "string") continue;
      refuse(property_path(path, name) + ".type", Value((*found)["type"].as_string()), "must be string");
    }
    const Value* metadata = properties.find("metadata");
    if (metadata == nullptr) return;
    const std::string meta_path = property_path(path, "metadata");
    if ((*metadata)["type"].as_string() != "object") {
      refuse(meta_path + ".type", Value((*metadata)["type"].as_string()), "must be object");
    }
    if (level != Level::Root) return;
    for (const Value::Member& member : metadata->members()) {
      const bool names_only = member.key == "properties" &&
                              std::all_of(member.value.members().begin(), member.value.members().end(),
                                          [](const auto& m) { return m.key == "name" || m.key == "generateName"; });
      if (names_only || member.key == "type" || is_zero(member.value)) continue;
      forbid(meta_path,
             "must not specify anything other than name and generateName, but metadata is implicitly specified");
      return;
    }
  }

  static bool is_int_or_string_choice(const Value& choice) {
    return choice.size() == 2 && choice.at(0).size() == 1 && choice.at(1).size() == 1 &&
           choice.at(0)["type"].as_string() == "integer" && choice.at(1)["type"].as_string() == "string";
  }

  // The alternatives of a node. Those that make an IntOrString may name types.
  void value_validation(const Value& schema, const std::string& path, bool int_or_string) {
    for (const std::string_view junctor : kJunctors) {
      const Value& branches = schema[junctor];
      if (junctor == "anyOf" && int_or_string && is_int_or_string_choice(branches)) continue;
      for (std::size_t i = 0; i < branches.size(); ++i) {
        nested(branches.at(i), branch_path(path, junctor, i), int_or_string && junctor == "allOf" && i == 0);
      }
    }
    if (schema["not"].is_object()) nested(schema["not"], path + ".not", false);
    if (const std::string_view pattern = schema["pattern"].as_string(); !pattern.empty()) {
      const auto compiled = internal::Pattern::compile(pattern);
      if (!compiled.ok()) {
        refuse(path + ".pattern", Value(pattern),
               "must be a valid regular expression, but isn't: " + compiled.error().message());
      }
    }
  }

  void nested(const Value& schema, const std::string& path, bool int_or_string) {
    ++depth_;
    if (!too_deep(path)) nested_node(schema, path, int_or_string);
    --depth_;
  }

  void nested_node(const Value& schema, const std::string& path, bool int_or_string) {
    value_validation(schema, path, int_or_string);
    if (schema["items"].is_object()) nested(schema["items"], path + ".items", false);
    for (const Value::Member& property : schema["properties"].members()) {
      nested(property.value, property_path(path, property.key), false);
    }
    for (const ForbiddenKey& forbidden : kNotNested) {
      const Value* found = schema.find(forbidden.key);
      if (found == nullptr) continue;
      const bool matters = forbidden.key == "default" || forbidden.key == "additionalProperties" || !is_zero(*found);
      if (matters) forbid(path + "." + std::string(forbidden.key), forbidden.detail);
    }
    if (schema["properties"].contains("metadata")) {
      forbid(property_path(path, "metadata"), "must not be specified in a nested context");
    }
  }

  // Whatever an alternative restricts must be described outside of it.
  void completeness(const Value& rules, const Value* described, const std::string& described_path,
                    const std::string& rules_path) {
    for (const std::string_view junctor : {"not", "allOf", "anyOf", "oneOf"}) {
      const Value& branches = rules[junctor];
      if (junctor == "not" && branches.is_object()) {
        nested_completeness(branches, described, described_path, rules_path + ".not");
      }
      for (std::size_t i = 0; i < branches.size() && branches.is_array(); ++i) {
        nested_completeness(branches.at(i), described, described_path, branch_path(rules_path, junctor, i));
      }
    }
  }

  void nested_completeness(const Value& rules, const Value* described, const std::string& described_path,
                           const std::string& rules_path) {
    if (described == nullptr) return require(described_path, "because it is defined in " + rules_path);
    completeness(rules, described, described_path, rules_path);
    if (rules["items"].is_object()) {
      const Value* items = described->find("items");
      nested_completeness(rules["items"], items, described_path + ".items", rules_path + ".items");
    }
    for (const Value::Member& property : rules["properties"].members()) {
      nested_completeness(property.value, (*described)["properties"].find(property.key),
                          property_path(described_path, property.key), property_path(rules_path, property.key));
    }
  }

  // Constructs that are refused wherever they stand.
  void constructs(const Value& schema, const std::string& path, bool root) {
    ++depth_;
    if (depth_ <= kMaxSchemaDepth && schema.is_object()) constructs_node(schema, path, root);
    --depth_;
  }

  void constructs_node(const Value& schema, const std::string& path, bool root) {
    const std::string_view type = schema["type"].as_string();
    if (!type.empty() && !contains_name(kTypes, type)) {
      add(field_error::not_supported(path + ".type", Value(type), kTypes));
    }
    for (const std::string_view key : kUnsupported) {
      const Value* found = schema.find(key);
      if (found != nullptr && !is_zero(*found))
        forbid(path + "." + std::string(key), std::string(key) + " is not supported");
    }
    if (type == "null") forbid(path + ".type", "type cannot be set to null, use nullable as an alternative");
    if (schema["items"].is_array()) forbid(path + ".items", "items must be a schema object and not an array");
    if (schema["uniqueItems"].as_bool()) {
      forbid(path + ".uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
    }
    const Value& additional = schema["additionalProperties"];
    if (!schema["properties"].empty() && (additional.is_object() || (additional.is_bool() && !additional.as_bool()))) {
      forbid(path + ".additionalProperties", "additionalProperties and properties are mutual exclusive");
    }
    if (const Value* preserve = schema.find("x-kubernetes-preserve-unknown-fields");
        preserve != nullptr && preserve->is_bool() && !preserve->as_bool()) {
      refuse(path + ".x-kubernetes-preserve-unknown-fields", Value(false), "must be true or undefined");
    }
    if (root) {
      for (const std::string_view name : {"apiVersion", "kind", "metadata"}) {
        if (schema["properties"][name].contains("default")) {
          forbid(property_path(path, name) + ".default", "must not be set in top-level " + std::string(name));
        }
      }
    }
    map_type(schema, path);
    list_type(schema, path);
    rules(schema["x-kubernetes-validations"], path + ".x-kubernetes-validations");
    children(schema, path);
  }

  void children(const Value& schema, const std::string& path) {
    constructs(schema["additionalProperties"], path + ".additionalProperties", false);
    for (const Value::Member& property : schema["properties"].members()) {
      constructs(property.value, property_path(path, property.key), false);
    }
    constructs(schema["not"], path + ".not", false);
    for (const std::string_view junctor : kJunctors) {
      for (std::size_t i = 0; i < schema[junctor].size(); ++i) {
        constructs(schema[junctor].at(i), branch_path(path, junctor, i), false);
      }
    }
    constructs(schema["items"], path + ".items", false);
  }

  void type_must_be(const Value& schema, const std::string& path, std::string_view wanted, std::string_view key) {
    const std::string_view type = schema["type"].as_string();
    const std::string detail = "must be " + std::string(wanted) + " if " + std::string(key) + " is specified";
    if (type == wanted) return;
    type.empty() ? require(path + ".type", detail) : refuse(path + ".type", Value(type), detail);
  }

  void map_type(const Value& schema, const std::string& path) {
    const Value& map = schema["x-kubernetes-map-type"];
    if (map.is_null()) return;
    type_must_be(schema, path, "object", "x-kubernetes-map-type");
    if (!contains_name(kMapTypes, map.as_string())) {
      add(field_error::not_supported(path + ".x-kubernetes-map-type", map, kMapTypes));
    }
  }

  void list_type(const Value& schema, const std::string& path) {
    const Value& list = schema["x-kubernetes-list-type"];
    const Value& keys = schema["x-kubernetes-list-map-keys"];
    const std::string list_path = path + ".x-kubernetes-list-type";
    if (!keys.empty() && list.as_string() != "map") {
      constexpr std::string_view kDetail = "must be map if x-kubernetes-list-map-keys is non-empty";
      list.is_null() ? require(list_path, kDetail) : refuse(list_path, list, kDetail);
    }
    if (list.is_null()) return;
    type_must_be(schema, path, "array", "x-kubernetes-list-type");
    if (!contains_name(kListTypes, list.as_string())) {
      add(field_error::not_supported(list_path, list, kListTypes));
    }
    const Value& items = schema["items"];
    if (list.as_string() == "set") set_items(items, path + ".items");
    if (list.as_string() == "map") map_items(items, keys, path);
    if (items["nullable"].as_bool() && list.as_string() != "atomic") {
      forbid(path + ".items.nullable",
             "cannot be nullable when x-kubernetes-list-type is " + std::string(list.as_string()));
    }
  }

  void set_items(const Value& items, const std::string& path) {
    constexpr std::string_view kDetail = "must be atomic as item of a list with x-kubernetes-list-type=set";
    const Value& list = items["x-kubernetes-list-type"];
    const Value& map = items["x-kubernetes-map-type"];
    if (items["type"].as_string() == "array" && !list.is_null() && list.as_string() != "atomic") {
      refuse(path + ".x-kubernetes-list-type", list, kDetail);
    }
    if (items["type"].as_string() == "object" && map.as_string() != "atomic") {
      refuse(path + ".x-kubernetes-map-type", map, kDetail);
    }
  }

  void map_items(const Value& items, const Value& keys, const std::string& path) {
    const std::string keys_path = path + ".x-kubernetes-list-map-keys";
    if (keys.empty()) require(keys_path, "must not be empty if x-kubernetes-list-type is map");
    if (!items.is_object()) return require(path + ".items", "must have a schema if x-kubernetes-list-type is map");
    if (items["type"].as_string() != "object") {
      return refuse(path + ".items.type", Value(items["type"].as_string()),
                    "must be object if parent array's x-kubernetes-list-type is map");
    }
    std::set<std::string_view> seen;
    for (const Value& key : keys.items()) {
      const std::string_view name = key.as_string();
      if (!seen.insert(name).second) refuse(keys_path, keys, "must not contain duplicate entries");
      const Value* property = items["properties"].find(name);
      if (property == nullptr) {
        refuse(keys_path, keys, "entries must all be names of item properties");
        continue;
      }
      const std::string property_at = property_path(path + ".items", name);
      const std::string_view type = (*property)["type"].as_string();
      if (type == "array" || type == "object") {
        refuse(property_at + ".type", items["type"],
               "must be a scalar type if parent array's x-kubernetes-list-type is map");
      }
      map_key(items, *property, name, property_at);
    }
  }

  void map_key(const Value& items, const Value& property, std::string_view name, const std::string& path) {
    const std::span<const Value> required = items["required"].items();
    const bool is_required =
        std::any_of(required.begin(), required.end(), [&](const Value& one) { return one.as_string() == name; });
    if (!is_required && !property.contains("default")) {
      require(path + ".default",
              "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property");
    }
    if (property["nullable"].as_bool()) {
      forbid(path + ".nullable", "this property is in x-kubernetes-list-map-keys, so it cannot be nullable");
    }
  }

  // The shape of expressions; whether they compile is not looked at.
  void rules(const Value& rules, const std::string& path) {
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const Value& rule = rules.at(i);
      const std::string at = path + "[" + std::to_string(i) + "]";
      const auto blank = [](std::string_view text) {
        return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
      };
      const std::string_view message = rule["message"].as_string();
      const std::string_view text = rule["rule"].as_string();
      if (blank(text)) {
        require(at + ".rule", "rule is not specified");
      } else if (!message.empty() && blank(message)) {
        refuse(at + ".message", Value(message), "must be non-empty if specified");
      } else if (message.find('\n') != std::string_view::npos) {
        refuse(at + ".message", Value(message), "must not contain line breaks");
      } else if (text.find('\n') != std::string_view::npos && message.empty()) {
        require(at + ".message", "message must be specified if rule contains line breaks");
      }
      const Value& reason = rule["reason"];
      if (!reason.is_null() && !contains_name(kRuleReasons, reason.as_string())) {
        add(field_error::not_supported(at + ".reason", reason, kRuleReasons));
      }
    }
  }

  // Defaults fit their schema and hold nothing that pruning would drop.
  void check_defaults(const Value& schema, const std::string& path) {
    const auto compiled = CompiledSchema::compile(schema);
    if (!compiled.ok()) return forbid(path, compiled.error().message());
    default_node((*compiled)->root(), path, true);
  }

  // A problem inside a value that stands at `path`.
  static Cause below(Cause cause, const std::string& path) {
    const bool root = cause.field == field_error::kRootField;
    const bool joined = root || cause.field.starts_with('[');
    cause.field = path + (joined ? "" : ".") + (root ? "" : cause.field);
    return cause;
  }

  void default_node(const Schema& node, const std::string& path, bool root) {
    if (!node.has_defaults) return;
    if (!node.default_json.empty()) {
      const auto value = json::read(node.default_json);
      if (value.ok() && !(prune(*value, node) == *value)) {
        refuse(path + ".default", *value, "must not have unknown fields");
      } else if (value.ok()) {
        for (Cause& cause : validate(*value, node)) add(below(std::move(cause), path + ".default"));
      }
    }
    if (node.kind == SchemaKind::List) default_node(*node.items, path + ".items", false);
    for (const Field& field : node.fields) {
      const bool of_resource = field.name == "metadata" && (root || node.embedded_resource);
      if (!of_resource) default_node(*field.schema, property_path(path, field.name), false);
    }
  }

  std::vector<Cause> problems_;
  std::size_t depth_ = 0;
};

}  // namespace

std::vector<Cause> validate_crd_schema(const Value& open_api_schema, std::string_view path,
                                       bool has_status_subresource) {
  CrdSchemaChecker checker;
  checker.check_root(open_api_schema, std::string(path), has_status_subresource);
  return std::move(checker).take();
}

}  // namespace coracle::kube
