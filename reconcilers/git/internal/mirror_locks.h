#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/context.h"
#include "base/executor.h"
#include "base/result.h"

namespace coracle::reconcilers::git {

// Who may do what with which mirror. Any number read while one adds to it, which disturbs no reader; whoever takes
// files away is alone. Those who cannot yet wait as long as their context lets them. Thread-safe.
class MirrorLocks {
 public:
  explicit MirrorLocks(Executor& executor) : point_(executor.make_wait_point()) {}

  // Leave to read or to change; it ends with this, before the locks do.
  class Hold {
   public:
    Hold(Hold&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), mirror_(std::move(other.mirror_)), changes_(other.changes_) {}
    Hold& operator=(Hold&&) = delete;
    ~Hold() {
      if (owner_ != nullptr) owner_->release(mirror_, changes_);
    }
    // For who may change: waits until nobody reads, and keeps readers waiting until it shares or ends.
    Result<void> alone(const Context& context) { return owner_->wait_for_readers(context, mirror_); }
    // Readers may come again.
    void share() { owner_->let_readers_in(mirror_); }

   private:
    friend class MirrorLocks;
    Hold(MirrorLocks& owner, std::string mirror, bool changes)
        : owner_(&owner), mirror_(std::move(mirror)), changes_(changes) {}

    MirrorLocks* owner_;
    std::string mirror_;
    bool changes_;
  };

  // Canceled or Timeout when the context ends first.
  Result<Hold> read(const Context& context, const std::string& mirror);
  Result<Hold> change(const Context& context, const std::string& mirror);

 private:
  struct State {
    unsigned readers = 0;
    bool changing = false;
    bool alone = false;
  };

  Result<void> wait_for_readers(const Context& context, const std::string& mirror);
  void let_readers_in(const std::string& mirror);
  void release(const std::string& mirror, bool changes);

  std::mutex mutex_;
  const std::unique_ptr<WaitPoint> point_;
  std::map<std::string, State> states_;  // of mirrors that somebody holds
};

}  // namespace coracle::reconcilers::git
