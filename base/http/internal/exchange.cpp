#include "base/http/internal/exchange.h"

#include <exception>

namespace coracle::http::internal {

void RunningCount::enter() {
  const std::lock_guard lock(mutex_);
  ++count_;
}

void RunningCount::leave() {
  const std::lock_guard lock(mutex_);
  if (--count_ == 0) none_.notify_all();
}

void RunningCount::wait_for_none() {
  std::unique_lock lock(mutex_);
  none_.wait(lock, [&] { return count_ == 0; });
}

// Counts as running from its making to its end, whether it ran or the executor dropped it.
class Dispatcher::Task {
 public:
  Task(Dispatcher& dispatcher, std::shared_ptr<Exchange> exchange, std::shared_ptr<Mailbox> mailbox)
      : dispatcher_(dispatcher), exchange_(std::move(exchange)), mailbox_(std::move(mailbox)) {
    dispatcher_.running_.enter();
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (!answered_) answer(Response::text(503, "the server is stopping\n"));
    exchange_.reset();
    dispatcher_.running_.leave();
  }

  void run() { answer(dispatcher_.call_handler(*exchange_)); }

 private:
  void answer(Response response) {
    answered_ = true;
    exchange_->response = std::move(response);
    mailbox_->post({Mail::Kind::Response, exchange_->connection, exchange_->stream});
  }

  Dispatcher& dispatcher_;
  std::shared_ptr<Exchange> exchange_;
  std::shared_ptr<Mailbox> mailbox_;
  bool answered_ = false;
};

Response Dispatcher::call_handler(const Exchange& exchange) const {
  const Context context = Context(executor_).with_stop(exchange.stop.get_token());
  try {
    return handler_.handle(context, exchange.request);
  } catch (const std::exception& failure) {
    log_.error("a request handler failed", {{"method", exchange.request.method},
                                            {"path", exchange.request.path},
                                            {"cause", failure.what()}});
    return Response::text(500, "internal error\n");
  }
}

void Dispatcher::dispatch(std::shared_ptr<Exchange> exchange, std::shared_ptr<Mailbox> mailbox) {
  auto task = std::make_shared<Task>(*this, std::move(exchange), std::move(mailbox));
  executor_.post(Lane::Worker, [task = std::move(task)] { task->run(); });
}

void Dispatcher::run_upgraded(std::shared_ptr<Exchange> exchange, std::unique_ptr<UpgradedStream> stream) {
  struct Upgraded {
    Dispatcher& dispatcher;
    std::shared_ptr<Exchange> exchange;
    std::unique_ptr<UpgradedStream> stream;
    ~Upgraded() {
      stream.reset();
      exchange.reset();
      dispatcher.running_.leave();
    }
  };
  running_.enter();
  std::shared_ptr<Upgraded> task(new Upgraded{*this, std::move(exchange), std::move(stream)});
  executor_.post(Lane::Blocking, [this, task = std::move(task)] {
    const Context context = Context(executor_).with_stop(task->exchange->stop.get_token());
    try {
      task->exchange->response.upgraded(context, std::move(task->stream));
    } catch (const std::exception& failure) {
      log_.error("an upgraded connection failed", {{"path", task->exchange->request.path}, {"cause", failure.what()}});
    }
  });
}

}  // namespace coracle::http::internal
