#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coracle::kube::apiserver {

// "IPv4" or "IPv6", as services call the family of an address; empty for a text that is no address.
std::string_view ip_family(std::string_view text);
// An IPv4 address as a number, most significant byte first.
std::optional<std::uint32_t> ipv4_number(std::string_view text);
std::string ipv4_text(std::uint32_t number);
// The one way to write an address; empty for a text that is no address.
std::string canonical_ip(std::string_view text);

// An IPv4 network in CIDR notation.
struct Ipv4Network {
  std::uint32_t base = 0;
  int prefix = 0;
};
std::optional<Ipv4Network> ipv4_network_of(std::string_view cidr);
// Is the text an address of either family with a prefix length?
bool is_cidr(std::string_view text);

}  // namespace coracle::kube::apiserver
