#include "kube/cache/monitor_set.h"

#include <algorithm>
#include <utility>

namespace coracle::kube {

MonitorSet::MonitorSet(InformerSet& informers, Handler handler) : informers_(informers), handler_(std::move(handler)) {}

MonitorSet::~MonitorSet() {
  stop();
}

void MonitorSet::start(const ResourceRef& resource) {
  Monitor& monitor = monitors_[resource];
  if (monitor.informer != nullptr) return;
  monitor.informer = informers_.monitor(resource);
  monitor.handler = monitor.informer->add_handler(
      [this, resource](const std::optional<Object>& before, const std::optional<Object>& after) {
        handler_(resource, before, after);
      });
}

void MonitorSet::add(const ResourceRef& resource) {
  std::lock_guard lock(mutex_);
  if (!stopped_) start(resource);
}

void MonitorSet::replace(const std::vector<ResourceRef>& resources) {
  Monitors gone;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    gone.swap(monitors_);
    for (const ResourceRef& resource : resources) {
      if (auto kept = gone.extract(resource)) monitors_.insert(std::move(kept));
      start(resource);
    }
  }
  for (const auto& [resource, monitor] : gone) monitor.informer->remove_handler(monitor.handler, true);
}

void MonitorSet::stop() {
  Monitors ended;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    ended.swap(monitors_);
  }
  // Without the lock: a handler may be about to add another.
  for (const auto& [resource, monitor] : ended) monitor.informer->remove_handler(monitor.handler, false);
}

bool MonitorSet::synced() const {
  std::lock_guard lock(mutex_);
  return std::all_of(monitors_.begin(), monitors_.end(),
                     [](const auto& entry) { return entry.second.informer->store().synced(); });
}

}  // namespace coracle::kube
