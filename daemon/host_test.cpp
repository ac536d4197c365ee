#include "daemon/host.h"

#include <catch2/catch.hpp>

#include "base/ip.h"

namespace coracle::daemon {

TEST_CASE("a host has a name and addresses") {
  CHECK_FALSE(host_name().value().empty());
  CHECK(is_ip_address(default_address()));
  REQUIRE_FALSE(host_addresses().empty());
  for (const std::string& address : host_addresses()) CHECK(is_ip_address(address));
}

}  // namespace coracle::daemon
