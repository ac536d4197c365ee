#include "kube/cache/informer_set.h"

namespace coracle::kube {

InformerSet::InformerSet(const Context& context, const Client& client, Logger log)
    : context_(context), client_(client), log_(std::move(log)) {}

Informer& InformerSet::get(const ResourceRef& resource, InformerOptions options) {
  Key key{resource, options.namespace_, options.label_selector, options.field_selector, options.metadata_only};
  std::unique_ptr<Informer>& informer = informers_[std::move(key)];
  if (!informer) informer = std::make_unique<Informer>(context_, client_, resource, std::move(options), log_);
  return *informer;
}

Informer* InformerSet::complete(const ResourceRef& resource) const {
  for (const bool metadata_only : {true, false}) {
    const auto found = informers_.find(Key{resource, "", "", "", metadata_only});
    if (found != informers_.end()) return found->second.get();
  }
  return nullptr;
}

std::shared_ptr<Informer> InformerSet::monitor(const ResourceRef& resource) {
  if (Informer* shared = complete(resource)) return {std::shared_ptr<void>(), shared};
  std::lock_guard lock(mutex_);
  std::weak_ptr<Informer>& known = monitors_[resource];
  if (auto running = known.lock()) return running;
  auto informer = std::make_shared<Informer>(context_, client_, resource, InformerOptions{.metadata_only = true}, log_);
  informer->start();
  known = informer;
  return informer;
}

void InformerSet::start() {
  for (auto& [key, informer] : informers_) informer->start();
}

void InformerSet::stop() {
  for (auto& [key, informer] : informers_) informer->stop();
  std::lock_guard lock(mutex_);
  for (auto& [resource, monitor] : monitors_) {
    if (const auto informer = monitor.lock()) informer->stop();
  }
}

Result<void> InformerSet::wait_synced(const Context& context) const {
  for (const auto& [key, informer] : informers_) TRY(informer->store().wait_synced(context));
  return {};
}

}  // namespace coracle::kube
