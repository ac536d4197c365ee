#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace coracle::crypto {

std::string sha1(std::string_view data);  // raw 20 bytes
std::string sha1_hex(std::string_view data);
std::string sha256_hex(std::string_view data);
std::string sha256(std::string_view data);  // raw 32 bytes
std::string sha512_hex(std::string_view data);

// Takes as long for equal as for different texts of one length.
bool constant_time_equal(std::string_view a, std::string_view b);

// JWS signatures: ES256 for EC keys (raw r||s), RS256 for RSA keys.
std::string_view jws_algorithm(std::string_view key_pem);  // "ES256", "RS256" or ""
Result<std::string> jws_sign(std::string_view key_pem, std::string_view data);
// `key_pem` may be a private or a public key.
bool jws_verify(std::string_view key_pem, std::string_view algorithm, std::string_view data,
                std::string_view signature);
// Public half as PEM (PKIX).
Result<std::string> public_key_pem(std::string_view key_pem);
// DER of the public half (PKIX), for key ids.
Result<std::string> public_key_der(std::string_view key_pem);

}  // namespace coracle::crypto
