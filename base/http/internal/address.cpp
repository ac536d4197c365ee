#include "base/http/internal/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace coracle::http::internal {
namespace {

// Dead peers of silent connections (watches) are noticed after about two minutes.
constexpr int kKeepAliveIdleSeconds = 60;
constexpr int kKeepAliveIntervalSeconds = 15;
constexpr int kKeepAliveProbes = 4;

bool is_loopback(const in_addr& address) {
  return ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
}

bool is_loopback(const in6_addr& address) {
  if (!IN6_IS_ADDR_V4MAPPED(&address)) return IN6_IS_ADDR_LOOPBACK(&address);
  in_addr inner{};
  std::memcpy(&inner, address.s6_addr + 12, sizeof(inner));
  return is_loopback(inner);
}

bool set_option(int socket, int level, int option, int value) {
  return setsockopt(socket, level, option, &value, sizeof(value)) == 0;
}

// Accepted sockets inherit these, which saves their system calls.
bool set_connection_options(int socket) {
  return set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1) && set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1) &&
         set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdleSeconds) &&
         set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveIntervalSeconds) &&
         set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
}

// Size of the filled address; 0 when the text is none.
socklen_t fill_address(const std::string& text, std::uint16_t port, sockaddr_storage& out) {
  auto& four = reinterpret_cast<sockaddr_in&>(out);
  if (inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    return sizeof(four);
  }
  auto& six = reinterpret_cast<sockaddr_in6&>(out);
  if (inet_pton(AF_INET6, text.empty() ? "::" : text.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    return sizeof(six);
  }
  return 0;
}

}  // namespace

Peer peer_of(const sockaddr_storage& address) {
  Peer peer;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
    peer.address = std::string(text.data()) + ":" + std::to_string(ntohs(four.sin_port));
    peer.loopback = is_loopback(four.sin_addr);
  } else if (address.ss_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
    peer.address = "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(six.sin6_port));
    peer.loopback = is_loopback(six.sin6_addr);
  }
  return peer;
}

Result<Listener> listen_on(const std::string& address, std::uint16_t port) {
  const std::string where = (address.empty() ? "every address" : address) + ", port " + std::to_string(port);
  sockaddr_storage bound{};
  socklen_t size = fill_address(address, port, bound);
  if (size == 0) return unavailable("cannot listen: '" + address + "' is not an IP address");
  // A machine without IPv6 still has "every address".
  Listener listener;
  listener.socket = FileDescriptor(socket(bound.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!listener.socket.valid() && address.empty()) {
    bound = {};
    size = fill_address("0.0.0.0", port, bound);
    listener.socket = FileDescriptor(socket(bound.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  }
  const int descriptor = listener.socket.get();
  bool good = listener.socket.valid() && set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
  if (good && bound.ss_family == AF_INET6) {
    good = set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, address.empty() || address == "::" ? 0 : 1);
  }
  good = good && set_connection_options(descriptor) &&
         bind(descriptor, reinterpret_cast<const sockaddr*>(&bound), size) == 0 && listen(descriptor, SOMAXCONN) == 0 &&
         getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size) == 0;
  if (!good) return unavailable("cannot listen on " + where + ": " + std::strerror(errno));
  listener.port = ntohs(bound.ss_family == AF_INET ? reinterpret_cast<const sockaddr_in&>(bound).sin_port
                                                   : reinterpret_cast<const sockaddr_in6&>(bound).sin6_port);
  return listener;
}

}  // namespace coracle::http::internal
