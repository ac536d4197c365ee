#include "reconcilers/helm/chart_fetcher.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/http/client.h"
#include "base/http/url.h"
#include "base/slots.h"
#include "base/tls/crypto.h"
#include "charts/chart.h"

namespace coracle::reconcilers {
namespace {

constexpr int kMaxRedirects = 10;
// Indexes of large repositories and charts with much in them; all others wait for nobody.
constexpr std::size_t kLargeBody = std::size_t{1} << 20U;
constexpr unsigned kLargeBodies = 4;

// The URL that names the repository, or the chart that is in none; credentials are for its origin.
template <class Source>
auto& home_of(Source& source) {
  return source.repository.empty() ? source.chart : source.repository;
}

// A user in the URL is credentials like any other: those of the Secret go before it.
ChartLocation without_user(ChartLocation location) {
  std::string& home = home_of(location.source);
  http::UrlWithoutUser parts = http::take_user(home);
  home = std::move(parts.url);
  if (location.username.empty()) {
    location.username = std::move(parts.username);
    location.password = std::move(parts.password);
  }
  return location;
}

Error status_error(const std::string& url, int status) {
  const std::string text = "GET " + http::printable_url(url) + " answers " + std::to_string(status);
  if (status == 401 || status == 403) return Error(Reason::Unauthorized, text);
  if (status == 404) return Error(Reason::NotFound, text);
  return unavailable(text);
}

// An answer as it comes in.
struct Incoming {
  int status = 0;
  http::Headers headers;
  std::string body;
  std::optional<Error> refusal;
};

class HttpChartFetcher : public ChartFetcher {
 public:
  explicit HttpChartFetcher(Executor& executor) : large_bodies_(executor, kLargeBodies) {}

  Result<std::string> fetch(const Context& context, const ChartLocation& given) override {
    const ChartLocation location = without_user(given);
    http::ClientOptions options;
    options.ca_pem = location.ca_pem;
    options.certificate_pem = location.certificate_pem;
    options.key_pem = location.key_pem;
    options.insecure_skip_verify = location.insecure_skip_verify;
    const std::unique_ptr<http::Client> client = http::make_client(std::move(options));
    std::optional<Slots::Slot> large;
    return charts::download_chart(location.source, [&](const std::string& url) {
      large.reset();  // what came before is not kept
      return download(context, *client, location, url, large);
    });
  }

 private:
  static http::Request request_for(const ChartLocation& location, const std::string& url) {
    http::Request request;
    request.method = "GET";
    const bool trusted = location.pass_credentials || http::origin_of(url) == http::origin_of(home_of(location.source));
    if (!location.username.empty() && trusted) {
      request.headers.add("Authorization",
                          "Basic " + crypto::base64_encode(location.username + ":" + location.password));
    }
    return request;
  }

  // A body that turns out to be large goes on when there is a place for it, which `large` then holds.
  Result<void> take_in(const Context& context, std::string_view data, Incoming& incoming,
                       std::optional<Slots::Slot>& large) {
    if (data.size() > charts::kMaxChartSize - incoming.body.size()) {
      return Error(Reason::RequestEntityTooLarge,
                   "the answer is larger than " + std::to_string(charts::kMaxChartSize) + " bytes");
    }
    if (!large && incoming.body.size() + data.size() > kLargeBody) {
      ASSIGN_OR_RETURN(Slots::Slot slot, large_bodies_.take(context));
      large.emplace(std::move(slot));
    }
    incoming.body += data;
    return {};
  }

  Result<Incoming> ask(const Context& context, http::Client& client, const ChartLocation& location,
                       const std::string& url, std::optional<Slots::Slot>& large) {
    Incoming incoming;
    TRY(client.stream(
        context, url, request_for(location, url),
        [&](int status, const http::Headers& headers) {
          incoming.status = status;
          incoming.headers = headers;
          return true;
        },
        [&](std::string_view data) {
          if (incoming.status != 200) return true;
          const Result<void> taken = take_in(context, data, incoming, large);
          if (!taken.ok()) incoming.refusal = taken.error();
          return taken.ok();
        }));
    if (incoming.refusal) return incoming.refusal->in("GET " + http::origin_of(url));
    return incoming;
  }

  Result<std::string> download(const Context& context, http::Client& client, const ChartLocation& location,
                               std::string url, std::optional<Slots::Slot>& large) {
    for (int redirects = 0; redirects <= kMaxRedirects; ++redirects) {
      if (!url.starts_with("http://") && !url.starts_with("https://")) {
        return bad_request("\"" + http::printable_url(url) + "\": expected a URL with http:// or https://");
      }
      ASSIGN_OR_RETURN(Incoming response, ask(context, client, location, url, large));
      if (response.status == 200) return std::move(response.body);
      const std::string_view target = response.headers.get("Location");
      if (response.status < 300 || response.status >= 400 || target.empty()) return status_error(url, response.status);
      url = http::redirect_target(url, target);
    }
    return unavailable("more than " + std::to_string(kMaxRedirects) + " redirects from " +
                       http::printable_url(location.source.chart));
  }

  Slots large_bodies_;
};

}  // namespace

std::string host_of(const ChartLocation& location) {
  const std::string origin = http::origin_of(home_of(location.source));
  return origin.substr(std::min(origin.find("://") + 3, origin.size()));
}

std::unique_ptr<ChartFetcher> make_http_chart_fetcher(Executor& executor) {
  return std::make_unique<HttpChartFetcher>(executor);
}

}  // namespace coracle::reconcilers
