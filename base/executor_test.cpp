#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/sim_executor.h"
#include "base/sync.h"
#include "base/task_group.h"
#include "base/testing/standard_error.h"

namespace coracle {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

const WallTime kStart(seconds(1'700'000'000));

// The same behaviour is asked of threads and of fibers: each case runs its body under both.
void under_both(const std::function<void(Executor&)>& body) {
  {
    INFO("threads");
    const auto executor = make_thread_executor();
    body(*executor);
  }
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("simulation, seed " << seed);
    const auto executor = SimExecutor::make(seed, kStart);
    executor->run([&] { body(*executor); });
  }
}

Context patient(Executor& executor) {
  return Context(executor).with_timeout(seconds(30));
}

TEST_CASE("posted tasks run on every lane") {
  under_both([](Executor& executor) {
    Queue<int> done(executor, 8);
    for (const Lane lane : {Lane::Delivery, Lane::Worker, Lane::Blocking}) {
      executor.post(lane, [&done, lane] { done.push(static_cast<int>(lane)); });
    }
    std::set<int> seen;
    for (int i = 0; i < 3; ++i) seen.insert(**done.pop(patient(executor)));
    CHECK(seen == std::set<int>{0, 1, 2});
  });
}

TEST_CASE("an event wakes all who wait and stays set") {
  under_both([](Executor& executor) {
    Event event(executor);
    std::atomic<int> woken = 0;
    TaskGroup group{Context(executor)};
    for (int i = 0; i < 3; ++i) {
      group.spawn(Lane::Worker, [&](const Context& context) {
        if (event.wait(context).ok()) ++woken;
      });
    }
    event.set();
    group.join();
    CHECK(woken == 3);
    CHECK(event.wait(patient(executor)).ok());
    event.reset();
    CHECK_FALSE(event.is_set());
  });
}

TEST_CASE("a wait ends with its context") {
  under_both([](Executor& executor) {
    Event never(executor);
    const Result<void> late = never.wait(Context(executor).with_timeout(milliseconds(5)));
    REQUIRE_FALSE(late.ok());
    CHECK(late.error().reason() == Reason::Timeout);

    std::stop_source stop;
    const Context stoppable = Context(executor).with_stop(stop.get_token());
    TaskGroup group{Context(executor)};
    group.spawn(Lane::Worker, [&](const Context&) { stop.request_stop(); });
    const Result<void> given_up = never.wait(stoppable);
    REQUIRE_FALSE(given_up.ok());
    CHECK(given_up.error().reason() == Reason::Canceled);
    // One that is stopped already does not wait at all.
    CHECK_FALSE(never.wait(stoppable).ok());
    CHECK_FALSE(stoppable.sleep(hours(1)).ok());
  });
}

TEST_CASE("the earlier deadline wins and a linked stop has two causes") {
  under_both([](Executor& executor) {
    const Context far = Context(executor).with_timeout(hours(1));
    const Context near = far.with_timeout(milliseconds(1));
    CHECK(*near.deadline() < *far.deadline());
    CHECK(near.with_timeout(hours(2)).deadline() == near.deadline());
    CHECK_FALSE(near.sleep(hours(1)).ok());
    CHECK(near.expired());
    CHECK(far.sleep(milliseconds(1)).ok());

    std::stop_source first;
    std::stop_source second;
    const LinkedStop linked(first.get_token(), second.get_token());
    CHECK_FALSE(linked.token().stop_requested());
    second.request_stop();
    CHECK(linked.token().stop_requested());
    CHECK(LinkedStop(second.get_token(), {}).token().stop_requested());
  });
}

TEST_CASE("a queue is bounded, ordered for one reader and drains after close") {
  under_both([](Executor& executor) {
    Queue<int> queue(executor, 2);
    CHECK(queue.push(1));
    CHECK(queue.push(2));
    CHECK_FALSE(queue.push(3));
    CHECK(**queue.pop(patient(executor)) == 1);
    queue.close();
    CHECK_FALSE(queue.push(4));
    CHECK(**queue.pop(patient(executor)) == 2);
    CHECK_FALSE((*queue.pop(patient(executor))).has_value());

    Queue<int> empty(executor, 1);
    TaskGroup group{Context(executor)};
    group.spawn(Lane::Worker, [&](const Context&) { empty.close(); });
    CHECK_FALSE((*empty.pop(patient(executor))).has_value());
  });
}

TEST_CASE("many writers and readers lose nothing") {
  under_both([](Executor& executor) {
    constexpr int kItems = 200;
    Queue<int> queue(executor, 3 * kItems);
    std::atomic<int> sum = 0;
    TaskGroup readers{Context(executor)};
    TaskGroup writers{Context(executor)};
    for (int reader = 0; reader < 2; ++reader) {
      readers.spawn(Lane::Blocking, [&](const Context& context) {
        while (true) {
          Result<std::optional<int>> item = queue.pop(context);
          if (!item.ok() || !item->has_value()) return;
          sum += **item;
        }
      });
    }
    for (int writer = 0; writer < 3; ++writer) {
      writers.spawn(Lane::Worker, [&](const Context&) {
        for (int i = 1; i <= kItems; ++i) queue.push(i);
      });
    }
    writers.join();
    queue.close();
    readers.join();
    CHECK(sum == 3 * kItems * (kItems + 1) / 2);
  });
}

TEST_CASE("a future delivers the first value once") {
  under_both([](Executor& executor) {
    Future<std::string> future(executor);
    executor.post(Lane::Delivery, [future]() mutable {
      future.set("first");
      future.set("second");
    });
    CHECK(*future.take(patient(executor)) == "first");
    Future<int> never(executor);
    CHECK_FALSE(never.take(Context(executor).with_timeout(milliseconds(1))).ok());
  });
}

TEST_CASE("timers run in order and not when cancelled") {
  under_both([](Executor& executor) {
    Queue<int> fired(executor, 8);
    const auto second = executor.call_after(milliseconds(20), [&] { fired.push(2); });
    const auto first = executor.call_after(milliseconds(5), [&] { fired.push(1); });
    auto cancelled = executor.call_after(milliseconds(10), [&] { fired.push(3); });
    cancelled.reset();
    const MonotonicTime begin = executor.clock().monotonic();
    CHECK(**fired.pop(patient(executor)) == 1);
    CHECK(**fired.pop(patient(executor)) == 2);
    CHECK(executor.clock().monotonic() - begin >= milliseconds(15));
    CHECK(fired.size() == 0);
  });
}

TEST_CASE("a task group's destructor stops its tasks and waits for them") {
  under_both([](Executor& executor) {
    std::atomic<int> ended = 0;
    {
      Event started(executor);
      TaskGroup group{Context(executor)};
      group.spawn(Lane::Worker, [&](const Context& context) {
        started.set();
        context.sleep(hours(1)).ignore("it ends when the group stops");
        ++ended;
      });
      REQUIRE(started.wait(patient(executor)).ok());
      CHECK(ended == 0);
    }
    CHECK(ended == 1);
  });
}

TEST_CASE("a task group stops with its parent and then refuses tasks") {
  under_both([](Executor& executor) {
    std::stop_source parent;
    TaskGroup group(Context(executor).with_stop(parent.get_token()));
    std::atomic<bool> canceled = false;
    group.spawn(Lane::Worker, [&](const Context& context) {
      const Result<void> slept = context.sleep(hours(1));
      canceled = !slept.ok() && slept.error().reason() == Reason::Canceled;
    });
    parent.request_stop();
    group.join();
    CHECK(canceled);
    CHECK_FALSE(group.spawn(Lane::Worker, [](const Context&) {}));
  });
}

TEST_CASE("a group's closure is gone when join returns") {
  under_both([](Executor& executor) {
    auto owned = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = owned;
    TaskGroup group{Context(executor)};
    group.spawn(Lane::Worker, [owned = std::move(owned)](const Context&) {});
    group.join();
    CHECK(watched.expired());
  });
}

TEST_CASE("threads start on demand, end when idle and come back") {
  const auto executor = make_thread_executor({.worker = 3, .idle = milliseconds(1)});
  for (int round = 0; round < 5; ++round) {
    std::atomic<int> inside = 0;
    Event all_inside(*executor);
    TaskGroup group{Context(*executor)};
    for (int i = 0; i < 3; ++i) {
      group.spawn(Lane::Worker, [&](const Context& context) {
        if (++inside == 3) all_inside.set();
        all_inside.wait(context.with_timeout(seconds(30))).ignore("counted below");
      });
    }
    group.join();
    CHECK(all_inside.is_set());
    // Long enough for some threads to end, whichever they are.
    CHECK(Context(*executor).sleep(milliseconds(round)).ok());
  }
}

TEST_CASE("many tasks wait on few threads") {
  const auto executor = make_thread_executor();
  constexpr int kTasks = 60;
  std::atomic<int> inside = 0;
  std::mutex mutex;
  std::set<std::thread::id> threads;
  Event all_inside(*executor);
  TaskGroup group{Context(*executor)};
  for (int i = 0; i < kTasks; ++i) {
    group.spawn(Lane::Worker, [&](const Context& context) {
      {
        const std::lock_guard lock(mutex);
        threads.insert(std::this_thread::get_id());
      }
      if (++inside == kTasks) all_inside.set();
      all_inside.wait(context.with_timeout(seconds(30))).ignore("counted below");
    });
  }
  group.join();
  CHECK(inside == kTasks);
  CHECK(all_inside.is_set());
  CHECK(threads.size() <= 8);
}

TEST_CASE("a task whose turn was taken from a queue beyond the limit runs later") {
  const auto executor = make_thread_executor({.worker = 2});
  Event go(*executor);
  std::atomic<int> done = 0;
  TaskGroup group{Context(*executor)};
  for (int i = 0; i < 10; ++i) {
    group.spawn(Lane::Worker, [&](const Context& context) {
      go.wait(context.with_timeout(seconds(30))).ignore("counted below");
      ++done;
    });
  }
  go.set();
  group.join();
  CHECK(done == 10);
}

// A host whose thread is the test's.
class TurnQueue : public TaskHost {
 public:
  explicit TurnQueue(Executor& executor) : turns_(executor, 16) {}
  void post_turn(std::function<void()> turn) override { turns_.push(std::move(turn)); }
  void take_turn(const Context& context) { (**turns_.pop(context))(); }

 private:
  Queue<std::function<void()>> turns_;
};

TEST_CASE("a task begins on its host and goes on there") {
  const auto executor = make_thread_executor();
  TurnQueue host(*executor);
  Event event(*executor);
  std::vector<std::thread::id> seen;
  executor->begin_on(host, [&] {
    seen.push_back(std::this_thread::get_id());
    event.wait(patient(*executor)).ignore("set below");
    seen.push_back(std::this_thread::get_id());
  });
  CHECK(seen.size() == 1);
  executor->post(Lane::Blocking, [&] { event.set(); });
  host.take_turn(patient(*executor));
  CHECK(seen == std::vector<std::thread::id>(2, std::this_thread::get_id()));
}

TEST_CASE("a wait of a fiber ends at its deadline and with its stop token") {
  const auto executor = make_thread_executor();
  Event never(*executor);
  std::stop_source stop;
  Result<void> late;
  Result<void> stopped;
  TaskGroup group{Context(*executor)};
  group.spawn(Lane::Worker, [&](const Context& context) { late = never.wait(context.with_timeout(milliseconds(5))); });
  group.spawn(Lane::Worker, [&](const Context& context) { stopped = never.wait(context.with_stop(stop.get_token())); });
  CHECK(Context(*executor).sleep(milliseconds(10)).ok());
  stop.request_stop();
  group.join();
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().reason() == Reason::Timeout);
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().reason() == Reason::Canceled);
}

TEST_CASE("a stop that comes before a fiber lies down gives it no turn") {
  struct CountingHost : TaskHost {
    void post_turn(std::function<void()>) override { ++turns; }
    std::atomic<int> turns = 0;
  };
  const auto executor = make_thread_executor();
  CountingHost host;
  std::stop_source stop;
  stop.request_stop();
  std::optional<WaitPoint::Wake> wake;
  executor->begin_on(host, [&] {
    const auto point = executor->make_wait_point();
    std::mutex mutex;
    std::unique_lock lock(mutex);
    wake = point->wait(lock, Context(*executor).with_stop(stop.get_token()));
  });
  CHECK(wake == WaitPoint::Wake::Stopped);
  CHECK(host.turns == 0);
}

TEST_CASE("destroying the thread executor waits for running tasks and drops queued ones") {
  std::atomic<bool> finished = false;
  std::atomic<bool> ran = false;
  auto executor = make_thread_executor({.worker = 1});
  Event started(*executor);
  Context context(*executor);
  executor->post(Lane::Worker, [&] {
    started.set();
    context.sleep(milliseconds(20)).ignore("nothing ends it early");
    finished = true;
  });
  executor->post(Lane::Worker, [&] { ran = true; });
  REQUIRE(started.wait(patient(*executor)).ok());
  executor.reset();
  CHECK(finished);
  CHECK_FALSE(ran);
}

// What a program of several tasks observes, as one text.
std::string run_program(std::uint64_t seed, std::uint64_t& hash) {
  const auto executor = SimExecutor::make(seed, kStart);
  std::string order;
  executor->run([&] {
    TaskGroup group{Context(*executor)};
    for (char name = 'a'; name < 'f'; ++name) {
      group.spawn(Lane::Worker, [&, name](const Context& context) {
        for (int i = 0; i < 4; ++i) {
          order += name;
          executor->yield();
          CHECK(context.sleep(milliseconds(executor->random().below(3))).ok());
        }
      });
    }
    group.join();
  });
  hash = executor->schedule_hash();
  return order;
}

TEST_CASE("a seed gives the same run again and another seed another one") {
  std::set<std::string> orders;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    std::uint64_t first_hash = 0;
    std::uint64_t second_hash = 0;
    const std::string order = run_program(seed, first_hash);
    CHECK(order == run_program(seed, second_hash));
    CHECK(first_hash == second_hash);
    orders.insert(order);
  }
  CHECK(orders.size() > 5);
}

TEST_CASE("simulated time jumps") {
  const auto executor = SimExecutor::make(1, kStart);
  executor->run([&] { CHECK(Context(*executor).sleep(hours(1000)).ok()); });
  CHECK(executor->clock().wall() == kStart + hours(1000));
}

TEST_CASE("simulated tasks keep their own caught exceptions") {
  const auto executor = SimExecutor::make(1, kStart);
  executor->run([&] {
    TaskGroup group{Context(*executor)};
    for (int i = 0; i < 3; ++i) {
      group.spawn(Lane::Worker, [&, i](const Context& context) {
        try {
          throw i;
        } catch (int) {
          CHECK(context.sleep(milliseconds(3 - i)).ok());
          try {
            throw;
          } catch (int again) {
            CHECK(again == i);
          }
        }
      });
    }
    group.join();
  });
}

TEST_CASE("a simulation in which nothing can ever run again aborts and names the waiting tasks") {
  const std::string report = testing::output_of_abort([] {
    const auto executor = SimExecutor::make(1, kStart);
    executor->run([&] {
      Event never(*executor);
      CHECK(Context(*executor).sleep(seconds(5)).ok());
      never.wait(Context(*executor)).ignore("it does not return");
    });
  });
  CHECK(report.find("nothing can ever run again") != std::string::npos);
  CHECK(report.find("task 1 (worker): waiting for 0s") != std::string::npos);
}

TEST_CASE("a simulation aborts when a Delivery task waits") {
  const std::string report = testing::output_of_abort([] {
    const auto executor = SimExecutor::make(1, kStart);
    Event done(*executor);
    executor->run([&] {
      executor->post(Lane::Delivery, [&] { Context(*executor).sleep(seconds(1)).ignore("it does not return"); });
      done.wait(Context(*executor)).ignore("it does not return");
    });
  });
  CHECK(report.find("a Delivery task waits") != std::string::npos);
}

TEST_CASE("a simulation drops what never began and lets running tasks end when it is destroyed") {
  bool ended = false;
  bool begun = false;
  auto executor = SimExecutor::make(1, kStart);
  executor->run([&] {
    Event started(*executor);
    executor->post(Lane::Worker, [&] {
      started.set();
      CHECK(Context(*executor).sleep(hours(1)).ok());
      ended = true;
    });
    CHECK(started.wait(Context(*executor)).ok());
  });
  executor->post(Lane::Worker, [&] { begun = true; });
  executor.reset();
  CHECK(ended);
  CHECK_FALSE(begun);
}

TEST_CASE("code outside run() may wait while the simulation goes on") {
  const auto executor = SimExecutor::make(1, kStart);
  int done = 0;
  TaskGroup group{Context(*executor)};
  for (int i = 0; i < 100; ++i) {
    group.spawn(Lane::Worker, [&](const Context& context) {
      CHECK(context.sleep(seconds(1)).ok());
      ++done;
    });
  }
  group.join();
  CHECK(done == 100);
}

}  // namespace
}  // namespace coracle
