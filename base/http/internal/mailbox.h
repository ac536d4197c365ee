#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "base/http/internal/descriptor.h"

namespace coracle::http::internal {

// What other threads tell an I/O loop. Whom it concerns may be gone when it arrives.
struct Mail {
  enum class Kind : std::uint8_t { Response, Wake, Drain, Cancel, Stop };
  Kind kind = Kind::Wake;
  std::uint64_t connection = 0;
  std::uint32_t stream = 0;
};

// Outlives its loop: whoever still holds it posts into the void then.
class Mailbox {
 public:
  Mailbox();

  // From any thread, never blocks; costs a system call only when the loop sleeps.
  void post(Mail mail);

  // The loop's side. False when mail waits, so that the loop must not sleep.
  bool prepare_to_sleep();
  // Swaps what arrived into `out`, which must be empty.
  void take(std::vector<Mail>& out);
  // Later mail is dropped.
  void close();
  int wake_descriptor() const { return event_.get(); }

 private:
  const Descriptor event_;
  std::mutex mutex_;
  std::vector<Mail> mail_;
  bool sleeping_ = false;
  bool closed_ = false;
};

}  // namespace coracle::http::internal
