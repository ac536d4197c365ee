#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "kube/apiserver/internal/discovery/openapi_schema.h"

namespace coracle::kube::apiserver {

// What can be asked at one path with one method, apart from the words of either dialect.
struct OpenApiOperation {
  std::string_view method;  // "get"
  std::string id;           // operationId
  std::string_view tag;
  std::string text;
  std::string_view action;  // x-kubernetes-action; empty for what is about no resource
  const GroupVersionKind* gvk = nullptr;
  std::vector<Value> parameters;  // of the query, made by OpenApiOperations::options_of
  Value body;                     // schema of what is sent; null: nothing is
  bool body_required = true;
  Value answer;  // schema
  std::span<const std::string_view> consumes, produces;
  bool created = false, accepted = false;  // may answer 201, and 202
};

// The operations of one document. Parameters that many operations share stand once in a document of
// version 2, as upstream writes them.
class OpenApiOperations {
 public:
  explicit OpenApiOperations(OpenApiDialect dialect) : v3_(dialect == OpenApiDialect::V3) {}

  // Parameters of the query: one for every plain field of a type of options ("ListOptions"), but `except`.
  std::vector<Value> options_of(std::string_view type, std::span<const std::string_view> except = {}) const;
  Value query_parameter(std::string_view name, std::string_view type, std::string_view description) const;
  Value path_parameter(std::string_view name, std::string_view description) const;

  // Everything at one path. What all operations may be asked with stands beside them.
  Value path_item(std::vector<OpenApiOperation> operations, std::vector<Value> path_parameters);

  // "parameters" of a document of version 2.
  Value shared_parameters() const;

 private:
  Value parameter(std::string_view name, std::string_view where, std::string_view type,
                  std::string_view description) const;
  Value parameter_list(std::vector<Value> parameters);
  Value shared(const Value& parameter);
  Value response(std::string_view description, const Value& schema, std::span<const std::string_view> media) const;
  Value responses(const OpenApiOperation& operation) const;
  Value content(const Value& schema, std::span<const std::string_view> media) const;
  Value write(const OpenApiOperation& operation);

  const bool v3_;
  std::map<std::string, Value> shared_;
};

}  // namespace coracle::kube::apiserver
