#include "base/http/internal/curl_client.h"

#include <algorithm>
#include <utility>

#include "base/http/internal/curl_transfer.h"
#include "base/http/url.h"

namespace coracle::http {
namespace internal {
namespace {

// Idle handles keep their connections open; more than this many callers at once open new ones.
constexpr std::size_t kMaxIdleHandles = 16;

}  // namespace

CurlClient::CurlClient(ClientOptions options) : options_(std::move(options)) {
  curl_global_init(CURL_GLOBAL_DEFAULT);  // counted and thread-safe
}

CurlClient::~CurlClient() {
  idle_.clear();
  curl_global_cleanup();
}

// Prefers a handle that talked to the same origin, the one used last among those.
Result<CurlHandle> CurlClient::take(const std::string& origin) {
  {
    const std::lock_guard lock(mutex_);
    auto found =
        std::find_if(idle_.rbegin(), idle_.rend(), [&](const CurlHandle& handle) { return handle.origin == origin; });
    if (found == idle_.rend() && idle_.size() >= kMaxIdleHandles) found = std::prev(idle_.rend());
    if (found != idle_.rend()) {
      CurlHandle handle = std::move(*found);
      idle_.erase(std::next(found).base());
      handle.origin = origin;
      return handle;
    }
  }
  CurlHandle handle;
  handle.multi.reset(curl_multi_init());
  handle.easy.reset(curl_easy_init());
  handle.origin = origin;
  if (handle.multi == nullptr || handle.easy == nullptr) return internal_error("cannot make an HTTP transfer");
  return handle;
}

void CurlClient::give_back(CurlHandle handle) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMaxIdleHandles) idle_.push_back(std::move(handle));
}

Result<Response> CurlClient::send(const Context& context, const std::string& url, const Request& request) {
  Response response;
  std::string body;
  bool too_large = false;
  TRY(stream(
      context, url, request,
      [&](int status, const Headers& headers) {
        response.status = status;
        response.headers = headers;
        return true;
      },
      [&](std::string_view data) {
        too_large = data.size() > options_.max_body_bytes - body.size();
        if (!too_large) body += data;
        return !too_large;
      }));
  if (too_large) {
    return Error(Reason::RequestEntityTooLarge, request.method + " " + origin_of(printable_url(url)) +
                                                    ": the answer is larger than " +
                                                    std::to_string(options_.max_body_bytes) + " bytes");
  }
  if (!body.empty()) response.body.push_back(bytes(std::move(body)));
  return response;
}

Result<void> CurlClient::stream(const Context& context, const std::string& url, const Request& request,
                                const std::function<bool(int status, const Headers&)>& on_head,
                                const std::function<bool(std::string_view)>& on_data) {
  if (options_.certificate_pem.empty() != options_.key_pem.empty()) {
    return bad_request("a client certificate needs its key, and a key its certificate");
  }
  const std::string origin = origin_of(url);
  if (origin.empty()) return bad_request("an absolute URL is needed");
  ASSIGN_OR_RETURN(CurlHandle handle, take(origin));
  CurlTransfer transfer(handle, options_, url, request);
  transfer.on_head = [&](int status, Headers&& headers) { return on_head(status, headers); };
  transfer.on_data = on_data;
  Result<void> result = transfer.run(context);
  give_back(std::move(handle));
  return result;
}

}  // namespace internal

std::unique_ptr<Client> make_client(ClientOptions options) {
  return std::make_unique<internal::CurlClient>(std::move(options));
}

}  // namespace coracle::http
