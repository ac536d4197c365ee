#include "kube/apiserver/internal/discovery/openapi_schema.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json/json.h"
#include "base/text.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kObjectMetaName = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
constexpr std::string_view kListMetaName = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";
constexpr std::string_view kApiVersionText =
    "APIVersion defines the version of the schema that this object follows. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources";
constexpr std::string_view kKindText =
    "Kind is the kind of resource that this object is. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";
constexpr std::string_view kMetadataText =
    "Standard object's metadata. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
constexpr std::string_view kListMetadataText =
    "Standard list metadata. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";
// What OpenAPI 2.0 has no word for.
constexpr std::array<std::string_view, 6> kNotInV2 = {"default", "nullable", "oneOf", "anyOf", "allOf", "not"};
constexpr std::string_view kPreserve = "x-kubernetes-preserve-unknown-fields";

std::string_view format_text(Format format) {
  switch (format) {
    case Format::Int32:
      return "int32";
    case Format::Int64:
      return "int64";
    case Format::Float:
      return "float";
    case Format::Double:
      return "double";
    case Format::Byte:
      return "byte";
    case Format::Date:
      return "date";
    case Format::DateTime:
      return "date-time";
    case Format::Password:
      return "password";
    default:
      return {};
  }
}

Value typed(std::string_view type, std::string_view format = {}) {
  Value::ObjectBuilder out;
  out.set("type", type).set_nonempty("format", format);
  return std::move(out).build();
}

// Two types at once, which only the newer form can say.
Value either(std::string_view first, std::string_view second) {
  return Value::object({{"oneOf", Value::array({typed(first), typed(second)})}});
}

Value scalar_form(const Schema& schema, bool v3) {
  switch (schema.kind) {
    case SchemaKind::Boolean:
      return typed("boolean");
    case SchemaKind::Integer:
      return typed("integer", format_text(schema.format));
    case SchemaKind::Number:
      return typed("number", format_text(schema.format));
    case SchemaKind::String:
      return typed("string", format_text(schema.format));
    case SchemaKind::Bytes:
      return typed("string", "byte");
    case SchemaKind::Time:
    case SchemaKind::MicroTime:
      return typed("string", "date-time");
    case SchemaKind::Duration:
      return typed("string");
    case SchemaKind::Quantity:
      return v3 ? either("string", "number") : typed("string");
    case SchemaKind::IntOrString:
      return v3 ? either("integer", "string").with("format", "int-or-string") : typed("string", "int-or-string");
    case SchemaKind::RawExtension:
      // apiextensions' JSON travels in the same message, but may be anything.
      return schema.name.ends_with(".JSON") ? Value::object() : typed("object");
    case SchemaKind::FieldsV1:
      return typed("object");
    default:
      return Value::object();
  }
}

// Types with a name of their own in the document; others stand where they are used.
bool is_named_type(const Schema& schema) {
  if (schema.name.empty()) return false;
  switch (schema.kind) {
    case SchemaKind::Boolean:
    case SchemaKind::Integer:
    case SchemaKind::Number:
    case SchemaKind::String:
    case SchemaKind::Bytes:
    case SchemaKind::List:
    case SchemaKind::Map:
      return false;
    default:
      return true;
  }
}

// Kinds that every group knows: requests carry them beside the group's own.
bool is_common_kind(std::string_view type) {
  return type == "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions" ||
         type == "io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent";
}

// Groups that no document tells of.
bool is_internal_group(std::string_view group) {
  return group == "meta.k8s.io" || group == "apidiscovery.k8s.io";
}

// The value that Go has where nothing is given, as upstream prints it for what is no pointer; null for the rest.
Value zero_value(const Schema& schema) {
  switch (schema.kind) {
    case SchemaKind::Boolean:
      return false;
    case SchemaKind::Integer:
    case SchemaKind::Number:
      return 0;
    case SchemaKind::String:
      return "";
    case SchemaKind::Struct:
      return Value::object();
    default:
      return {};
  }
}

// The default of a field in upstream's documents: what its type declares, never what code fills in. Null: none.
Value shown_default(const Field& field) {
  if (field.declared_default) {
    auto declared = json::read(field.default_json);
    return declared.ok() ? std::move(declared).value() : Value();
  }
  const bool shown = !field.pointer && (field.always_emitted || field.schema->kind == SchemaKind::Struct);
  return shown ? zero_value(*field.schema) : Value();
}

std::string patch_strategy_text(std::uint8_t bits) {
  std::string text;
  const auto add = [&](std::uint8_t bit, std::string_view word) {
    if ((bits & bit) == 0) return;
    if (!text.empty()) text += ',';
    text += word;
  };
  add(kPatchMerge, "merge");
  add(kPatchReplace, "replace");
  add(kPatchRetainKeys, "retainKeys");
  return text;
}

std::string_view list_type_text(ListType type) {
  switch (type) {
    case ListType::Set:
      return "set";
    case ListType::Map:
      return "map";
    case ListType::Atomic:
      break;
  }
  return "atomic";
}

// How lists and structures are merged, as kubectl reads it.
void add_merge_rules(Value::ObjectBuilder& out, const Schema& schema) {
  const bool list = schema.kind == SchemaKind::List || schema.kind == SchemaKind::Bytes;
  if (list && schema.merge_type_given) {
    Value::ArrayBuilder keys;
    for (std::string_view key : schema.list_map_keys) keys.add(key);
    out.set_nonempty("x-kubernetes-list-map-keys", std::move(keys).build());
    out.set("x-kubernetes-list-type", list_type_text(schema.list_type));
  } else if (schema.merge_type_given) {
    out.set("x-kubernetes-map-type", schema.atomic_map ? "atomic" : "granular");
  }
  out.set_nonempty("x-kubernetes-patch-merge-key", schema.patch_merge_key);
  out.set_nonempty("x-kubernetes-patch-strategy", patch_strategy_text(schema.patch_strategy));
}

// The schema with each one directly inside it changed.
template <class Change>
Value with_inner_schemas(const Value& schema, const Change& change) {
  Value::ObjectBuilder out;
  for (const Value::Member& member : schema.members()) {
    if (member.key == "properties") {
      Value::ObjectBuilder properties;
      for (const Value::Member& one : member.value.members()) properties.append(one.key, change(one.value));
      out.append(member.key, std::move(properties).build());
    } else if ((member.key == "items" || member.key == "additionalProperties") && member.value.is_object()) {
      out.append(member.key, change(member.value));
    } else {
      out.append(member.key, member.value);
    }
  }
  return std::move(out).build();
}

// Without the properties that may be null: kubectl takes null for missing.
Value required_in_v2(const Value& schema, bool open) {
  if (schema["additionalProperties"]["nullable"].as_bool()) return {};
  Value::ArrayBuilder required;
  for (const Value& name : schema["required"].items()) {
    if (open || !schema["properties"][name.as_string()]["nullable"].as_bool()) required.add(name);
  }
  return std::move(required).build();
}

// A custom resource's schema as far as OpenAPI 2.0 can say it: what it cannot is left open. kubectl refuses what an
// open type does not name, and cannot read lists without items.
Value without_v2_gaps(const Value& schema) {
  const bool nullable = schema["nullable"].as_bool();
  const bool open = nullable || schema[kPreserve].as_bool();
  const std::string_view type = schema["type"].as_string();
  const bool untyped = nullable || (open && (type == "object" || type == "array"));
  Value::ObjectBuilder said;
  for (const Value::Member& member : schema.members()) {
    if (std::find(kNotInV2.begin(), kNotInV2.end(), member.key) != kNotInV2.end()) continue;
    if ((open && (member.key == "properties" || member.key == "items")) || (untyped && member.key == "type")) continue;
    if (member.key == "required") {
      said.set_nonempty(member.key, required_in_v2(schema, open));
    } else {
      said.append(member.key, member.value);
    }
  }
  return with_inner_schemas(std::move(said).build(), without_v2_gaps);
}

// What x-kubernetes-int-or-string means, in words that every reader of OpenAPI 3 knows.
Value with_alternatives(const Value& schema) {
  Value written = with_inner_schemas(schema, with_alternatives);
  if (!schema["x-kubernetes-int-or-string"].as_bool()) return written;
  if (!schema["anyOf"].empty() || !schema["allOf"].at(0)["anyOf"].empty()) return written;
  return written.with("anyOf", Value::array({typed("integer"), typed("string")}));
}

// Fields that clients may select custom objects by.
Value selectable_fields(const ResourceDescriptor& resource) {
  Value::ArrayBuilder fields;
  for (const std::string& path : resource.selectable_fields) fields.add(Value::object({{"fieldPath", path}}));
  return std::move(fields).build();
}

}  // namespace

Value openapi_kind(const GroupVersionKind& gvk) {
  return Value::object({{"group", gvk.group}, {"kind", gvk.kind}, {"version", gvk.version}});
}

std::string custom_type_name(const GroupVersionKind& gvk) {
  std::vector<std::string_view> parts = split(gvk.group, '.');
  std::string name;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) name.append(*part).append(".");
  return name + gvk.version + "." + gvk.kind;
}

Value OpenApiTypes::link(std::string_view name) const {
  const char* base = dialect_ == OpenApiDialect::V2 ? "#/definitions/" : "#/components/schemas/";
  return Value::object({{"$ref", base + std::string(name)}});
}

Value OpenApiTypes::reference(std::string_view type_name) {
  const Schema* schema = find_builtin_type(type_name);
  return schema == nullptr ? Value() : reference_to(*schema);
}

Value OpenApiTypes::reference_to(const Schema& schema) {
  if (types_.find(schema.name) == types_.end()) {
    types_.emplace(schema.name, Value());
    // Nodes of one type that are merged differently are one type here.
    const Schema* type = find_builtin_type(schema.name);
    pending_.push_back(type == nullptr ? &schema : type);
  }
  return link(schema.name);
}

Value OpenApiTypes::reference_to_kind(const GroupVersionKind& gvk) {
  const KindSchema* kind = find_builtin_kind(gvk.group, gvk.version, gvk.kind);
  return kind == nullptr ? Value() : reference(kind->schema->name);
}

// Of the common kinds a group's own document names itself and the core group alone, others name every group.
Value OpenApiTypes::kinds_of_type(std::string_view name) const {
  Value::ArrayBuilder kinds;
  const bool common = is_common_kind(name);
  GroupVersionKind last;
  for (const KindSchema& kind : builtin_kinds()) {
    if (is_internal_group(kind.group) || (!common && kind.schema->name != name)) continue;
    GroupVersionKind gvk = {std::string(kind.group), std::string(kind.version), std::string(kind.kind)};
    if (common) {
      gvk.kind = name.substr(name.rfind('.') + 1);
      const bool own = gvk.group == own_.group && gvk.version == own_.version;
      const bool told = own || gvk.group.empty() || own_.version.empty();
      if (!told || gvk == last) continue;
      last = gvk;
    }
    kinds.add(openapi_kind(gvk));
  }
  return std::move(kinds).build();
}

Value OpenApiTypes::node(const Schema& schema) {
  if (is_named_type(schema)) return reference_to(schema);
  return body(schema);
}

Value OpenApiTypes::body(const Schema& schema) {
  Value::ObjectBuilder out(typed_form(schema));
  if (!schema.description.empty()) out.set("description", schema.description);
  if (schema.constraints != nullptr && !schema.constraints->enum_values.empty()) {
    Value::ArrayBuilder values;
    for (std::string_view text : schema.constraints->enum_values) {
      auto value = json::read(text);
      if (value.ok()) values.add(std::move(value).value());
    }
    out.set("enum", std::move(values).build());
  }
  if (schema.atomic_map) out.set("x-kubernetes-map-type", "atomic");
  return std::move(out).build();
}

Value OpenApiTypes::typed_form(const Schema& schema) {
  switch (schema.kind) {
    case SchemaKind::Struct:
      return structure(schema);
    case SchemaKind::List:
      return typed("array").with("items", element(*schema.items));
    case SchemaKind::Map:
      return typed("object").with("additionalProperties", element(*schema.items));
    default:
      return scalar_form(schema, dialect_ == OpenApiDialect::V3);
  }
}

Value OpenApiTypes::with_members(const Value& type, const Value& members) const {
  // Beside a reference OpenAPI 3.0 allows nothing else. Upstream's references have a description, at least.
  const bool wrapped = dialect_ == OpenApiDialect::V3 && type.contains("$ref");
  Value::ObjectBuilder out(wrapped ? Value::object({{"allOf", Value::array({type})}}) : type);
  for (const Value::Member& member : members.members()) out.set(member.key, member.value);
  return std::move(out).build();
}

// What stands in a list or a map: no pointer, hence with a default.
Value OpenApiTypes::element(const Schema& schema) {
  const Value type = node(schema);
  const Value zero = dialect_ == OpenApiDialect::V3 ? zero_value(schema) : Value();
  return zero.is_null() ? type : with_members(type, Value::object({{"default", zero}}));
}

Value OpenApiTypes::field(const Field& field) {
  Value::ObjectBuilder extra;
  extra.set_nonempty("description", field.description);
  // The older form is without defaults: its readers took them for what an empty field means.
  if (dialect_ == OpenApiDialect::V3) {
    if (Value shown = shown_default(field); !shown.is_null()) extra.set("default", std::move(shown));
  }
  add_merge_rules(extra, *field.schema);
  return with_members(node(*field.schema), std::move(extra).build());
}

Value OpenApiTypes::structure(const Schema& schema) {
  std::map<std::string_view, const Field*> by_name;
  Value::ArrayBuilder required;
  for (const Field& one : schema.fields) {
    by_name.emplace(one.name, &one);
    if (one.required) required.add(one.name);
  }
  Value::ObjectBuilder properties;
  for (const auto& [name, one] : by_name) properties.append(std::string(name), field(*one));
  Value::ObjectBuilder out;
  out.set("type", "object");
  if (required.size() > 0) out.set("required", std::move(required).build());
  if (properties.size() > 0) out.set("properties", std::move(properties).build());
  return std::move(out).build();
}

Value OpenApiTypes::reference_to_custom(const ResourceDescriptor& resource, bool list) {
  const std::string item = custom_type_name(resource.gvk);
  if (types_.find(item) == types_.end()) add_custom(resource, item);
  if (!list) return link(item);
  const std::string name = custom_type_name({resource.gvk.group, resource.gvk.version, resource.list_kind});
  if (types_.find(name) == types_.end()) add_custom_list(resource, name, item);
  return link(name);
}

// With what every object has, and a structural schema therefore leaves out.
Value OpenApiTypes::object_properties(const Value& given) {
  Value::ObjectBuilder properties;
  properties.append("apiVersion", Value::object({{"description", kApiVersionText}, {"type", "string"}}));
  properties.append("kind", Value::object({{"description", kKindText}, {"type", "string"}}));
  properties.append("metadata",
                    with_members(reference(kObjectMetaName), Value::object({{"description", kMetadataText}})));
  for (const Value::Member& member : given.members()) {
    const bool own = member.key == "apiVersion" || member.key == "kind" || member.key == "metadata";
    if (!own) properties.append(member.key, member.value);
  }
  return std::move(properties).build();
}

Value OpenApiTypes::with_embedded_objects(const Value& schema) {
  const Value written = with_inner_schemas(schema, [this](const Value& inner) { return with_embedded_objects(inner); });
  // As at the root, an open object says nothing in the older form.
  const bool silent = dialect_ == OpenApiDialect::V2 && schema[kPreserve].as_bool();
  if (!schema["x-kubernetes-embedded-resource"].as_bool() || silent) return written;
  const auto given = written["required"].items();
  Value::ArrayBuilder required;
  for (const Value& name : given) required.add(name);
  for (const std::string_view name : {"kind", "apiVersion"}) {
    if (std::find(given.begin(), given.end(), Value(name)) == given.end()) required.add(name);
  }
  return written.with("properties", object_properties(written["properties"]))
      .with("required", std::move(required).build());
}

void OpenApiTypes::add_custom(const ResourceDescriptor& resource, const std::string& name) {
  static const Value kOpen = Value::object({{"type", "object"}, {kPreserve, true}});
  const Value source = resource.published_schema ? resource.published_schema() : Value();
  const Value& given = source.is_object() ? source : kOpen;
  const bool v2 = dialect_ == OpenApiDialect::V2;
  Value::ObjectBuilder out;
  // An open root says nothing in the older form: whatever it named would be all that its readers allow.
  if (!v2 || !given[kPreserve].as_bool()) {
    const Value schema = with_embedded_objects(v2 ? without_v2_gaps(given) : with_alternatives(given));
    out = Value::ObjectBuilder(schema);
    out.set("properties", object_properties(schema["properties"]));
  }
  out.set("type", "object");
  out.set("x-kubernetes-group-version-kind", Value::array({openapi_kind(resource.gvk)}));
  out.set_nonempty("x-kubernetes-selectable-fields", selectable_fields(resource));
  types_[name] = std::move(out).build();
}

void OpenApiTypes::add_custom_list(const ResourceDescriptor& resource, const std::string& name,
                                   const std::string& item) {
  const GroupVersionKind gvk = {resource.gvk.group, resource.gvk.version, resource.list_kind};
  const Value properties = Value::object(
      {{"apiVersion", Value::object({{"description", kApiVersionText}, {"type", "string"}})},
       {"items",
        Value::object({{"description", "List of " + resource.resource}, {"type", "array"}, {"items", link(item)}})},
       {"kind", Value::object({{"description", kKindText}, {"type", "string"}})},
       {"metadata", with_members(reference(kListMetaName), Value::object({{"description", kListMetadataText}}))}});
  Value::ObjectBuilder out;
  out.set("description", resource.list_kind + " is a list of " + resource.gvk.kind).set("type", "object");
  out.set("required", Value::array({"items"})).set("properties", properties);
  out.set("x-kubernetes-group-version-kind", Value::array({openapi_kind(gvk)}));
  out.set_nonempty("x-kubernetes-selectable-fields", selectable_fields(resource));
  types_[name] = std::move(out).build();
}

Value OpenApiTypes::build() {
  // Writing a type may ask for others.
  while (!pending_.empty()) {
    const Schema* schema = pending_.back();
    pending_.pop_back();
    Value::ObjectBuilder written(body(*schema));
    written.set_nonempty("x-kubernetes-group-version-kind", kinds_of_type(schema->name));
    for (const TypeUnions& unions : builtin_unions()) {
      if (unions.type != schema->name) continue;
      auto value = json::read(unions.json);
      if (value.ok()) written.set("x-kubernetes-unions", std::move(value).value());
    }
    types_[std::string(schema->name)] = std::move(written).build();
  }
  Value::ObjectBuilder out;
  for (const auto& [name, type] : types_) out.append(name, type);
  return std::move(out).build();
}

}  // namespace coracle::kube::apiserver
