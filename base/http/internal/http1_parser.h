#pragma once

#include <http_parser.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "base/http/message.h"

namespace coracle::http::internal {

// Reads one HTTP/1 request at a time. Stricter than http-parser where two readers of the same bytes could
// disagree about where a request ends (RFC 9112 6.3, 11.2).
class Http1Parser {
 public:
  enum class State : unsigned char { Incomplete, Complete, Failed };

  Http1Parser(std::size_t max_header_bytes, std::size_t max_body_bytes);

  // Takes bytes up to the end of a request and says how many it used.
  State feed(std::string_view data, std::size_t& used);
  // Makes ready for the next request.
  void reset();

  Request& request() { return request_; }
  // Of a complete request.
  bool keep_alive() const { return keep_alive_; }
  bool minor_version_0() const { return minor_version_0_; }
  // The head is there; `expects_continue` when the client waits for a go-ahead before it sends the body.
  bool head_complete() const { return head_complete_; }
  bool expects_continue() const { return expects_continue_; }
  // Any byte of a request has arrived.
  bool started() const { return started_; }
  std::size_t body_bytes() const { return request_.body.size(); }

  // Of a failed one.
  int failure_status() const { return failure_status_; }
  const std::string& failure() const { return failure_; }

 private:
  static Http1Parser& self(http_parser* parser) { return *static_cast<Http1Parser*>(parser->data); }
  static const http_parser_settings& settings();
  int on_url(std::string_view piece);
  void finish_field();
  int on_header_field(std::string_view piece);
  int on_header_value(std::string_view piece);
  int on_headers_complete();
  int on_body(std::string_view piece);
  int fail(int status, std::string text);
  int count_head(std::size_t bytes);
  int check_fields();
  int check_framing();
  int split_target();
  void fail_from_parser();

  const std::size_t max_header_bytes_;
  const std::size_t max_body_bytes_;
  http_parser parser_{};
  Request request_;
  std::string target_;
  std::string field_;
  std::string value_;
  std::string_view chunk_;  // what feed() was given
  bool in_value_ = false;
  bool value_at_chunk_end_ = false;
  bool started_ = false;
  bool head_complete_ = false;
  bool complete_ = false;
  bool keep_alive_ = false;
  bool minor_version_0_ = false;
  bool expects_continue_ = false;
  std::size_t head_bytes_ = 0;
  int failure_status_ = 0;
  std::string failure_;
};

}  // namespace coracle::http::internal
