#include <algorithm>
#include <cstring>

#include "base/http/internal/channel.h"

namespace coracle::http::internal {
namespace {

using tls::internal::SslPtr;

constexpr std::size_t kMaxPeerCertificates = 8;

// What OpenSSL reads from and writes to in place of a socket: no system call per record.
struct WireEnds {
  std::string_view input;
  std::string* output = nullptr;
};

WireEnds& ends_of(BIO* bio) {
  return *static_cast<WireEnds*>(BIO_get_data(bio));
}

int bio_write(BIO* bio, const char* data, std::size_t size, std::size_t* written) {
  ends_of(bio).output->append(data, size);
  *written = size;
  return 1;
}

int bio_read(BIO* bio, char* data, std::size_t size, std::size_t* got) {
  std::string_view& input = ends_of(bio).input;
  BIO_clear_retry_flags(bio);
  *got = std::min(size, input.size());
  if (*got == 0) {
    BIO_set_retry_read(bio);
    return 0;
  }
  std::memcpy(data, input.data(), *got);
  input.remove_prefix(*got);
  return 1;
}

long bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int bio_create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

struct MethodDeleter {
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};

BIO_METHOD* wire_method() {
  static const std::unique_ptr<BIO_METHOD, MethodDeleter> method = [] {
    std::unique_ptr<BIO_METHOD, MethodDeleter> made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire"));
    BIO_meth_set_write_ex(made.get(), bio_write);
    BIO_meth_set_read_ex(made.get(), bio_read);
    BIO_meth_set_ctrl(made.get(), bio_control);
    BIO_meth_set_create(made.get(), bio_create);
    return made;
  }();
  return method.get();
}

class TlsChannel : public Channel {
 public:
  TlsChannel(SslPtr ssl, std::string& wire) : ends_{{}, &wire}, ssl_(std::move(ssl)) {
    BIO* bio = BIO_new(wire_method());
    BIO_set_data(bio, &ends_);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_accept_state(ssl_.get());
  }

  void feed(std::string_view wire) override { ends_.input = wire; }

  Read read(std::span<char> buffer, std::size_t& size) override {
    size = 0;
    ERR_clear_error();
    if (SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &size) == 1) return Read::Data;
    switch (SSL_get_error(ssl_.get(), 0)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE:
        return Read::WantMore;
      case SSL_ERROR_ZERO_RETURN:
        return Read::End;
      default:
        ERR_clear_error();
        broken_ = true;
        return Read::Failed;
    }
  }

  bool write(std::string_view plain) override {
    while (!plain.empty()) {
      std::size_t done = 0;
      if (SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &done) != 1) {
        ERR_clear_error();
        broken_ = true;
        return false;
      }
      plain.remove_prefix(done);
    }
    return true;
  }

  void close() override {
    if (broken_ || !established()) return;
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }

  bool established() const override { return SSL_is_init_finished(ssl_.get()) == 1; }

  bool speaks_http2() const override {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return size == 2 && name[0] == 'h' && name[1] == '2';
  }

  std::vector<std::string> peer_certificates_pem() const override {
    std::vector<std::string> chain;
    X509* leaf = SSL_get0_peer_certificate(ssl_.get());
    if (leaf == nullptr) return chain;
    chain.push_back(tls::internal::certificate_pem(leaf));
    // On a server OpenSSL keeps the leaf apart from the rest.
    const STACK_OF(X509)* rest = SSL_get_peer_cert_chain(ssl_.get());
    for (int i = 0; i < sk_X509_num(rest) && chain.size() < kMaxPeerCertificates; ++i) {
      chain.push_back(tls::internal::certificate_pem(sk_X509_value(rest, i)));
    }
    return chain;
  }

 private:
  WireEnds ends_;
  SslPtr ssl_;
  bool broken_ = false;
};

}  // namespace

std::unique_ptr<Channel> make_tls_channel(SSL_CTX* context, std::string& wire) {
  SslPtr ssl(SSL_new(context));
  if (ssl == nullptr) return nullptr;
  return std::make_unique<TlsChannel>(std::move(ssl), wire);
}

}  // namespace coracle::http::internal
