#include "base/tls/crypto.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>

#include "base/encoding.h"
#include "base/tls/internal/openssl.h"

namespace coracle::crypto {
namespace {

using tls::internal::Deleter;
using tls::internal::KeyPtr;
using tls::internal::openssl_error;
using tls::internal::read_private_key;
using tls::internal::read_public_key;

using DigestContextPtr = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using EcdsaSignaturePtr = std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>>;

constexpr int kP256ScalarBytes = 32;

const unsigned char* unsigned_bytes(std::string_view data) {
  return reinterpret_cast<const unsigned char*>(data.data());
}

std::string digest(const EVP_MD* algorithm, std::string_view data) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(out.data()), &size, algorithm, nullptr);
  out.resize(size);
  return out;
}

std::string_view algorithm_of(EVP_PKEY* key) {
  if (key == nullptr) return "";
  if (EVP_PKEY_is_a(key, "RSA") == 1) return "RS256";
  if (EVP_PKEY_is_a(key, "EC") == 1) {
    std::array<char, 32> group{};
    std::size_t size = 0;
    if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1 &&
        std::string_view(group.data(), size) == "prime256v1") {
      return "ES256";
    }
  }
  return "";
}

// JWS carries r and s side by side (RFC 7518 3.4), OpenSSL a DER sequence.
Result<std::string> raw_from_der(std::string_view der) {
  const unsigned char* at = unsigned_bytes(der);
  const EcdsaSignaturePtr parsed(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  std::string raw(2 * kP256ScalarBytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  if (parsed == nullptr || BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), out, kP256ScalarBytes) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), out + kP256ScalarBytes, kP256ScalarBytes) < 0) {
    return openssl_error(Reason::InternalError, "cannot encode an ECDSA signature");
  }
  return raw;
}

// Empty when the text cannot be a P-256 signature.
std::string der_from_raw(std::string_view raw) {
  if (raw.size() != 2 * kP256ScalarBytes) return {};
  const EcdsaSignaturePtr signature(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(unsigned_bytes(raw), kP256ScalarBytes, nullptr);
  BIGNUM* s = BN_bin2bn(unsigned_bytes(raw) + kP256ScalarBytes, kP256ScalarBytes, nullptr);
  if (signature == nullptr || ECDSA_SIG_set0(signature.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  std::string out = size > 0 ? std::string(reinterpret_cast<char*>(der), static_cast<std::size_t>(size)) : "";
  OPENSSL_free(der);
  return out;
}

}  // namespace

std::string sha1(std::string_view data) {
  return digest(EVP_sha1(), data);
}
std::string sha1_hex(std::string_view data) {
  return hex_encode(sha1(data));
}
std::string sha256_hex(std::string_view data) {
  return hex_encode(sha256(data));
}
std::string sha256(std::string_view data) {
  return digest(EVP_sha256(), data);
}
std::string sha512_hex(std::string_view data) {
  return hex_encode(digest(EVP_sha512(), data));
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view jws_algorithm(std::string_view key_pem) {
  return algorithm_of(read_public_key(key_pem).get());
}

Result<std::string> jws_sign(std::string_view key_pem, std::string_view data) {
  const KeyPtr key = read_private_key(key_pem);
  if (key == nullptr) return bad_request("cannot sign: the text holds no readable private key");
  const std::string_view algorithm = algorithm_of(key.get());
  if (algorithm.empty()) return bad_request("cannot sign: the key is neither RSA nor EC P-256");

  const DigestContextPtr context(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (context == nullptr || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, unsigned_bytes(data), data.size()) != 1) {
    return openssl_error(Reason::InternalError, "cannot sign");
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, unsigned_bytes(data),
                     data.size()) != 1) {
    return openssl_error(Reason::InternalError, "cannot sign");
  }
  signature.resize(size);
  if (algorithm == "ES256") return raw_from_der(signature);
  return signature;
}

bool jws_verify(std::string_view key_pem, std::string_view algorithm, std::string_view data,
                std::string_view signature) {
  const KeyPtr key = read_public_key(key_pem);
  // The key decides about the algorithm, so that a token cannot choose a weaker one.
  if (key == nullptr || algorithm.empty() || algorithm_of(key.get()) != algorithm) return false;
  const std::string wire = algorithm == "ES256" ? der_from_raw(signature) : std::string(signature);
  if (wire.empty()) return false;
  const DigestContextPtr context(EVP_MD_CTX_new());
  const bool good =
      context != nullptr && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
      EVP_DigestVerify(context.get(), unsigned_bytes(wire), wire.size(), unsigned_bytes(data), data.size()) == 1;
  ERR_clear_error();
  return good;
}

Result<std::string> public_key_der(std::string_view key_pem) {
  const KeyPtr key = read_public_key(key_pem);
  if (key == nullptr) return bad_request("the text holds no readable key");
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  if (size <= 0) return openssl_error(Reason::InternalError, "cannot encode a public key");
  std::string out(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

Result<std::string> public_key_pem(std::string_view key_pem) {
  ASSIGN_OR_RETURN(const std::string der, public_key_der(key_pem));
  constexpr std::size_t kLine = 64;
  std::string out = "-----BEGIN PUBLIC KEY-----\n";
  const std::string body = base64_encode(der);
  for (std::size_t at = 0; at < body.size(); at += kLine) out += body.substr(at, kLine) + "\n";
  return out + "-----END PUBLIC KEY-----\n";
}

}  // namespace coracle::crypto
