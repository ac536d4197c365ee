#pragma once

#include <memory>
#include <string>

#include "base/context.h"
#include "base/executor.h"
#include "base/result.h"
#include "charts/repository.h"

namespace coracle::reconcilers {

// Where a chart is and how to ask for it.
struct ChartLocation {
  charts::ChartSource source;
  std::string username;  // basic authentication; empty: none
  std::string password;
  bool pass_credentials = false;  // also to other hosts than the repository's
  std::string ca_pem;             // empty: the system's store
  std::string certificate_pem;    // client certificate and key, both or none
  std::string key_pem;
  bool insecure_skip_verify = false;
};

// The host that is asked first, with its port, without user and password: fit for messages.
std::string host_of(const ChartLocation& location);

// Brings the bytes of a chart's .tgz. Blocks until the context ends: call it from Blocking tasks, with a time-out.
// Thread-safe. Unsupported for oci:// sources.
class ChartFetcher {
 public:
  virtual ~ChartFetcher() = default;
  virtual Result<std::string> fetch(const Context& context, const ChartLocation& location) = 0;
};

// Over HTTP and HTTPS. Redirects are followed; credentials stay with the host that they are for. Any number at once,
// but only few of them keep something large in memory.
std::unique_ptr<ChartFetcher> make_http_chart_fetcher(Executor& executor);

}  // namespace coracle::reconcilers
