#include <algorithm>
#include <deque>
#include <optional>
#include <string>

#include "base/json/json.h"
#include "kube/schema/crd_schema.h"
#include "kube/schema/internal/formats.h"
#include "kube/schema/internal/pattern.h"

namespace coracle::kube {
namespace {

constexpr std::string_view kObjectMetaType = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

}  // namespace

// Addresses stay where they are: deques grow without moving, vectors are filled before they are kept.
struct CompiledSchema::Arena {
  std::deque<Schema> nodes;
  std::deque<Constraints> constraints;
  std::deque<std::vector<Field>> fields;
  std::deque<std::vector<std::string_view>> names;
  std::deque<std::vector<const Schema*>> alternatives;
  std::deque<std::string> texts;
  std::vector<std::unique_ptr<const internal::Pattern>> patterns;
};

CompiledSchema::CompiledSchema() : arena_(std::make_unique<Arena>()) {}
CompiledSchema::~CompiledSchema() = default;

class SchemaCompiler {
 public:
  explicit SchemaCompiler(CompiledSchema& out) : out_(out), arena_(*out.arena_) {}

  Result<void> run(const Value& source) {
    out_.root_ = structural(source, true);
    if (error_) return *error_;
    return {};
  }

 private:
  static const Schema* object_meta() { return find_builtin_type(kObjectMetaType); }

  Schema* make_node() {
    if (arena_.nodes.size() >= kMaxSchemaNodes || depth_ > kMaxSchemaDepth) {
      if (!error_) {
        error_ = bad_request(depth_ > kMaxSchemaDepth
                                 ? "the schema is nested deeper than " + std::to_string(kMaxSchemaDepth) + " levels"
                                 : "the schema has more than " + std::to_string(kMaxSchemaNodes) + " nodes");
      }
      return nullptr;
    }
    return &arena_.nodes.emplace_back();
  }

  // What an error stands in for.
  const Schema* nothing() { return &arena_.nodes.emplace_back(); }

  const Schema* structural(const Value& source, bool root) {
    ++depth_;
    Schema* node = make_node();
    if (node == nullptr) {
      --depth_;
      return nothing();
    }
    node->nullable = source["nullable"].as_bool();
    node->preserve_unknown_fields = source["x-kubernetes-preserve-unknown-fields"].as_bool();
    node->embedded_resource = source["x-kubernetes-embedded-resource"].as_bool();
    if (const Value& value = source["default"]; !value.is_null()) node->default_json = keep_text(json::write(value));
    set_type(*node, source, root);
    node->constraints = constraints(source);
    node->has_defaults = has_defaults(*node);
    node->holds_embedded = holds_embedded(*node);
    --depth_;
    return node;
  }

  void set_type(Schema& node, const Value& source, bool root) {
    const std::string_view type = source["type"].as_string();
    if (source["x-kubernetes-int-or-string"].as_bool()) {
      node.kind = SchemaKind::IntOrString;
    } else if (root || type == "object") {
      set_object(node, source, root);
    } else if (type == "array") {
      node.kind = SchemaKind::List;
      node.items = structural(source["items"], false);
      const std::string_view list = source["x-kubernetes-list-type"].as_string();
      node.list_type = list == "map" ? ListType::Map : list == "set" ? ListType::Set : ListType::Atomic;
      node.list_map_keys = keep_names(source["x-kubernetes-list-map-keys"]);
    } else if (type == "string") {
      node.kind = SchemaKind::String;
      node.format = string_format(source["format"].as_string());
    } else if (type == "integer") {
      node.kind = SchemaKind::Integer;
      const std::string_view format = source["format"].as_string();
      node.format = format == "int32" ? Format::Int32 : format == "int64" ? Format::Int64 : Format::None;
    } else if (type == "number") {
      node.kind = SchemaKind::Number;
      const std::string_view format = source["format"].as_string();
      node.format = format == "float" ? Format::Float : format == "double" ? Format::Double : Format::None;
    } else if (type == "boolean") {
      node.kind = SchemaKind::Boolean;
    } else {
      // No type: anything, of which known properties are still looked at.
      node.kind = SchemaKind::Any;
      if (!source["properties"].empty()) node.fields = fields_of(source, node.embedded_resource);
    }
  }

  static Format string_format(std::string_view format) {
    if (format.empty()) return Format::None;
    if (format == "byte") return Format::Byte;
    if (format == "date") return Format::Date;
    if (format == "date-time" || format == "datetime") return Format::DateTime;
    if (format == "password") return Format::Password;
    return Format::Other;
  }

  void set_object(Schema& node, const Value& source, bool root) {
    node.atomic_map = source["x-kubernetes-map-type"].as_string() == "atomic";
    const Value& additional = source["additionalProperties"];
    const bool resource = root || node.embedded_resource;
    if (!resource && source["properties"].empty() && additional.is_object()) {
      node.kind = SchemaKind::Map;
      node.items = structural(additional, false);
      return;
    }
    node.kind = SchemaKind::Struct;
    node.fields = fields_of(source, resource);
    if (additional.is_object()) node.items = structural(additional, false);
    if (additional.as_bool()) node.preserve_unknown_fields = true;
  }

  bool is_required(const Value& source, std::string_view name) const {
    for (const Value& required : source["required"].items()) {
      if (required.as_string() == name) return true;
    }
    return false;
  }

  std::span<const Field> fields_of(const Value& source, bool resource) {
    std::vector<Field> fields;
    if (resource) add_type_fields(fields, source["properties"]);
    for (const Value::Member& property : source["properties"].members()) {
      if (resource && (property.key == "apiVersion" || property.key == "kind" || property.key == "metadata")) continue;
      Field field;
      field.name = keep_text(property.key);
      field.schema = structural(property.value, false);
      field.required = is_required(source, property.key);
      field.pointer = true;
      field.default_json = field.schema->default_json;
      fields.push_back(field);
    }
    return arena_.fields.emplace_back(std::move(fields));
  }

  // Every resource has them, whatever its schema says. metadata's own schema may only restrict names.
  void add_type_fields(std::vector<Field>& fields, const Value& properties) {
    for (const std::string_view name : {"apiVersion", "kind"}) {
      const Value* declared = properties.find(name);
      Field field;
      field.name = name;
      field.pointer = true;
      if (declared != nullptr) {
        field.schema = structural(*declared, false);
      } else {
        Schema& text = arena_.nodes.emplace_back();
        text.kind = SchemaKind::String;
        field.schema = &text;
      }
      fields.push_back(field);
    }
    Field metadata;
    metadata.name = "metadata";
    metadata.pointer = true;
    metadata.schema = object_meta();
    if (const Value* declared = properties.find("metadata");
        declared != nullptr && !(*declared)["properties"].empty()) {
      Schema& node = arena_.nodes.emplace_back(*object_meta());
      Constraints& limits = arena_.constraints.emplace_back();
      limits.all_of = keep_nodes({nested(*declared)});
      node.constraints = &limits;
      metadata.schema = &node;
    }
    fields.push_back(metadata);
  }

  // A node that only restricts: inside allOf, anyOf, oneOf and not.
  const Schema* nested(const Value& source) {
    ++depth_;
    Schema* node = make_node();
    if (node == nullptr) {
      --depth_;
      return nothing();
    }
    node->kind = SchemaKind::Any;
    const std::string_view type = source["type"].as_string();
    for (const auto& [name, kind] : {std::pair<std::string_view, SchemaKind>{"integer", SchemaKind::Integer},
                                     {"string", SchemaKind::String},
                                     {"number", SchemaKind::Number},
                                     {"boolean", SchemaKind::Boolean},
                                     {"object", SchemaKind::Struct},
                                     {"array", SchemaKind::List}}) {
      if (type == name) node->kind = kind;
    }
    if (const Value& items = source["items"]; items.is_object()) node->items = nested(items);
    if (const Value& more = source["additionalProperties"]; more.is_object()) node->items = nested(more);
    if (node->kind == SchemaKind::List && node->items == nullptr) node->kind = SchemaKind::Any;
    std::vector<Field> fields;
    for (const Value::Member& property : source["properties"].members()) {
      Field field;
      field.name = keep_text(property.key);
      field.schema = nested(property.value);
      field.pointer = true;
      field.required = is_required(source, property.key);
      fields.push_back(field);
    }
    for (const Value& required : source["required"].items()) {
      if (source["properties"].contains(required.as_string())) continue;
      Field field;
      field.name = keep_text(std::string(required.as_string()));
      field.schema = nothing();
      field.pointer = true;
      field.required = true;
      fields.push_back(field);
    }
    node->fields = arena_.fields.emplace_back(std::move(fields));
    node->constraints = constraints(source);
    --depth_;
    return node;
  }

  const Constraints* constraints(const Value& source) {
    Constraints limits;
    bool any = set_numbers(limits, source);
    if (const std::string format = internal::known_format(source["format"].as_string());
        !format.empty() && (source["type"].as_string() == "string" || source["type"].is_null())) {
      limits.format = keep_text(std::string(source["format"].as_string()));
      any = true;
    }
    if (const std::string_view pattern = source["pattern"].as_string(); !pattern.empty()) {
      limits.pattern = keep_text(std::string(pattern));
      if (auto compiled = internal::Pattern::compile(pattern); compiled.ok()) {
        arena_.patterns.push_back(std::move(compiled).value());
        limits.compiled_pattern = arena_.patterns.back().get();
      }
      any = true;
    }
    if (const Value& values = source["enum"]; values.size() > 0) {
      std::vector<std::string_view> texts;
      for (const Value& value : values.items()) texts.push_back(keep_text(json::write(value)));
      limits.enum_values = arena_.names.emplace_back(std::move(texts));
      any = true;
    }
    any = set_alternatives(limits, source) || any;
    // A required field without a property is dropped as unknown and missing for good.
    if (const Schema* required = undeclared_required(source)) {
      std::vector<const Schema*> all(limits.all_of.begin(), limits.all_of.end());
      all.push_back(required);
      limits.all_of = keep_nodes(std::move(all));
      any = true;
    }
    return any ? &arena_.constraints.emplace_back(limits) : nullptr;
  }

  const Schema* undeclared_required(const Value& source) {
    if (source["type"].as_string() != "object" || source["required"].empty()) return nullptr;
    std::vector<Field> fields;
    for (const Value& required : source["required"].items()) {
      const std::string_view name = required.as_string();
      if (source["properties"].contains(name) || name == "apiVersion" || name == "kind" || name == "metadata") continue;
      Field field;
      field.name = keep_text(std::string(name));
      field.schema = nothing();
      field.pointer = true;
      field.required = true;
      fields.push_back(field);
    }
    if (fields.empty()) return nullptr;
    Schema& node = arena_.nodes.emplace_back();
    node.fields = arena_.fields.emplace_back(std::move(fields));
    return &node;
  }

  static bool set_count(std::int64_t& out, const Value& value) {
    if (!value.is_number()) return false;
    out = value.is_int() ? value.as_int() : static_cast<std::int64_t>(value.as_double());
    return true;
  }

  static bool set_numbers(Constraints& limits, const Value& source) {
    bool any = false;
    for (const auto& [name, out] : {std::pair<std::string_view, std::int64_t*>{"minLength", &limits.min_length},
                                    {"maxLength", &limits.max_length},
                                    {"minItems", &limits.min_items},
                                    {"maxItems", &limits.max_items},
                                    {"minProperties", &limits.min_properties},
                                    {"maxProperties", &limits.max_properties}}) {
      any = set_count(*out, source[name]) || any;
    }
    limits.has_minimum = source["minimum"].is_number();
    limits.has_maximum = source["maximum"].is_number();
    limits.has_multiple_of = source["multipleOf"].is_number();
    limits.minimum = source["minimum"].as_double();
    limits.maximum = source["maximum"].as_double();
    limits.multiple_of = source["multipleOf"].as_double();
    limits.exclusive_minimum = source["exclusiveMinimum"].as_bool();
    limits.exclusive_maximum = source["exclusiveMaximum"].as_bool();
    limits.unique_items = source["uniqueItems"].as_bool();
    return any || limits.has_minimum || limits.has_maximum || limits.has_multiple_of || limits.unique_items;
  }

  bool set_alternatives(Constraints& limits, const Value& source) {
    limits.any_of = nested_list(source["anyOf"]);
    limits.all_of = nested_list(source["allOf"]);
    limits.one_of = nested_list(source["oneOf"]);
    if (const Value& negated = source["not"]; negated.is_object()) limits.negated = nested(negated);
    return !limits.any_of.empty() || !limits.all_of.empty() || !limits.one_of.empty() || limits.negated != nullptr;
  }

  std::span<const Schema* const> nested_list(const Value& sources) {
    std::vector<const Schema*> nodes;
    for (const Value& source : sources.items()) nodes.push_back(nested(source));
    return nodes.empty() ? std::span<const Schema* const>() : keep_nodes(std::move(nodes));
  }

  std::span<const Schema* const> keep_nodes(std::vector<const Schema*> nodes) {
    return arena_.alternatives.emplace_back(std::move(nodes));
  }

  std::span<const std::string_view> keep_names(const Value& names) {
    std::vector<std::string_view> views;
    for (const Value& name : names.items()) views.push_back(keep_text(std::string(name.as_string())));
    return arena_.names.emplace_back(std::move(views));
  }

  std::string_view keep_text(std::string text) { return arena_.texts.emplace_back(std::move(text)); }

  static bool has_defaults(const Schema& node) {
    if (!node.default_json.empty()) return true;
    if (node.items != nullptr && node.items->has_defaults) return true;
    for (const Field& field : node.fields) {
      if (!field.default_json.empty() || field.schema->has_defaults) return true;
    }
    return false;
  }

  static bool holds_embedded(const Schema& node) {
    return node.embedded_resource || (node.items != nullptr && node.items->holds_embedded) ||
           std::any_of(node.fields.begin(), node.fields.end(),
                       [](const Field& field) { return field.schema->holds_embedded; });
  }

  CompiledSchema& out_;
  CompiledSchema::Arena& arena_;
  std::size_t depth_ = 0;
  std::optional<Error> error_;
};

Result<std::shared_ptr<const CompiledSchema>> CompiledSchema::compile(const Value& open_api_schema) {
  std::shared_ptr<CompiledSchema> compiled(new CompiledSchema);
  TRY(SchemaCompiler(*compiled).run(open_api_schema));
  return std::shared_ptr<const CompiledSchema>(std::move(compiled));
}

bool schema_mentions(const Value& open_api_schema, std::string_view member) {
  if (!open_api_schema.is_object()) return false;
  if (open_api_schema.contains(member)) return true;
  const auto inside = [&](const Value& schema) { return schema_mentions(schema, member); };
  const auto members = open_api_schema["properties"].members();
  return std::any_of(members.begin(), members.end(), [&](const auto& one) { return inside(one.value); }) ||
         inside(open_api_schema["items"]) || inside(open_api_schema["additionalProperties"]);
}

namespace {

bool is_known_format(std::string_view format, std::string_view type) {
  if (type.empty() || type == "string") return !internal::known_format(format).empty();
  if (type == "integer") return format == "int32" || format == "int64";
  return type == "number" && (format == "float" || format == "double");
}

void add_unknown_formats(const Value& schema, std::vector<std::string>& formats) {
  if (schema.is_array()) {
    for (const Value& branch : schema.items()) add_unknown_formats(branch, formats);
    return;
  }
  if (!schema.is_object()) return;
  const std::string format(schema["format"].as_string());
  const bool unknown = !format.empty() && !is_known_format(format, schema["type"].as_string());
  if (unknown && std::find(formats.begin(), formats.end(), format) == formats.end()) formats.push_back(format);
  for (const Value::Member& property : schema["properties"].members()) add_unknown_formats(property.value, formats);
  for (const char* inner : {"items", "additionalProperties", "allOf", "anyOf", "oneOf", "not"}) {
    add_unknown_formats(schema[inner], formats);
  }
}

}  // namespace

std::vector<std::string> unknown_formats(const Value& open_api_schema) {
  std::vector<std::string> formats;
  add_unknown_formats(open_api_schema, formats);
  return formats;
}

std::shared_ptr<const CompiledSchema> CompiledSchema::anything() {
  const Value schema =
      Value::object({{"type", Value("object")}, {"x-kubernetes-preserve-unknown-fields", Value(true)}});
  auto compiled = compile(schema);
  return *std::move(compiled);
}

}  // namespace coracle::kube
