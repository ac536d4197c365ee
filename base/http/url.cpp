#include "base/http/url.h"

#include <algorithm>

#include "base/http/message.h"

namespace coracle::http {
namespace {

constexpr std::string_view kSchemeEnd = "://";
constexpr std::string_view kHidden = "***";
// What a text puts a URL between.
constexpr std::string_view kDelimiters = " \t\r\n\"'<>()";

// Where scheme and authority end; `authority` begins after "://", or at 0 where there is no scheme.
struct Parts {
  std::size_t authority = 0;
  std::size_t host = 0;  // behind the user
  std::size_t path = 0;
};

bool is_absolute(std::string_view url) {
  const std::size_t scheme = url.find(kSchemeEnd);
  return scheme != std::string_view::npos && scheme != 0 && url.find_first_of("/?#") > scheme;
}

Parts parts_of(std::string_view url) {
  Parts parts;
  if (is_absolute(url)) parts.authority = url.find(kSchemeEnd) + kSchemeEnd.size();
  parts.path = std::min(url.find_first_of("/?#", parts.authority), url.size());
  const std::size_t at = url.substr(parts.authority, parts.path - parts.authority).rfind('@');
  parts.host = at == std::string_view::npos ? parts.authority : parts.authority + at + 1;
  return parts;
}

std::string decoded(std::string_view text) {
  Result<std::string> plain = percent_decode(text);
  return plain.ok() ? std::move(*plain) : std::string(text);
}

}  // namespace

std::string origin_of(std::string_view url) {
  if (!is_absolute(url)) return {};
  const Parts parts = parts_of(url);
  return std::string(url.substr(0, parts.authority)) + std::string(url.substr(parts.host, parts.path - parts.host));
}

UrlWithoutUser take_user(std::string_view url) {
  const Parts parts = parts_of(url);
  if (!is_absolute(url) || parts.host == parts.authority) return {std::string(url), {}, {}};
  const std::string_view user = url.substr(parts.authority, parts.host - parts.authority - 1);
  const std::size_t colon = std::min(user.find(':'), user.size());
  return {std::string(url.substr(0, parts.authority)) + std::string(url.substr(parts.host)),
          decoded(user.substr(0, colon)), colon == user.size() ? std::string() : decoded(user.substr(colon + 1))};
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string redirect_target(std::string_view url, std::string_view location) {
  if (is_absolute(location)) return std::string(location);
  const Parts parts = parts_of(url);
  if (location.starts_with("//")) return std::string(url.substr(0, url.find(':') + 1)) + std::string(location);
  if (location.starts_with('/')) return std::string(url.substr(0, parts.path)) + std::string(location);
  const std::string_view document = url.substr(0, url.find_first_of("?#"));
  if (location.starts_with('?')) return std::string(document) + std::string(location);
  const std::size_t slash = document.rfind('/');
  const bool has_path = slash != std::string_view::npos && slash >= parts.path;
  return std::string(has_path ? document.substr(0, slash) : document) + "/" + std::string(location);
}

std::string printable_url(std::string_view url) {
  const Parts parts = parts_of(url);
  const std::string scheme(url.substr(0, parts.authority));
  // A password with a '/' that is not encoded ends the authority too early: "https://user:pass/word@host".
  const bool may_be_user =
      url.substr(parts.authority, parts.path - parts.authority).find_first_of(":@") != std::string_view::npos;
  if (may_be_user && url.find('@', parts.path) != std::string_view::npos) return scheme + std::string(kHidden);
  return scheme + std::string(url.substr(parts.host, url.find_first_of("?#", parts.path) - parts.host));
}

std::string with_printable_urls(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find_first_not_of(kDelimiters), text.size());
    out += text.substr(0, begin);
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find_first_of(kDelimiters));
    out += is_absolute(word) ? printable_url(word) : std::string(word);
    text.remove_prefix(word.size());
  }
  return out;
}

}  // namespace coracle::http
