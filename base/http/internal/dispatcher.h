#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

#include "base/executor.h"
#include "base/http/internal/exchange.h"
#include "base/http/internal/mailbox.h"
#include "base/http/message.h"
#include "base/log.h"

namespace coracle::http::internal {

// Runs handlers: quick ones begin on the loop's thread, the others run away from it. Those wait in one queue,
// and a worker that is awake takes the next one without being woken for it. There is always a worker on
// its way while the queue has something that no awake one is about to take, so a handler that waits
// holds nothing up.
class Dispatcher {
 public:
  Dispatcher(Executor& executor, Handler& handler, Logger log)
      : executor_(executor), handler_(handler), log_(std::move(log)) {}

  // On the thread of the mailbox's loop. Mail tells the loop when the answer is there. A request that the
  // executor drops is answered 503.
  void dispatch(std::shared_ptr<Exchange> exchange, std::shared_ptr<Mailbox> mailbox);
  // Runs what an upgraded connection asked for on the Blocking lane.
  void run_upgraded(std::shared_ptr<Exchange> exchange, std::unique_ptr<UpgradedStream> stream);
  // Until no handler and no upgraded connection runs or waits to run.
  void wait_for_none();
  Executor& executor() const { return executor_; }
  const Handler& handler() const { return handler_; }

 private:
  struct Item {
    std::shared_ptr<Exchange> exchange;
    std::shared_ptr<Mailbox> mailbox;
  };
  class Runner;
  class QuickTask;
  class UpgradedTask;

  void post_runner();
  void serve_queue();
  void refuse_queue();
  Response call_handler(const Exchange& exchange) const;
  static void answer(const Item& item, Response response);
  void leave(std::size_t count);

  Executor& executor_;
  Handler& handler_;
  const Logger log_;
  std::mutex mutex_;
  std::condition_variable none_;
  std::deque<Item> queue_;
  std::size_t running_ = 0;  // requests that are not answered, upgraded connections, runners
  bool starting_ = false;    // a runner was posted and has not begun
};

}  // namespace coracle::http::internal
