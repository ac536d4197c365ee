#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/tls/internal/openssl.h"

namespace coracle::http::internal {

// Turns bytes of the wire into bytes of HTTP and back, without touching a socket. What goes to the wire is
// appended to the buffer that the loop's connections take turns to use.
class Channel {
 public:
  enum class Read : unsigned char { Data, WantMore, End, Failed };

  virtual ~Channel() = default;
  // Bytes that came from the wire; they must stay valid until read() answered WantMore, End or Failed.
  virtual void feed(std::string_view wire) = 0;
  virtual Read read(std::span<char> buffer, std::size_t& size) = 0;
  virtual bool write(std::string_view plain) = 0;
  // Says goodbye to the other end.
  virtual void close() = 0;
  // True once HTTP can flow.
  virtual bool established() const = 0;
  virtual bool speaks_http2() const = 0;
  virtual std::vector<std::string> peer_certificates_pem() const = 0;
};

std::unique_ptr<Channel> make_plain_channel(std::string& wire);
// Null when OpenSSL is out of memory.
std::unique_ptr<Channel> make_tls_channel(SSL_CTX* context, std::string& wire);

}  // namespace coracle::http::internal
