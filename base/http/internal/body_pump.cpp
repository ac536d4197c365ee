#include "base/http/internal/body_pump.h"

namespace coracle::http::internal {
namespace {

// A source that keeps answering More without giving bytes gets its next turn through the mailbox.
constexpr int kMaxEmptyPulls = 16;

}  // namespace

BodyPump::BodyPump(std::vector<Bytes> segments, std::unique_ptr<BodySource> source, std::shared_ptr<BodyWake> wake)
    : segments_(std::move(segments)), ended_(source == nullptr), source_(std::move(source)), wake_(std::move(wake)) {
  for (const Bytes& segment : segments_) available_ += segment->size();
  skip_empty();
  if (source_ != nullptr) {
    source_->on_ready([wake = wake_] { wake->post(); });
  }
}

void BodyPump::skip_empty() {
  while (index_ < segments_.size() && offset_ == segments_[index_]->size()) {
    segments_[index_].reset();
    ++index_;
    offset_ = 0;
  }
}

std::string_view BodyPump::front() const {
  if (index_ == segments_.size()) return {};
  return std::string_view(*segments_[index_]).substr(offset_);
}

void BodyPump::consume(std::size_t size) {
  offset_ += size;
  available_ -= size;
  skip_empty();
}

void BodyPump::refill(std::size_t limit) {
  if (available_ > 0 || ended_ || pending_) return;
  segments_.clear();
  index_ = offset_ = 0;
  auto state = BodySource::State::More;
  for (int pulls = 0; pulls < kMaxEmptyPulls && state == BodySource::State::More && available_ == 0; ++pulls) {
    state = source_->pull(segments_, limit);
    available_ = 0;
    for (const Bytes& segment : segments_) available_ += segment->size();
  }
  skip_empty();
  pending_ = state == BodySource::State::Pending;
  if (state == BodySource::State::End) {
    ended_ = true;
    source_.reset();
  } else if (state == BodySource::State::More && available_ == 0) {
    wake_->post();
  }
}

}  // namespace coracle::http::internal
