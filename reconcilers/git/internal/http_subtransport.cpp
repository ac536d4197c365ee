#include "reconcilers/git/internal/http_subtransport.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/http/url.h"
#include "base/tls/crypto.h"

namespace coracle::reconcilers::git {
namespace {

// One fetch of a repository; what is larger does not belong on a small machine.
constexpr std::size_t kMaxPack = std::size_t{512} << 20;
constexpr int kMaxRedirects = 10;

std::string without_trailing_slashes(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

http::ClientOptions client_options(const GitRemote& remote) {
  http::ClientOptions options;
  options.ca_pem = remote.ca_pem;
  options.certificate_pem = remote.certificate_pem;
  options.key_pem = remote.key_pem;
  options.proxy = remote.proxy;
  options.max_body_bytes = kMaxPack;
  return options;
}

}  // namespace

// Writes gather the request; the first read sends it and the answer is read from memory.
class HttpConnection::Stream : public git_smart_subtransport_stream {
 public:
  Stream(Subtransport& owner, HttpConnection& connection, Service service)
      : connection_(connection), service_(std::move(service)) {
    subtransport = &owner;
    read = &Stream::read_some;
    write = &Stream::write_some;
    free = &Stream::destroy;
  }

 private:
  static int read_some(git_smart_subtransport_stream* base, char* buffer, size_t size, size_t* read_size) {
    auto& self = *static_cast<Stream*>(base);
    if (!self.sent_) {
      self.sent_ = true;
      Result<std::string> answer = self.connection_.exchange(self.service_, self.request_);
      if (!answer.ok()) {
        self.connection_.failure_ = answer.error();
        git_error_set_str(GIT_ERROR_HTTP, answer.error().message().c_str());
        return answer.error().reason() == Reason::Unauthorized ? GIT_EAUTH : GIT_ERROR;
      }
      self.answer_ = std::move(*answer);
    }
    *read_size = std::min(size, self.answer_.size() - self.position_);
    std::memcpy(buffer, self.answer_.data() + self.position_, *read_size);
    self.position_ += *read_size;
    return 0;
  }

  static int write_some(git_smart_subtransport_stream* base, const char* buffer, size_t size) {
    static_cast<Stream*>(base)->request_.append(buffer, size);
    return 0;
  }

  static void destroy(git_smart_subtransport_stream* base) { std::unique_ptr<Stream>(static_cast<Stream*>(base)); }

  HttpConnection& connection_;
  const Service service_;
  std::string request_;
  std::string answer_;
  std::size_t position_ = 0;
  bool sent_ = false;
};

HttpConnection::HttpConnection(const Context& context, const GitRemote& remote)
    : context_(context),
      remote_(remote),
      client_(http::make_client(client_options(remote))),
      base_(without_trailing_slashes(remote.url)) {}

int HttpConnection::make_transport(git_transport** out, git_remote* owner, void* payload) {
  // libgit2 copies the definition.
  git_smart_subtransport_definition definition = {&HttpConnection::make_subtransport, 1, payload};
  return git_transport_smart(out, owner, &definition);
}

int HttpConnection::make_subtransport(git_smart_subtransport** out, git_transport*, void* payload) {
  auto transport = std::make_unique<Subtransport>();
  transport->connection = static_cast<HttpConnection*>(payload);
  transport->action = &HttpConnection::open_stream;
  transport->close = [](git_smart_subtransport*) { return 0; };
  transport->free = [](git_smart_subtransport* base) {
    std::unique_ptr<Subtransport>(static_cast<Subtransport*>(base));
  };
  *out = transport.release();
  return 0;
}

int HttpConnection::open_stream(git_smart_subtransport_stream** out, git_smart_subtransport* base, const char*,
                                git_smart_service_t action) {
  auto& transport = *static_cast<Subtransport*>(base);
  Service service;
  if (action == GIT_SERVICE_UPLOADPACK_LS) {
    service = {"GET", "/info/refs?service=git-upload-pack", ""};
  } else if (action == GIT_SERVICE_UPLOADPACK) {
    service = {"POST", "/git-upload-pack", "application/x-git-upload-pack-request"};
  } else {
    git_error_set_str(GIT_ERROR_NET, "only fetching is supported");
    return GIT_ERROR;
  }
  *out = std::make_unique<Stream>(transport, *transport.connection, std::move(service)).release();
  return 0;
}

Result<std::string> HttpConnection::exchange(const Service& service, const std::string& body) {
  std::string url = base_ + service.path;
  for (int redirects = 0; redirects <= kMaxRedirects; ++redirects) {
    Result<http::Response> response = client_->send(context_, url, request_for(service, url, body));
    if (!response.ok()) {
      // Only what the user wrote is his mistake; where a server points to may be another tomorrow.
      const bool astray = redirects > 0 && response.error().reason() == Reason::BadRequest;
      return astray ? unavailable(response.error().message()) : response.error();
    }
    if (!http::is_redirect(response->status) || !response->headers.has("Location")) return answer_of(url, *response);
    ASSIGN_OR_RETURN(url, follow(service, url, *response));
  }
  return unavailable("more than " + std::to_string(kMaxRedirects) + " redirects");
}

http::Request HttpConnection::request_for(const Service& service, const std::string& url,
                                          const std::string& body) const {
  http::Request request;
  request.method = service.method;
  request.body = body;
  request.headers.add("User-Agent", "git/2.0 (coracle)");
  request.headers.add("Accept", "*/*");
  if (!service.content_type.empty()) request.headers.add("Content-Type", service.content_type);
  if (!is_trusted(url)) return request;
  if (!remote_.bearer_token.empty()) {
    request.headers.add("Authorization", "Bearer " + remote_.bearer_token);
  } else if (!remote_.username.empty() || !remote_.password.empty()) {
    request.headers.add("Authorization", "Basic " + crypto::base64_encode(remote_.username + ":" + remote_.password));
  }
  return request;
}

// Credentials are for the origin that the user named, wherever it sends us.
bool HttpConnection::is_trusted(const std::string& url) const {
  return http::origin_of(url) == http::origin_of(remote_.url);
}

// As git does it (http.followRedirects=initial): the redirect of the first question tells where the repository is,
// and what follows is asked there. A POST must not be turned into a GET, so only 307 and 308 lead it elsewhere.
Result<std::string> HttpConnection::follow(const Service& service, const std::string& url,
                                           const http::Response& response) {
  const std::string target = http::redirect_target(url, response.headers.get("Location"));
  const std::string what = std::to_string(response.status) + " redirect to " + http::printable_url(target);
  if (!target.starts_with("https://") && !target.starts_with("http://")) {
    return unavailable("the server answered with a " + what + ", which is no URL with http:// or https://");
  }
  if (url.starts_with("https://") && !target.starts_with("https://")) {
    return unavailable("the server answered with a " + what +
                       ", which is refused: the connection would no longer be "
                       "encrypted");
  }
  if (service.method == "POST") {
    const bool same_method = response.status == 307 || response.status == 308;
    return same_method ? Result<std::string>(target) : unavailable("the server answered a POST with a " + what);
  }
  if (!target.ends_with(service.path)) {
    return unavailable("the server answered with a " + what +
                       ", which is no git repository: expected a URL that ends "
                       "with " +
                       service.path);
  }
  base_ = target.substr(0, target.size() - service.path.size());
  return target;
}

Result<std::string> HttpConnection::answer_of(const std::string& url, const http::Response& response) const {
  const std::string answered = "the server answered " + std::to_string(response.status);
  if (response.status == 401 || response.status == 403) {
    const bool has_credentials = !remote_.bearer_token.empty() || !remote_.username.empty();
    return Error(Reason::Unauthorized, "authentication required: " + answered +
                                           (has_credentials && !is_trusted(url)
                                                ? " after a redirect to " + http::origin_of(http::printable_url(url)) +
                                                      ", where the credentials are not sent"
                                                : ""));
  }
  if (response.status == 404) return Error(Reason::NotFound, "repository not found: " + answered);
  if (response.status != 200) return unavailable(answered);
  return response.body_text();
}

}  // namespace coracle::reconcilers::git
