#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/http/internal/curl_client.h"

namespace coracle::http::internal {

// One request and its answer on a handle, which works while somebody waits for the head or for more of the body. Calls
// come from one task at a time.
class CurlTransfer {
 public:
  CurlTransfer(CurlHandle handle, const ClientOptions& options, std::string url, Request request);

  // Until the final head is complete.
  Result<void> begin(const Context& context);
  int status() const { return status_; }
  const Headers& headers() const { return headers_; }
  // What has come of the body, good until the next call; empty at its end.
  Result<std::string_view> read(const Context& context);
  // Ends it, wherever it is. The handle is fit for another request.
  CurlHandle finish();

 private:
  Result<void> set_options();
  Result<void> set_headers();
  void set_method();
  void set_tls();
  // Works until the transfer has ended or `enough` says so.
  Result<void> drive(const Context& context, const std::function<bool()>& enough);
  Result<void> outcome() const;
  bool take_header_line(std::string_view line);
  static std::size_t header_callback(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t body_callback(char* data, std::size_t size, std::size_t count, void* self);

  CurlHandle handle_;
  const ClientOptions& options_;
  const std::string url_;
  const Request request_;
  std::unique_ptr<curl_slist, ListDeleter> header_list_;
  std::string error_text_;
  int status_ = 0;
  Headers headers_;
  std::size_t head_bytes_ = 0;
  bool head_done_ = false;
  bool head_too_large_ = false;
  std::string arrived_;  // of the body, and not read yet
  std::string piece_;    // what the last read() answered
  bool paused_ = false;  // libcurl has more than `arrived_` may hold
  bool added_ = false;   // to the multi handle
  std::optional<CURLcode> ended_;
};

}  // namespace coracle::http::internal
