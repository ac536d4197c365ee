#include "base/http/internal/response_head.h"

#include <http_parser.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace coracle::http::internal {
namespace {

constexpr std::array<std::string_view, 7> kTransportFields = {
    "connection", "content-length", "date", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"};
constexpr std::size_t kUsualHeadBytes = 256;

bool line_break(char c) {
  return c == '\r' || c == '\n' || c == '\0';
}

void append_field(std::string& head, std::string_view name, std::string_view value) {
  head += name;
  head += ": ";
  head += value;
  head += "\r\n";
}

}  // namespace

bool transport_field(std::string_view name) {
  return std::any_of(kTransportFields.begin(), kTransportFields.end(),
                     [&](std::string_view field) { return equal_ignoring_case(field, name); });
}

bool writable_field(std::string_view name, std::string_view value) {
  const bool name_good = !name.empty() && std::none_of(name.begin(), name.end(), [](char c) {
    return line_break(c) || c == ':' || c == ' ' || c == '\t';
  });
  return name_good && std::none_of(value.begin(), value.end(), line_break);
}

bool carries_body(int status, std::string_view method) {
  return status >= 200 && status != 204 && status != 304 && method != "HEAD";
}

std::string_view status_text(int status) {
  switch (status) {
#define CORACLE_STATUS_CASE(number, name, string) \
  case number:                                    \
    return #string;
    HTTP_STATUS_MAP(CORACLE_STATUS_CASE)
#undef CORACLE_STATUS_CASE
    default:
      return "Unknown";
  }
}

std::string http1_head(const Response& response, Framing framing, std::uint64_t length, bool keep_alive,
                       std::string_view date) {
  std::string head;
  head.reserve(kUsualHeadBytes);
  head += "HTTP/1.1 ";
  head += std::to_string(response.status);
  head += ' ';
  head += status_text(response.status);
  head += "\r\n";
  const bool switching = response.status == 101;
  for (const auto& [name, value] : response.headers.fields()) {
    // With 101 the handler names the protocol, in the very fields that are ours otherwise.
    if ((switching || !transport_field(name)) && writable_field(name, value)) append_field(head, name, value);
  }
  append_field(head, "Date", date);
  if (framing == Framing::Length) append_field(head, "Content-Length", std::to_string(length));
  if (framing == Framing::Chunked) append_field(head, "Transfer-Encoding", "chunked");
  if (!switching && !keep_alive) append_field(head, "Connection", "close");
  head += "\r\n";
  return head;
}

}  // namespace coracle::http::internal
