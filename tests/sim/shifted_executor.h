#pragma once

#include <memory>
#include <utility>

#include "base/executor.h"

namespace coracle::sim {

// Another executor whose wall clock can be set, as a person or a time server sets it. Monotonic time
// and everything else are the other's.
class ShiftedExecutor : public Executor {
 public:
  explicit ShiftedExecutor(Executor& inner) : inner_(inner), clock_(inner.clock()) {}

  void shift(Duration by) { clock_.offset += by; }

  void post(Lane lane, std::function<void()> task) override { inner_.post(lane, std::move(task)); }
  std::unique_ptr<Timer> call_at(MonotonicTime time, std::function<void()> task) override {
    return inner_.call_at(time, std::move(task));
  }
  std::unique_ptr<WaitPoint> make_wait_point() override { return inner_.make_wait_point(); }
  const Clock& clock() const override { return clock_; }
  Random& random() override { return inner_.random(); }

 private:
  struct ShiftedClock : Clock {
    explicit ShiftedClock(const Clock& base_clock) : base(base_clock) {}
    WallTime wall() const override { return base.wall() + offset; }
    MonotonicTime monotonic() const override { return base.monotonic(); }
    const Clock& base;
    Duration offset{};
  };

  Executor& inner_;
  ShiftedClock clock_;
};

}  // namespace coracle::sim
