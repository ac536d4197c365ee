#include "kube/controller/manager.h"

#include <algorithm>
#include <utility>

namespace coracle::kube {

SimpleController::SimpleController(const Context& context, std::unique_ptr<Reconciler> reconciler,
                                   ControllerOptions options, const Logger& log)
    : reconciler_(std::move(reconciler)), controller_(context, *reconciler_, options, log.named(options.name)) {}

Manager::~Manager() {
  informers_.stop();
  while (!controllers_.empty()) controllers_.pop_back();
}

void Manager::add(std::unique_ptr<ManagedController> controller) {
  controllers_.push_back(std::move(controller));
}

Result<void> Manager::start(const Context& context) {
  informers_.start();
  TRY(informers_.wait_synced(context));
  for (const auto& controller : controllers_) controller->start();
  return {};
}

bool Manager::idle() const {
  return std::all_of(controllers_.begin(), controllers_.end(),
                     [](const auto& controller) { return controller->idle(); });
}

}  // namespace coracle::kube
