#include "kube/apiserver/internal/prefix_follower.h"

#include <utility>
#include <vector>

namespace coracle::kube::apiserver {

PrefixFollower::PrefixFollower(Executor& executor, store::Backend& backend, Work work, Logger log)
    : executor_(executor), backend_(backend), work_(std::move(work)), log_(std::move(log)), tasks_(Context(executor)) {}

// A watch ends outside the lock: its last call may just be waiting for it.
PrefixFollower::~PrefixFollower() {
  std::shared_ptr<store::Watch> watch;
  std::unique_ptr<Timer> retry;
  std::lock_guard lock(mutex_);
  stopping_ = true;
  retry.swap(retry_);
  watch.swap(watch_);
}

Result<void> PrefixFollower::start(const Context& context, std::string prefix) {
  prefix_ = std::move(prefix);
  TRY(follow(context));
  wake();
  return {};
}

Result<void> PrefixFollower::follow(const Context& context) {
  ASSIGN_OR_RETURN(auto watch, backend_.watch(context, store::KeyRange::prefix(prefix_), backend_.current_revision()));
  // The store's thread must not enter the backend: the work is another task's.
  watch->on_ready([this] { wake(); });
  std::shared_ptr<store::Watch> former = std::move(watch);
  std::lock_guard lock(mutex_);
  former.swap(watch_);
  return {};
}

void PrefixFollower::wake() {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    again_ = true;
    if (std::exchange(running_, true)) return;
  }
  tasks_.spawn(Lane::Worker, [this](const Context& context) { run(context); });
}

void PrefixFollower::run(const Context& context) {
  bool retry = false;
  while (!context.stopped()) {
    {
      std::lock_guard lock(mutex_);
      if (!std::exchange(again_, false)) {
        running_ = false;
        if (retry && !stopping_) retry_ = executor_.call_after(kRetryInterval, [this] { wake(); });
        return;
      }
    }
    drain(context);
    auto done = work_(context);
    retry = !done.ok() || *done;
    if (!done.ok() && !context.stopped()) {
      log_.warning("the store's objects could not be followed; it is tried again",
                   {{"prefix", prefix_}, {"error", done.error()}});
    }
  }
  std::lock_guard lock(mutex_);
  running_ = false;
}

// What has changed is read from caches; the events only say that something has.
void PrefixFollower::drain(const Context& context) {
  std::shared_ptr<store::Watch> watch;
  {
    std::lock_guard lock(mutex_);
    watch = watch_;
  }
  if (watch == nullptr) return;
  std::vector<store::EventPtr> events;
  store::Revision progress = 0;
  auto drained = watch->drain(events, kEventBatch, progress);
  if (!drained.ok() && drained.error().reason() == Reason::Expired) drained = follow(context);
  drained.ignore("a backend that has stopped sends no more events");
}

}  // namespace coracle::kube::apiserver
