#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/executor.h"
#include "kube/object/object.h"

namespace coracle::kube {

// Back-off of a key that keeps failing, as upstream's rate limiter counts it.
struct RetryPolicy {
  Duration first = std::chrono::milliseconds(5);
  Duration longest = std::chrono::seconds(1000);
};

// Keys that wait for work. Fair: first in, first out. Stingy: a key that is queued twice is worked
// on once; a key that is added while it is worked on comes back afterwards, never in parallel.
// Of several times for a delayed key the earliest wins. Thread-safe; never waits.
class WorkQueue {
 public:
  // `ready` runs, on any thread, whenever a key may have become available; it may still be running when the queue is
  // gone.
  WorkQueue(Executor& executor, RetryPolicy retry, std::function<void()> ready);
  ~WorkQueue();

  void add(const ObjectKey& key);
  void add_after(const ObjectKey& key, Duration delay);
  // Later each time, until forget().
  void add_rate_limited(const ObjectKey& key);
  void forget(const ObjectKey& key);
  unsigned failures(const ObjectKey& key) const;

  // The next key, which then counts as worked on until done().
  std::optional<ObjectKey> take();
  void done(const ObjectKey& key);

  // True when take() would answer a key.
  bool has_ready() const;
  // Queued or delayed keys; 0 together with no key at work means that nothing is left to do.
  std::size_t depth() const;
  void shut_down();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace coracle::kube
