#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/http/internal/curl_client.h"

namespace coracle::http::internal {

// Sets one request up on a handle, drives it until it ends or the context does, and collects the head.
class CurlTransfer {
 public:
  CurlTransfer(CurlHandle& handle, const ClientOptions& options, const std::string& url, const Request& request);

  // Called once when the final head is complete; false ends the transfer.
  std::function<bool(int status, Headers&& headers)> on_head;
  std::function<bool(std::string_view)> on_data;

  // Success when the answer ended or a callback answered false.
  Result<void> run(const Context& context);

 private:
  Result<void> set_options();
  Result<void> set_headers();
  void set_method();
  void set_tls();
  Result<void> drive(const Context& context);
  Result<void> outcome(CURLcode code) const;
  bool take_header_line(std::string_view line);
  bool finish_head();
  static std::size_t header_callback(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t body_callback(char* data, std::size_t size, std::size_t count, void* self);

  CurlHandle& handle_;
  const ClientOptions& options_;
  const std::string& url_;
  const Request& request_;
  std::unique_ptr<curl_slist, ListDeleter> header_list_;
  std::string error_text_;
  int status_ = 0;
  Headers headers_;
  std::size_t head_bytes_ = 0;
  bool head_done_ = false;
  bool head_too_large_ = false;
  bool ended_by_caller_ = false;
};

}  // namespace coracle::http::internal
