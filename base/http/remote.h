#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/http/client.h"

// Fetching from where a user says, with the credentials that he gives: a git repository, a chart repository.
namespace coracle::http {

// A server and how to ask it.
struct Remote {
  std::string url;       // credentials are for its origin; see without_user
  std::string username;  // basic authentication; empty: none
  std::string password;
  std::string bearer_token;
  bool pass_credentials = false;  // to other origins, too, but never in the clear where `url` is encrypted
  std::string ca_pem;             // empty: the system's store
  std::string certificate_pem;    // client certificate and key, both or none
  std::string key_pem;
  bool insecure_skip_verify = false;
  std::string proxy;  // "http://user:password@host:port"
};

// A user in the URL is credentials like any other; those that are there already go before it. What is left of the URL
// may be given to others.
Remote without_user(Remote remote);

ClientOptions client_options(const Remote& remote);

// The header Authorization of a request to `url`; empty where the credentials are not for it, or there are none.
std::string authorization_for(const Remote& remote, std::string_view url);

// Where an answer leads, or why nobody may go there.
struct Redirect {
  int status;
  const std::string& from;
  const std::string& to;
  std::string text() const;  // "302 redirect to https://git.example.com/x"
};
using RedirectRule = std::function<Result<void>(const Redirect&)>;

// Asks `url` with the credentials that are for it, and whoever the answers lead to, with those that are for them, as
// far as `rule` lets it. Every status but a redirect's is a success. BadRequest for a URL that cannot be, Unavailable
// where only a server is to blame.
struct RemoteAnswer {
  std::string url;  // who gave it
  std::unique_ptr<Incoming> incoming;
};
Result<RemoteAnswer> ask(const Context& context, Client& client, const Remote& remote, std::string url,
                         const Request& request, const RedirectRule& rule = {});

// What an answer that is no success stands for: Unauthorized, NotFound, or else Unavailable.
Reason reason_of_status(int status);

}  // namespace coracle::http
