#include "reconcilers/git/internal/http_subtransport.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/http/url.h"

namespace coracle::reconcilers::git {
namespace {

// libgit2 fetches shallowly from its version 1.7 on; up to then a fetch brings all that leads to a commit.
Error too_large(std::size_t limit) {
  return Error(Reason::RequestEntityTooLarge,
               "the repository is too large: the server sends more than the " + std::to_string(limit >> 20) +
                   " MiB that one fetch may bring, and a fetch brings the whole history");
}

std::string without_trailing_slashes(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

}  // namespace

// Writes gather the request; the first read sends it.
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
    const Result<void> filled = self.fill();
    if (!filled.ok()) return self.connection_.fail(filled.error());
    *read_size = std::min(size, self.piece_.size());
    std::memcpy(buffer, self.piece_.data(), *read_size);
    self.piece_.remove_prefix(*read_size);
    return 0;
  }

  // Afterwards `piece_` is empty only at the end.
  Result<void> fill() {
    if (!answer_) {
      ASSIGN_OR_RETURN(answer_, connection_.exchange(service_, request_));
    }
    if (!piece_.empty()) return {};
    ASSIGN_OR_RETURN(piece_, answer_->read(connection_.context_));
    taken_ += piece_.size();
    if (taken_ <= connection_.max_answer_) return {};
    return too_large(connection_.max_answer_);
  }

  static int write_some(git_smart_subtransport_stream* base, const char* buffer, size_t size) {
    static_cast<Stream*>(base)->request_.append(buffer, size);
    return 0;
  }

  static void destroy(git_smart_subtransport_stream* base) { std::unique_ptr<Stream>(static_cast<Stream*>(base)); }

  HttpConnection& connection_;
  const Service service_;
  std::string request_;
  std::unique_ptr<http::Incoming> answer_;
  std::string_view piece_;  // of its body, not read yet
  std::size_t taken_ = 0;
};

HttpConnection::HttpConnection(const Context& context, const GitRemote& remote, std::size_t max_answer)
    : context_(context),
      remote_(remote),
      max_answer_(max_answer),
      client_(http::make_client(http::client_options(remote))),
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

Result<std::unique_ptr<http::Incoming>> HttpConnection::exchange(const Service& service, const std::string& body) {
  http::Request request;
  request.method = service.method;
  request.body = body;
  request.headers.add("User-Agent", "git/2.0 (coracle)");
  request.headers.add("Accept", "*/*");
  if (!service.content_type.empty()) request.headers.add("Content-Type", service.content_type);
  ASSIGN_OR_RETURN(http::RemoteAnswer answer,
                   http::ask(context_, *client_, remote_, base_ + service.path, request,
                             [&](const http::Redirect& redirect) { return follow(service, redirect); }));
  if (answer.incoming->status() != 200) return refusal(answer.url, answer.incoming->status());
  return std::move(answer.incoming);
}

// As git does it (http.followRedirects=initial): the redirect of the first question tells where the repository is,
// and what follows is asked there. A POST must not be turned into a GET, so only 307 and 308 lead it elsewhere.
Result<void> HttpConnection::follow(const Service& service, const http::Redirect& redirect) {
  const std::string& target = redirect.to;
  if (redirect.from.starts_with("https://") && !target.starts_with("https://")) {
    return unavailable("the server answered with a " + redirect.text() +
                       ", which is refused: the connection would no longer be encrypted");
  }
  if (service.method == "POST") {
    if (redirect.status == 307 || redirect.status == 308) return {};
    return unavailable("the server answered a POST with a " + redirect.text());
  }
  if (!target.ends_with(service.path)) {
    return unavailable("the server answered with a " + redirect.text() +
                       ", which is no git repository: expected a URL that ends with " + service.path);
  }
  base_ = target.substr(0, target.size() - service.path.size());
  return {};
}

Error HttpConnection::refusal(const std::string& url, int status) const {
  const Reason reason = http::reason_of_status(status);
  const std::string answered = "the server answered " + std::to_string(status);
  if (reason == Reason::NotFound) return Error(reason, "repository not found: " + answered);
  if (reason != Reason::Unauthorized) return Error(reason, answered);
  const bool withheld =
      http::authorization_for(remote_, url).empty() && !http::authorization_for(remote_, remote_.url).empty();
  return Error(reason, "authentication required: " + answered +
                           (withheld ? " after a redirect to " + http::origin_of(http::printable_url(url)) +
                                           ", where the credentials are not sent"
                                     : ""));
}

int HttpConnection::fail(const Error& error) {
  failure_ = error;
  git_error_set_str(GIT_ERROR_HTTP, error.message().c_str());
  return error.reason() == Reason::Unauthorized ? GIT_EAUTH : GIT_ERROR;
}

}  // namespace coracle::reconcilers::git
