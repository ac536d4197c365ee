#include "kube/apiserver/internal/prefix_follower.h"

#include <utility>
#include <vector>

namespace coracle::kube::apiserver {

PrefixFollower::PrefixFollower(Executor& executor, store::Backend& backend, Work work, Logger log)
    : backend_(backend),
      work_(std::move(work)),
      log_(std::move(log)),
      woken_(executor.make_wait_point()),
      tasks_(Context(executor)) {}

Result<void> PrefixFollower::start(const Context& context, std::string prefix) {
  prefix_ = std::move(prefix);
  TRY(follow(context));
  wake();
  tasks_.spawn(Lane::Worker, [this](const Context& own) { run(own); });
  return {};
}

void PrefixFollower::wake() {
  std::lock_guard lock(mutex_);
  again_ = true;
  woken_->notify_one();
}

Result<void> PrefixFollower::follow(const Context& context) {
  ASSIGN_OR_RETURN(watch_, backend_.watch(context, store::KeyRange::prefix(prefix_), backend_.current_revision()));
  // The store's thread must not enter the backend: the work is another task's.
  watch_->on_ready([this] { wake(); });
  return {};
}

void PrefixFollower::run(const Context& context) {
  std::optional<MonotonicTime> retry_at;
  while (wait(context, retry_at)) {
    const auto kept_up = keep_up(context);
    const Result<bool> left = kept_up.ok() ? work_(context) : kept_up.error();
    if (!left.ok() && !context.stopped()) {
      log_.warning("the store's objects could not be followed; it is tried again",
                   {{"prefix", prefix_}, {"error", left.error()}});
    }
    retry_at.reset();
    if (!left.ok() || *left) retry_at = context.clock().monotonic() + kRetryInterval;
  }
}

// True: a run is due. False: the follower ends.
bool PrefixFollower::wait(const Context& context, std::optional<MonotonicTime> retry_at) {
  std::unique_lock lock(mutex_);
  while (!context.stopped()) {
    const bool due = retry_at && *retry_at <= context.clock().monotonic();
    if (std::exchange(again_, false) || due) return true;
    woken_->wait(lock, context, retry_at);
  }
  return false;
}

// What has changed is read from caches; the events only say that something has.
Result<void> PrefixFollower::keep_up(const Context& context) {
  std::vector<store::EventPtr> events;
  store::Revision progress = 0;
  const auto drained = watch_->drain(events, kEventBatch, progress);
  if (drained.ok()) return {};
  // After Canceled the backend has stopped, and nothing comes any more.
  return drained.error().reason() == Reason::Canceled ? Result<void>() : follow(context);
}

}  // namespace coracle::kube::apiserver
