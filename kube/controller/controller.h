#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/context.h"
#include "base/log.h"
#include "base/result.h"
#include "kube/cache/informer.h"
#include "kube/controller/work_queue.h"

namespace coracle::kube {

// What a reconcile wants next: nothing, or to be called again after some time.
struct Done {
  std::optional<Duration> again_after;
};

// Makes the cluster agree with one object. A plain blocking function in three parts: read a snapshot,
// plan (pure), apply. An error means "again, with back-off". Called for one key by one task at a time,
// for different keys in parallel.
class Reconciler {
 public:
  virtual ~Reconciler() = default;
  virtual Result<Done> reconcile(const Context& context, const ObjectKey& key) = 0;
};

struct ControllerOptions {
  std::string name = {};  // upstream's canonical name where there is one
  unsigned concurrency = 2;
  Lane lane = Lane::Worker;
  RetryPolicy retry = {};
};

// Runs a reconciler for keys: bounded in parallel, never twice at once for one key, with back-off.
// An escaping exception counts as an error of that key. Destruction stops and waits. The reconciler
// outlives the controller.
class Controller {
 public:
  Controller(const Context& context, Reconciler& reconciler, ControllerOptions options, Logger log);
  ~Controller();
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  void enqueue(const ObjectKey& key);
  void enqueue_after(const ObjectKey& key, Duration delay);
  // Enqueues the key of every object that the informer reports.
  void watch(Informer& informer);
  // Enqueues what `map` makes of an object, before and after a change.
  void watch(Informer& informer, std::function<std::vector<ObjectKey>(const Object&)> map);

  // Work begins; keys added before wait for it.
  void start();
  // True when no key is queued, delayed or at work.
  bool idle() const;
  // True when no key is queued or at work; some may be delayed.
  bool at_rest() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace coracle::kube
