#include "daemon/host.h"

#include <catch2/catch.hpp>

namespace coracle::daemon {

TEST_CASE("addresses of a network are counted across bytes") {
  CHECK(nth_address("10.43.0.0/16", 1).value() == "10.43.0.1");
  CHECK(nth_address("10.43.0.0/16", 10).value() == "10.43.0.10");
  CHECK(nth_address("10.43.0.250/16", 10).value() == "10.43.1.4");
  CHECK(nth_address("10.43.255.255/8", 1).value() == "10.44.0.0");
  CHECK(nth_address("fd00:1::/112", 10).value() == "fd00:1::a");
  for (const char* wrong : {"", "10.43.0.0", "ten/16", "10.43.0/16"}) CHECK_FALSE(nth_address(wrong, 1).ok());
}

TEST_CASE("addresses are told from names") {
  CHECK(is_ip_address("127.0.0.1"));
  CHECK(is_ip_address("::1"));
  CHECK_FALSE(is_ip_address("localhost"));
  CHECK_FALSE(is_ip_address("1.2.3"));
  CHECK(is_ip_address(default_address()));
  CHECK_FALSE(host_addresses().empty());
  CHECK_FALSE(host_name().value().empty());
}

}  // namespace coracle::daemon
