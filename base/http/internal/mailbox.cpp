#include "base/http/internal/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

namespace coracle::http::internal {

Mailbox::Mailbox() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

void Mailbox::post(Mail mail) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    mail_.push_back(mail);
    wake = std::exchange(sleeping_, false);
  }
  if (wake) ring();
}

void Mailbox::post_turn(std::function<void()> turn) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    turns_.push_back(std::move(turn));
    wake = std::exchange(sleeping_, false);
  }
  if (wake) ring();
}

void Mailbox::ring() {
  // The loop watches edges, so nobody ever reads the counter; it can be full only when it was
  // written often enough for the edge to be there.
  const std::uint64_t one = 1;
  const ssize_t written = write(event_.get(), &one, sizeof(one));
  static_cast<void>(written);
}

bool Mailbox::prepare_to_sleep() {
  const std::lock_guard lock(mutex_);
  sleeping_ = mail_.empty() && turns_.empty();
  return sleeping_;
}

bool Mailbox::take(std::vector<Mail>& mail, std::vector<std::function<void()>>& turns) {
  const std::lock_guard lock(mutex_);
  sleeping_ = false;
  mail_.swap(mail);
  turns_.swap(turns);
  return !mail.empty() || !turns.empty();
}

void Mailbox::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  mail_.clear();
}

}  // namespace coracle::http::internal
