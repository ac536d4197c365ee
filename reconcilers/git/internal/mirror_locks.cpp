#include "reconcilers/git/internal/mirror_locks.h"

namespace coracle::reconcilers::git {

Result<MirrorLocks::Hold> MirrorLocks::read(const Context& context, const std::string& mirror) {
  std::unique_lock lock(mutex_);
  for (auto found = states_.find(mirror); found != states_.end() && found->second.alone; found = states_.find(mirror)) {
    TRY(context.check());
    point_->wait(lock, context);
  }
  ++states_[mirror].readers;
  return Hold(*this, mirror, false);
}

Result<MirrorLocks::Hold> MirrorLocks::change(const Context& context, const std::string& mirror) {
  std::unique_lock lock(mutex_);
  for (auto found = states_.find(mirror); found != states_.end() && found->second.changing;
       found = states_.find(mirror)) {
    TRY(context.check());
    point_->wait(lock, context);
  }
  states_[mirror].changing = true;
  return Hold(*this, mirror, true);
}

Result<void> MirrorLocks::wait_for_readers(const Context& context, const std::string& mirror) {
  std::unique_lock lock(mutex_);
  State& state = states_.at(mirror);  // stays as long as it is held
  state.alone = true;
  while (state.readers > 0) {
    if (Result<void> going_on = context.check(); !going_on.ok()) {
      state.alone = false;
      point_->notify_all();
      return going_on;
    }
    point_->wait(lock, context);
  }
  return {};
}

void MirrorLocks::let_readers_in(const std::string& mirror) {
  const std::lock_guard lock(mutex_);
  states_.at(mirror).alone = false;
  point_->notify_all();
}

void MirrorLocks::release(const std::string& mirror, bool changes) {
  const std::lock_guard lock(mutex_);
  const auto held = states_.find(mirror);
  State& state = held->second;
  if (changes) {
    state.changing = false;
    state.alone = false;
  } else {
    --state.readers;
  }
  if (state.readers == 0 && !state.changing) states_.erase(held);
  point_->notify_all();
}

}  // namespace coracle::reconcilers::git
