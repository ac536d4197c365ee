#pragma once

#include <string_view>

// Texts that name hosts, people and places, judged as Go's net, net/mail and net/url judge them.
namespace coracle::kube::internal {

// Labels of letters, digits and symbols between dots, the last of letters only; or one label alone.
bool is_hostname(std::string_view text);
// An absolute URI, or a path from the root.
bool is_request_uri(std::string_view text);
// One address of RFC 5322, with or without a name: "a@b.c", "A <a@b.c>".
bool is_email_address(std::string_view text);
// Leading zeros of an octet do not count, and the text may be an IPv6 address that ends in an IPv4 one.
bool is_ipv4_text(std::string_view text);
bool is_ipv6_text(std::string_view text);
bool is_cidr_text(std::string_view text);
// 6, 8 or 20 bytes with colons, dashes, dots or nothing between them.
bool is_mac(std::string_view text);

}  // namespace coracle::kube::internal
