#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace coracle::daemon {

// The host's name in lower case, as a node is called by default.
Result<std::string> host_name();
// The address that traffic to the world leaves from: that of the interface of the default route, else
// the first global one, else 127.0.0.1. Asks the kernel's tables, sends nothing.
std::string default_address();
// Every address of this host, loopback included.
std::vector<std::string> host_addresses();

}  // namespace coracle::daemon
