#include "store/internal/reader_pool.h"

namespace coracle::store::internal {

namespace {
constexpr unsigned kMaxReaders = 4;
}  // namespace

ReaderPool::ReaderPool(Executor& executor, std::string path)
    : executor_(executor), path_(std::move(path)), places_(executor, kMaxReaders), tasks_(Context(executor)) {}

Result<std::unique_ptr<KineReader>> ReaderPool::take() {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<KineReader> reader = std::move(idle_.back());
      idle_.pop_back();
      return reader;
    }
  }
  ASSIGN_OR_RETURN(KineReader opened, KineReader::open(path_));
  return std::make_unique<KineReader>(std::move(opened));
}

void ReaderPool::give_back(std::unique_ptr<KineReader> reader) {
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(reader));
}

}  // namespace coracle::store::internal
