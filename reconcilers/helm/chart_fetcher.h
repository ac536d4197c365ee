#pragma once

#include <memory>
#include <string>

#include "base/context.h"
#include "base/executor.h"
#include "base/http/remote.h"
#include "base/result.h"
#include "charts/repository.h"

namespace coracle::reconcilers {

// Where a chart is and how to ask for it. No URL of it holds a user.
struct ChartLocation {
  charts::ChartSource source;
  http::Remote remote;  // the repository, or the chart that is in none
};

// The host that is asked first, with its port.
std::string host_of(const ChartLocation& location);

// Brings the bytes of a chart's .tgz. Blocks until the context ends: call it from Blocking tasks, with a time-out.
// Thread-safe. Unsupported for oci:// sources.
class ChartFetcher {
 public:
  virtual ~ChartFetcher() = default;
  virtual Result<std::string> fetch(const Context& context, const ChartLocation& location) = 0;
};

// Over HTTP and HTTPS. Redirects are followed, out of encryption too, as helm does; credentials stay with the host that
// they are for, and never leave encryption. Any number at once, but only few of them keep something large in memory.
std::unique_ptr<ChartFetcher> make_http_chart_fetcher(Executor& executor);

}  // namespace coracle::reconcilers
