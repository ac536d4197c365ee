#pragma once

#include <git2.h>
#include <git2/sys/transport.h>

#include <memory>
#include <optional>

#include "base/context.h"
#include "base/http/remote.h"
#include "reconcilers/git/git_mirror.h"

namespace coracle::reconcilers::git {

// Git's smart HTTP protocol over our own client, so that authority, credentials, time-out and cancelling
// belong to one call on one repository (libgit2's own settings are the process's). Nothing is kept of a pack: libgit2
// gets it as it comes. One outlives the remote that uses it, on one thread.
class HttpConnection {
 public:
  // What one answer may bring; what is larger does not belong on a small machine.
  static constexpr std::size_t kMaxAnswer = std::size_t{512} << 20;

  HttpConnection(const Context& context, const GitRemote& remote, std::size_t max_answer = kMaxAnswer);

  // To be given to git_remote_callbacks, payload this object.
  static int make_transport(git_transport** out, git_remote* owner, void* payload);
  // The error of the last exchange, which says more than libgit2's.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  class Stream;
  friend class Stream;

  struct Subtransport : git_smart_subtransport {
    HttpConnection* connection;
  };

  static int make_subtransport(git_smart_subtransport** out, git_transport* owner, void* payload);
  static int open_stream(git_smart_subtransport_stream** out, git_smart_subtransport* transport, const char* url,
                         git_smart_service_t action);

  // What one service of the protocol asks: its path below the repository's URL, and how.
  struct Service {
    std::string method;
    std::string path;
    std::string content_type;
  };
  // The answer, whose body is what the service says.
  Result<std::unique_ptr<http::Incoming>> exchange(const Service& service, const std::string& body);
  // Whether a service may be asked elsewhere; of a repository that moved, `base_` becomes its new URL.
  Result<void> follow(const Service& service, const http::Redirect& redirect);
  Error refusal(const std::string& url, int status) const;
  // Tells libgit2, and keeps what it would not tell.
  int fail(const Error& error);

  const Context& context_;
  const GitRemote& remote_;
  const std::size_t max_answer_;
  const std::unique_ptr<http::Client> client_;
  std::string base_;  // the repository's URL, without a '/' at its end
  std::optional<Error> failure_;
};

}  // namespace coracle::reconcilers::git
