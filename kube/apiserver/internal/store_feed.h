#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "base/log.h"
#include "base/paced_task.h"
#include "kube/apiserver/internal/watch_cache.h"
#include "store/backend.h"

namespace coracle::kube::apiserver {

// One watch on the whole store, dealt out to the caches by key prefix. Caches come into being when
// somebody first asks for their resource: what nobody reads costs nothing. Thread-safe.
class StoreFeed : public std::enable_shared_from_this<StoreFeed> {
  struct Private {};

 public:
  static constexpr std::string_view kRoot = "/registry/";
  // How long a reader waits for a revision that has not arrived (upstream's blockTimeout).
  static constexpr Duration kFreshnessWait = std::chrono::seconds(3);

  StoreFeed(Private, Executor& executor, store::Backend& backend, Logger log);
  static Result<std::shared_ptr<StoreFeed>> make(const Context& context, store::Backend& backend, Logger log);
  // Ends every watch and stops following the store.
  void stop();

  store::Backend& backend() const { return backend_; }
  Executor& executor() const { return executor_; }
  // Everything up to here has been dealt out.
  store::Revision progress() const { return progress_.load(std::memory_order_acquire); }

  // The loaded cache of a prefix, made by this definition or a newer one; the first caller loads it, others wait for
  // that.
  Result<std::shared_ptr<WatchCache>> cache(const Context& context, const std::string& prefix,
                                            const Normalise& normalise);
  // The same if it is loaded already, else null.
  std::shared_ptr<WatchCache> loaded(std::string_view prefix, store::Revision definition = 0);
  // Forgets a cache and ends its watches: its resource is served differently from now on.
  void drop(std::string_view prefix);
  // Ends every watch; whoever begins one later ends it at once when watches_end() says so.
  void end_watches();
  bool watches_end() const { return watches_end_.load(std::memory_order_acquire); }
  // Until everything up to `revision` is dealt out. Timeout (504, ResourceVersionTooLarge) after
  // kFreshnessWait.
  Result<void> catch_up(const Context& context, store::Revision revision);
  // catch_up() to what the store has acknowledged: the answer then is linearizable.
  Result<void> catch_up(const Context& context) { return catch_up(context, backend_.current_revision()); }

 private:
  struct Slot {
    std::shared_ptr<WatchCache> cache;
    bool loading = false;
    bool ready = false;
  };

  Result<void> follow(const Context& context);
  // Answers how long to wait before the next time.
  Duration deliver();
  void pump();
  bool deal_out(std::vector<std::shared_ptr<Watcher>>& wake);
  void lose(const Error& error, std::vector<std::shared_ptr<Watcher>>& wake);
  void follow_again();
  void forget_caches(std::vector<std::shared_ptr<Watcher>>& wake);
  Result<void> load(const Context& context, const std::shared_ptr<WatchCache>& cache);
  void finish_load(const std::string& prefix, const std::shared_ptr<WatchCache>& cache, bool ok);

  Executor& executor_;
  store::Backend& backend_;
  const Logger log_;
  std::atomic<store::Revision> progress_{0};
  std::atomic<bool> watches_end_{false};
  std::unique_ptr<PacedTask> delivery_;

  // Held while events are dealt out; never together with slots_mutex_ the other way round.
  std::mutex pump_mutex_;
  std::unique_ptr<store::Watch> watch_;
  std::vector<store::EventPtr> batch_;
  std::vector<std::shared_ptr<Watcher>> due_;  // have events and wait for a delivery
  MonotonicTime delivered_at_{};
  std::unique_ptr<Timer> retry_;
  bool stopped_ = false;

  std::mutex slots_mutex_;
  std::map<std::string, Slot, std::less<>> slots_;
  std::unique_ptr<WaitPoint> changed_;  // progress or a slot has changed
};

// `Timeout: Too large resource version: 999999, current: 330`, with its cause and retry time.
Error revision_too_large(store::Revision asked, store::Revision current);

}  // namespace coracle::kube::apiserver
