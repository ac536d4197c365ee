#include "tests/sim/component.h"

#include <utility>

#include "kube/controller/identity.h"
#include "tests/sim/invariants.h"

namespace coracle::sim {
namespace {

constexpr Duration kLongestRestart = std::chrono::seconds(8);

}  // namespace

struct Component::Instance {
  Instance(const Context& context, std::unique_ptr<kube::Transport> faulty, const TransportWrapper& wrapper,
           const Logger& log)
      : life(context),
        transport(std::move(faulty)),
        wrapped(wrapper ? wrapper(*transport) : nullptr),
        client(wrapped ? *wrapped : *transport),
        mapper(client),
        informers(kube::as_user(life, "system:kube-controller-manager"), client, log.named("informer")),
        manager(informers) {}

  const Context life;
  const std::unique_ptr<kube::Transport> transport;
  const std::unique_ptr<kube::Transport> wrapped;
  const kube::Client client;
  kube::RestMapper mapper;
  kube::InformerSet informers;
  kube::Manager manager;
};

Component::Component(const Context& context, kube::Transport& server, Faults& faults, Journal& journal,
                     ComponentSpec spec, TransportWrapper wrapper, const Logger& log)
    : context_(context),
      server_(server),
      faults_(faults),
      journal_(journal),
      spec_(std::move(spec)),
      wrapper_(std::move(wrapper)),
      log_(log),
      crashed_(context.executor()),
      group_(context) {}

Component::~Component() {
  group_.stop();
  group_.join();
}

void Component::start() {
  group_.spawn(Lane::Blocking, [this](const Context& context) { supervise(context); });
}

bool Component::idle() const {
  return instance_ != nullptr && started_ && !crashed_.is_set() && (spec_.periodic || instance_->manager.idle());
}

void Component::supervise(const Context& context) {
  while (!context.stopped()) {
    live_once(context);
    if (faults_.active()) context.sleep(faults_.some(kLongestRestart)).ignore("stopping ends the loop");
  }
}

void Component::live_once(const Context& context) {
  crashed_.reset();
  journal_.note(spec_.name, "start", "");
  std::stop_source stop;
  const LinkedStop linked(context.stop(), stop.get_token());
  const Context life = context.with_stop(linked.token());
  FaultTransportOptions options;
  options.component = spec_.name;
  options.on_crash = [this] { crashed_.set(); };
  options.observe = [this](const http::Request& request) {
    return Invariants::watch_observer(journal_, spec_.name + " " + request.path);
  };
  instance_ =
      std::make_unique<Instance>(life, make_fault_transport(server_, faults_, std::move(options)), wrapper_, log_);
  const kube::ControllerDeps deps{instance_->life, instance_->client, instance_->mapper, instance_->informers, log_};
  for (auto& controller : spec_.make(deps)) instance_->manager.add(std::move(controller));
  if (instance_->manager.start(life).ok()) {
    started_ = true;
    crashed_.wait(context).ignore("stopping ends the instance, too");
  }
  started_ = false;
  stop.request_stop();
  instance_.reset();
  journal_.note(spec_.name, "end", "");
}

}  // namespace coracle::sim
