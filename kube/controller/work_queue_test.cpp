#include "kube/controller/work_queue.h"

#include <catch2/catch.hpp>

#include "base/sim_executor.h"

namespace coracle::kube {
namespace {

const ObjectKey kFirst{"n", "first"};
const ObjectKey kSecond{"n", "second"};
const WallTime kStart{std::chrono::hours(24 * 365 * 50)};

void in_simulation(const std::function<void(SimExecutor&)>& body) {
  auto executor = SimExecutor::make(1, kStart);
  executor->run([&] { body(*executor); });
}

}  // namespace

TEST_CASE("keys come out once, in order, and never twice at once") {
  in_simulation([](SimExecutor& executor) {
    WorkQueue queue(executor, {}, [] {});
    queue.add(kFirst);
    queue.add(kSecond);
    queue.add(kFirst);
    REQUIRE(queue.take() == kFirst);
    queue.add(kFirst);  // while at work: waits for done()
    REQUIRE(queue.take() == kSecond);
    CHECK_FALSE(queue.take());
    queue.done(kFirst);
    REQUIRE(queue.take() == kFirst);
    queue.done(kFirst);
    queue.done(kSecond);
    CHECK(queue.depth() == 0);
  });
}

TEST_CASE("a delayed key comes at its earliest time") {
  in_simulation([](SimExecutor& executor) {
    const Context context(executor);
    WorkQueue queue(executor, {}, [] {});
    queue.add_after(kFirst, std::chrono::seconds(10));
    queue.add_after(kFirst, std::chrono::seconds(3));
    queue.add_after(kFirst, std::chrono::seconds(20));
    REQUIRE(context.sleep(std::chrono::milliseconds(2900)).ok());
    CHECK_FALSE(queue.take());
    REQUIRE(context.sleep(std::chrono::milliseconds(200)).ok());
    REQUIRE(queue.take() == kFirst);
    queue.done(kFirst);
    REQUIRE(context.sleep(std::chrono::seconds(30)).ok());
    CHECK_FALSE(queue.take());
  });
}

TEST_CASE("failures double the delay until forgotten") {
  in_simulation([](SimExecutor& executor) {
    const Context context(executor);
    WorkQueue queue(executor, {std::chrono::seconds(1), std::chrono::seconds(4)}, [] {});
    for (const int seconds : {1, 2, 4, 4}) {
      queue.add_rate_limited(kFirst);
      REQUIRE(context.sleep(std::chrono::seconds(seconds) - std::chrono::milliseconds(1)).ok());
      CHECK_FALSE(queue.take());
      REQUIRE(context.sleep(std::chrono::milliseconds(2)).ok());
      REQUIRE(queue.take() == kFirst);
      queue.done(kFirst);
    }
    CHECK(queue.failures(kFirst) == 4);
    queue.forget(kFirst);
    CHECK(queue.failures(kFirst) == 0);
  });
}

TEST_CASE("a closed queue takes and gives nothing") {
  in_simulation([](SimExecutor& executor) {
    int wakes = 0;
    WorkQueue queue(executor, {}, [&wakes] { ++wakes; });
    queue.add(kFirst);
    CHECK(wakes == 1);
    queue.shut_down();
    queue.add(kSecond);
    CHECK_FALSE(queue.take());
    CHECK(wakes == 1);
  });
}

}  // namespace coracle::kube
