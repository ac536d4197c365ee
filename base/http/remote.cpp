#include "base/http/remote.h"

#include <utility>

#include "base/encoding.h"
#include "base/http/url.h"

namespace coracle::http {
namespace {

constexpr int kMaxRedirects = 10;
constexpr std::string_view kEncrypted = "https://";

bool is_http(std::string_view url) {
  return url.starts_with(kEncrypted) || url.starts_with("http://");
}

}  // namespace

Remote without_user(Remote remote) {
  UrlWithoutUser parts = take_user(remote.url);
  remote.url = std::move(parts.url);
  if (remote.username.empty() && remote.password.empty() && remote.bearer_token.empty()) {
    remote.username = std::move(parts.username);
    remote.password = std::move(parts.password);
  }
  return remote;
}

ClientOptions client_options(const Remote& remote) {
  ClientOptions options;
  options.ca_pem = remote.ca_pem;
  options.certificate_pem = remote.certificate_pem;
  options.key_pem = remote.key_pem;
  options.insecure_skip_verify = remote.insecure_skip_verify;
  options.proxy = remote.proxy;
  return options;
}

std::string authorization_for(const Remote& remote, std::string_view url) {
  const bool in_the_clear = remote.url.starts_with(kEncrypted) && !url.starts_with(kEncrypted);
  const bool trusted = origin_of(url) == origin_of(remote.url) || (remote.pass_credentials && !in_the_clear);
  if (!trusted) return {};
  if (!remote.bearer_token.empty()) return "Bearer " + remote.bearer_token;
  if (remote.username.empty() && remote.password.empty()) return {};
  return "Basic " + base64_encode(remote.username + ":" + remote.password);
}

std::string Redirect::text() const {
  return std::to_string(status) + " redirect to " + printable_url(to);
}

Result<RemoteAnswer> ask(const Context& context, Client& client, const Remote& remote, std::string url,
                         const Request& request, const RedirectRule& rule) {
  if (!is_http(url)) return bad_request("\"" + printable_url(url) + "\": expected a URL with http:// or https://");
  for (int redirects = 0; redirects <= kMaxRedirects; ++redirects) {
    Request authorized = request;
    const std::string authorization = authorization_for(remote, url);
    if (!authorization.empty()) authorized.headers.add("Authorization", authorization);
    Result<std::unique_ptr<Incoming>> incoming = client.open(context, url, std::move(authorized));
    if (!incoming.ok()) {
      // Only what the user wrote is his mistake; where a server points to may be another tomorrow.
      const bool astray = redirects > 0 && incoming.error().reason() == Reason::BadRequest;
      return astray ? unavailable(incoming.error().message()) : incoming.error();
    }
    const std::string_view location = (*incoming)->headers().get("Location");
    if (!is_redirect((*incoming)->status()) || location.empty())
      return RemoteAnswer{std::move(url), std::move(*incoming)};
    std::string target = redirect_target(url, location);
    const Redirect redirect{(*incoming)->status(), url, target};
    if (!is_http(target)) {
      return unavailable("the server answered with a " + redirect.text() +
                         ", which is no URL with http:// or https://");
    }
    if (rule) TRY(rule(redirect));
    url = std::move(target);
  }
  return unavailable("more than " + std::to_string(kMaxRedirects) + " redirects from " + printable_url(remote.url));
}

Reason reason_of_status(int status) {
  if (status == 401 || status == 403) return Reason::Unauthorized;
  return status == 404 ? Reason::NotFound : Reason::Unavailable;
}

}  // namespace coracle::http
