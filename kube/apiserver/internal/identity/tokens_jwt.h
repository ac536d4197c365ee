#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/value.h"

namespace coracle::kube::apiserver {

// A JSON Web Token in compact form, taken apart and not yet believed.
struct Jwt {
  std::string algorithm;
  std::string key_id;
  Value claims;
  std::string_view signed_text;  // of the token that was read
  std::string signature;
};
// BadRequest when the text is no token.
Result<Jwt> read_jwt(std::string_view token);

// A key that signs or verifies; its id is base64url(SHA-256(public key DER)).
struct TokenKey {
  std::string id;
  std::string algorithm;  // "ES256" or "RS256"
  std::string pem;        // private or public
};
// Every key of a PEM text, in order. BadRequest names what is wrong with it.
Result<std::vector<TokenKey>> read_token_keys(std::string_view pem);

// The compact form of the claims, members sorted, signed with the key.
Result<std::string> sign_jwt(const Value& claims, const TokenKey& key);
// Does one of the keys verify the signature? A token that names a key is tried with that key only.
bool verify_jwt(const Jwt& jwt, const std::vector<TokenKey>& keys);

// The public half as a JSON Web Key.
Result<Value> json_web_key(const TokenKey& key);

}  // namespace coracle::kube::apiserver
