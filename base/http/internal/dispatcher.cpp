#include "base/http/internal/dispatcher.h"

#include <exception>
#include <utility>

namespace coracle::http::internal {
namespace {

// A worker that served so many requests in a row lets other tasks of its lane have a turn.
constexpr int kRequestsPerRun = 64;

Response stopping_response() {
  return Response::text(503, "the server is stopping\n");
}

}  // namespace

// Serves the queue once it runs; when the executor drops it, what waits is refused instead.
class Dispatcher::Runner {
 public:
  explicit Runner(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  ~Runner() {
    if (!ran_) dispatcher_.refuse_queue();
    dispatcher_.leave(1);
  }
  void run() {
    ran_ = true;
    dispatcher_.serve_queue();
  }

 private:
  Dispatcher& dispatcher_;
  bool ran_ = false;
};

// A request that begins on its loop's thread; refused when the executor drops it.
class Dispatcher::QuickTask {
 public:
  QuickTask(Dispatcher& dispatcher, Item item) : dispatcher_(dispatcher), item_(std::move(item)) {
    item_.mailbox->host_one();
    const std::lock_guard lock(dispatcher_.mutex_);
    ++dispatcher_.running_;
  }
  QuickTask(const QuickTask&) = delete;
  QuickTask& operator=(const QuickTask&) = delete;
  ~QuickTask() {
    if (!ran_) answer(item_, stopping_response());
    item_.mailbox->release_one();
    dispatcher_.leave(1);
  }

  void run() {
    ran_ = true;
    Response response = dispatcher_.call_handler(*item_.exchange);
    answer(item_, std::move(response));
  }

 private:
  Dispatcher& dispatcher_;
  Item item_;
  bool ran_ = false;
};

void Dispatcher::dispatch(std::shared_ptr<Exchange> exchange, std::shared_ptr<Mailbox> mailbox) {
  if (handler_.is_quick(exchange->request)) {
    TaskHost& host = *mailbox;
    auto task = std::make_shared<QuickTask>(*this, Item{std::move(exchange), std::move(mailbox)});
    executor_.begin_on(host, [task = std::move(task)] { task->run(); });
    return;
  }
  bool post = false;
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({std::move(exchange), std::move(mailbox)});
    ++running_;
    post = !std::exchange(starting_, true);
    if (post) ++running_;
  }
  if (post) post_runner();
}

void Dispatcher::post_runner() {
  auto runner = std::make_shared<Runner>(*this);
  executor_.post(Lane::Worker, [runner = std::move(runner)] { runner->run(); });
}

void Dispatcher::serve_queue() {
  std::unique_lock lock(mutex_);
  starting_ = false;
  std::size_t answered = 0;
  for (int served = 0; served < kRequestsPerRun && !queue_.empty(); ++served) {
    Item item = std::move(queue_.front());
    queue_.pop_front();
    // This handler may wait: somebody else must look after the rest.
    const bool help = !queue_.empty() && !std::exchange(starting_, true);
    if (help) ++running_;
    running_ -= std::exchange(answered, 0);
    lock.unlock();
    if (help) post_runner();
    Response response = call_handler(*item.exchange);
    answer(item, std::move(response));
    lock.lock();
    answered = 1;
  }
  running_ -= answered;
  const bool more = !queue_.empty() && !std::exchange(starting_, true);
  if (!more) return;
  ++running_;
  lock.unlock();
  post_runner();
}

void Dispatcher::refuse_queue() {
  std::deque<Item> refused;
  {
    const std::lock_guard lock(mutex_);
    starting_ = false;
    refused.swap(queue_);
  }
  const std::size_t count = refused.size();
  for (Item& item : refused) answer(item, stopping_response());
  leave(count);
}

void Dispatcher::answer(const Item& item, Response response) {
  const Mail mail{Mail::Kind::Response, item.exchange->connection, item.exchange->stream};
  item.exchange->response = std::move(response);
  item.mailbox->post(mail);
}

void Dispatcher::leave(std::size_t count) {
  const std::lock_guard lock(mutex_);
  running_ -= count;
  if (running_ == 0) none_.notify_all();
}

void Dispatcher::wait_for_none() {
  std::unique_lock lock(mutex_);
  none_.wait(lock, [&] { return running_ == 0; });
}

Response Dispatcher::call_handler(const Exchange& exchange) const {
  const Context context = Context(executor_).with_stop(exchange.stop.get_token());
  try {
    return handler_.handle(context, exchange.request);
  } catch (const std::exception& failure) {
    log_.error("a request handler failed",
               {{"method", exchange.request.method}, {"path", exchange.request.path}, {"cause", failure.what()}});
    return Response::text(500, "internal error\n");
  }
}

// Counts as running from its making to its end, whether it ran or the executor dropped it.
class Dispatcher::UpgradedTask {
 public:
  UpgradedTask(Dispatcher& dispatcher, std::shared_ptr<Exchange> exchange, std::unique_ptr<UpgradedStream> stream)
      : dispatcher_(dispatcher), exchange_(std::move(exchange)), stream_(std::move(stream)) {
    const std::lock_guard lock(dispatcher_.mutex_);
    ++dispatcher_.running_;
  }
  UpgradedTask(const UpgradedTask&) = delete;
  UpgradedTask& operator=(const UpgradedTask&) = delete;
  ~UpgradedTask() {
    stream_.reset();
    exchange_.reset();
    dispatcher_.leave(1);
  }

  void run() {
    const Context context = Context(dispatcher_.executor_).with_stop(exchange_->stop.get_token());
    try {
      exchange_->response.upgraded(context, std::move(stream_));
    } catch (const std::exception& failure) {
      dispatcher_.log_.error("an upgraded connection failed",
                             {{"path", exchange_->request.path}, {"cause", failure.what()}});
    }
  }

 private:
  Dispatcher& dispatcher_;
  std::shared_ptr<Exchange> exchange_;
  std::unique_ptr<UpgradedStream> stream_;
};

void Dispatcher::run_upgraded(std::shared_ptr<Exchange> exchange, std::unique_ptr<UpgradedStream> stream) {
  auto task = std::make_shared<UpgradedTask>(*this, std::move(exchange), std::move(stream));
  executor_.post(Lane::Blocking, [task = std::move(task)] { task->run(); });
}

}  // namespace coracle::http::internal
