#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/server_settings.h"

namespace coracle::daemon {

// The variables by which outgoing calls find a proxy, as k3s means them: HTTP_PROXY, HTTPS_PROXY and NO_PROXY in
// either case, capitals first, with NO_PROXY extended by what is in the cluster and on this machine. libcurl reads
// them in small letters, HTTP_PROXY only so. Empty when nobody has set a proxy.
std::map<std::string, std::string> proxy_environment(
    const std::function<std::optional<std::string>(std::string_view)>& environment, const ServerSettings& settings);

}  // namespace coracle::daemon
