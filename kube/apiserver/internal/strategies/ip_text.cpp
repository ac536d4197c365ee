#include "kube/apiserver/internal/strategies/ip_text.h"

#include <arpa/inet.h>

#include <array>

#include "base/text.h"

namespace coracle::kube::apiserver {

namespace {

constexpr int kIpv4Bits = 32;
constexpr int kIpv6Bits = 128;

// Go refuses what inet_pton takes in one case only: zones and leading zeros are refused by both.
bool read_address(int family, std::string_view text, void* bytes) {
  return inet_pton(family, std::string(text).c_str(), bytes) == 1;
}

std::optional<int> prefix_length(std::string_view text, int bits) {
  const auto length = parse_int<int>(text);
  if (!length || *length < 0 || *length > bits) return std::nullopt;
  return length;
}

}  // namespace

std::string_view ip_family(std::string_view text) {
  in6_addr bytes{};
  if (read_address(AF_INET, text, &bytes)) return "IPv4";
  return read_address(AF_INET6, text, &bytes) ? "IPv6" : "";
}

std::optional<std::uint32_t> ipv4_number(std::string_view text) {
  in_addr address{};
  if (!read_address(AF_INET, text, &address)) return std::nullopt;
  return ntohl(address.s_addr);
}

std::string ipv4_text(std::uint32_t number) {
  std::string text;
  for (int shift = kIpv4Bits - 8; shift >= 0; shift -= 8) {
    if (!text.empty()) text += '.';
    text += std::to_string((number >> shift) & 0xff);
  }
  return text;
}

std::string canonical_ip(std::string_view text) {
  in6_addr bytes{};
  std::array<char, INET6_ADDRSTRLEN> out{};
  const int family = ip_family(text) == "IPv4" ? AF_INET : AF_INET6;
  if (!read_address(family, text, &bytes)) return {};
  return inet_ntop(family, &bytes, out.data(), out.size()) == nullptr ? std::string() : std::string(out.data());
}

std::optional<Ipv4Network> ipv4_network_of(std::string_view cidr) {
  const std::size_t slash = cidr.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = ipv4_number(cidr.substr(0, slash));
  const auto prefix = prefix_length(cidr.substr(slash + 1), kIpv4Bits);
  if (!address || !prefix) return std::nullopt;
  const std::uint32_t mask = *prefix == 0 ? 0 : ~std::uint32_t{0} << (kIpv4Bits - *prefix);
  return Ipv4Network{*address & mask, *prefix};
}

bool is_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view family = ip_family(text.substr(0, slash));
  if (family.empty()) return false;
  return prefix_length(text.substr(slash + 1), family == "IPv4" ? kIpv4Bits : kIpv6Bits).has_value();
}

}  // namespace coracle::kube::apiserver
