#pragma once

#include <memory>
#include <vector>

#include "base/context.h"
#include "base/log.h"
#include "kube/cache/informer_set.h"
#include "kube/client/discovery.h"
#include "kube/controller/controller.h"

namespace coracle::kube {

// What a controller is built from. All of it outlives the controller.
struct ControllerDeps {
  const Context& context;  // ends with the process; carries no identity
  const Client& client;
  RestMapper& mapper;
  InformerSet& informers;
  Logger log;
};

// A reconciler with the controller that runs it. The constructor of a concrete one asks for its
// informers and adds its handlers; start() is called when those have synced.
class ManagedController {
 public:
  virtual ~ManagedController() = default;
  virtual void start() = 0;
  // True when nothing is queued, delayed or at work.
  virtual bool idle() const = 0;
};

// A reconciler and one controller over it: what most controllers are.
class SimpleController : public ManagedController {
 public:
  SimpleController(const Context& context, std::unique_ptr<Reconciler> reconciler, ControllerOptions options,
                   const Logger& log);
  Controller& controller() { return controller_; }
  void start() override { controller_.start(); }
  bool idle() const override { return controller_.idle(); }

 private:
  std::unique_ptr<Reconciler> reconciler_;
  Controller controller_;
};

// The controllers of a process. Destruction stops the informers, so that no handler runs any more, and
// then the controllers in reverse order.
class Manager {
 public:
  explicit Manager(InformerSet& informers) : informers_(informers) {}
  ~Manager();

  void add(std::unique_ptr<ManagedController> controller);
  // Starts informers, waits for their first lists, then starts the controllers in the order of add().
  Result<void> start(const Context& context);
  bool idle() const;

 private:
  InformerSet& informers_;
  std::vector<std::unique_ptr<ManagedController>> controllers_;
};

}  // namespace coracle::kube
