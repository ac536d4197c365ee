#include "base/http/url.h"

#include <catch2/catch.hpp>

namespace coracle::http {

TEST_CASE("an origin is scheme and authority without the user") {
  CHECK(origin_of("https://charts.example.com:8443/a/b?c#d") == "https://charts.example.com:8443");
  CHECK(origin_of("https://user:pass@host") == "https://host");
  CHECK(origin_of("https://host?mail=a@b") == "https://host");
  CHECK(origin_of("https://[::1]:80/@scope") == "https://[::1]:80");
  CHECK(origin_of("file:///srv/a@b") == "file://");
  CHECK(origin_of("https://") == "https://");
  for (const std::string_view text : {"", "host", "/path?next=https://host/", "://host", "user@host:path"}) {
    INFO(text);
    CHECK(origin_of(text).empty());
  }
}

TEST_CASE("the user is taken out of a URL") {
  const auto taken = [](std::string_view url) {
    const UrlWithoutUser parts = take_user(url);
    return parts.url + "|" + parts.username + "|" + parts.password;
  };
  CHECK(taken("https://user:pass@host/a?b") == "https://host/a?b|user|pass");
  CHECK(taken("https://user%40corp:p%3a%2f@host") == "https://host|user@corp|p:/");
  CHECK(taken("https://token@host/a") == "https://host/a|token|");
  CHECK(taken("https://user:a:b@c@host/a") == "https://host/a|user|a:b@c");
  CHECK(taken("https://user:100%@host") == "https://host|user|100%");
  CHECK(taken("https://host/@a") == "https://host/@a||");
  CHECK(taken("user:pass@host") == "user:pass@host||");
}

TEST_CASE("a redirect leads where its Location says") {
  const std::string_view url = "https://host:1/a/b.git/info/refs?service=x";
  CHECK(redirect_target(url, "http://other/c") == "http://other/c");
  CHECK(redirect_target(url, "//other/c") == "https://other/c");
  CHECK(redirect_target(url, "/login?next=https://host/") == "https://host:1/login?next=https://host/");
  CHECK(redirect_target(url, "heads") == "https://host:1/a/b.git/info/heads");
  CHECK(redirect_target(url, "?service=y") == "https://host:1/a/b.git/info/refs?service=y");
  CHECK(redirect_target("https://host", "a") == "https://host/a");
  CHECK(redirect_target("https://host?x=/y", "a") == "https://host/a");
}

TEST_CASE("what is printed of a URL holds no secret") {
  CHECK(printable_url("https://user:pass@host:1/a.git?token=x#y") == "https://host:1/a.git");
  CHECK(printable_url("https://host/@scope/a") == "https://host/@scope/a");
  CHECK(printable_url("https://host?token=x") == "https://host");
  CHECK(printable_url("oci://user:pass@host/a") == "oci://host/a");
  CHECK(printable_url("user:pass@host/a") == "host/a");
  CHECK(printable_url("traefik") == "traefik");
  for (const std::string_view url :
       {"https://user:pass/word@host/a", "https://user:pass?word@host/a", "https://user:12#pass@host/a",
        "https://user:pass@pass/word@host", "https://user:pass@host/@scope"}) {
    INFO(url);
    CHECK(printable_url(url) == "https://***");
  }
}

TEST_CASE("URLs in a foreign text are printed without their secrets") {
  CHECK(with_printable_urls("Unsupported proxy syntax in 'http://user:p/w@host:x': Bad \"port\"") ==
        "Unsupported proxy syntax in 'http://***': Bad \"port\"");
  CHECK(with_printable_urls(" see https://a:b@c/d?e  and <ftp://f> @ noon ") ==
        " see https://c/d  and <ftp://f> @ noon ");
  CHECK(with_printable_urls("").empty());
}

}  // namespace coracle::http
