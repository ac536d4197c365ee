#pragma once

#include <string>
#include <string_view>

// URLs as text: whom credentials are for, where a redirect leads, and what of a URL may be shown.
namespace coracle::http {

// Scheme and authority without user and password: "https://charts.example.com:8443". Connections and credentials
// belong to one. Empty when the text is no absolute URL.
std::string origin_of(std::string_view url);

// A URL and the user and password that it held, decoded; both empty where it held none.
struct UrlWithoutUser {
  std::string url;
  std::string username;
  std::string password;
};
UrlWithoutUser take_user(std::string_view url);

// Whether an answer of this status leads to its Location header.
bool is_redirect(int status);
// Where the Location header of an answer from `url` leads: it is absolute, or relative to the scheme, the host or
// the document. `url` without a user.
std::string redirect_target(std::string_view url, std::string_view location);

// The URL as messages name it, which end up in logs, events and conditions: without user, password, query and
// fragment. Of a URL in which a password may stand at the wrong place only the scheme is left.
std::string printable_url(std::string_view url);
// The same for every URL in a text that somebody else wrote.
std::string with_printable_urls(std::string_view text);

}  // namespace coracle::http
