#include "kube/cache/monitor_set.h"

#include <algorithm>
#include <utility>

namespace coracle::kube {

MonitorSet::MonitorSet(const Context& context, const Client& client, Logger log, Handler handler)
    : context_(context), client_(client), log_(std::move(log)), handler_(std::move(handler)) {}

MonitorSet::~MonitorSet() {
  stop();
}

void MonitorSet::start(const ResourceRef& resource) {
  std::unique_ptr<Informer>& informer = informers_[resource];
  if (informer != nullptr) return;
  informer = std::make_unique<Informer>(context_, client_, resource, InformerOptions{.metadata_only = true}, log_);
  informer->add_handler([this, resource](const std::optional<Object>& before, const std::optional<Object>& after) {
    handler_(resource, before, after);
  });
  informer->start();
}

void MonitorSet::add(const ResourceRef& resource) {
  std::lock_guard lock(mutex_);
  if (!stopped_) start(resource);
}

void MonitorSet::replace(const std::vector<ResourceRef>& resources) {
  Informers gone;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    gone.swap(informers_);
    for (const ResourceRef& resource : resources) {
      if (auto kept = gone.extract(resource)) informers_.insert(std::move(kept));
      start(resource);
    }
  }
  for (const auto& [resource, informer] : gone) {
    informer->stop();
    for (const Object& object : informer->store().list()) handler_(resource, object, std::nullopt);
  }
}

void MonitorSet::stop() {
  Informers ended;  // they end after the lock is gone: a handler may be about to add another
  std::lock_guard lock(mutex_);
  stopped_ = true;
  ended.swap(informers_);
}

bool MonitorSet::synced() const {
  std::lock_guard lock(mutex_);
  return std::all_of(informers_.begin(), informers_.end(),
                     [](const auto& entry) { return entry.second->store().synced(); });
}

}  // namespace coracle::kube
