#include "kube/apiserver/internal/store_feed.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <deque>
#include <functional>

#include "base/sim_executor.h"
#include "kube/apiserver/internal/builtin_resources.h"
#include "kube/apiserver/internal/watch_stream.h"
#include "store/memory.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kPrefix = "/registry/configmaps/";

Normalise as_it_is() {
  return {[](const store::Bytes& value) { return Result<store::Bytes>(value); }};
}

// A feed over an empty store and watchers that note how far behind a write they were woken.
class Bench {
 public:
  Bench(const Context& context, std::size_t watchers) : context_(context) {
    auto made = StoreFeed::make(context_, *store_, Logger(make_log_sink(LogLevel::Error), "test"));
    REQUIRE(made.ok());
    feed_ = *made;
    const auto cache = feed_->cache(context_, std::string(kPrefix), as_it_is());
    REQUIRE(cache.ok());
    for (std::size_t i = 0; i < watchers; ++i) {
      const auto filter = ObjectFilter::make({}, "", "", "", "");
      REQUIRE(filter.ok());
      watchers_.push_back(std::make_shared<Watcher>(*filter));
      watchers_.back()->set_wake([this, i] { take(i); });
      (*cache)->add_watcher(watchers_.back(), 0, 0);
    }
    seen_.resize(watchers);
  }
  ~Bench() { feed_->stop(); }

  void write() {
    const std::string name = "c" + std::to_string(written_++);
    const std::string json =
        R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":")" + name + R"(","namespace":"d"}})";
    wrote_at_ = now();
    REQUIRE(
        store_->create(context_, std::string(kPrefix) + "d/" + name, std::make_shared<const std::string>(json)).ok());
  }

  StoreFeed& feed() { return *feed_; }

  MonotonicTime now() const { return context_.executor().clock().monotonic(); }
  // Wakes so far, and the latest of them after the latest write.
  std::size_t wakes() const { return wakes_; }
  Duration latest() const { return woken_at_ - wrote_at_; }
  bool all_saw_everything() const {
    return std::all_of(seen_.begin(), seen_.end(), [this](std::size_t seen) { return seen == written_; });
  }

 private:
  void take(std::size_t watcher) {
    std::deque<Watcher::Item> items;
    bool open = false;
    watchers_[watcher]->take(items, open);
    seen_[watcher] += items.size();
    ++wakes_;
    woken_at_ = now();
  }

  const Context context_;
  std::unique_ptr<store::Backend> store_ = store::make_memory_backend(context_.executor());
  std::shared_ptr<StoreFeed> feed_;
  std::vector<std::shared_ptr<Watcher>> watchers_;
  std::vector<std::size_t> seen_;  // events by watcher
  std::size_t written_ = 0;
  std::size_t wakes_ = 0;
  MonotonicTime wrote_at_{};
  MonotonicTime woken_at_{};
};

void run(std::size_t watchers, const std::function<void(Bench&, const Context&)>& test) {
  const auto executor = SimExecutor::make(1, WallTime{});
  executor->run([&] {
    const Context context(*executor);
    Bench bench(context, watchers);
    test(bench, context);
  });
}

void pause(const Context& context, Duration duration) {
  REQUIRE(context.sleep(duration).ok());
}

}  // namespace

TEST_CASE("a single event reaches every watch at once", "[store_feed]") {
  run(50, [](Bench& bench, const Context& context) {
    for (int i = 0; i < 3; ++i) {
      bench.write();
      pause(context, std::chrono::seconds(1));
      CHECK(bench.latest() == Duration());
      CHECK(bench.wakes() == 50U * (static_cast<unsigned>(i) + 1));
    }
    CHECK(bench.all_saw_everything());
  });
}

TEST_CASE("under many writes each watch gets several events in one go, and none waits long", "[store_feed]") {
  run(50, [](Bench& bench, const Context& context) {
    constexpr std::size_t kWrites = 200;
    for (std::size_t i = 0; i < kWrites; ++i) {
      bench.write();
      pause(context, std::chrono::microseconds(500));
    }
    pause(context, std::chrono::seconds(1));
    CHECK(bench.all_saw_everything());
    CHECK(bench.latest() <= std::chrono::milliseconds(6));
    CHECK(bench.wakes() < 50 * kWrites / 5);
  });
}

TEST_CASE("few watches hardly wait for each other", "[store_feed]") {
  run(2, [](Bench& bench, const Context& context) {
    for (int i = 0; i < 100; ++i) {
      bench.write();
      pause(context, std::chrono::microseconds(500));
      CHECK(bench.latest() <= std::chrono::microseconds(200));
    }
    CHECK(bench.all_saw_everything());
  });
}

TEST_CASE("a watch that is read more slowly than events come ends, and keeps no more than its queue", "[store_feed]") {
  run(0, [](Bench& bench, const Context& context) {
    const auto resources = builtin_resources({});
    const auto config_maps = std::find_if(resources.begin(), resources.end(), [](const ResourcePtr& resource) {
      return resource->resource == "configmaps";
    });
    REQUIRE(config_maps != resources.end());
    auto cache = *bench.feed().cache(context, std::string(kPrefix), as_it_is());
    auto watcher = std::make_shared<Watcher>(*ObjectFilter::make({}, "", "", "", ""));
    cache->add_watcher(watcher, 0, 0);
    WatchStart start;
    start.deadline = bench.now() + std::chrono::hours(1);
    WatchStream stream(bench.feed().shared_from_this(), cache, watcher,
                       ObjectEncoder(*config_maps, {}, IncludeObject::None, WallTime{}), std::move(start));
    stream.on_ready([] {});

    std::vector<http::Bytes> sent;
    constexpr std::size_t kStep = 100;
    for (std::size_t i = 0; i < Watcher::kMaxQueue + 10 * kStep; ++i) {
      bench.write();
      if (i % kStep != 0) continue;
      REQUIRE(bench.feed().catch_up(context).ok());
      stream.pull(sent, 1);
    }
    REQUIRE(bench.feed().catch_up(context).ok());
    while (stream.pull(sent, 1) == http::BodySource::State::More) continue;
    CHECK(stream.pull(sent, 1) == http::BodySource::State::End);
    CHECK(sent.size() < 2 * kStep);
  });
}

TEST_CASE("a cache that was dropped promises nothing and takes no watch", "[store_feed]") {
  run(0, [](Bench& bench, const Context& context) {
    const auto cache = *bench.feed().cache(context, std::string(kPrefix), as_it_is());
    bench.write();
    REQUIRE(bench.feed().catch_up(context).ok());
    const store::Revision before = bench.feed().progress();
    CHECK(cache->snapshot(before).revision == before);
    bench.feed().drop(kPrefix);
    bench.write();
    REQUIRE(bench.feed().catch_up(context).ok());
    const store::Revision after = bench.feed().progress();
    CHECK(after > before);
    CHECK(cache->snapshot(after).revision == before);

    const auto watcher = std::make_shared<Watcher>(*ObjectFilter::make({}, "", "", "", ""));
    CHECK(cache->add_watcher(watcher, after, 0).revision == before);
    std::deque<Watcher::Item> items;
    bool open = true;
    watcher->take(items, open);
    CHECK_FALSE(open);
  });
}

TEST_CASE("a cache that is dropped while it loads is loaded again", "[store_feed]") {
  run(0, [](Bench& bench, const Context& context) {
    bench.write();
    bool dropped = false;
    Normalise normalise = as_it_is();
    normalise.always = true;
    normalise.convert = [&](const store::Bytes& value) {
      if (!std::exchange(dropped, true)) bench.feed().drop(kPrefix);
      return Result<store::Bytes>(value);
    };
    bench.feed().drop(kPrefix);
    const auto cache = *bench.feed().cache(context, std::string(kPrefix), normalise);
    CHECK(dropped);
    CHECK(cache == bench.feed().loaded(kPrefix));
    bench.write();
    REQUIRE(bench.feed().catch_up(context).ok());
    CHECK(cache->size() == 2);
  });
}

TEST_CASE("a cache of an older definition is loaded again for who has the newer", "[store_feed]") {
  run(0, [](Bench& bench, const Context& context) {
    const auto by = [](store::Revision definition) {
      Normalise normalise = as_it_is();
      normalise.definition = definition;
      return normalise;
    };
    bench.write();
    const std::string prefix(kPrefix);
    const auto older = *bench.feed().cache(context, prefix, by(1));
    CHECK(bench.feed().loaded(kPrefix, 1) == older);
    CHECK(bench.feed().loaded(kPrefix, 2) == nullptr);
    const auto newer = *bench.feed().cache(context, prefix, by(2));
    CHECK(newer != older);
    CHECK(*bench.feed().cache(context, prefix, by(1)) == newer);
    CHECK(bench.feed().loaded(kPrefix, 2) == newer);

    const auto watcher = std::make_shared<Watcher>(*ObjectFilter::make({}, "", "", "", ""));
    older->add_watcher(watcher, bench.feed().progress(), 0);
    std::deque<Watcher::Item> items;
    bool open = true;
    watcher->take(items, open);
    CHECK_FALSE(open);
  });
}

}  // namespace coracle::kube::apiserver
