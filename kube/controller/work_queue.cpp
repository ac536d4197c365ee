#include "kube/controller/work_queue.h"

#include <algorithm>
#include <deque>
#include <utility>

namespace coracle::kube {

struct WorkQueue::State : std::enable_shared_from_this<WorkQueue::State> {
  State(Executor& timers, RetryPolicy policy, std::function<void()> ready)
      : executor(timers), retry(policy), on_ready(std::move(ready)) {}

  // True when the key can be taken now. Called under the lock.
  bool enqueue(const ObjectKey& key) {
    if (closed || !dirty.insert(key).second) return false;
    if (at_work.contains(key)) return false;
    fifo.push_back(key);
    return true;
  }

  void fire(const ObjectKey& key, MonotonicTime when) {
    bool wake = false;
    {
      std::lock_guard lock(mutex);
      const auto found = delayed.find(key);
      if (found == delayed.end() || found->second.when != when) return;
      delayed.erase(found);
      wake = enqueue(key);
    }
    if (wake) on_ready();
  }

  struct Delayed {
    MonotonicTime when;
    std::unique_ptr<Timer> timer;
  };

  Executor& executor;
  const RetryPolicy retry;
  const std::function<void()> on_ready;
  mutable std::mutex mutex;
  std::deque<ObjectKey> fifo;
  std::set<ObjectKey> dirty;  // wants work: queued, or added again while at work
  std::set<ObjectKey> at_work;
  std::map<ObjectKey, Delayed> delayed;
  std::map<ObjectKey, unsigned> failed;
  bool closed = false;
};

WorkQueue::WorkQueue(Executor& executor, RetryPolicy retry, std::function<void()> ready)
    : state_(std::make_shared<State>(executor, retry, std::move(ready))) {}

WorkQueue::~WorkQueue() {
  shut_down();
}

void WorkQueue::add(const ObjectKey& key) {
  bool wake = false;
  {
    std::lock_guard lock(state_->mutex);
    wake = state_->enqueue(key);
  }
  if (wake) state_->on_ready();
}

void WorkQueue::add_after(const ObjectKey& key, Duration delay) {
  if (delay <= Duration::zero()) return add(key);
  const MonotonicTime when = state_->executor.clock().monotonic() + delay;
  std::lock_guard lock(state_->mutex);
  if (state_->closed) return;
  const auto known = state_->delayed.find(key);
  if (known != state_->delayed.end() && known->second.when <= when) return;
  std::weak_ptr<State> weak = state_;
  state_->delayed[key] = {when, state_->executor.call_at(when, [weak, key, when] {
                            if (const auto state = weak.lock()) state->fire(key, when);
                          })};
}

void WorkQueue::add_rate_limited(const ObjectKey& key) {
  unsigned failures = 0;
  {
    std::lock_guard lock(state_->mutex);
    failures = state_->failed[key]++;
  }
  constexpr unsigned kMaxDoublings = 40;  // beyond that the product would overflow
  const Duration delay =
      std::min(state_->retry.longest, state_->retry.first * (std::int64_t{1} << std::min(failures, kMaxDoublings)));
  add_after(key, delay > Duration::zero() ? delay : state_->retry.longest);
}

void WorkQueue::forget(const ObjectKey& key) {
  std::lock_guard lock(state_->mutex);
  state_->failed.erase(key);
}

unsigned WorkQueue::failures(const ObjectKey& key) const {
  std::lock_guard lock(state_->mutex);
  const auto found = state_->failed.find(key);
  return found == state_->failed.end() ? 0 : found->second;
}

std::optional<ObjectKey> WorkQueue::take() {
  std::lock_guard lock(state_->mutex);
  if (state_->closed || state_->fifo.empty()) return std::nullopt;
  ObjectKey key = std::move(state_->fifo.front());
  state_->fifo.pop_front();
  state_->dirty.erase(key);
  state_->at_work.insert(key);
  return key;
}

void WorkQueue::done(const ObjectKey& key) {
  bool wake = false;
  {
    std::lock_guard lock(state_->mutex);
    state_->at_work.erase(key);
    if (!state_->closed && state_->dirty.contains(key)) {
      state_->fifo.push_back(key);
      wake = true;
    }
  }
  if (wake) state_->on_ready();
}

bool WorkQueue::has_ready() const {
  std::lock_guard lock(state_->mutex);
  return !state_->fifo.empty();
}

std::size_t WorkQueue::depth() const {
  std::lock_guard lock(state_->mutex);
  return state_->dirty.size() + state_->delayed.size();
}

void WorkQueue::shut_down() {
  std::map<ObjectKey, State::Delayed> cancelled;
  std::lock_guard lock(state_->mutex);
  state_->closed = true;
  state_->fifo.clear();
  state_->dirty.clear();
  cancelled.swap(state_->delayed);
}

}  // namespace coracle::kube
