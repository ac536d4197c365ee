#include "store/internal/reader_pool.h"

#include <utility>

namespace coracle::store::internal {

namespace {
constexpr std::size_t kMaxReaders = 4;
}  // namespace

Result<ReaderPool::Lent> ReaderPool::take(const Context& context) {
  std::unique_lock lock(mutex_);
  while (lent_ == kMaxReaders) {
    TRY(context.check());
    point_->wait(lock, context);
  }
  ++lent_;
  if (!idle_.empty()) {
    std::unique_ptr<KineReader> reader = std::move(idle_.back());
    idle_.pop_back();
    return Lent(*this, std::move(reader));
  }
  lock.unlock();
  auto opened = KineReader::open(path_);
  if (!opened.ok()) {
    lock.lock();
    --lent_;
    point_->notify_one();
    return opened.error();
  }
  return Lent(*this, std::make_unique<KineReader>(std::move(opened).value()));
}

void ReaderPool::give_back(std::unique_ptr<KineReader> reader) {
  std::lock_guard lock(mutex_);
  --lent_;
  idle_.push_back(std::move(reader));
  point_->notify_one();
}

}  // namespace coracle::store::internal
