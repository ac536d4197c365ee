#include "reconcilers/git/internal/http_subtransport.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/tls/crypto.h"

namespace coracle::reconcilers::git {
namespace {

// One fetch of a repository; what is larger does not belong on a small machine.
constexpr std::size_t kMaxPack = std::size_t{512} << 20;

http::ClientOptions client_options(const GitRemote& remote) {
  http::ClientOptions options;
  options.ca_pem = remote.ca_pem;
  options.certificate_pem = remote.certificate_pem;
  options.key_pem = remote.key_pem;
  options.proxy = remote.proxy;
  options.follow_redirects = true;
  options.max_body_bytes = kMaxPack;
  return options;
}

}  // namespace

// Writes gather the request; the first read sends it and the answer is read from memory.
class HttpConnection::Stream : public git_smart_subtransport_stream {
 public:
  Stream(Subtransport& owner, HttpConnection& connection, std::string method, std::string url, std::string type)
      : connection_(connection), method_(std::move(method)), url_(std::move(url)), content_type_(std::move(type)) {
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
      Result<std::string> answer =
          self.connection_.exchange(self.method_, self.url_, self.content_type_, std::move(self.request_));
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
  const std::string method_;
  const std::string url_;
  const std::string content_type_;
  std::string request_;
  std::string answer_;
  std::size_t position_ = 0;
  bool sent_ = false;
};

HttpConnection::HttpConnection(const Context& context, const GitRemote& remote)
    : context_(context), remote_(remote), client_(http::make_client(client_options(remote))) {}

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

int HttpConnection::open_stream(git_smart_subtransport_stream** out, git_smart_subtransport* base, const char* url,
                                git_smart_service_t action) {
  auto& transport = *static_cast<Subtransport*>(base);
  std::unique_ptr<Stream> stream;
  if (action == GIT_SERVICE_UPLOADPACK_LS) {
    stream = std::make_unique<Stream>(transport, *transport.connection, "GET",
                                      std::string(url) + "/info/refs?service=git-upload-pack", "");
  } else if (action == GIT_SERVICE_UPLOADPACK) {
    stream = std::make_unique<Stream>(transport, *transport.connection, "POST", std::string(url) + "/git-upload-pack",
                                      "application/x-git-upload-pack-request");
  } else {
    git_error_set_str(GIT_ERROR_NET, "only fetching is supported");
    return GIT_ERROR;
  }
  *out = stream.release();
  return 0;
}

Result<std::string> HttpConnection::exchange(std::string_view method, const std::string& url,
                                             std::string_view content_type, std::string body) {
  http::Request request;
  request.method = method;
  request.body = std::move(body);
  request.headers.add("User-Agent", "git/2.0 (coracle)");
  request.headers.add("Accept", "*/*");
  if (!content_type.empty()) request.headers.add("Content-Type", std::string(content_type));
  if (!remote_.bearer_token.empty()) {
    request.headers.add("Authorization", "Bearer " + remote_.bearer_token);
  } else if (!remote_.username.empty() || !remote_.password.empty()) {
    request.headers.add("Authorization", "Basic " + crypto::base64_encode(remote_.username + ":" + remote_.password));
  }
  ASSIGN_OR_RETURN(const http::Response response, client_->send(context_, url, request));
  if (response.status == 401 || response.status == 403) {
    return Error(Reason::Unauthorized,
                 "authentication required: the server answered " + std::to_string(response.status));
  }
  if (response.status == 404) return Error(Reason::NotFound, "repository not found: the server answered 404");
  if (response.status != 200) return unavailable("the server answered " + std::to_string(response.status));
  return response.body_text();
}

}  // namespace coracle::reconcilers::git
