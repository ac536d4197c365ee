#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "base/executor.h"
#include "base/file_descriptor.h"

namespace coracle::http::internal {

// What other threads tell an I/O loop. Whom it concerns may be gone when it arrives.
struct Mail {
  enum class Kind : std::uint8_t { Response, Wake, Drain, Cancel, Stop };
  Kind kind = Kind::Wake;
  std::uint64_t connection = 0;
  std::uint32_t stream = 0;
};

// Outlives its loop: whoever still holds it posts into the void then.
class Mailbox : public TaskHost {
 public:
  Mailbox();

  // From any thread, never blocks; costs a system call only when the loop sleeps.
  void post(Mail mail);
  void post_turn(std::function<void()> turn) override;

  // The loop's side. False when mail waits, so that the loop must not sleep.
  bool prepare_to_sleep();
  // Swaps what arrived into `mail` and `turns`, which must be empty. False when that is nothing.
  bool take(std::vector<Mail>& mail, std::vector<std::function<void()>>& turns);
  // Tasks that began on the loop's thread and have not ended; the loop must not end before them.
  void host_one() { ++hosted_; }
  void release_one() { --hosted_; }
  bool is_hosting() const { return hosted_ > 0; }
  // Later mail is dropped.
  void close();
  int wake_descriptor() const { return event_.get(); }

 private:
  void ring();

  const FileDescriptor event_;
  std::atomic<unsigned> hosted_{0};
  std::mutex mutex_;
  std::vector<Mail> mail_;
  std::vector<std::function<void()>> turns_;
  bool sleeping_ = false;
  bool closed_ = false;
};

}  // namespace coracle::http::internal
