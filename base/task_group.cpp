#include "base/task_group.h"

#include <mutex>
#include <stop_token>
#include <utility>

namespace coracle {

struct TaskGroup::State {
  explicit State(const Context& parent)
      : context(parent.with_stop(source.get_token())),
        join_context(Context(parent.executor())),
        point(parent.executor().make_wait_point()),
        parent_stop(parent.stop(), Forward{source}) {}

  void finish_one() {
    std::lock_guard lock(mutex);
    if (--running == 0) point->notify_all();
  }

  struct Forward {
    std::stop_source source;
    void operator()() { source.request_stop(); }
  };

  std::stop_source source;
  const Context context;
  const Context join_context;  // joining ends only with the tasks
  std::mutex mutex;
  std::unique_ptr<WaitPoint> point;
  std::size_t running = 0;
  std::stop_callback<Forward> parent_stop;
};

namespace {

// One task. It counts as running until its closure is destroyed, be it after the call or because
// the executor dropped it, so that nothing refers to the group's owner once join() returns.
template <class State>
class GroupJob {
 public:
  GroupJob(std::shared_ptr<State> state, std::function<void(const Context&)> task)
      : state_(std::move(state)), task_(std::move(task)) {}
  GroupJob(const GroupJob&) = delete;
  GroupJob& operator=(const GroupJob&) = delete;
  ~GroupJob() { finish(); }

  void run() {
    task_(state_->context);
    finish();
  }

 private:
  void finish() {
    if (state_ == nullptr) return;
    task_ = nullptr;
    std::exchange(state_, nullptr)->finish_one();
  }

  std::shared_ptr<State> state_;
  std::function<void(const Context&)> task_;
};

}  // namespace

TaskGroup::TaskGroup(const Context& parent) : state_(std::make_shared<State>(parent)) {}

TaskGroup::~TaskGroup() {
  stop();
  join();
}

bool TaskGroup::spawn(Lane lane, std::function<void(const Context&)> task) {
  {
    std::lock_guard lock(state_->mutex);
    if (state_->context.stopped()) return false;
    ++state_->running;
  }
  auto job = std::make_shared<GroupJob<State>>(state_, std::move(task));
  state_->context.executor().post(lane, [job = std::move(job)] { job->run(); });
  return true;
}

void TaskGroup::stop() {
  state_->source.request_stop();
}

void TaskGroup::join() {
  std::unique_lock lock(state_->mutex);
  while (state_->running > 0) state_->point->wait(lock, state_->join_context);
}

const Context& TaskGroup::context() const {
  return state_->context;
}

}  // namespace coracle
