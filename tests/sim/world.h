#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/sim_executor.h"
#include "base/task_group.h"
#include "kube/client/client.h"
#include "tests/sim/component.h"
#include "tests/sim/fakes.h"
#include "tests/sim/faults.h"
#include "tests/sim/invariants.h"
#include "tests/sim/server_slot.h"
#include "tests/sim/shifted_executor.h"
#include "tests/sim/sources.h"

namespace coracle::sim {

class World;

// A mistake that is built into a world, to see that its invariant finds it. Each part may be empty.
struct PlantedBug {
  std::string_view name = {};
  std::string_view invariant = {};  // the one that must find it
  std::string_view scenario = {};
  std::function<std::unique_ptr<kube::Transport>(kube::Transport& inner)> server = {};
  std::function<TransportWrapper(const std::string& component)> component = {};
  std::function<std::unique_ptr<store::Watch>(std::unique_ptr<store::Watch> inner)> store_watch = {};
  // A component more.
  std::function<ComponentSpec()> intruder = {};
  // Runs once, when the scenario is half over.
  std::function<Result<void>(World& world)> deed = {};
};

// The folder that the manifests component follows.
inline constexpr std::string_view kManifests = "/manifests";

// A whole control plane in one task's hands: store, API server, components, the outside that they
// follow, and everything that can go wrong with them. Lives inside SimExecutor::run().
class World {
 public:
  World(SimExecutor& executor, std::uint64_t seed, Journal& journal, const PlantedBug* bug);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Starts the API server, installs the bundled definitions, starts these components, lets faults begin.
  Result<void> start(const std::vector<std::string_view>& components);
  // The world is kind from now on.
  void calm_down();
  // True when no component has anything left to do.
  bool idle() const;
  // The first component that has; for messages.
  std::string busy_component() const;

  ShiftedExecutor& executor() { return executor_; }
  Context context() const;
  const Logger& log() const { return log_; }
  Journal& journal() { return journal_; }
  Random& random() { return *random_; }
  Faults& faults() { return faults_; }
  Sources& sources() { return sources_; }
  Invariants& invariants() { return invariants_; }
  FileSystem& files() { return *files_; }
  FakeGit& git() { return git_; }
  FakeCharts& charts() { return charts_; }
  ObservedStore& store() { return store_; }

  // Faultless; waits while there is no API server. Writes count as this actor's.
  kube::Client client_as(const std::string& actor);
  const kube::Client& user() { return user_; }
  // One object of the user's, applied server-side. Failures are unexpected and break the run.
  void apply(const std::string& manifest);
  void remove(const kube::ResourceRef& resource, const kube::ObjectKey& key, std::string_view propagation);
  void patch(const kube::ResourceRef& resource, const kube::ObjectKey& key, const Value& patch);
  void pause(Duration at_most);

 private:
  class UserTransport;

  void trouble(const Context& context);
  void restart_server(const Context& context);
  std::vector<ComponentSpec> known_components();
  kube::Transport& server() { return planted_server_ ? *planted_server_ : static_cast<kube::Transport&>(slot_); }
  void expect(std::string_view deed, const Result<void>& result);

  ShiftedExecutor executor_;
  Journal& journal_;
  const PlantedBug* bug_;
  const Logger log_;
  Faults faults_;
  const std::unique_ptr<Random> random_;
  std::stop_source stop_;
  Sources sources_;
  ObservedStore store_;
  Invariants invariants_;
  ServerSlot slot_;
  std::unique_ptr<kube::Transport> planted_server_;
  std::vector<std::unique_ptr<kube::Transport>> actors_;
  const kube::Client user_;
  kube::RestMapper user_mapper_;
  const std::unique_ptr<FileSystem> files_;
  FakeGit git_;
  FakeCharts charts_;
  std::vector<std::unique_ptr<Component>> components_;
  TaskGroup tasks_;
};

}  // namespace coracle::sim
