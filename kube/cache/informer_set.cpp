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

void InformerSet::start() {
  for (auto& [key, informer] : informers_) informer->start();
}

void InformerSet::stop() {
  for (auto& [key, informer] : informers_) informer->stop();
}

Result<void> InformerSet::wait_synced(const Context& context) const {
  for (const auto& [key, informer] : informers_) TRY(informer->store().wait_synced(context));
  return {};
}

}  // namespace coracle::kube
