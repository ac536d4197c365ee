#include "base/tls/crypto.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <catch2/catch.hpp>

#include "base/tls/internal/openssl.h"
#include "base/tls/tls.h"

namespace coracle::crypto {
namespace {

// Keys that are found on a machine may be RSA; none is ever made by the product.
std::string rsa_key() {
  const tls::internal::KeyPtr key(EVP_RSA_gen(2048));
  const tls::internal::BioPtr bio(BIO_new(BIO_s_mem()));
  REQUIRE(PEM_write_bio_PrivateKey_traditional(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return tls::internal::bio_text(bio.get());
}

TEST_CASE("digests match published vectors") {
  CHECK(sha1_hex("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256("abc").size() == 32);
  CHECK(sha512_hex("abc").substr(0, 32) == "ddaf35a193617abacc417349ae204131");
}

TEST_CASE("texts are compared whole") {
  CHECK(constant_time_equal("", ""));
  CHECK(constant_time_equal("secret", "secret"));
  CHECK_FALSE(constant_time_equal("secret", "secreT"));
  CHECK_FALSE(constant_time_equal("secret", "secret1"));
}

TEST_CASE("ES256 signs and verifies with a fresh key") {
  const std::string key = tls::make_ec_key().value();
  CHECK(jws_algorithm(key) == "ES256");
  const std::string signature = jws_sign(key, "header.payload").value();
  CHECK(signature.size() == 64);
  const std::string pub = public_key_pem(key).value();
  CHECK(pub.rfind("-----BEGIN PUBLIC KEY-----\n", 0) == 0);
  CHECK(public_key_pem(pub).value() == pub);
  CHECK(public_key_der(pub).value() == public_key_der(key).value());
  CHECK(jws_verify(key, "ES256", "header.payload", signature));
  CHECK(jws_verify(pub, "ES256", "header.payload", signature));
  CHECK_FALSE(jws_verify(pub, "ES256", "header.payloae", signature));
  CHECK_FALSE(jws_verify(pub, "RS256", "header.payload", signature));
  CHECK_FALSE(jws_verify(pub, "none", "header.payload", ""));
  CHECK_FALSE(jws_verify(pub, "", "header.payload", ""));
  CHECK_FALSE(jws_verify(pub, "ES256", "header.payload", signature.substr(1)));
  CHECK_FALSE(jws_verify(tls::make_ec_key().value(), "ES256", "header.payload", signature));
  CHECK_FALSE(jws_sign(pub, "x").ok());
  CHECK(jws_algorithm("nonsense").empty());
  CHECK_FALSE(public_key_der("nonsense").ok());
}

TEST_CASE("an RSA key that was found is used with RS256") {
  const std::string key = rsa_key();
  CHECK(jws_algorithm(key) == "RS256");
  const std::string signature = jws_sign(key, "data").value();
  CHECK(signature.size() == 256);
  CHECK(jws_verify(public_key_pem(key).value(), "RS256", "data", signature));
  CHECK_FALSE(jws_verify(key, "ES256", "data", signature));
  CHECK_FALSE(jws_verify(key, "RS256", "Data", signature));
}

}  // namespace
}  // namespace coracle::crypto
