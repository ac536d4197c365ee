#include "reconcilers/helm/chart_turns.h"

namespace coracle::reconcilers {

ChartTurns::Turn::Turn(ChartTurns& all, kube::ObjectKey key) : all_(all), key_(std::move(key)) {
  std::lock_guard lock(all_.mutex_);
  all_.under_way_.insert_or_assign(key_, outdated_);
}

ChartTurns::Turn::~Turn() {
  std::lock_guard lock(all_.mutex_);
  all_.under_way_.erase(key_);
}

Result<void> ChartTurns::Turn::begin(const Context& context) {
  ASSIGN_OR_RETURN(Slots::Slot place, all_.places_.take(context));
  place_.emplace(std::move(place));
  return {};
}

void ChartTurns::outdate(const kube::ObjectKey& key) {
  std::stop_source source(std::nostopstate);
  {
    std::lock_guard lock(mutex_);
    const auto found = under_way_.find(key);
    if (found == under_way_.end()) return;
    source = found->second;
  }
  // Without the lock: it runs what waits for it.
  source.request_stop();
}

}  // namespace coracle::reconcilers
