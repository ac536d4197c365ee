#include "base/http/internal/upgraded_pipe.h"

#include <utility>

namespace coracle::http::internal {
namespace {

// In each direction; more waits in the kernel or in the writer.
constexpr std::size_t kMaxPipeBytes = 256 * 1024;

class PipeStream : public UpgradedStream {
 public:
  explicit PipeStream(std::shared_ptr<UpgradedPipe> pipe) : pipe_(std::move(pipe)) {}
  ~PipeStream() override { pipe_->close(); }

  Result<std::string> read(const Context& context) override { return pipe_->read(context); }
  Result<void> write(const Context& context, std::string_view data) override { return pipe_->write(context, data); }
  void close() override { pipe_->close(); }

 private:
  const std::shared_ptr<UpgradedPipe> pipe_;
};

}  // namespace

UpgradedPipe::UpgradedPipe(Executor& executor, std::shared_ptr<Mailbox> mailbox, Mail mail)
    : mailbox_(std::move(mailbox)), mail_(mail), changed_(executor.make_wait_point()) {}

void UpgradedPipe::tell_loop() {
  mailbox_->post(mail_);
}

bool UpgradedPipe::push_incoming(std::string_view data) {
  const std::lock_guard lock(mutex_);
  incoming_ += data;
  changed_->notify_all();
  reading_paused_ = incoming_.size() > kMaxPipeBytes;
  return !reading_paused_;
}

bool UpgradedPipe::incoming_has_room() const {
  const std::lock_guard lock(mutex_);
  return !reading_paused_;
}

void UpgradedPipe::end_incoming() {
  const std::lock_guard lock(mutex_);
  incoming_ended_ = true;
  changed_->notify_all();
}

std::string UpgradedPipe::take_outgoing(bool& closed) {
  const std::lock_guard lock(mutex_);
  closed = closed_;
  changed_->notify_all();
  return std::exchange(outgoing_, {});
}

void UpgradedPipe::abandon() {
  const std::lock_guard lock(mutex_);
  abandoned_ = incoming_ended_ = true;
  changed_->notify_all();
}

Result<std::string> UpgradedPipe::read(const Context& context) {
  std::unique_lock lock(mutex_);
  while (incoming_.empty() && !incoming_ended_ && !closed_) {
    TRY(context.check());
    changed_->wait(lock, context);
  }
  const bool resume = std::exchange(reading_paused_, false);
  std::string data = std::exchange(incoming_, {});
  lock.unlock();
  if (resume) tell_loop();
  return data;
}

Result<void> UpgradedPipe::write(const Context& context, std::string_view data) {
  while (!data.empty()) {
    std::unique_lock lock(mutex_);
    while (outgoing_.size() >= kMaxPipeBytes && !abandoned_ && !closed_) {
      TRY(context.check());
      changed_->wait(lock, context);
    }
    if (abandoned_) return unavailable("the other end of the upgraded connection is gone");
    if (closed_) return unavailable("the upgraded connection was closed");
    const std::size_t piece = std::min(data.size(), kMaxPipeBytes - outgoing_.size());
    const bool first = outgoing_.empty();
    outgoing_ += data.substr(0, piece);
    data.remove_prefix(piece);
    lock.unlock();
    if (first) tell_loop();
  }
  return {};
}

void UpgradedPipe::close() {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
    changed_->notify_all();
  }
  tell_loop();
}

std::unique_ptr<UpgradedStream> make_upgraded_stream(std::shared_ptr<UpgradedPipe> pipe) {
  return std::make_unique<PipeStream>(std::move(pipe));
}

}  // namespace coracle::http::internal
