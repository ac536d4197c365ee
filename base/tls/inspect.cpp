#include <arpa/inet.h>

#include <array>

#include "base/encoding.h"
#include "base/tls/internal/openssl.h"
#include "base/tls/tls.h"

namespace coracle::tls {
namespace {

using internal::CertificatePtr;
using internal::Deleter;
using internal::KeyPtr;
using internal::openssl_error;

using SubjectNamesPtr = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;
using StorePtr = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;

// Only the elements are borrowed.
struct FreeChain {
  void operator()(STACK_OF(X509) * chain) const { sk_X509_free(chain); }
};

constexpr int kMaxChainDepth = 10;

// Text of a string as UTF-8; a string that cannot be converted reads as empty.
std::string text_of(const ASN1_STRING* value) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, value);
  if (size < 0) {
    ERR_clear_error();
    return {};
  }
  std::string out(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return out;
}

Name name_of(const X509_NAME* name) {
  const internal::ObjectPtr uid = internal::uid_attribute();
  Name out;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    const ASN1_OBJECT* attribute = X509_NAME_ENTRY_get_object(entry);
    const int nid = OBJ_obj2nid(attribute);
    if (nid == NID_commonName) out.common_name = text_of(X509_NAME_ENTRY_get_data(entry));
    if (nid == NID_organizationName) out.organizations.push_back(text_of(X509_NAME_ENTRY_get_data(entry)));
    if (OBJ_cmp(attribute, uid.get()) == 0) out.uids.push_back(text_of(X509_NAME_ENTRY_get_data(entry)));
  }
  return out;
}

Result<WallTime> time_of(const ASN1_TIME* value) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(value, &parts) != 1) return openssl_error(Reason::Corrupt, "a certificate's time is unreadable");
  return WallTime(std::chrono::seconds(timegm(&parts)));
}

std::string address_of(const ASN1_OCTET_STRING* value) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int size = ASN1_STRING_length(value);
  const int family = size == sizeof(in_addr) ? AF_INET : size == sizeof(in6_addr) ? AF_INET6 : AF_UNSPEC;
  if (family == AF_UNSPEC) return {};
  const char* out = inet_ntop(family, ASN1_STRING_get0_data(value), text.data(), text.size());
  return out != nullptr ? std::string(out) : std::string();
}

void read_alternative_names(X509* certificate, CertificateInfo& info) {
  const SubjectNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) info.dns_names.push_back(text_of(name->d.dNSName));
    if (name->type == GEN_IPADD) {
      if (std::string address = address_of(name->d.iPAddress); !address.empty()) {
        info.ip_addresses.push_back(std::move(address));
      }
    }
  }
}

Result<CertificateInfo> info_of(X509* certificate) {
  CertificateInfo info;
  info.subject = name_of(X509_get_subject_name(certificate));
  ASSIGN_OR_RETURN(info.not_before, time_of(X509_get0_notBefore(certificate)));
  ASSIGN_OR_RETURN(info.not_after, time_of(X509_get0_notAfter(certificate)));
  read_alternative_names(certificate, info);
  info.authority = X509_check_ca(certificate) != 0;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  info.sha256 = hex_encode({reinterpret_cast<const char*>(digest.data()), size});
  return info;
}

Result<StorePtr> store_of(std::string_view authorities_pem) {
  ASSIGN_OR_RETURN(const auto authorities, internal::read_certificates(authorities_pem));
  StorePtr store(X509_STORE_new());
  if (store == nullptr) return openssl_error(Reason::InternalError, "cannot make a certificate store");
  for (const CertificatePtr& authority : authorities) {
    if (X509_STORE_add_cert(store.get(), authority.get()) != 1) {
      return openssl_error(Reason::Corrupt, "an authority's certificate cannot be used");
    }
  }
  return store;
}

}  // namespace

Result<CertificateInfo> inspect_certificate(std::string_view pem) {
  ASSIGN_OR_RETURN(const auto certificates, internal::read_certificates(pem));
  if (certificates.empty()) return Error(Reason::Corrupt, "the text holds no certificate");
  return info_of(certificates.front().get());
}

bool key_matches_certificate(std::string_view key_pem, std::string_view certificate_pem) {
  const KeyPtr key = internal::read_private_key(key_pem);
  const auto certificates = internal::read_certificates(certificate_pem);
  if (key == nullptr || !certificates.ok() || certificates->empty()) return false;
  const bool matches = X509_check_private_key(certificates->front().get(), key.get()) == 1;
  ERR_clear_error();
  return matches;
}

Result<CertificateInfo> verify_client_chain(const std::vector<std::string>& chain_pem, std::string_view authorities_pem,
                                            WallTime now) {
  std::vector<CertificatePtr> chain;
  for (const std::string& pem : chain_pem) {
    ASSIGN_OR_RETURN(auto certificates, internal::read_certificates(pem));
    for (CertificatePtr& certificate : certificates) chain.push_back(std::move(certificate));
  }
  if (chain.empty()) return Error(Reason::Unauthorized, "the client showed no certificate");
  ASSIGN_OR_RETURN(const StorePtr store, store_of(authorities_pem));

  const std::unique_ptr<STACK_OF(X509), FreeChain> intermediates(sk_X509_new_null());
  for (std::size_t i = 1; i < chain.size(); ++i) sk_X509_push(intermediates.get(), chain[i].get());
  const StoreContextPtr context(X509_STORE_CTX_new());
  X509* leaf = chain.front().get();
  if (context == nullptr || X509_STORE_CTX_init(context.get(), store.get(), leaf, intermediates.get()) != 1 ||
      X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_CLIENT) != 1) {
    return openssl_error(Reason::InternalError, "cannot check a certificate");
  }
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_depth(parameters, kMaxChainDepth);
  // Whatever the operator lists is trusted, also an authority that another one signed.
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_time(
      parameters, static_cast<time_t>(std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count()));
  if (X509_verify_cert(context.get()) != 1) {
    const int code = X509_STORE_CTX_get_error(context.get());
    ERR_clear_error();
    return Error(Reason::Unauthorized,
                 std::string("the client's certificate is not trusted: ") + X509_verify_cert_error_string(code));
  }
  return info_of(leaf);
}

}  // namespace coracle::tls
