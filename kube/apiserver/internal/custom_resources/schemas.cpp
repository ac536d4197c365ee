#include "kube/apiserver/internal/custom_resources/schemas.h"

#include <utility>

namespace coracle::kube::apiserver {

namespace {

std::shared_ptr<const CompiledSchema> compile(const Value& source) {
  if (!source.is_object()) return CompiledSchema::anything();
  auto compiled = CompiledSchema::compile(source);
  return compiled.ok() ? std::move(compiled).value() : CompiledSchema::anything();
}

// A schema that keeps unknown fields everywhere: spec.preserveUnknownFields of definitions that are as old as v1beta1.
Value keeping_unknown(const Value& schema) {
  if (!schema.is_object()) return schema;
  Value::ObjectBuilder out(schema);
  const bool object = schema["type"].as_string("object") == "object";
  if (object) out.set("x-kubernetes-preserve-unknown-fields", true);
  for (const std::string_view inner : {"items", "additionalProperties"}) {
    if (const Value* found = schema.find(inner)) out.set(inner, keeping_unknown(*found));
  }
  if (const Value* properties = schema.find("properties")) {
    Value::ObjectBuilder kept;
    for (const Value::Member& property : properties->members())
      kept.append(property.key, keeping_unknown(property.value));
    out.set("properties", std::move(kept).build());
  }
  return std::move(out).build();
}

}  // namespace

DefinitionSchemas::DefinitionSchemas(const Object& definition, StoredObjectPtr stored)
    : keeps_unknown_(definition["spec"]["preserveUnknownFields"].as_bool()), source_(std::move(stored)) {
  const std::string group(definition["spec"]["group"].as_string());
  for (const Value& version : definition["spec"]["versions"].items()) {
    // Objects may also be stored in a version that is not served.
    if (!version["served"].as_bool() && !version["storage"].as_bool()) continue;
    const std::string name(version["name"].as_string());
    versions_[group + "/" + name].name = name;
  }
}

void DefinitionSchemas::set_source(StoredObjectPtr stored) {
  std::lock_guard lock(mutex_);
  source_ = std::move(stored);
}

const Schema* DefinitionSchemas::find(std::string_view api_version) const {
  const auto found = versions_.find(api_version);
  if (found == versions_.end()) return nullptr;
  Version& version = found->second;
  std::call_once(version.once, [&] {
    const Value source = published(version.name);
    version.compiled = compile(keeps_unknown_ ? keeping_unknown(source) : source);
  });
  return &version.compiled->root();
}

Value DefinitionSchemas::published(std::string_view version) const {
  StoredObjectPtr source;
  {
    std::lock_guard lock(mutex_);
    source = source_;
  }
  const Result<Object> definition = source->object();
  if (!definition.ok()) return {};
  for (const Value& one : (*definition)["spec"]["versions"].items()) {
    if (one["name"].as_string() == version) return one["schema"]["openAPIV3Schema"];
  }
  return {};
}

}  // namespace coracle::kube::apiserver
