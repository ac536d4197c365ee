#include <array>
#include <mutex>

#include "base/tls/internal/server_context.h"
#include "base/tls/tls.h"

namespace coracle::tls {
namespace {

using internal::ContextPtr;
using internal::KeyPtr;
using internal::openssl_error;

// TLS 1.2 suites with forward secrecy and authenticated encryption; 1.3 has no others.
constexpr const char* kTls12Suites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
// Preference of the server, in the wire form of ALPN.
constexpr std::array<unsigned char, 12> kProtocols = {2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, out_size, kProtocols.data(), kProtocols.size(), offered, offered_size);
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// Any chain passes: whose it is gets decided where requests are authenticated.
int accept_any_chain(X509_STORE_CTX*, void*) {
  return 1;
}

Result<void> use_pair(SSL_CTX* context, std::string_view chain_pem, std::string_view key_pem) {
  ASSIGN_OR_RETURN(const auto chain, internal::read_certificates(chain_pem));
  if (chain.empty()) return bad_request("the server certificate's text holds no certificate");
  const KeyPtr key = internal::read_private_key(key_pem);
  if (key == nullptr) return bad_request("the server key's text holds no readable private key");
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1) {
    return openssl_error(Reason::BadRequest, "the server certificate cannot be used");
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1) {
      return openssl_error(Reason::BadRequest, "the server certificate's chain cannot be used");
    }
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return openssl_error(Reason::BadRequest, "the server key does not belong to its certificate");
  }
  return {};
}

Result<std::shared_ptr<SSL_CTX>> build_context(std::string_view chain_pem, std::string_view key_pem,
                                               bool request_client_certificate) {
  ContextPtr context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context.get(), kTls12Suites) != 1) {
    return openssl_error(Reason::InternalError, "cannot set up TLS");
  }
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // A resumed session would lack the chain that the client sent, so there are none.
  SSL_CTX_set_options(
      context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  if (request_client_certificate) {
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(context.get(), accept_any_chain, nullptr);
  }
  TRY(use_pair(context.get(), chain_pem, key_pem));
  return std::shared_ptr<SSL_CTX>(std::move(context));
}

class OpensslCredentials : public ServerCredentials {
 public:
  OpensslCredentials(std::shared_ptr<SSL_CTX> context, bool request_client_certificate)
      : request_client_certificate_(request_client_certificate), context_(std::move(context)) {}

  Result<void> replace(std::string_view chain_pem, std::string_view key_pem) override {
    ASSIGN_OR_RETURN(auto context, build_context(chain_pem, key_pem, request_client_certificate_));
    const std::lock_guard lock(mutex_);
    context_.swap(context);
    return {};
  }

  std::shared_ptr<SSL_CTX> current() const {
    const std::lock_guard lock(mutex_);
    return context_;
  }

 private:
  const bool request_client_certificate_;
  mutable std::mutex mutex_;
  std::shared_ptr<SSL_CTX> context_;
};

}  // namespace

Result<std::shared_ptr<ServerCredentials>> make_server_credentials(std::string_view chain_pem, std::string_view key_pem,
                                                                   bool request_client_certificate) {
  ASSIGN_OR_RETURN(auto context, build_context(chain_pem, key_pem, request_client_certificate));
  return std::shared_ptr<ServerCredentials>(
      std::make_shared<OpensslCredentials>(std::move(context), request_client_certificate));
}

namespace internal {

std::shared_ptr<SSL_CTX> server_context(const ServerCredentials& credentials) {
  const auto* known = dynamic_cast<const OpensslCredentials*>(&credentials);
  return known == nullptr ? nullptr : known->current();
}

}  // namespace internal
}  // namespace coracle::tls
