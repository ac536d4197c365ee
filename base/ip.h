#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

// IP addresses and networks as people write them. Zones ("fe80::1%eth0") and leading zeros are no addresses.
namespace coracle {

// "IPv4" or "IPv6"; empty for a text that is no address.
std::string_view ip_family(std::string_view text);
bool is_ip_address(std::string_view text);
// The address as a URL writes it: "10.0.0.1", "[fd00::1]".
std::string url_host(std::string_view address);
// An IPv4 address as a number, most significant byte first.
std::optional<std::uint32_t> ipv4_number(std::string_view text);
std::string ipv4_text(std::uint32_t number);
// The one way to write an address; empty for a text that is no address.
std::string canonical_ip(std::string_view text);

// An IPv4 network in CIDR notation; the bits behind the prefix are zero.
struct Ipv4Network {
  std::uint32_t base = 0;
  int prefix = 0;
};
std::optional<Ipv4Network> ipv4_network_of(std::string_view cidr);
// Is the text an address of either family with a prefix length?
bool is_cidr(std::string_view text);
// The `offset`th address of a network of either family. BadRequest for a text that is no network, or one too small.
Result<std::string> nth_address(std::string_view cidr, std::uint32_t offset);

}  // namespace coracle
