#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "base/go_text.h"
#include "base/json/json.h"
#include "base/text.h"
#include "base/tls/crypto.h"
#include "base/tls/tls.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

// What holds data for others: config maps, secrets, service accounts.
namespace coracle::kube::apiserver {

namespace {

constexpr std::int64_t kMaxDataBytes = 1048576;
constexpr std::string_view kFrozenData = "field is immutable when `immutable` is set";
constexpr std::string_view kCertificateBlock = "CERTIFICATE";

std::size_t base64_size(std::string_view text) {
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  return text.size() / 4 * 3 - (text.size() >= 4 ? padding : 0);
}

// `immutable` stays once it is set, and the data with it.
void check_immutable_data(const Object& object, const Object* old, std::initializer_list<std::string_view> fields,
                          FieldErrors& errors) {
  if (old == nullptr || !(*old)["immutable"].as_bool()) return;
  if (!object["immutable"].as_bool()) errors.push_back(field_error::forbidden("immutable", kFrozenData));
  for (const std::string_view field : fields) {
    const Value& now = object[field];
    const Value& before = (*old)[field];
    if (!(now == before) && !(now.empty() && before.empty())) {
      errors.push_back(field_error::forbidden(field, kFrozenData));
    }
  }
}

// A key without a value has an empty one.
Value without_nulls(const Value& data) {
  Value::ObjectBuilder builder;
  for (const Value::Member& member : data.members()) {
    builder.append(member.key, member.value.is_null() ? Value("") : member.value);
  }
  return std::move(builder).build();
}

Object prepare_data(const WriteContext&, const Object& object, const Object*) {
  Object prepared = object;
  for (const std::string_view field : {"data", "binaryData"}) {
    const auto members = object[field].members();
    const bool incomplete =
        std::any_of(members.begin(), members.end(), [](const Value::Member& one) { return one.value.is_null(); });
    if (incomplete) prepared = prepared.with(field, without_nulls(object[field]));
  }
  return prepared;
}

void check_config_map(const Object& object, const Object* old, FieldErrors& errors) {
  check_immutable_data(object, old, {"data", "binaryData"}, errors);
  std::size_t total = 0;
  for (const Value::Member& member : object["data"].members()) {
    const FieldPath at = FieldPath("data").key(member.key);
    add_name_errors(at, member.key, check_config_map_key(member.key), errors);
    if (object["binaryData"].contains(member.key)) {
      errors.push_back(field_error::invalid(at.text(), member.key, "duplicate of key present in binaryData"));
    }
    total += member.value.as_string().size();
  }
  for (const Value::Member& member : object["binaryData"].members()) {
    add_name_errors(FieldPath("binaryData").key(member.key), member.key, check_config_map_key(member.key), errors);
    total += base64_size(member.value.as_string());
  }
  // The path of the object itself, as upstream prints it here.
  if (total > static_cast<std::size_t>(kMaxDataBytes)) {
    errors.push_back(field_error::too_long("[]", kMaxDataBytes));
  }
}

// What Go's decoder says about a text that should be a JSON object; empty when it is one.
std::string json_object_fault(std::string_view text) {
  const auto tree = json::read(text);
  if (tree.ok()) {
    if (tree->is_object() || tree->is_null()) return {};
    return "json: cannot unmarshal " + std::string(json_kind_name(*tree)) +
           " into Go value of type map[string]interface {}";
  }
  const std::string_view trimmed = trim(text);
  constexpr std::string_view kBeginnings = "{[\"-0123456789tfn";
  const auto unexpected = [](char c) { return std::string("invalid character '") + c + "' "; };
  if (trimmed.empty()) return "unexpected end of JSON input";
  if (kBeginnings.find(trimmed.front()) == std::string_view::npos) {
    return unexpected(trimmed.front()) + "looking for beginning of value";
  }
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < trimmed.size(); ++i) {
    const char c = trimmed[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
      continue;
    }
    quoted = c == '"';
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && depth > 0) --depth;
    if (depth > 0 || quoted || i + 1 == trimmed.size()) continue;
    const std::string_view rest = trim(trimmed.substr(i + 1));
    if (c == '}' || c == ']') return unexpected(rest.front()) + "after top-level value";
  }
  return depth > 0 || quoted ? "unexpected end of JSON input" : tree.error().message();
}

// The types of a text's PEM blocks in their order.
std::vector<std::string_view> pem_types(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::string_view kDashes = "-----";
  std::vector<std::string_view> types;
  for (std::size_t at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin, at)) {
    at += kBegin.size();
    const std::size_t end = text.find(kDashes, at);
    if (end == std::string_view::npos) break;
    const std::string_view type = text.substr(at, end - at);
    if (text.find("-----END " + std::string(type) + "-----", end) == std::string_view::npos) break;
    types.push_back(type);
  }
  return types;
}

bool is_private_key(std::string_view type) {
  return type == "PRIVATE KEY" || type.ends_with(" PRIVATE KEY");
}

// What Go's crypto/tls says about a pair that cannot serve; empty when it can.
std::string key_pair_fault(std::string_view certificate, std::string_view key) {
  const auto certificates = pem_types(certificate);
  const auto keys = pem_types(key);
  if (certificates.empty()) return "tls: failed to find any PEM data in certificate input";
  if (std::find(certificates.begin(), certificates.end(), kCertificateBlock) == certificates.end()) {
    if (certificates.size() == 1 && is_private_key(certificates.front())) {
      return "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs "
             "may have been switched";
    }
    return "tls: failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM blocks of the "
           "following types: [" +
           join(certificates, " ") + "]";
  }
  if (keys.empty()) return "tls: failed to find any PEM data in key input";
  if (std::none_of(keys.begin(), keys.end(), is_private_key)) {
    if (keys.size() == 1 && keys.front() == kCertificateBlock) {
      return "tls: found a certificate rather than a key in the PEM for the private key";
    }
    return "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after skipping PEM blocks "
           "of the following types: [" +
           join(keys, " ") + "]";
  }
  if (!tls::inspect_certificate(certificate).ok()) return "x509: malformed certificate";
  if (!crypto::public_key_der(key).ok()) return "tls: failed to parse private key";
  return tls::key_matches_certificate(key, certificate) ? "" : "tls: private key does not match public key";
}

// What a secret of a type must have.
struct SecretKey {
  std::string_view type;
  std::string_view key;
  enum class Content { Any, NotEmpty, JsonObject } content = Content::Any;
};
constexpr SecretKey kSecretKeys[] = {
    {"kubernetes.io/dockercfg", ".dockercfg", SecretKey::Content::JsonObject},
    {"kubernetes.io/dockerconfigjson", ".dockerconfigjson", SecretKey::Content::JsonObject},
    {"kubernetes.io/tls", "tls.crt"},
    {"kubernetes.io/tls", "tls.key"},
    {"kubernetes.io/ssh-auth", "ssh-privatekey", SecretKey::Content::NotEmpty},
};

std::string decoded_data(const Value& data, std::string_view key) {
  auto bytes = base64_decode(data[key].as_string());
  return bytes.ok() ? std::move(bytes).value() : std::string();
}

void check_secret_type(const Object& object, FieldErrors& errors) {
  const std::string_view type = object["type"].as_string();
  const Value& data = object["data"];
  for (const SecretKey& row : kSecretKeys) {
    if (row.type != type) continue;
    const std::string at = FieldPath("data").key(row.key).text();
    const bool empty = row.content == SecretKey::Content::NotEmpty && data[row.key].as_string().empty();
    if (!data.contains(row.key) || empty) {
      errors.push_back(field_error::required(at));
    } else if (row.content == SecretKey::Content::JsonObject) {
      const std::string fault = json_object_fault(decoded_data(data, row.key));
      if (!fault.empty()) errors.push_back(field_error::invalid(at, "<secret contents redacted>", fault));
    }
  }
  if (type == "kubernetes.io/basic-auth" && !data.contains("username") && !data.contains("password")) {
    errors.push_back(field_error::required("data[username]"));
    errors.push_back(field_error::required("data[password]"));
  }
  if (type == "kubernetes.io/service-account-token" &&
      object.annotation("kubernetes.io/service-account.name").empty()) {
    errors.push_back(field_error::required("metadata.annotations[kubernetes.io/service-account.name]"));
  }
}

void check_secret(const Object& object, const Object* old, FieldErrors& errors) {
  check_immutable_data(object, old, {"data"}, errors);
  std::size_t total = 0;
  for (const Value::Member& member : object["data"].members()) {
    add_name_errors(FieldPath("data").key(member.key), member.key, check_config_map_key(member.key), errors);
    total += base64_size(member.value.as_string());
  }
  if (total > static_cast<std::size_t>(kMaxDataBytes)) {
    errors.push_back(field_error::too_long("data", kMaxDataBytes));
  }
  check_secret_type(object, errors);
}

std::vector<std::string> warn_about_secret(const Object& object, const Object*) {
  if (object["type"].as_string() != "kubernetes.io/tls") return {};
  std::string fault = key_pair_fault(decoded_data(object["data"], "tls.crt"), decoded_data(object["data"], "tls.key"));
  if (fault.empty()) return {};
  return {std::move(fault)};
}

Object prepare_service_account(const WriteContext&, const Object& object, const Object*) {
  if (object["secrets"].empty()) return object;
  Value::ArrayBuilder secrets;
  for (const Value& secret : object["secrets"].items()) {
    secrets.add(Value::object({{"name", secret["name"].as_string()}}));
  }
  return object.with("secrets", std::move(secrets).build());
}

constexpr ResourceRules kSecretRules[] = {
    {"", "configmaps", prepare_data, nullptr, check_config_map},
    {"", "secrets", prepare_data, nullptr, check_secret, warn_about_secret},
    {"", "serviceaccounts", prepare_service_account},
};

}  // namespace

std::span<const ResourceRules> secret_rules() {
  return kSecretRules;
}

}  // namespace coracle::kube::apiserver
