#include "base/tls/internal/openssl.h"

#include <openssl/pem.h>

#include <array>
#include <limits>

namespace coracle::tls::internal {
namespace {

// A key that is protected by a pass phrase is unreadable here; OpenSSL must not ask the terminal.
int no_pass_phrase(char*, int, int, void*) {
  return -1;
}

}  // namespace

std::string openssl_message(std::string_view what) {
  std::string message(what);
  const unsigned long code = ERR_peek_last_error();
  if (code != 0) {
    const char* reason = ERR_reason_error_string(code);
    message += ": ";
    message += reason != nullptr ? reason : "error " + std::to_string(ERR_GET_REASON(code));
  }
  ERR_clear_error();
  return message;
}

BioPtr read_bio(std::string_view text) {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return nullptr;
  // A null pointer with length 0 would be refused by OpenSSL.
  return BioPtr(BIO_new_mem_buf(text.empty() ? "" : text.data(), static_cast<int>(text.size())));
}

std::string bio_text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

KeyPtr read_private_key(std::string_view pem) {
  const BioPtr bio = read_bio(pem);
  KeyPtr key(bio == nullptr ? nullptr : PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr));
  ERR_clear_error();
  return key;
}

KeyPtr read_public_key(std::string_view pem) {
  if (KeyPtr key = read_private_key(pem)) return key;
  if (const BioPtr bio = read_bio(pem)) {
    KeyPtr key(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_pass_phrase, nullptr));
    ERR_clear_error();
    if (key != nullptr) return key;
  }
  const BioPtr bio = read_bio(pem);
  const CertificatePtr certificate(bio == nullptr ? nullptr
                                                  : PEM_read_bio_X509(bio.get(), nullptr, no_pass_phrase, nullptr));
  ERR_clear_error();
  return KeyPtr(certificate == nullptr ? nullptr : X509_get_pubkey(certificate.get()));
}

Result<std::vector<CertificatePtr>> read_certificates(std::string_view pem) {
  std::vector<CertificatePtr> certificates;
  const BioPtr bio = read_bio(pem);
  if (bio == nullptr) return Error(Reason::Corrupt, "the certificates are too large");
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, no_pass_phrase, nullptr)) {
    certificates.emplace_back(certificate);
  }
  const unsigned long code = ERR_peek_last_error();
  const bool at_end = ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
  if (!at_end) {
    return openssl_error(Reason::Corrupt, "certificate " + std::to_string(certificates.size() + 1) + " is unreadable");
  }
  ERR_clear_error();
  return certificates;
}

std::string certificate_pem(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || PEM_write_bio_X509(bio.get(), certificate) != 1) return {};
  return bio_text(bio.get());
}

}  // namespace coracle::tls::internal
