#pragma once

#include <mutex>
#include <shared_mutex>

namespace coracle::store::internal {

// A shared mutex whose writer is not starved. The system's lets readers pass a waiting writer, and
// with readers that overlap all the time it never gets its turn; here they queue behind it.
class FairSharedMutex {
 public:
  void lock() {
    std::lock_guard turn(turnstile_);
    mutex_.lock();
  }
  void unlock() { mutex_.unlock(); }
  void lock_shared() {
    std::lock_guard turn(turnstile_);
    mutex_.lock_shared();
  }
  void unlock_shared() { mutex_.unlock_shared(); }

 private:
  std::mutex turnstile_;
  std::shared_mutex mutex_;
};

}  // namespace coracle::store::internal
