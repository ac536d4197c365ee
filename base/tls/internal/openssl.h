#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/result.h"

// Ownership of OpenSSL's objects, and the few conversions that its users here share.
namespace coracle::tls::internal {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Deleter<X509_free>>;
using ContextPtr = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Deleter<SSL_free>>;
using ObjectPtr = std::unique_ptr<ASN1_OBJECT, Deleter<ASN1_OBJECT_free>>;

// A subject's attribute for a user's UID, which OpenSSL has no number for.
inline ObjectPtr uid_attribute() {
  return ObjectPtr(OBJ_txt2obj("1.3.6.1.4.1.57683.2", 1));
}

// What OpenSSL last complained about on this thread, preceded by `what`; empties its queue.
std::string openssl_message(std::string_view what);
inline Error openssl_error(Reason reason, std::string_view what) {
  return {reason, openssl_message(what)};
}

BioPtr read_bio(std::string_view text);
std::string bio_text(BIO* bio);

// A private key of any PEM form; null when the text has none.
KeyPtr read_private_key(std::string_view pem);
// The public half of a private key, a public key or a certificate; null when the text has none.
KeyPtr read_public_key(std::string_view pem);
// All certificates of the text in order; Corrupt when one cannot be read.
Result<std::vector<CertificatePtr>> read_certificates(std::string_view pem);

std::string certificate_pem(X509* certificate);

}  // namespace coracle::tls::internal
