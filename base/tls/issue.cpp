#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <array>

#include "base/tls/internal/openssl.h"
#include "base/tls/tls.h"

namespace coracle::tls {
namespace {

using internal::BioPtr;
using internal::CertificatePtr;
using internal::Deleter;
using internal::KeyPtr;
using internal::openssl_error;

using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;
using GeneralNamePtr = std::unique_ptr<GENERAL_NAME, Deleter<GENERAL_NAME_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, Deleter<BN_free>>;

constexpr std::size_t kSerialBytes = 16;
constexpr long kVersion3 = 2;

// Written with an explicit string type because OpenSSL otherwise enforces X.520's 64 characters,
// which user names of service accounts and nodes exceed.
bool add_name_entry(X509_NAME* name, const ASN1_OBJECT* attribute, std::string_view text, bool join_previous) {
  return X509_NAME_add_entry_by_OBJ(name, attribute, V_ASN1_UTF8STRING,
                                    reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()),
                                    -1, join_previous ? -1 : 0) == 1;
}

// Organizations share one set, as Go writes a pkix.Name.
Result<void> set_subject(X509* certificate, const Name& subject) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const ASN1_OBJECT* const organization = OBJ_nid2obj(NID_organizationName);
  const ASN1_OBJECT* const common_name = OBJ_nid2obj(NID_commonName);
  const internal::ObjectPtr uid = internal::uid_attribute();
  bool good = true;
  for (std::size_t i = 0; i < subject.organizations.size(); ++i) {
    good = good && add_name_entry(name, organization, subject.organizations[i], i != 0);
  }
  if (!subject.common_name.empty()) good = good && add_name_entry(name, common_name, subject.common_name, false);
  for (const std::string& text : subject.uids) good = good && add_name_entry(name, uid.get(), text, false);
  if (!good)
    return openssl_error(Reason::BadRequest, "certificate subject '" + subject.common_name + "' is not usable");
  return {};
}

Result<void> set_serial(X509* certificate) {
  std::array<unsigned char, kSerialBytes> raw{};
  if (RAND_bytes(raw.data(), raw.size()) != 1) return openssl_error(Reason::InternalError, "no random bytes");
  raw[0] = static_cast<unsigned char>((raw[0] & 0x7f) | 0x40);  // positive, and of constant length
  const NumberPtr number(BN_bin2bn(raw.data(), raw.size(), nullptr));
  if (number == nullptr || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) == nullptr) {
    return openssl_error(Reason::InternalError, "cannot set a certificate's serial number");
  }
  return {};
}

Result<void> set_validity(X509* certificate, WallTime not_before, WallTime not_after) {
  const auto seconds = [](WallTime time) {
    return static_cast<time_t>(std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count());
  };
  if (not_after <= not_before) return bad_request("a certificate must end after it begins");
  if (ASN1_TIME_set(X509_getm_notBefore(certificate), seconds(not_before)) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(certificate), seconds(not_after)) == nullptr) {
    return openssl_error(Reason::BadRequest, "a certificate's time is out of range");
  }
  return {};
}

Result<void> add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  if (extension == nullptr || X509_add_ext(certificate, extension.get(), -1) != 1) {
    return openssl_error(Reason::InternalError, std::string("cannot add certificate extension ") + OBJ_nid2sn(nid));
  }
  return {};
}

Result<GeneralNamePtr> dns_name(const std::string& text) {
  GeneralNamePtr name(GENERAL_NAME_new());
  ASN1_IA5STRING* value = ASN1_IA5STRING_new();
  if (name == nullptr || value == nullptr || ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())) != 1) {
    ASN1_IA5STRING_free(value);
    return openssl_error(Reason::InternalError, "cannot add DNS name '" + text + "'");
  }
  GENERAL_NAME_set0_value(name.get(), GEN_DNS, value);
  return name;
}

Result<GeneralNamePtr> ip_name(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> raw{};
  int size = 0;
  if (inet_pton(AF_INET, text.c_str(), raw.data()) == 1) size = sizeof(in_addr);
  if (size == 0 && inet_pton(AF_INET6, text.c_str(), raw.data()) == 1) size = sizeof(in6_addr);
  if (size == 0) return bad_request("'" + text + "' is not an IP address");
  GeneralNamePtr name(GENERAL_NAME_new());
  ASN1_OCTET_STRING* value = ASN1_OCTET_STRING_new();
  if (name == nullptr || value == nullptr || ASN1_OCTET_STRING_set(value, raw.data(), size) != 1) {
    ASN1_OCTET_STRING_free(value);
    return openssl_error(Reason::InternalError, "cannot add IP address '" + text + "'");
  }
  GENERAL_NAME_set0_value(name.get(), GEN_IPADD, value);
  return name;
}

Result<void> add_alternative_names(X509* certificate, const CertificateRequest& request) {
  if (request.dns_names.empty() && request.ip_addresses.empty()) return {};
  const GeneralNamesPtr names(sk_GENERAL_NAME_new_null());
  const auto push = [&](GeneralNamePtr name) {
    if (sk_GENERAL_NAME_push(names.get(), name.get()) > 0) static_cast<void>(name.release());
  };
  for (const std::string& text : request.dns_names) {
    ASSIGN_OR_RETURN(GeneralNamePtr name, dns_name(text));
    push(std::move(name));
  }
  for (const std::string& text : request.ip_addresses) {
    ASSIGN_OR_RETURN(GeneralNamePtr name, ip_name(text));
    push(std::move(name));
  }
  if (X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) != 1) {
    return openssl_error(Reason::InternalError, "cannot add alternative names to a certificate");
  }
  return {};
}

Result<void> add_extensions(X509* certificate, X509* issuer, const CertificateRequest& request) {
  const bool authority = request.usage == Usage::Authority;
  TRY(add_extension(certificate, issuer, NID_basic_constraints, authority ? "critical,CA:TRUE" : "critical,CA:FALSE"));
  TRY(add_extension(certificate, issuer, NID_key_usage,
                    authority ? "critical,digitalSignature,keyEncipherment,keyCertSign"
                              : "critical,digitalSignature,keyEncipherment"));
  switch (request.usage) {
    case Usage::Authority:
      break;
    case Usage::Server:
      TRY(add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth"));
      break;
    case Usage::Client:
      TRY(add_extension(certificate, issuer, NID_ext_key_usage, "clientAuth"));
      break;
    case Usage::ServerAndClient:
      TRY(add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth,clientAuth"));
      break;
  }
  TRY(add_extension(certificate, issuer, NID_subject_key_identifier, "hash"));
  // An authority found on disk may carry no subject key identifier; then the leaf names none.
  if (!authority && X509_get0_subject_key_id(issuer) != nullptr) {
    TRY(add_extension(certificate, issuer, NID_authority_key_identifier, "keyid"));
  }
  return add_alternative_names(certificate, request);
}

// Self-signed when `issuer` is null.
Result<std::string> make_certificate(const CertificateRequest& request, EVP_PKEY* public_key, X509* issuer,
                                     EVP_PKEY* issuer_key) {
  const CertificatePtr certificate(X509_new());
  if (certificate == nullptr || X509_set_version(certificate.get(), kVersion3) != 1 ||
      X509_set_pubkey(certificate.get(), public_key) != 1) {
    return openssl_error(Reason::InternalError, "cannot make a certificate");
  }
  TRY(set_serial(certificate.get()));
  TRY(set_validity(certificate.get(), request.not_before, request.not_after));
  TRY(set_subject(certificate.get(), request.subject));
  X509* signer = issuer != nullptr ? issuer : certificate.get();
  if (X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer)) != 1) {
    return openssl_error(Reason::InternalError, "cannot name a certificate's issuer");
  }
  TRY(add_extensions(certificate.get(), signer, request));
  if (X509_sign(certificate.get(), issuer_key, EVP_sha256()) == 0) {
    return openssl_error(Reason::InternalError, "cannot sign a certificate");
  }
  return internal::certificate_pem(certificate.get());
}

// "EC PRIVATE KEY" and "RSA PRIVATE KEY" are the forms of k3s's and Helm's own files, so either
// program reads the other's.
Result<std::string> key_text(const KeyPtr& key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (key == nullptr || bio == nullptr ||
      PEM_write_bio_PrivateKey_traditional(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return openssl_error(Reason::InternalError, "cannot make a key");
  }
  return internal::bio_text(bio.get());
}

}  // namespace

Result<std::string> make_ec_key() {
  return key_text(KeyPtr(EVP_EC_gen("P-256")));
}

Result<std::string> make_rsa_key() {
  constexpr unsigned kBits = 2048;
  return key_text(KeyPtr(EVP_RSA_gen(kBits)));
}

Result<std::string> make_authority(const CertificateRequest& request, std::string_view key_pem) {
  const KeyPtr key = internal::read_private_key(key_pem);
  if (key == nullptr) return bad_request("the authority key's text holds no readable private key");
  CertificateRequest authority = request;
  authority.usage = Usage::Authority;
  return make_certificate(authority, key.get(), nullptr, key.get());
}

Result<std::string> issue_certificate(const CertificateRequest& request, std::string_view key_pem,
                                      std::string_view authority_pem, std::string_view authority_key_pem) {
  if (request.usage == Usage::Authority) return bad_request("a leaf certificate cannot be an authority");
  const KeyPtr key = internal::read_public_key(key_pem);
  if (key == nullptr) return bad_request("the text holds no readable key to certify");
  const KeyPtr authority_key = internal::read_private_key(authority_key_pem);
  if (authority_key == nullptr) return bad_request("the authority key's text holds no readable private key");
  ASSIGN_OR_RETURN(const auto authorities, internal::read_certificates(authority_pem));
  if (authorities.empty()) return bad_request("the authority's text holds no certificate");
  X509* authority = authorities.front().get();
  if (X509_check_private_key(authority, authority_key.get()) != 1) {
    return openssl_error(Reason::BadRequest, "the authority key does not belong to its certificate");
  }
  return make_certificate(request, key.get(), authority, authority_key.get());
}

}  // namespace coracle::tls
