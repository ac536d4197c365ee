#include "base/http/server.h"

#include <sys/socket.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "base/http/internal/address.h"
#include "base/http/internal/event_loop.h"

namespace coracle::http {
namespace {

using internal::EventLoop;
using internal::Listener;
using internal::Mail;

constexpr unsigned kMaxIoThreads = 16;

class EpollServer : public Server {
 public:
  EpollServer(Executor& executor, Handler& handler, ServerOptions options, Logger log, Listener listener)
      : listener_(std::move(listener)), state_(executor, handler, std::move(options), std::move(log)) {}

  ~EpollServer() override {
    stop_listening();
    tell_loops(Mail::Kind::Cancel);
    state_.dispatcher.wait_for_none();
    tell_loops(Mail::Kind::Stop);
    loops_.clear();
    // Of requests that came in between.
    state_.dispatcher.wait_for_none();
  }

  Result<void> start() {
    const unsigned wanted = state_.options.io_threads;
    const unsigned count = std::clamp(wanted > 0 ? wanted : std::thread::hardware_concurrency() / 2, 1U, kMaxIoThreads);
    for (unsigned i = 0; i < count; ++i) {
      auto loop = std::make_unique<EventLoop>(state_, listener_.socket.get());
      TRY(loop->start());
      loops_.push_back(std::move(loop));
    }
    return {};
  }

  std::uint16_t port() const override { return listener_.port; }

  void drain(const Context& context) override {
    stop_listening();
    std::unique_lock lock(state_.mutex);
    while (state_.connections.load() > 0 && context.check().ok()) state_.connection_closed->wait(lock, context);
  }

 private:
  // Whoever connects after this is refused at once; the kernel tells the loops too.
  void stop_listening() {
    tell_loops(Mail::Kind::Drain);
    shutdown(listener_.socket.get(), SHUT_RD);
  }

  void tell_loops(Mail::Kind kind) {
    for (const auto& loop : loops_) loop->mailbox()->post({kind, 0, 0});
  }

  Listener listener_;
  internal::ServerState state_;
  std::vector<std::unique_ptr<EventLoop>> loops_;
};

}  // namespace

Result<std::unique_ptr<Server>> serve(Executor& executor, Handler& handler, ServerOptions options, Logger log) {
  ASSIGN_OR_RETURN(Listener listener, internal::listen_on(options.address, options.port));
  auto server =
      std::make_unique<EpollServer>(executor, handler, std::move(options), std::move(log), std::move(listener));
  TRY(server->start());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace coracle::http
