#include "base/http/internal/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace coracle::http::internal {

Mailbox::Mailbox() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

void Mailbox::post(Mail mail) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    mail_.push_back(mail);
    wake = sleeping_;
    sleeping_ = false;
  }
  if (!wake) return;
  // The loop watches edges, so nobody ever reads the counter; it can be full only when it was
  // written often enough for the edge to be there.
  const std::uint64_t one = 1;
  const ssize_t written = write(event_.get(), &one, sizeof(one));
  static_cast<void>(written);
}

bool Mailbox::prepare_to_sleep() {
  const std::lock_guard lock(mutex_);
  sleeping_ = mail_.empty();
  return sleeping_;
}

void Mailbox::take(std::vector<Mail>& out) {
  const std::lock_guard lock(mutex_);
  sleeping_ = false;
  mail_.swap(out);
}

void Mailbox::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  mail_.clear();
}

}  // namespace coracle::http::internal
