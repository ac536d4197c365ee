#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/http/message.h"

namespace coracle::daemon {

struct SupervisorOptions {
  std::string server_ca_pem;
  std::string client_ca_pem;
  std::string static_folder;  // served below /static/ to everybody
};

// What k3s serves on the API's port beside the API: /ping, /cacerts, the certificate authorities and static files; the
// rest of the join protocol is answered 501. Everything else goes to `next`. Both outlive the handler.
std::unique_ptr<http::Handler> make_supervisor(http::Handler& next, FileSystem& files, SupervisorOptions options);

}  // namespace coracle::daemon
