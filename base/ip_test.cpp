#include "base/ip.h"

#include <catch2/catch.hpp>

namespace coracle {
namespace {

TEST_CASE("addresses are told from other texts, with their family") {
  CHECK(ip_family("10.0.0.1") == "IPv4");
  CHECK(ip_family("fd00::1") == "IPv6");
  const std::string with_zero = std::string("10.0.0.1") + '\0' + "x";
  for (const std::string& wrong : {std::string(), std::string("10.0.0"), std::string("10.0.0.01"), with_zero,
                                   std::string("10.0.0.1 "), std::string("fe80::1%eth0"), std::string("localhost")}) {
    INFO(wrong);
    CHECK(ip_family(wrong).empty());
    CHECK_FALSE(is_ip_address(wrong));
    CHECK(canonical_ip(wrong).empty());
  }
  CHECK(canonical_ip("FD00:0::1") == "fd00::1");
  CHECK(url_host("10.0.0.1") == "10.0.0.1");
  CHECK(url_host("fd00::1") == "[fd00::1]");
}

TEST_CASE("IPv4 addresses are numbers") {
  CHECK(ipv4_number("10.43.255.1") == 0x0a2bff01U);
  CHECK(ipv4_text(0x0a2bff01U) == "10.43.255.1");
  CHECK_FALSE(ipv4_number("::1").has_value());
}

TEST_CASE("networks have an address and a prefix that fits it") {
  CHECK(ipv4_network_of("10.43.7.9/16")->base == *ipv4_number("10.43.0.0"));
  CHECK(ipv4_network_of("10.43.7.9/16")->prefix == 16);
  CHECK(ipv4_network_of("10.43.7.9/0")->base == 0);
  CHECK(is_cidr("fd00::/128"));
  CHECK_FALSE(ipv4_network_of("fd00::/64").has_value());
  for (const std::string_view wrong :
       {"", "10.43.0.0", "ten/16", "10.43.0/16", "10.0.0.0/33", "10.0.0.0/-1", "::/129"}) {
    INFO(wrong);
    CHECK_FALSE(is_cidr(wrong));
    CHECK_FALSE(ipv4_network_of(wrong).has_value());
    CHECK_FALSE(nth_address(wrong, 1).ok());
  }
}

TEST_CASE("addresses of a network are counted from its own") {
  CHECK(nth_address("10.43.0.0/16", 1).value() == "10.43.0.1");
  CHECK(nth_address("10.43.0.250/16", 10).value() == "10.43.0.10");
  CHECK(nth_address("10.43.0.0/16", 0x1ff).value() == "10.43.1.255");
  CHECK(nth_address("fd00:1::/112", 10).value() == "fd00:1::a");
  CHECK(nth_address("10.43.0.0/28", 15).value() == "10.43.0.15");
  CHECK(nth_address("10.43.0.0/28", 16).error().message() ==
        "\"10.43.0.0/28\": expected a network of more than 16 addresses");
}

}  // namespace
}  // namespace coracle
