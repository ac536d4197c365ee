#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/executor.h"
#include "store/internal/kine_table.h"

namespace coracle::store::internal {

// Reading connections, opened on demand. Thread-safe.
class ReaderPool {
 public:
  ReaderPool(Executor& executor, std::string path) : path_(std::move(path)), point_(executor.make_wait_point()) {}

  // A connection for one task; goes back when it is destroyed.
  class Lent {
   public:
    Lent(ReaderPool& pool, std::unique_ptr<KineReader> reader) : pool_(&pool), reader_(std::move(reader)) {}
    Lent(Lent&&) = default;
    Lent& operator=(Lent&&) = delete;
    ~Lent() {
      if (reader_ != nullptr) pool_->give_back(std::move(reader_));
    }
    KineReader* operator->() { return reader_.get(); }

   private:
    ReaderPool* pool_;
    std::unique_ptr<KineReader> reader_;
  };
  // Waits while all are lent.
  Result<Lent> take(const Context& context);

 private:
  void give_back(std::unique_ptr<KineReader> reader);

  const std::string path_;
  std::mutex mutex_;
  std::unique_ptr<WaitPoint> point_;
  std::vector<std::unique_ptr<KineReader>> idle_;
  std::size_t lent_ = 0;
};

}  // namespace coracle::store::internal
