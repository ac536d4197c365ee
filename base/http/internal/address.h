#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "base/file_descriptor.h"
#include "base/http/message.h"

namespace coracle::http::internal {

// "127.0.0.1:1234", "[::1]:1234"
Peer peer_of(const sockaddr_storage& address);

struct Listener {
  FileDescriptor socket;
  std::uint16_t port = 0;
};
// `address` is an IP address; empty means every address of the machine.
Result<Listener> listen_on(const std::string& address, std::uint16_t port);

}  // namespace coracle::http::internal
