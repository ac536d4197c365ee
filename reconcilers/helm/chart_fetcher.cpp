#include "reconcilers/helm/chart_fetcher.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/http/url.h"
#include "base/slots.h"
#include "charts/chart.h"

namespace coracle::reconcilers {
namespace {

// Indexes of large repositories and charts with much in them; all others wait for nobody.
constexpr std::size_t kLargeBody = std::size_t{1} << 20U;
constexpr unsigned kLargeBodies = 4;

class HttpChartFetcher : public ChartFetcher {
 public:
  explicit HttpChartFetcher(Executor& executor) : large_bodies_(executor, kLargeBodies) {}

  Result<std::string> fetch(const Context& context, const ChartLocation& location) override {
    const std::unique_ptr<http::Client> client = http::make_client(http::client_options(location.remote));
    std::optional<Slots::Slot> large;
    return charts::download_chart(location.source, [&](const std::string& url) {
      large.reset();  // what came before is not kept
      return download(context, *client, location.remote, url, large);
    });
  }

 private:
  // A body that turns out to be large goes on when there is a place for it, which `large` then holds.
  Result<std::string> download(const Context& context, http::Client& client, const http::Remote& remote,
                               const std::string& url, std::optional<Slots::Slot>& large) {
    http::Request request;
    request.method = "GET";
    ASSIGN_OR_RETURN(const http::RemoteAnswer answer, http::ask(context, client, remote, url, request));
    const int status = answer.incoming->status();
    const std::string what = "GET " + http::printable_url(answer.url);
    if (status != 200) return Error(http::reason_of_status(status), what + " answers " + std::to_string(status));
    std::string body;
    while (true) {
      ASSIGN_OR_RETURN(const std::string_view piece, answer.incoming->read(context));
      if (piece.empty()) return body;
      if (piece.size() > charts::kMaxChartSize - body.size()) {
        return Error(Reason::RequestEntityTooLarge,
                     what + ": the answer is larger than " + std::to_string(charts::kMaxChartSize) + " bytes");
      }
      if (!large && body.size() + piece.size() > kLargeBody) {
        ASSIGN_OR_RETURN(Slots::Slot slot, large_bodies_.take(context));
        large.emplace(std::move(slot));
      }
      body += piece;
    }
  }

  Slots large_bodies_;
};

}  // namespace

std::string host_of(const ChartLocation& location) {
  const std::string origin = http::origin_of(location.remote.url);
  return origin.substr(std::min(origin.find("://") + 3, origin.size()));
}

std::unique_ptr<ChartFetcher> make_http_chart_fetcher(Executor& executor) {
  return std::make_unique<HttpChartFetcher>(executor);
}

}  // namespace coracle::reconcilers
