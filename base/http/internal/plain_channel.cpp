#include <algorithm>
#include <cstring>

#include "base/http/internal/channel.h"

namespace coracle::http::internal {
namespace {

class PlainChannel : public Channel {
 public:
  explicit PlainChannel(std::string& wire) : wire_(wire) {}

  void feed(std::string_view wire) override { input_ = wire; }
  Read read(std::span<char> buffer, std::size_t& size) override {
    size = std::min(buffer.size(), input_.size());
    if (size == 0) return Read::WantMore;
    std::memcpy(buffer.data(), input_.data(), size);
    input_.remove_prefix(size);
    return Read::Data;
  }
  bool write(std::string_view plain) override {
    wire_ += plain;
    return true;
  }
  void close() override {}
  bool established() const override { return true; }
  bool speaks_http2() const override { return false; }
  std::vector<std::string> peer_certificates_pem() const override { return {}; }

 private:
  std::string& wire_;
  std::string_view input_;
};

}  // namespace

std::unique_ptr<Channel> make_plain_channel(std::string& wire) {
  return std::make_unique<PlainChannel>(wire);
}

}  // namespace coracle::http::internal
