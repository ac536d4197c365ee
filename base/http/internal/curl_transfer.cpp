#include "base/http/internal/curl_transfer.h"

#include <algorithm>
#include <charconv>
#include <stop_token>
#include <utility>

#include "base/http/url.h"
#include "base/text.h"

namespace coracle::http::internal {
namespace {

constexpr std::size_t kMaxHeadBytes = 256 * 1024;
constexpr long kReceiveBufferBytes = 64 * 1024;
// What may wait for its reader; then the server waits.
constexpr std::size_t kMaxArrived = std::size_t{256} << 10U;
constexpr long kMaxConnectionsPerHandle = 4;
// Bound of one wait; events, cancels and deadlines end it earlier.
constexpr Duration kLongestPoll = std::chrono::seconds(60);

curl_blob borrowed_blob(const std::string& text) {
  // libcurl only reads a blob that it was not told to copy.
  return {const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY};
}

bool is_http(std::string_view url) {
  const std::string scheme = to_lower(url.substr(0, url.find(':')));
  return scheme == "http" || scheme == "https";
}

}  // namespace

CurlTransfer::CurlTransfer(CurlHandle handle, const ClientOptions& options, std::string url, Request request)
    : handle_(std::move(handle)),
      options_(options),
      url_(std::move(url)),
      request_(std::move(request)),
      error_text_(CURL_ERROR_SIZE, '\0') {}

Result<void> CurlTransfer::begin(const Context& context) {
  TRY(context.check());
  TRY(set_options());
  if (curl_multi_add_handle(handle_.multi.get(), handle_.easy.get()) != CURLM_OK) {
    return internal_error("cannot start an HTTP transfer");
  }
  added_ = true;
  TRY(drive(context, [this] { return head_done_; }));
  return head_done_ ? Result<void>() : outcome();
}

Result<std::string_view> CurlTransfer::read(const Context& context) {
  TRY(context.check());
  if (arrived_.empty() && paused_ && !ended_) {
    paused_ = false;
    // Hands over at once what libcurl has kept.
    curl_easy_pause(handle_.easy.get(), CURLPAUSE_CONT);
  }
  if (arrived_.empty()) TRY(drive(context, [this] { return !arrived_.empty(); }));
  if (arrived_.empty()) TRY(outcome());
  piece_.clear();
  piece_.swap(arrived_);
  return std::string_view(piece_);
}

CurlHandle CurlTransfer::finish() {
  if (std::exchange(added_, false)) curl_multi_remove_handle(handle_.multi.get(), handle_.easy.get());
  // The handle goes back to the pool: nothing of this transfer may stay in it.
  curl_easy_reset(handle_.easy.get());
  return std::move(handle_);
}

Result<void> CurlTransfer::set_options() {
  CURL* easy = handle_.easy.get();
  curl_easy_reset(easy);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text_.data());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, kReceiveBufferBytes);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_MAXCONNECTS, kMaxConnectionsPerHandle);
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(options_.connect_timeout).count()));
  if (!options_.proxy.empty()) curl_easy_setopt(easy, CURLOPT_PROXY, options_.proxy.c_str());
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_callback);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_callback);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  if (curl_easy_setopt(easy, CURLOPT_URL, url_.c_str()) != CURLE_OK) return bad_request("the URL is not usable");
  set_method();
  set_tls();
  return set_headers();
}

void CurlTransfer::set_method() {
  CURL* easy = handle_.easy.get();
  const std::string& method = request_.method;
  if (method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  if (request_.body.empty() && (method == "GET" || method.empty())) return;
  const bool body_expected = method == "POST" || method == "PUT" || method == "PATCH";
  if (!request_.body.empty() || body_expected) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.data());
  }
  if (method != "POST" && !method.empty()) curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
}

void CurlTransfer::set_tls() {
  CURL* easy = handle_.easy.get();
  const auto blob = [&](CURLoption option, const std::string& text) {
    curl_blob value = borrowed_blob(text);
    curl_easy_setopt(easy, option, &value);
  };
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options_.ca_pem.empty()) blob(CURLOPT_CAINFO_BLOB, options_.ca_pem);
  if (!options_.certificate_pem.empty()) {
    blob(CURLOPT_SSLCERT_BLOB, options_.certificate_pem);
    blob(CURLOPT_SSLKEY_BLOB, options_.key_pem);
  }
  if (options_.insecure_skip_verify) {
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

Result<void> CurlTransfer::set_headers() {
  std::string line;
  const auto append = [&](const std::string& text) {
    curl_slist* longer = curl_slist_append(header_list_.get(), text.c_str());
    if (longer == nullptr) return false;
    static_cast<void>(header_list_.release());
    header_list_.reset(longer);
    return true;
  };
  bool good = true;
  // Fields that libcurl would add by itself are added only when the caller asked for them.
  for (const std::string_view own : {"Expect", "Accept", "Content-Type"}) {
    if (!request_.headers.has(own)) good = good && append(std::string(own) + ":");
  }
  for (const auto& [name, value] : request_.headers.fields()) {
    if (name.find_first_of("\r\n:") != std::string::npos || value.find_first_of("\r\n") != std::string::npos) {
      return bad_request("request header '" + name.substr(0, name.find_first_of("\r\n:")) + "' holds a line break");
    }
    // To libcurl "Name;" is an empty field and "Name:" removes one.
    line = name;
    line += value.empty() ? ";" : ": " + value;
    good = good && append(line);
  }
  if (!good) return internal_error("cannot build request headers: out of memory");
  curl_easy_setopt(handle_.easy.get(), CURLOPT_HTTPHEADER, header_list_.get());
  return {};
}

Result<void> CurlTransfer::drive(const Context& context, const std::function<bool()>& enough) {
  CURLM* multi = handle_.multi.get();
  const std::stop_callback wake(context.stop(), [multi] { curl_multi_wakeup(multi); });
  while (!ended_) {
    TRY(context.check());
    int running = 0;
    if (curl_multi_perform(multi, &running) != CURLM_OK) return internal_error("an HTTP transfer failed inside");
    int queued = 0;
    if (const CURLMsg* done = curl_multi_info_read(multi, &queued); done != nullptr) {
      ended_ = done->data.result;
    } else if (running == 0) {
      ended_ = CURLE_OK;
    }
    if (ended_ || enough()) break;
    Duration wait = kLongestPoll;
    if (context.deadline()) {
      wait = std::clamp(*context.deadline() - context.clock().monotonic(), Duration::zero(), kLongestPoll);
    }
    curl_multi_poll(multi, nullptr, 0, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count()),
                    nullptr);
  }
  return {};
}

Result<void> CurlTransfer::outcome() const {
  const CURLcode code = ended_.value_or(CURLE_OK);
  if (code == CURLE_OK) return {};
  // Paths are left out: to some services they are the password.
  const std::string where = request_.method + " " + origin_of(printable_url(url_));
  if (head_too_large_) {
    return Error(Reason::RequestEntityTooLarge,
                 where + ": the answer's header is larger than " + std::to_string(kMaxHeadBytes) + " bytes");
  }
  const std::string detail =
      with_printable_urls(error_text_.front() != '\0' ? error_text_.c_str() : curl_easy_strerror(code));
  const bool malformed = code == CURLE_URL_MALFORMAT;
  // libcurl says the same of an answer that is no HTTP; that is the server's fault.
  const bool other_scheme = code == CURLE_UNSUPPORTED_PROTOCOL && !is_http(url_);
  if (malformed || other_scheme) return bad_request(where + ": " + detail);
  return unavailable(where + ": " + detail);
}

// Lines of every head of the exchange come here, interim answers included.
bool CurlTransfer::take_header_line(std::string_view line) {
  head_bytes_ += line.size();
  if (head_bytes_ > kMaxHeadBytes) {
    head_too_large_ = true;
    return false;
  }
  if (line.rfind("HTTP/", 0) == 0) {
    status_ = 0;
    headers_ = Headers();
    const std::size_t space = line.find(' ');
    if (space != std::string_view::npos) std::from_chars(line.data() + space + 1, line.data() + line.size(), status_);
    return true;
  }
  const std::string_view text = trim(line);
  if (text.empty()) {
    const bool interim = status_ >= 100 && status_ < 200 && status_ != 101;
    head_done_ = head_done_ || !interim;
    return true;
  }
  const std::size_t colon = text.find(':');
  // Trailers arrive after the head and say nothing to our callers.
  if (colon != std::string_view::npos && !head_done_) {
    headers_.add(std::string(text.substr(0, colon)), std::string(trim(text.substr(colon + 1))));
  }
  return true;
}

std::size_t CurlTransfer::header_callback(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<CurlTransfer*>(self)->take_header_line({data, size * count}) ? size * count : 0;
}

std::size_t CurlTransfer::body_callback(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const std::string_view piece{data, size * count};
  if (!transfer.arrived_.empty() && transfer.arrived_.size() + piece.size() > kMaxArrived) {
    transfer.paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  transfer.arrived_ += piece;
  return piece.size();
}

}  // namespace coracle::http::internal
