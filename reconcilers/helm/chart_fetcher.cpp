#include "reconcilers/helm/chart_fetcher.h"

#include "base/http/client.h"
#include "base/tls/crypto.h"
#include "charts/chart.h"

namespace coracle::reconcilers {
namespace {

constexpr int kMaxRedirects = 10;
constexpr Duration kDownloadTimeout = std::chrono::minutes(5);

// "https://charts.example.com:8443": what decides whether credentials may be sent.
std::string_view origin_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  return url.substr(0, url.find_first_of("/?#", scheme + 3));
}

// A Location header is absolute, relative to the host, or relative to the document.
std::string redirect_target(std::string_view url, std::string_view location) {
  if (location.find("://") != std::string_view::npos) return std::string(location);
  const std::string_view origin = origin_of(url);
  if (location.starts_with('/')) return std::string(origin) + std::string(location);
  const std::string_view path = url.substr(0, url.find_first_of("?#"));
  const std::size_t slash = path.rfind('/');
  const bool has_path = slash != std::string_view::npos && slash >= origin.size();
  return (has_path ? std::string(path.substr(0, slash)) : std::string(origin)) + "/" + std::string(location);
}

Error status_error(const std::string& url, int status) {
  const std::string text = "GET " + url.substr(0, url.find('?')) + " answers " + std::to_string(status);
  if (status == 401 || status == 403) return Error(Reason::Unauthorized, text);
  if (status == 404) return Error(Reason::NotFound, text);
  return unavailable(text);
}

class HttpChartFetcher : public ChartFetcher {
 public:
  Result<std::string> fetch(const Context& context, const ChartLocation& location) override {
    http::ClientOptions options;
    options.ca_pem = location.ca_pem;
    options.certificate_pem = location.certificate_pem;
    options.key_pem = location.key_pem;
    options.insecure_skip_verify = location.insecure_skip_verify;
    options.max_body_bytes = charts::kMaxChartSize;
    const std::unique_ptr<http::Client> client = http::make_client(std::move(options));
    const Context bounded = context.with_timeout(kDownloadTimeout);
    return charts::download_chart(location.source,
                                  [&](const std::string& url) { return download(bounded, *client, location, url); });
  }

 private:
  static http::Request request_for(const ChartLocation& location, const std::string& url) {
    http::Request request;
    request.method = "GET";
    const std::string& home = location.source.repository.empty() ? location.source.chart : location.source.repository;
    const bool trusted = location.pass_credentials || origin_of(url) == origin_of(home);
    if (!location.username.empty() && trusted) {
      request.headers.add("Authorization",
                          "Basic " + crypto::base64_encode(location.username + ":" + location.password));
    }
    return request;
  }

  static Result<std::string> download(const Context& context, http::Client& client, const ChartLocation& location,
                                      std::string url) {
    for (int redirects = 0; redirects <= kMaxRedirects; ++redirects) {
      if (!url.starts_with("http://") && !url.starts_with("https://")) {
        return bad_request("\"" + url + "\": expected a URL with http:// or https://");
      }
      ASSIGN_OR_RETURN(const http::Response response, client.send(context, url, request_for(location, url)));
      if (response.status == 200) return response.body_text();
      const std::string_view target = response.headers.get("Location");
      if (response.status < 300 || response.status >= 400 || target.empty()) return status_error(url, response.status);
      url = redirect_target(url, target);
    }
    return unavailable("more than " + std::to_string(kMaxRedirects) + " redirects from " + location.source.chart);
  }
};

}  // namespace

std::unique_ptr<ChartFetcher> make_http_chart_fetcher() {
  return std::make_unique<HttpChartFetcher>();
}

}  // namespace coracle::reconcilers
