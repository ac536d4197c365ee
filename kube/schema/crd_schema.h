#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/result.h"
#include "base/value.h"
#include "kube/schema/schema.h"

// The OpenAPI v3 schema of a CustomResourceDefinition's version, as nodes of the table.
// https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
namespace coracle::kube {

// Schemas nested deeper than this, or of more nodes, are refused.
inline constexpr std::size_t kMaxSchemaDepth = 100;
inline constexpr std::size_t kMaxSchemaNodes = 100'000;

// Owns a tree of nodes and what they refer to. Immutable, safe to share between threads.
//
// The root is a structure with apiVersion, kind and metadata (ObjectMeta of the built-in table) beside the schema's
// own properties. Every field counts as a pointer, so that defaults apply to what is absent and not to what is zero.
// Alternatives (allOf, anyOf, oneOf, not) are nodes of kind Any that carry fields, items and constraints. Descriptions
// and rules (x-kubernetes-validations) are not in it.
class CompiledSchema {
 public:
  // Lenient, for schemas that validate_crd_schema has accepted or that were stored before: what is not understood is
  // left out. BadRequest for a schema that is too deep or too large.
  static Result<std::shared_ptr<const CompiledSchema>> compile(const Value& open_api_schema);
  // The schema of a version that declares none: everything is kept.
  static std::shared_ptr<const CompiledSchema> anything();
  ~CompiledSchema();

  const Schema& root() const { return *root_; }

 private:
  struct Arena;
  friend class SchemaCompiler;
  CompiledSchema();

  std::unique_ptr<Arena> arena_;
  const Schema* root_ = nullptr;
};

// Whether the schema, or one of a property, an item or an additional property in it, has such a member ("default").
bool schema_mentions(const Value& open_api_schema, std::string_view member);

// The formats in the schema and in what is in it that nobody knows, and that therefore restrict nothing; each once.
std::vector<std::string> unknown_formats(const Value& open_api_schema);

// Whether a schema may be part of a CustomResourceDefinition: structural, with defaults that fit, no unsupported
// constructs. `path` is where it stands ("spec.validation.openAPIV3Schema"). Empty when it is good.
std::vector<Cause> validate_crd_schema(const Value& open_api_schema, std::string_view path,
                                       bool has_status_subresource = false);

}  // namespace coracle::kube
