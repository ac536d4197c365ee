#include "kube/controller/controller.h"

#include <exception>
#include <utility>

#include "base/task_group.h"

namespace coracle::kube {

struct Controller::State {
  State(const Context& context, Reconciler& controller_reconciler, ControllerOptions controller_options, Logger logger)
      : reconciler(controller_reconciler),
        options(std::move(controller_options)),
        log(std::move(logger)),
        group(context) {}

  // The queue's timers may still call while the controller goes.
  static std::shared_ptr<State> make(const Context& context, Reconciler& reconciler, ControllerOptions options,
                                     Logger log) {
    auto state = std::make_shared<State>(context, reconciler, std::move(options), std::move(log));
    const auto dispatch_if_there = [weak = std::weak_ptr(state)] {
      if (const auto there = weak.lock()) there->dispatch();
    };
    state->queue = std::make_unique<WorkQueue>(context.executor(), state->options.retry, dispatch_if_there);
    return state;
  }

  // Starts as many tasks as there are free places; each works until the queue is empty.
  void dispatch() {
    {
      std::lock_guard lock(mutex);
      if (!started || running >= options.concurrency) return;
      ++running;
    }
    if (!group.spawn(options.lane, [this](const Context& context) { work(context); })) leave();
  }

  void leave() {
    std::lock_guard lock(mutex);
    --running;
  }

  void work(const Context& context) {
    while (!context.stopped()) {
      std::optional<ObjectKey> key = queue->take();
      if (!key) break;
      if (queue->has_ready()) dispatch();
      settle(*key, call(context.with_trace(options.name + "/" + key->text()), *key));
      queue->done(*key);
    }
    leave();
    // A key may have come between the last take and leave, when all places seemed taken.
    if (queue->has_ready() && !context.stopped()) dispatch();
  }

  Result<Done> call(const Context& context, const ObjectKey& key) {
    try {
      return reconciler.reconcile(context, key);
    } catch (const std::exception& escaped) {
      return internal_error(std::string("exception escaped: ") + escaped.what());
    }
  }

  void settle(const ObjectKey& key, const Result<Done>& result) {
    if (!result.ok()) {
      if (group.context().stopped()) return;
      queue->add_rate_limited(key);
      const Error& error = result.error();
      // Conflicts are the ordinary price of optimism, and the first failures often heal themselves.
      constexpr unsigned kQuietFailures = 3;
      const bool quiet = error.reason() == Reason::Conflict || queue->failures(key) <= kQuietFailures;
      const std::initializer_list<LogField> fields = {
          {"controller", options.name}, {"key", key.text()}, {"error", error}};
      quiet ? log.debug("reconcile failed, will try again", fields)
            : log.warning("reconcile keeps failing, will try again", fields);
      return;
    }
    queue->forget(key);
    if (result->again_after) queue->add_after(key, *result->again_after);
  }

  Reconciler& reconciler;
  const ControllerOptions options;
  Logger log;
  std::mutex mutex;
  unsigned running = 0;
  bool started = false;
  std::unique_ptr<WorkQueue> queue;
  TaskGroup group;
};

Controller::Controller(const Context& context, Reconciler& reconciler, ControllerOptions options, Logger log)
    : state_(State::make(context, reconciler, std::move(options), std::move(log))) {}

Controller::~Controller() {
  state_->queue->shut_down();
  state_->group.stop();
  state_->group.join();
}

void Controller::enqueue(const ObjectKey& key) {
  state_->queue->add(key);
}
void Controller::enqueue_after(const ObjectKey& key, Duration delay) {
  state_->queue->add_after(key, delay);
}

void Controller::watch(Informer& informer) {
  watch(informer, [](const Object& object) { return std::vector{object.key()}; });
}

void Controller::watch(Informer& informer, std::function<std::vector<ObjectKey>(const Object&)> map) {
  informer.add_handler([weak = std::weak_ptr(state_), map = std::move(map)](const std::optional<Object>& before,
                                                                            const std::optional<Object>& after) {
    const auto state = weak.lock();
    if (!state) return;
    for (const std::optional<Object>* object : {&before, &after}) {
      if (!object->has_value()) continue;
      for (const ObjectKey& key : map(**object)) state->queue->add(key);
    }
  });
}

void Controller::start() {
  {
    std::lock_guard lock(state_->mutex);
    state_->started = true;
  }
  state_->dispatch();
}

bool Controller::idle() const {
  std::lock_guard lock(state_->mutex);
  return state_->running == 0 && state_->queue->depth() == 0;
}

bool Controller::at_rest() const {
  std::lock_guard lock(state_->mutex);
  return state_->running == 0 && !state_->queue->has_ready();
}

}  // namespace coracle::kube
