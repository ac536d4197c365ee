#include "daemon/host.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>

#include "base/file_descriptor.h"
#include "base/files.h"
#include "base/text.h"

namespace coracle::daemon {
namespace {

struct AddressList {
  AddressList() {
    if (::getifaddrs(&first) != 0) first = nullptr;
  }
  ~AddressList() {
    if (first != nullptr) ::freeifaddrs(first);
  }
  AddressList(const AddressList&) = delete;
  AddressList& operator=(const AddressList&) = delete;
  ifaddrs* first = nullptr;
};

std::string address_text(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (address->sa_family == AF_INET) bytes = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  if (address->sa_family == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  if (bytes == nullptr || ::inet_ntop(address->sa_family, bytes, text.data(), text.size()) == nullptr) return {};
  return text.data();
}

bool is_usable(const std::string& address) {
  return !address.empty() && !address.starts_with("127.") && address != "::1" && !address.starts_with("169.254.") &&
         !address.starts_with("fe80:");
}

// Connecting a datagram socket chooses the source address and sends no packet.
std::string source_address_to_the_world() {
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return {};
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(53);
  ::inet_pton(AF_INET, "192.0.2.1", &target.sin_addr);  // TEST-NET-1: routed like the world, nobody's
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0) return {};
  sockaddr_in source{};
  socklen_t length = sizeof source;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&source), &length) != 0) return {};
  return address_text(reinterpret_cast<const sockaddr*>(&source));
}

}  // namespace

Result<std::string> host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return system_error(errno, "gethostname");
  return to_lower(name.data());
}

std::string default_address() {
  if (std::string address = source_address_to_the_world(); is_usable(address)) return address;
  for (std::string& address : host_addresses()) {
    if (is_usable(address)) return std::move(address);
  }
  return "127.0.0.1";
}

std::vector<std::string> host_addresses() {
  std::vector<std::string> addresses;
  const AddressList list;
  for (const ifaddrs* entry = list.first; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    if (std::string text = address_text(entry->ifa_addr); !text.empty()) addresses.push_back(std::move(text));
  }
  return addresses;
}

}  // namespace coracle::daemon
