#include "kube/apiserver/internal/discovery/openapi_protobuf.h"

#include <bit>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/json/json.h"

namespace coracle::kube::apiserver {

namespace {

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>((value & 0x7F) | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

constexpr unsigned kVarint = 0, kFixed64 = 1, kBytes = 2;

void put_tag(std::string& out, unsigned number, unsigned wire) {
  put_varint(out, (number << 3) | wire);
}

void put_bytes(std::string& out, unsigned number, std::string_view bytes) {
  put_tag(out, number, kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

void put_text(std::string& out, unsigned number, const Value& value) {
  if (!value.as_string().empty()) put_bytes(out, number, value.as_string());
}

void put_texts(std::string& out, unsigned number, const Value& list) {
  for (const Value& item : list.items()) put_bytes(out, number, item.as_string());
}

void put_flag(std::string& out, unsigned number, const Value& value) {
  if (!value.as_bool()) return;
  put_tag(out, number, kVarint);
  put_varint(out, 1);
}

void put_integer(std::string& out, unsigned number, const Value& value) {
  if (value.as_int() == 0) return;
  put_tag(out, number, kVarint);
  put_varint(out, static_cast<std::uint64_t>(value.as_int()));
}

void put_double(std::string& out, unsigned number, const Value& value) {
  if (value.as_double() == 0) return;
  put_tag(out, number, kFixed64);
  auto bits = std::bit_cast<std::uint64_t>(value.as_double());
  for (int i = 0; i < 8; ++i, bits >>= 8) out += static_cast<char>(bits & 0xFF);
}

// Any: the value as YAML text, of which JSON is a part.
std::string any_message(const Value& value) {
  std::string out;
  put_bytes(out, 2, json::write_raw(value) + "\n");
  return out;
}

// The pair that stands for one member of a map.
std::string named(std::string_view name, std::string_view message) {
  std::string out;
  put_bytes(out, 1, name);
  put_bytes(out, 2, message);
  return out;
}

void put_extensions(std::string& out, unsigned number, const Value& object) {
  for (const Value::Member& member : object.members()) {
    if (member.key.starts_with("x-")) put_bytes(out, number, named(member.key, any_message(member.value)));
  }
}

std::string schema_message(const Value& schema);

std::string schemas_message(const Value& map) {
  std::string out;
  for (const Value::Member& member : map.members()) put_bytes(out, 1, named(member.key, schema_message(member.value)));
  return out;
}

void put_schema_bounds(std::string& out, const Value& schema) {
  put_double(out, 6, schema["multipleOf"]);
  put_double(out, 7, schema["maximum"]);
  put_flag(out, 8, schema["exclusiveMaximum"]);
  put_double(out, 9, schema["minimum"]);
  put_flag(out, 10, schema["exclusiveMinimum"]);
  put_integer(out, 11, schema["maxLength"]);
  put_integer(out, 12, schema["minLength"]);
  put_text(out, 13, schema["pattern"]);
  put_integer(out, 14, schema["maxItems"]);
  put_integer(out, 15, schema["minItems"]);
  put_flag(out, 16, schema["uniqueItems"]);
  put_integer(out, 17, schema["maxProperties"]);
  put_integer(out, 18, schema["minProperties"]);
}

std::string schema_message(const Value& schema) {
  std::string out;
  put_text(out, 1, schema["$ref"]);
  put_text(out, 2, schema["format"]);
  put_text(out, 3, schema["title"]);
  put_text(out, 4, schema["description"]);
  if (schema.contains("default")) put_bytes(out, 5, any_message(schema["default"]));
  put_schema_bounds(out, schema);
  put_texts(out, 19, schema["required"]);
  for (const Value& value : schema["enum"].items()) put_bytes(out, 20, any_message(value));
  const Value& additional = schema["additionalProperties"];
  if (additional.is_object()) {
    std::string item;
    put_bytes(item, 1, schema_message(additional));
    put_bytes(out, 21, item);
  } else if (additional.is_bool()) {
    std::string item;
    put_flag(item, 2, additional);
    put_bytes(out, 21, item);
  }
  if (schema["type"].is_string()) {
    std::string type;
    put_text(type, 1, schema["type"]);
    put_bytes(out, 22, type);
  }
  if (schema["items"].is_object()) {
    std::string items;
    put_bytes(items, 1, schema_message(schema["items"]));
    put_bytes(out, 23, items);
  }
  if (schema["properties"].is_object()) put_bytes(out, 25, schemas_message(schema["properties"]));
  if (const Value& documents = schema["externalDocs"]; documents.is_object()) {
    std::string message;
    put_text(message, 1, documents["description"]);
    put_text(message, 2, documents["url"]);
    put_bytes(out, 29, message);
  }
  if (schema.contains("example")) put_bytes(out, 30, any_message(schema["example"]));
  put_extensions(out, 31, schema);
  return out;
}

std::string body_parameter(const Value& parameter) {
  std::string out;
  put_text(out, 1, parameter["description"]);
  put_text(out, 2, parameter["name"]);
  put_text(out, 3, parameter["in"]);
  put_flag(out, 4, parameter["required"]);
  put_bytes(out, 5, schema_message(parameter["schema"]));
  return out;
}

// Query and path parameters differ in the numbers of what follows their description.
std::string plain_parameter(const Value& parameter) {
  const bool query = parameter["in"].as_string() == "query";
  std::string out;
  put_flag(out, 1, parameter["required"]);
  put_text(out, 2, parameter["in"]);
  put_text(out, 3, parameter["description"]);
  put_text(out, 4, parameter["name"]);
  put_text(out, query ? 6 : 5, parameter["type"]);
  put_text(out, query ? 7 : 6, parameter["format"]);
  put_flag(out, query ? 20 : 19, parameter["uniqueItems"]);
  return out;
}

std::string parameter_message(const Value& parameter) {
  std::string out;
  if (parameter["in"].as_string() == "body") {
    put_bytes(out, 1, body_parameter(parameter));
    return out;
  }
  std::string plain;
  put_bytes(plain, parameter["in"].as_string() == "query" ? 3 : 4, plain_parameter(parameter));
  put_bytes(out, 2, plain);
  return out;
}

void put_parameters(std::string& out, unsigned number, const Value& parameters) {
  for (const Value& parameter : parameters.items()) {
    std::string item;
    if (const Value& shared = parameter["$ref"]; shared.is_string()) {
      std::string reference;
      put_text(reference, 1, shared);
      put_bytes(item, 2, reference);
    } else {
      put_bytes(item, 1, parameter_message(parameter));
    }
    put_bytes(out, number, item);
  }
}

std::string responses_message(const Value& responses) {
  std::string out;
  for (const Value::Member& member : responses.members()) {
    std::string response;
    put_text(response, 1, member.value["description"]);
    if (member.value["schema"].is_object()) {
      std::string item;
      put_bytes(item, 1, schema_message(member.value["schema"]));
      put_bytes(response, 2, item);
    }
    std::string value;
    put_bytes(value, 1, response);
    put_bytes(out, 1, named(member.key, value));
  }
  return out;
}

std::string operation_message(const Value& operation) {
  std::string out;
  put_texts(out, 1, operation["tags"]);
  put_text(out, 3, operation["description"]);
  put_text(out, 5, operation["operationId"]);
  put_texts(out, 6, operation["produces"]);
  put_texts(out, 7, operation["consumes"]);
  put_parameters(out, 8, operation["parameters"]);
  put_bytes(out, 9, responses_message(operation["responses"]));
  put_texts(out, 10, operation["schemes"]);
  put_extensions(out, 13, operation);
  return out;
}

std::string path_message(const Value& path) {
  struct Method {
    std::string_view name;
    unsigned number;
  };
  static constexpr Method kMethods[] = {{"get", 2},     {"put", 3},  {"post", 4}, {"delete", 5},
                                        {"options", 6}, {"head", 7}, {"patch", 8}};
  std::string out;
  for (const Method& method : kMethods) {
    if (const Value* operation = path.find(method.name)) put_bytes(out, method.number, operation_message(*operation));
  }
  put_parameters(out, 9, path["parameters"]);
  return out;
}

std::string parameters_message(const Value& parameters) {
  std::string out;
  for (const Value::Member& one : parameters.members()) put_bytes(out, 1, named(one.key, parameter_message(one.value)));
  return out;
}

// Schemes of the one kind that is used: a key in a header.
std::string security_message(const Value& schemes) {
  std::string out;
  for (const Value::Member& member : schemes.members()) {
    std::string key;
    put_text(key, 1, member.value["type"]);
    put_text(key, 2, member.value["name"]);
    put_text(key, 3, member.value["in"]);
    put_text(key, 4, member.value["description"]);
    std::string item;
    put_bytes(item, 2, key);
    put_bytes(out, 1, named(member.key, item));
  }
  return out;
}

}  // namespace

std::string openapi_v2_protobuf(const Value& document) {
  std::string out;
  put_text(out, 1, document["swagger"]);
  std::string info;
  put_text(info, 1, document["info"]["title"]);
  put_text(info, 2, document["info"]["version"]);
  put_bytes(out, 2, info);
  std::string paths;
  for (const Value::Member& path : document["paths"].members()) {
    put_bytes(paths, 2, named(path.key, path_message(path.value)));
  }
  put_bytes(out, 8, paths);
  put_bytes(out, 9, schemas_message(document["definitions"]));
  put_bytes(out, 10, parameters_message(document["parameters"]));
  for (const Value& requirement : document["security"].items()) {
    std::string schemes;
    for (const Value::Member& scheme : requirement.members()) put_bytes(schemes, 1, named(scheme.key, ""));
    put_bytes(out, 12, schemes);
  }
  put_bytes(out, 13, security_message(document["securityDefinitions"]));
  return out;
}

}  // namespace coracle::kube::apiserver
