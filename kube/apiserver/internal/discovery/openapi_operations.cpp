#include "kube/apiserver/internal/discovery/openapi_operations.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "base/json/json.h"
#include "base/tls/crypto.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::size_t kSharedNameBytes = 6;

Value media_list(std::span<const std::string_view> texts) {
  Value::ArrayBuilder out;
  for (std::string_view text : texts) out.add(text);
  return std::move(out).build();
}

// The type of a field as the query has it; of a list one element, since such a parameter may be repeated.
std::string_view query_type(const Schema& schema) {
  switch (schema.kind) {
    case SchemaKind::Boolean:
      return "boolean";
    case SchemaKind::Integer:
      return "integer";
    case SchemaKind::String:
      return "string";
    case SchemaKind::List:
      return query_type(*schema.items);
    default:
      return {};
  }
}

bool has_name(const std::vector<Value>& parameters, const Value& name) {
  return std::any_of(parameters.begin(), parameters.end(), [&](const Value& one) { return one["name"] == name; });
}

// Takes out of every operation the parameters that all of them have.
std::vector<Value> take_common(std::vector<OpenApiOperation>& operations) {
  std::vector<Value> common;
  for (const Value& candidate : operations.front().parameters) {
    const bool everywhere = std::all_of(operations.begin(), operations.end(), [&](const OpenApiOperation& operation) {
      return has_name(operation.parameters, candidate["name"]);
    });
    if (everywhere) common.push_back(candidate);
  }
  for (OpenApiOperation& operation : operations) {
    std::erase_if(operation.parameters, [&](const Value& one) { return has_name(common, one["name"]); });
  }
  return common;
}

}  // namespace

Value OpenApiOperations::parameter(std::string_view name, std::string_view where, std::string_view type,
                                   std::string_view description) const {
  Value::ObjectBuilder out;
  out.set("name", name).set("in", where).set_nonempty("description", description);
  if (where == "path") out.set("required", true);
  if (v3_) {
    out.set("schema", Value::object({{"type", type}, {"uniqueItems", true}}));
  } else {
    out.set("type", type).set("uniqueItems", true);
  }
  return std::move(out).build();
}

Value OpenApiOperations::query_parameter(std::string_view name, std::string_view type,
                                         std::string_view description) const {
  return parameter(name, "query", type, description);
}

Value OpenApiOperations::path_parameter(std::string_view name, std::string_view description) const {
  return parameter(name, "path", "string", description);
}

std::vector<Value> OpenApiOperations::options_of(std::string_view type,
                                                 std::span<const std::string_view> except) const {
  std::vector<Value> out;
  const Schema* options = find_builtin_type(type);
  if (options == nullptr) return out;
  for (const Field& field : options->fields) {
    const std::string_view query = query_type(*field.schema);
    // TypeMeta is told by the request itself; it has no number.
    if (query.empty() || field.number == 0) continue;
    if (std::find(except.begin(), except.end(), field.name) != except.end()) continue;
    out.push_back(query_parameter(field.name, query, field.description));
  }
  return out;
}

// Not shared: what depends on a kind, and two parameters by which kubectl before 1.28 learns what a server can do.
Value OpenApiOperations::shared(const Value& parameter) {
  const std::string_view name = parameter["name"].as_string();
  if (v3_ || name == "name" || name == "fieldValidation" || name == "dryRun") return parameter;
  const std::string_view schema = parameter["schema"]["$ref"].as_string();
  if (name == "body" && !schema.starts_with("#/definitions/io.k8s.apimachinery")) return parameter;
  const std::string hash = base64url_encode(crypto::sha256(json::write(parameter)).substr(0, kSharedNameBytes));
  const std::string key = std::string(name) + "-" + hash;
  shared_.emplace(key, parameter);
  return Value::object({{"$ref", "#/parameters/" + key}});
}

Value OpenApiOperations::parameter_list(std::vector<Value> parameters) {
  std::sort(parameters.begin(), parameters.end(),
            [](const Value& a, const Value& b) { return a["name"].as_string() < b["name"].as_string(); });
  Value::ArrayBuilder out;
  for (const Value& one : parameters) out.add(shared(one));
  return std::move(out).build();
}

Value OpenApiOperations::content(const Value& schema, std::span<const std::string_view> media) const {
  Value::ObjectBuilder out;
  for (std::string_view one : media) out.append(std::string(one), Value::object({{"schema", schema}}));
  return std::move(out).build();
}

Value OpenApiOperations::response(std::string_view description, const Value& schema,
                                  std::span<const std::string_view> media) const {
  if (schema.is_null()) return Value::object({{"description", description}});
  if (v3_) return Value::object({{"description", description}, {"content", content(schema, media)}});
  return Value::object({{"description", description}, {"schema", schema}});
}

Value OpenApiOperations::responses(const OpenApiOperation& operation) const {
  Value::ObjectBuilder out;
  out.append("200", response("OK", operation.answer, operation.produces));
  if (operation.created) out.append("201", response("Created", operation.answer, operation.produces));
  if (operation.accepted) out.append("202", response("Accepted", operation.answer, operation.produces));
  out.append("401", response("Unauthorized", {}, {}));
  return std::move(out).build();
}

Value OpenApiOperations::write(const OpenApiOperation& operation) {
  Value::ObjectBuilder out;
  out.set("description", operation.text);
  std::vector<Value> parameters = operation.parameters;
  if (v3_) {
    if (!operation.body.is_null()) {
      Value::ObjectBuilder body;
      body.set("content", content(operation.body, operation.consumes));
      if (operation.body_required) body.set("required", true);
      out.set("requestBody", std::move(body).build());
    }
  } else {
    if (!operation.consumes.empty()) out.set("consumes", media_list(operation.consumes));
    out.set("produces", media_list(operation.produces)).set("schemes", Value::array({"https"}));
    if (!operation.body.is_null()) {
      Value::ObjectBuilder body;
      body.set("name", "body").set("in", "body");
      if (operation.body_required) body.set("required", true);
      parameters.push_back(std::move(body.set("schema", operation.body)).build());
    }
  }
  out.set("tags", Value::array({operation.tag})).set("operationId", operation.id);
  if (!parameters.empty()) out.set("parameters", parameter_list(std::move(parameters)));
  out.set("responses", responses(operation)).set_nonempty("x-kubernetes-action", operation.action);
  if (operation.gvk != nullptr) out.set("x-kubernetes-group-version-kind", openapi_kind(*operation.gvk));
  return std::move(out).build();
}

Value OpenApiOperations::path_item(std::vector<OpenApiOperation> operations, std::vector<Value> path_parameters) {
  if (operations.empty()) return {};
  std::vector<Value> parameters = take_common(operations);
  parameters.insert(parameters.end(), path_parameters.begin(), path_parameters.end());
  Value::ObjectBuilder out;
  for (const OpenApiOperation& operation : operations) out.append(std::string(operation.method), write(operation));
  if (!parameters.empty()) out.set("parameters", parameter_list(std::move(parameters)));
  return std::move(out).build();
}

Value OpenApiOperations::shared_parameters() const {
  Value::ObjectBuilder out;
  for (const auto& [name, parameter] : shared_) out.append(name, parameter);
  return std::move(out).build();
}

}  // namespace coracle::kube::apiserver
