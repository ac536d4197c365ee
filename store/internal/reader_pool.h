#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "base/slots.h"
#include "base/sync.h"
#include "base/task_group.h"
#include "store/internal/kine_table.h"

namespace coracle::store::internal {

// Reading connections, opened on demand. Thread-safe.
class ReaderPool {
 public:
  ReaderPool(Executor& executor, std::string path);

  // Runs `read` with a connection of its own on a Blocking task, as the disk may have to be waited for, and waits for
  // it. `read` owns what it refers to: it goes on when the context ends first.
  template <class T>
  Result<T> read(const Context& context, std::function<Result<T>(KineReader&)> read) {
    Future<Result<T>> done(executor_);
    const bool begun = tasks_.spawn(Lane::Blocking, [this, done, read = std::move(read)](const Context& own) mutable {
      done.set(with_reader(own, read));
    });
    if (!begun) return canceled("store: the backend has stopped");
    ASSIGN_OR_RETURN(Result<T> result, done.take(context));
    return result;
  }

 private:
  template <class T>
  Result<T> with_reader(const Context& context, const std::function<Result<T>(KineReader&)>& read) {
    ASSIGN_OR_RETURN(const Slots::Slot place, places_.take(context));
    ASSIGN_OR_RETURN(std::unique_ptr<KineReader> reader, take());
    Result<T> result = read(*reader);
    give_back(std::move(reader));
    return result;
  }
  Result<std::unique_ptr<KineReader>> take();
  void give_back(std::unique_ptr<KineReader> reader);

  Executor& executor_;
  const std::string path_;
  Slots places_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<KineReader>> idle_;
  TaskGroup tasks_;
};

}  // namespace coracle::store::internal
