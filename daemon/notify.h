#pragma once

#include <string_view>

namespace coracle::daemon {

// Tells the service manager about this process ("READY=1", "STOPPING=1"), if it listens (sd_notify).
void notify_service_manager(std::string_view state);

}  // namespace coracle::daemon
