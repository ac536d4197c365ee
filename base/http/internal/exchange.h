#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>

#include "base/executor.h"
#include "base/http/internal/mailbox.h"
#include "base/http/server.h"

namespace coracle::http::internal {

// One request and its answer. The session that read it and the task that answers it share it: the task
// writes `response` before it posts mail, the session reads it after that.
struct Exchange {
  Request request;
  Response response;
  std::stop_source stop;  // asked when nobody waits for the answer any more
  std::uint64_t connection = 0;
  std::uint32_t stream = 0;
};

// Work that handlers still do, so that a server can wait for it.
class RunningCount {
 public:
  void enter();
  void leave();
  void wait_for_none();

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  std::size_t count_ = 0;
};

// Runs handlers away from the loops.
class Dispatcher {
 public:
  Dispatcher(Executor& executor, Handler& handler, Logger log) : executor_(executor), handler_(handler), log_(log) {}

  // Posts the handler; mail tells the loop when the answer is there. A task that the executor drops
  // answers 503.
  void dispatch(std::shared_ptr<Exchange> exchange, std::shared_ptr<Mailbox> mailbox);
  // Runs what an upgraded connection asked for on the Blocking lane.
  void run_upgraded(std::shared_ptr<Exchange> exchange, std::unique_ptr<UpgradedStream> stream);
  void wait_for_none() { running_.wait_for_none(); }
  Executor& executor() const { return executor_; }

 private:
  class Task;
  Response call_handler(const Exchange& exchange) const;

  Executor& executor_;
  Handler& handler_;
  const Logger log_;
  RunningCount running_;
};

}  // namespace coracle::http::internal
