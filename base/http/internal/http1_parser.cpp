#include "base/http/internal/http1_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "base/http/internal/limits.h"
#include "base/text.h"

namespace coracle::http::internal {
namespace {

constexpr std::array<bool, 256> token_table() {
  std::array<bool, 256> table{};
  for (int c = 0; c < 256; ++c) {
    table[static_cast<std::size_t>(c)] =
        is_alphanumeric(static_cast<char>(c)) ||
        std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
  }
  return table;
}
constexpr std::array<bool, 256> kTokenCharacters = token_table();

bool is_token(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return kTokenCharacters[static_cast<unsigned char>(c)]; });
}

bool is_field_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
  });
}

}  // namespace

Http1Parser::Http1Parser(std::size_t max_header_bytes, std::size_t max_body_bytes)
    // http-parser has a limit of its own, which is one for the whole process and stays as it is.
    : max_header_bytes_(std::min<std::size_t>(max_header_bytes, HTTP_MAX_HEADER_SIZE)),
      max_body_bytes_(max_body_bytes) {
  reset();
}

void Http1Parser::reset() {
  http_parser_init(&parser_, HTTP_REQUEST);
  parser_.data = this;
  request_ = Request();
  target_.clear();
  field_.clear();
  value_.clear();
  in_value_ = value_at_chunk_end_ = started_ = head_complete_ = complete_ = false;
  keep_alive_ = minor_version_0_ = expects_continue_ = false;
  head_bytes_ = 0;
}

const http_parser_settings& Http1Parser::settings() {
  static const http_parser_settings table = [] {
    http_parser_settings made;
    http_parser_settings_init(&made);
    made.on_url = [](http_parser* p, const char* at, std::size_t n) { return self(p).on_url({at, n}); };
    made.on_header_field = [](http_parser* p, const char* at, std::size_t n) {
      return self(p).on_header_field({at, n});
    };
    made.on_header_value = [](http_parser* p, const char* at, std::size_t n) {
      return self(p).on_header_value({at, n});
    };
    made.on_headers_complete = [](http_parser* p) { return self(p).on_headers_complete(); };
    made.on_body = [](http_parser* p, const char* at, std::size_t n) { return self(p).on_body({at, n}); };
    made.on_message_complete = [](http_parser* p) {
      self(p).complete_ = true;
      http_parser_pause(p, 1);
      return 0;
    };
    return made;
  }();
  return table;
}

Http1Parser::State Http1Parser::feed(std::string_view data, std::size_t& used) {
  chunk_ = data;
  if (data.find_first_not_of("\r\n") != std::string_view::npos) started_ = true;
  used = http_parser_execute(&parser_, &settings(), data.data(), data.size());
  if (complete_) {
    request_.version_major = 1;
    keep_alive_ = http_should_keep_alive(&parser_) != 0;
    return State::Complete;
  }
  if (HTTP_PARSER_ERRNO(&parser_) == HPE_OK) return State::Incomplete;
  fail_from_parser();
  return State::Failed;
}

void Http1Parser::fail_from_parser() {
  if (failure_status_ != 0) return;
  switch (HTTP_PARSER_ERRNO(&parser_)) {
    case HPE_HEADER_OVERFLOW:
      fail(431, "request header is too large");
      break;
    case HPE_INVALID_VERSION:
      fail(505, "only HTTP/1.0, HTTP/1.1 and HTTP/2 are spoken here");
      break;
    default:
      fail(400, http_errno_description(HTTP_PARSER_ERRNO(&parser_)));
  }
}

int Http1Parser::fail(int status, std::string text) {
  failure_status_ = status;
  failure_ = std::move(text);
  return -1;  // 1 and 2 mean other things to http-parser
}

int Http1Parser::count_head(std::size_t bytes) {
  head_bytes_ += bytes;
  return head_bytes_ > max_header_bytes_ ? fail(431, "request header is too large") : 0;
}

int Http1Parser::on_url(std::string_view piece) {
  target_ += piece;
  return count_head(piece.size());
}

void Http1Parser::finish_field() {
  // http-parser leaves the white space behind a value to us.
  while (!value_.empty() && (value_.back() == ' ' || value_.back() == '\t')) value_.pop_back();
  // Trailers are read and forgotten.
  if (in_value_ && !head_complete_) request_.headers.add(std::move(field_), std::move(value_));
  field_.clear();
  value_.clear();
  in_value_ = false;
}

int Http1Parser::on_header_field(std::string_view piece) {
  if (in_value_) {
    finish_field();
    if (const int failed = count_head(kFieldOverheadBytes)) return failed;
  }
  if (!head_complete_) field_ += piece;
  return count_head(piece.size());
}

int Http1Parser::on_header_value(std::string_view piece) {
  // Pieces of one value stand at the end and the beginning of two chunks. Anything else between them was a
  // line break: a folded value, which is to be refused (RFC 9112 5.2).
  const bool continues = value_at_chunk_end_ && piece.data() == chunk_.data();
  if (in_value_ && !continues) return fail(400, "folded header lines are not accepted");
  in_value_ = true;
  value_at_chunk_end_ = piece.data() + piece.size() == chunk_.data() + chunk_.size();
  if (!head_complete_) value_ += piece;
  return count_head(piece.size());
}

int Http1Parser::on_headers_complete() {
  finish_field();
  head_complete_ = true;
  if (parser_.http_major != 1 || parser_.http_minor > 1) {
    return fail(505, "only HTTP/1.0, HTTP/1.1 and HTTP/2 are spoken here");
  }
  minor_version_0_ = parser_.http_minor == 0;
  request_.method = http_method_str(static_cast<http_method>(parser_.method));
  if (parser_.method == HTTP_CONNECT) return fail(501, "CONNECT is not served");
  if (const int failed = check_fields()) return failed;
  if (const int failed = check_framing()) return failed;
  return split_target();
}

int Http1Parser::check_fields() {
  std::size_t hosts = 0;
  for (const auto& [name, value] : request_.headers.fields()) {
    if (!is_token(name)) return fail(400, "malformed header name");
    if (!is_field_value(value)) return fail(400, "header '" + name + "' holds a control character");
    if (equal_ignoring_case(name, "host")) ++hosts;
  }
  if (hosts > 1 || (hosts == 0 && !minor_version_0_)) return fail(400, "exactly one Host header is needed");
  return 0;
}

int Http1Parser::check_framing() {
  std::size_t lengths = 0;
  std::size_t codings = 0;
  std::uint64_t length = 0;
  for (const auto& [name, value] : request_.headers.fields()) {
    if (equal_ignoring_case(name, "content-length")) {
      ++lengths;
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), length);
      if (parsed.ec != std::errc() || parsed.ptr != value.data() + value.size()) {
        return fail(400, "malformed Content-Length");
      }
    } else if (equal_ignoring_case(name, "transfer-encoding")) {
      ++codings;
      if (!equal_ignoring_case(value, "chunked")) return fail(501, "the only transfer coding served is chunked");
    } else if (equal_ignoring_case(name, "expect")) {
      if (!equal_ignoring_case(value, "100-continue")) return fail(417, "unknown expectation");
      expects_continue_ = !minor_version_0_;
    }
  }
  if (lengths + codings > 1) return fail(400, "the body's length is given more than once");
  if (codings > 0 && minor_version_0_) return fail(400, "HTTP/1.0 has no transfer codings");
  const bool parser_chunked = (parser_.flags & F_CHUNKED) != 0;
  const std::uint64_t parser_length = (parser_.flags & F_CONTENTLENGTH) != 0 ? parser_.content_length : 0;
  if (parser_chunked != (codings == 1) || parser_length != length) return fail(400, "the body's length is unclear");
  if (length > max_body_bytes_) return fail(413, "request body is too large");
  return 0;
}

int Http1Parser::split_target() {
  std::string_view target = target_;
  if (!target.empty() && target.front() != '/' && target != "*") {
    // The absolute form, which proxies send.
    const std::size_t scheme = target.find("://");
    if (scheme == std::string_view::npos) return fail(400, "malformed request target");
    target.remove_prefix(std::min(target.find_first_of("/?", scheme + 3), target.size()));
  }
  const std::size_t mark = target.find('?');
  request_.path = target.substr(0, mark);
  if (mark != std::string_view::npos) request_.query = target.substr(mark + 1);
  if (request_.path.empty()) request_.path = "/";
  return 0;
}

int Http1Parser::on_body(std::string_view piece) {
  if (piece.size() > max_body_bytes_ - request_.body.size()) return fail(413, "request body is too large");
  if (request_.body.empty() && (parser_.flags & F_CONTENTLENGTH) != 0) {
    request_.body.reserve(piece.size() + static_cast<std::size_t>(std::min<std::uint64_t>(
                                             parser_.content_length, max_body_bytes_ - piece.size())));
  }
  request_.body += piece;
  return 0;
}

}  // namespace coracle::http::internal
