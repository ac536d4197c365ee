#include "base/ip.h"

#include <arpa/inet.h>

#include <array>

#include "base/text.h"

namespace coracle {
namespace {

constexpr int kByteBits = 8;

// An address of either family, most significant byte first.
struct AddressBytes {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  int family = AF_UNSPEC;

  int bits() const { return kByteBits * static_cast<int>(family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr)); }
  std::size_t size() const { return static_cast<std::size_t>(bits() / kByteBits); }
};

std::optional<AddressBytes> read_address(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string terminated(text);
  AddressBytes address;
  for (const int family : {AF_INET, AF_INET6}) {
    address.family = family;
    if (inet_pton(family, terminated.c_str(), address.bytes.data()) == 1) return address;
  }
  return std::nullopt;
}

std::string text_of(const AddressBytes& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(address.family, address.bytes.data(), text.data(), text.size());
  return text.data();
}

struct Network {
  AddressBytes base;  // the bits behind the prefix are zero
  int prefix = 0;
};

std::optional<Network> read_network(std::string_view cidr) {
  const std::size_t slash = cidr.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  auto address = read_address(cidr.substr(0, slash));
  const auto prefix = parse_int<int>(cidr.substr(slash + 1));
  if (!address || !prefix || *prefix < 0 || *prefix > address->bits()) return std::nullopt;
  for (int bit = *prefix; bit < address->bits(); ++bit) {
    address->bytes[static_cast<std::size_t>(bit / kByteBits)] &=
        static_cast<unsigned char>(~(0x80U >> bit % kByteBits));
  }
  return Network{*address, *prefix};
}

}  // namespace

std::string_view ip_family(std::string_view text) {
  const auto address = read_address(text);
  if (!address) return "";
  return address->family == AF_INET ? "IPv4" : "IPv6";
}

bool is_ip_address(std::string_view text) {
  return read_address(text).has_value();
}

std::string url_host(std::string_view address) {
  return ip_family(address) == "IPv6" ? "[" + std::string(address) + "]" : std::string(address);
}

std::optional<std::uint32_t> ipv4_number(std::string_view text) {
  const auto address = read_address(text);
  if (!address || address->family != AF_INET) return std::nullopt;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < address->size(); ++i) number = number << kByteBits | address->bytes[i];
  return number;
}

std::string ipv4_text(std::uint32_t number) {
  AddressBytes address{{}, AF_INET};
  for (std::size_t i = address.size(); i-- > 0; number >>= kByteBits) {
    address.bytes[i] = static_cast<unsigned char>(number & 0xff);
  }
  return text_of(address);
}

std::string canonical_ip(std::string_view text) {
  const auto address = read_address(text);
  return address ? text_of(*address) : std::string();
}

std::optional<Ipv4Network> ipv4_network_of(std::string_view cidr) {
  const auto network = read_network(cidr);
  if (!network || network->base.family != AF_INET) return std::nullopt;
  return Ipv4Network{*ipv4_number(text_of(network->base)), network->prefix};
}

bool is_cidr(std::string_view text) {
  return read_network(text).has_value();
}

Result<std::string> nth_address(std::string_view cidr, std::uint32_t offset) {
  const auto network = read_network(cidr);
  if (!network) return bad_request("\"" + std::string(cidr) + "\": expected a network such as 10.43.0.0/16");
  const int host_bits = network->base.bits() - network->prefix;
  if (host_bits < 32 && offset >> host_bits != 0) {
    return bad_request("\"" + std::string(cidr) + "\": expected a network of more than " + std::to_string(offset) +
                       " addresses");
  }
  // The bits of the offset are zero in the network's own address: no carry.
  AddressBytes address = network->base;
  for (std::size_t i = address.size(); i-- > 0 && offset > 0; offset >>= kByteBits) {
    address.bytes[i] = static_cast<unsigned char>(address.bytes[i] | (offset & 0xff));
  }
  return text_of(address);
}

}  // namespace coracle
