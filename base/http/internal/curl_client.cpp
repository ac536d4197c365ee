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

class CurlClient::Answer : public Incoming {
 public:
  Answer(CurlClient& client, CurlHandle handle, std::string url, Request request)
      : client_(client), transfer_(std::move(handle), client.options_, std::move(url), std::move(request)) {}
  ~Answer() override { client_.give_back(transfer_.finish()); }

  Result<void> begin(const Context& context) { return transfer_.begin(context); }
  int status() const override { return transfer_.status(); }
  const Headers& headers() const override { return transfer_.headers(); }
  Result<std::string_view> read(const Context& context) override { return transfer_.read(context); }

 private:
  CurlClient& client_;
  CurlTransfer transfer_;
};

Result<Response> CurlClient::send(const Context& context, const std::string& url, const Request& request) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Incoming> incoming, open(context, url, request));
  std::string body;
  while (true) {
    ASSIGN_OR_RETURN(const std::string_view piece, incoming->read(context));
    if (piece.empty()) break;
    if (piece.size() > options_.max_body_bytes - body.size()) {
      return Error(Reason::RequestEntityTooLarge, request.method + " " + origin_of(printable_url(url)) +
                                                      ": the answer is larger than " +
                                                      std::to_string(options_.max_body_bytes) + " bytes");
    }
    body += piece;
  }
  Response response;
  response.status = incoming->status();
  response.headers = incoming->headers();
  if (!body.empty()) response.body.push_back(bytes(std::move(body)));
  return response;
}

Result<std::unique_ptr<Incoming>> CurlClient::open(const Context& context, const std::string& url, Request request) {
  if (options_.certificate_pem.empty() != options_.key_pem.empty()) {
    return bad_request("a client certificate needs its key, and a key its certificate");
  }
  const std::string origin = origin_of(url);
  if (origin.empty()) return bad_request("an absolute URL is needed");
  ASSIGN_OR_RETURN(CurlHandle handle, take(origin));
  auto answer = std::make_unique<Answer>(*this, std::move(handle), url, std::move(request));
  TRY(answer->begin(context));
  return std::unique_ptr<Incoming>(std::move(answer));
}

}  // namespace internal

std::unique_ptr<Client> make_client(ClientOptions options) {
  return std::make_unique<internal::CurlClient>(std::move(options));
}

}  // namespace coracle::http
