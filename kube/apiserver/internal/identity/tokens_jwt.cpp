#include "kube/apiserver/internal/identity/tokens_jwt.h"

#include <optional>
#include <utility>

#include "base/encoding.h"
#include "base/json/json.h"
#include "base/tls/crypto.h"
#include "kube/apiserver/internal/identity/der_reader.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::size_t kMaxJwtKeys = 64;
constexpr std::size_t kCoordinateBytes = 32;  // of P-256

// The bit string of a SubjectPublicKeyInfo.
std::optional<std::string_view> subject_public_key(std::string_view der) {
  std::optional<std::string_view> info = take_der(der, kDerSequence);
  if (!info || !take_der(*info, kDerSequence)) return std::nullopt;
  std::optional<std::string_view> bits = take_der(*info, kDerBitString);
  if (!bits || bits->empty()) return std::nullopt;
  return bits->substr(1);  // the number of unused bits, which is 0
}

std::optional<std::string_view> take_unsigned(std::string_view& bytes) {
  std::optional<std::string_view> integer = take_der(bytes, kDerInteger);
  while (integer && integer->size() > 1 && integer->front() == '\0') integer->remove_prefix(1);
  return integer;
}

Error unreadable_key() {
  return internal_error("the public key of a token key cannot be read");
}

}  // namespace

Result<Jwt> read_jwt(std::string_view token) {
  std::size_t first = token.find('.');
  std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return bad_request("a JSON Web Token has three parts");
  }
  ASSIGN_OR_RETURN(std::string header_text, base64url_decode(token.substr(0, first)));
  ASSIGN_OR_RETURN(std::string claims_text, base64url_decode(token.substr(first + 1, second - first - 1)));
  ASSIGN_OR_RETURN(Value header, json::read(header_text));
  Jwt jwt;
  ASSIGN_OR_RETURN(jwt.claims, json::read(claims_text));
  ASSIGN_OR_RETURN(jwt.signature, base64url_decode(token.substr(second + 1)));
  jwt.algorithm = header["alg"].as_string();
  jwt.key_id = header["kid"].as_string();
  jwt.signed_text = token.substr(0, second);
  return jwt;
}

Result<std::vector<TokenKey>> read_token_keys(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::string_view kEnd = "-----END ";
  std::vector<TokenKey> keys;
  for (std::size_t at = pem.find(kBegin); at != std::string_view::npos; at = pem.find(kBegin, at + 1)) {
    std::size_t end = pem.find(kEnd, at);
    if (end == std::string_view::npos) return bad_request("a PEM block has no end line");
    std::size_t line = pem.find('\n', end);
    std::string block(pem.substr(at, line == std::string_view::npos ? line : line + 1 - at));
    // OpenSSL writes the curve as a block of its own before a private key.
    if (block.compare(kBegin.size(), 13, "EC PARAMETERS") == 0) continue;
    ASSIGN_OR_RETURN(std::string der, crypto::public_key_der(block));
    std::string algorithm(crypto::jws_algorithm(block));
    if (algorithm.empty()) return bad_request("a token key must be an RSA key or an EC P-256 key");
    if (keys.size() == kMaxJwtKeys) return bad_request("too many token keys");
    keys.push_back({base64url_encode(crypto::sha256(der)), std::move(algorithm), std::move(block)});
  }
  return keys;
}

Result<std::string> sign_jwt(const Value& claims, const TokenKey& key) {
  std::string header = json::write(Value::object({{"alg", key.algorithm}, {"kid", key.id}}));
  std::string text = base64url_encode(header) + "." + base64url_encode(json::write_sorted(claims));
  ASSIGN_OR_RETURN(std::string signature, crypto::jws_sign(key.pem, text));
  return text + "." + base64url_encode(signature);
}

bool verify_jwt(const Jwt& jwt, const std::vector<TokenKey>& keys) {
  for (const TokenKey& key : keys) {
    if (!jwt.key_id.empty() && jwt.key_id != key.id) continue;
    // The key decides about the algorithm, never the token ("none", or a public key as an HMAC secret).
    if (jwt.algorithm != key.algorithm) continue;
    if (crypto::jws_verify(key.pem, key.algorithm, jwt.signed_text, jwt.signature)) return true;
  }
  return false;
}

Result<Value> json_web_key(const TokenKey& key) {
  ASSIGN_OR_RETURN(std::string der, crypto::public_key_der(key.pem));
  std::optional<std::string_view> bits = subject_public_key(der);
  if (!bits) return unreadable_key();
  Value::ObjectBuilder builder;
  builder.set("use", "sig");
  if (key.algorithm == "ES256") {
    if (bits->size() != 1 + 2 * kCoordinateBytes) return unreadable_key();
    builder.set("kty", "EC").set("kid", key.id).set("crv", "P-256").set("alg", key.algorithm);
    builder.set("x", base64url_encode(bits->substr(1, kCoordinateBytes)));
    builder.set("y", base64url_encode(bits->substr(1 + kCoordinateBytes)));
    return std::move(builder).build();
  }
  std::optional<std::string_view> pair = take_der(*bits, kDerSequence);
  std::optional<std::string_view> modulus = pair ? take_unsigned(*pair) : std::nullopt;
  std::optional<std::string_view> exponent = modulus ? take_unsigned(*pair) : std::nullopt;
  if (!exponent) return unreadable_key();
  builder.set("kty", "RSA").set("kid", key.id).set("alg", key.algorithm);
  builder.set("n", base64url_encode(*modulus)).set("e", base64url_encode(*exponent));
  return std::move(builder).build();
}

}  // namespace coracle::kube::apiserver
