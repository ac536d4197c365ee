#include "base/signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>
#include <utility>

#include "base/file_descriptor.h"
#include "base/files.h"
#include "base/internal/start_thread.h"
#include "base/task_group.h"

namespace coracle {
namespace {

sigset_t termination_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

class SignalThread : public SignalWatch {
 public:
  SignalThread(Executor& executor, std::function<void(int)> on_signal)
      : on_signal_(std::move(on_signal)), calls_(Context(executor)) {}

  ~SignalThread() override {
    if (!thread_.joinable()) return;
    const std::uint64_t one = 1;
    while (write(stop_.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
    thread_.join();
  }

  Result<void> start() {
    const sigset_t signals = termination_signals();
    signals_ = FileDescriptor(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    stop_ = FileDescriptor(eventfd(0, EFD_CLOEXEC));
    if (!signals_.valid() || !stop_.valid()) return system_error(errno, "watch for signals");
    thread_ = internal::start_thread("signals", [this] { serve(); });
    return {};
  }

 private:
  void serve() {
    while (true) {
      std::array<pollfd, 2> waiting{{{signals_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
      if (poll(waiting.data(), waiting.size(), -1) < 0) continue;
      if ((waiting[1].revents & POLLIN) != 0) return;
      signalfd_siginfo info = {};
      if (read(signals_.get(), &info, sizeof info) != sizeof info) continue;
      calls_.spawn(Lane::Delivery,
                   [this, signal = static_cast<int>(info.ssi_signo)](const Context&) { on_signal_(signal); });
    }
  }

  const std::function<void(int)> on_signal_;
  FileDescriptor signals_;
  FileDescriptor stop_;
  std::thread thread_;
  TaskGroup calls_;
};

}  // namespace

void block_termination_signals() {
  const sigset_t signals = termination_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

Result<std::unique_ptr<SignalWatch>> watch_termination_signals(Executor& executor, std::function<void(int)> on_signal) {
  auto watch = std::make_unique<SignalThread>(executor, std::move(on_signal));
  TRY(watch->start());
  return std::unique_ptr<SignalWatch>(std::move(watch));
}

}  // namespace coracle
