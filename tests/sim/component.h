#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/sync.h"
#include "base/task_group.h"
#include "kube/controller/manager.h"
#include "tests/sim/faults.h"

namespace coracle::sim {

// What a component consists of: asked anew after every crash.
using ControllerFactory =
    std::function<std::vector<std::unique_ptr<kube::ManagedController>>(const kube::ControllerDeps&)>;
// Between a component and the API server, for planted bugs; may answer its argument's own transport.
using TransportWrapper = std::function<std::unique_ptr<kube::Transport>(kube::Transport& inner)>;

struct ComponentSpec {
  std::string name;  // as writers are called
  ControllerFactory make;
  // Looks at its objects from time to time for ever, so its queue is never empty.
  bool periodic = false;
};

// One group of controllers with its own caches, which crashes and comes back alone.
class Component {
 public:
  Component(const Context& context, kube::Transport& server, Faults& faults, Journal& journal, ComponentSpec spec,
            TransportWrapper wrapper, const Logger& log);
  ~Component();  // stops and waits

  void start();
  // Ends the running instance; another one is made.
  void crash() { crashed_.set(); }
  bool idle() const;
  const std::string& name() const { return spec_.name; }

 private:
  struct Instance;

  void supervise(const Context& context);
  void live_once(const Context& context);

  const Context context_;
  kube::Transport& server_;
  Faults& faults_;
  Journal& journal_;
  const ComponentSpec spec_;
  const TransportWrapper wrapper_;
  const Logger log_;
  Event crashed_;
  std::unique_ptr<Instance> instance_;
  bool started_ = false;  // the present instance has its caches
  TaskGroup group_;
};

}  // namespace coracle::sim
