#include "reconcilers/git/internal/http_subtransport.h"

#include <catch2/catch.hpp>

#include "base/executor.h"
#include "base/http/server.h"
#include "reconcilers/git/internal/git_handles.h"

namespace coracle::reconcilers::git {
namespace {

constexpr std::size_t kLimit = std::size_t{1} << 20;

// Announces more than anybody wants, in packets that git takes for a comment of the server's.
class TalkativeServer : public http::Handler {
 public:
  http::Response handle(const Context&, const http::Request&) override {
    std::string body;
    while (body.size() <= 2 * kLimit) body += "fff0# " + std::string(0xfff0 - 6, 'x');
    return http::Response::text(200, std::move(body), "application/x-git-upload-pack-advertisement");
  }
};

int make_transport(git_transport** out, git_remote* owner, void* payload) {
  return HttpConnection::make_transport(out, owner, payload);
}

}  // namespace

TEST_CASE("a repository that is too large says what it exceeds") {
  git_libgit2_init();
  const std::unique_ptr<Executor> executor = make_thread_executor();
  const Context context = Context(*executor).with_timeout(std::chrono::seconds(30));
  TalkativeServer handler;
  const std::unique_ptr<http::Server> server =
      http::serve(*executor, handler, {}, Logger(null_log_sink(), "http")).value();
  GitRemote remote;
  remote.url = "http://127.0.0.1:" + std::to_string(server->port()) + "/large.git";
  {
    HttpConnection connection(context, remote, kLimit);
    git_remote* raw = nullptr;
    REQUIRE(git_remote_create_detached(&raw, remote.url.c_str()) == 0);
    const Handle<git_remote> handle(raw);
    git_remote_callbacks callbacks = GIT_REMOTE_CALLBACKS_INIT;
    callbacks.transport = make_transport;
    callbacks.payload = &connection;
    CHECK(git_remote_connect(handle.get(), GIT_DIRECTION_FETCH, &callbacks, nullptr, nullptr) != 0);
    REQUIRE(connection.failure());
    CHECK(connection.failure()->reason() == Reason::RequestEntityTooLarge);
    CHECK(connection.failure()->message() ==
          "the repository is too large: the server sends more than the 1 MiB that one fetch may bring, and a fetch "
          "brings the whole history");
  }
  git_libgit2_shutdown();
}

}  // namespace coracle::reconcilers::git
