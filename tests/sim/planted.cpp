#include "tests/sim/planted.h"

#include <array>
#include <utility>

#include "base/files.h"
#include "base/json/json.h"
#include "base/text.h"
#include "kube/client/resources.h"
#include "kube/controller/identity.h"

namespace coracle::sim {
namespace {

const kube::ObjectKey kPlanted{"default", "planted"};
// Longer than the invariants allow a late reaction to take.
constexpr Duration kLongAgo = std::chrono::minutes(6);
constexpr Duration kMoment = std::chrono::seconds(5);

// A store watch that tells its last event again.
class RepeatingWatch : public store::Watch {
 public:
  explicit RepeatingWatch(std::unique_ptr<store::Watch> inner) : inner_(std::move(inner)) {}

  Result<void> drain(std::vector<store::EventPtr>& out, std::size_t limit, store::Revision& progress) override {
    TRY(inner_->drain(out, limit, progress));
    if (!out.empty()) out.push_back(out.front());
    return {};
  }
  void on_ready(std::function<void()> wake) override { inner_->on_ready(std::move(wake)); }

 private:
  const std::unique_ptr<store::Watch> inner_;
};

// An API watch that tells a line of the past again, once a newer one has been told.
class RewindingSource : public http::BodySource {
 public:
  explicit RewindingSource(std::unique_ptr<http::BodySource> inner) : inner_(std::move(inner)) {}

  State pull(std::vector<http::Bytes>& out, std::size_t limit) override {
    const State state = inner_->pull(out, limit);
    if (first_ != nullptr && !out.empty()) {
      out.push_back(std::exchange(first_, nullptr));
    } else if (!told_ && !out.empty()) {
      told_ = true;
      first_ = out.front();
    }
    return state;
  }
  void on_ready(std::function<void()> wake) override { inner_->on_ready(std::move(wake)); }

 private:
  const std::unique_ptr<http::BodySource> inner_;
  http::Bytes first_;
  bool told_ = false;
};

class RewindingServer : public kube::Transport {
 public:
  explicit RewindingServer(kube::Transport& inner) : inner_(inner) {}

  Result<http::Response> send(const Context& context, const http::Request& request) override {
    ASSIGN_OR_RETURN(http::Response response, inner_.send(context, request));
    if (response.source != nullptr) response.source = std::make_unique<RewindingSource>(std::move(response.source));
    return response;
  }

 private:
  kube::Transport& inner_;
};

// Says that it has deleted, and has not.
class LazyTransport : public kube::Transport {
 public:
  explicit LazyTransport(kube::Transport& inner) : inner_(inner) {}

  Result<http::Response> send(const Context& context, const http::Request& request) override {
    if (request.method != "DELETE") return inner_.send(context, request);
    return http::Response::text(200, R"({"kind":"Status","apiVersion":"v1","status":"Success"})", "application/json");
  }

 private:
  kube::Transport& inner_;
};

// Never content with what it has done.
class Restless : public kube::Reconciler {
 public:
  Result<kube::Done> reconcile(const Context&, const kube::ObjectKey&) override { return kube::Done{kMoment}; }
};

// Writes the same object for ever.
class HotLoop : public kube::Reconciler {
 public:
  explicit HotLoop(const kube::Client& client) : client_(client) {}

  Result<kube::Done> reconcile(const Context& context, const kube::ObjectKey& key) override {
    const kube::Object object(
        Value::object({{"apiVersion", "v1"},
                       {"kind", "ConfigMap"},
                       {"metadata", Value::object({{"name", key.name}, {"namespace", key.namespace_}})},
                       {"data", Value::object({{"turn", std::to_string(++turn_)}})}}));
    TRY(client_.apply(context, kube::resources::config_maps(), object, {.field_manager = "hot-loop", .force = true}));
    return kube::Done{kMoment};
  }

 private:
  const kube::Client& client_;
  int turn_ = 0;
};

ComponentSpec intruder(std::string name, bool periodic,
                       std::function<std::unique_ptr<kube::Reconciler>(const kube::ControllerDeps&)> make) {
  ComponentSpec spec;
  spec.name = name;
  spec.periodic = periodic;
  spec.make = [name, make = std::move(make)](const kube::ControllerDeps& deps) {
    auto controller = std::make_unique<kube::SimpleController>(kube::as_master(deps.context, "intruder"), make(deps),
                                                               kube::ControllerOptions{.name = name}, deps.log);
    controller->controller().enqueue(kPlanted);
    std::vector<std::unique_ptr<kube::ManagedController>> controllers;
    controllers.push_back(std::move(controller));
    return controllers;
  };
  return spec;
}

kube::Object config_map(Value metadata_extra = Value::object()) {
  Value::ObjectBuilder metadata(metadata_extra);
  metadata.set("name", kPlanted.name).set("namespace", kPlanted.namespace_);
  return kube::Object(
      Value::object({{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", std::move(metadata).build()}}));
}

Result<kube::Object> make_planted(World& world, Value metadata_extra = Value::object()) {
  return world.user().create(world.context(), kube::resources::config_maps(), config_map(std::move(metadata_extra)));
}

Result<void> remove_planted_as(World& world, const std::string& actor) {
  const kube::Client client = world.client_as(actor);
  return client.remove(world.context(), kube::resources::config_maps(), kPlanted);
}

store::Bytes stored(const kube::Object& object) {
  return std::make_shared<const std::string>(json::write(object.tree()));
}

Result<void> store_stranger(World& world) {
  TRY(world.store().create(world.context(), "/registry/configmaps/default/planted",
                           stored(kube::Object(Value::object(
                               {{"apiVersion", "v1"},
                                {"kind", "ConfigMap"},
                                {"metadata", Value::object({{"name", "another"}, {"namespace", "default"}})}}))),
                           std::chrono::seconds(0)));
  // Before the API server, which would say that it leaves the object out, has seen it.
  world.invariants().drain();
  return {};
}

Result<void> change_identity(World& world) {
  ASSIGN_OR_RETURN(const kube::Object made, make_planted(world));
  const kube::Object other = made.with_metadata("uid", world.random().uuid()).with_metadata("resourceVersion", Value());
  TRY(world.store().update(world.context(), "/registry/configmaps/default/planted", stored(other),
                           parse_int<store::Revision>(made.resource_version()).value_or(0), std::chrono::seconds(0)));
  world.invariants().drain();
  return {};
}

Result<void> drop_finalizer(World& world) {
  TRY(make_planted(world, Value::object({{"finalizers", Value::array({Value("sim.example.com/hold")})}})));
  const kube::Client client = world.client_as("root-ca");
  TRY(client.patch(world.context(), kube::resources::config_maps(), kPlanted, kube::PatchType::Merge,
                   Value::object({{"metadata", Value::object({{"finalizers", Value()}})}})));
  return {};
}

Result<void> delete_owned(World& world) {
  ASSIGN_OR_RETURN(const kube::Object ns,
                   world.user().get(world.context(), kube::resources::namespaces(), {"", "default"}));
  const Value reference =
      Value::object({{"apiVersion", "v1"}, {"kind", "Namespace"}, {"name", ns.name()}, {"uid", ns.uid()}});
  TRY(make_planted(world, Value::object({{"ownerReferences", Value::array({reference})}})));
  return remove_planted_as(world, "garbage-collector");
}

Result<void> prune_foreign(World& world) {
  TRY(make_planted(world));
  return remove_planted_as(world, "manifests");
}

Result<void> prune_wanted(World& world) {
  const std::string file = join_path(kManifests, "planted.yaml");
  world.sources().set("manifests/planted", {"ConfigMap default/planted"});
  TRY(world.files().write_file_atomic(
      file, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: planted, namespace: default}\n", 0600));
  TRY(world.context().sleep(kLongAgo));
  return remove_planted_as(world, "manifests");
}

Result<void> delete_before_pods(World& world) {
  TRY(make_planted(world));
  world.invariants().drain();
  const kube::ResourceRef pods = kube::resources::pods();
  TRY(world.user().create(
      world.context(), kube::resources::service_accounts(),
      kube::Object(Value::object({{"apiVersion", "v1"},
                                  {"kind", "ServiceAccount"},
                                  {"metadata", Value::object({{"name", "planted"}, {"namespace", "default"}})}}))));
  const Value container = Value::object({{"name", "main"}, {"image", "example.com/none"}});
  TRY(world.user().create(
      world.context(), pods,
      kube::Object(Value::object(
          {{"apiVersion", "v1"},
           {"kind", "Pod"},
           {"metadata", Value::object({{"name", "planted"}, {"namespace", "default"}})},
           {"spec", Value::object({{"serviceAccountName", "planted"}, {"containers", Value::array({container})}})}}))));
  return remove_planted_as(world, "namespace");
}

Result<void> drop_full_namespace(World& world) {
  const Context asked = world.context().with_trace(audit_id("namespace", "PUT", 0));
  TRY(world.store().remove(asked, "/registry/namespaces/default", 0));
  return {};
}

Result<void> log_an_error(World& world) {
  world.log().error("planted");
  return {};
}

// Bugs that are one deed in the running world.
struct PlantedDeed {
  const char* name;
  std::string_view invariant;
  const char* scenario;
  Result<void> (*deed)(World& world);
};

constexpr std::array kDeeds = {
    PlantedDeed{"an object lies under another's key", invariant::kStoredObjectsDecode, "roles", store_stranger},
    PlantedDeed{"an object changes its uid", invariant::kIdentityStays, "roles", change_identity},
    PlantedDeed{"a finalizer is dropped by somebody else", invariant::kFinalizersKept, "roles", drop_finalizer},
    PlantedDeed{"an object is collected whose owner lives", invariant::kOwnedObjectsLive, "roles", delete_owned},
    PlantedDeed{"an object of nobody's set is pruned", invariant::kPruneInsideOwnerSet, "manifests", prune_foreign},
    PlantedDeed{"an object is pruned that its file contains", invariant::kKeptWhileInSource, "manifests", prune_wanted},
    PlantedDeed{"a namespace loses content before its pods", invariant::kPodsGoFirst, "roles", delete_before_pods},
    PlantedDeed{"a namespace goes with its content", invariant::kNamespaceEmptyAtEnd, "roles", drop_full_namespace},
    PlantedDeed{"an error is logged", invariant::kNoErrorLog, "roles", log_an_error},
};

}  // namespace

std::vector<PlantedBug> planted_bugs() {
  std::vector<PlantedBug> bugs = {
      {.name = "the store tells an event twice",
       .invariant = invariant::kRevisionsGrow,
       .scenario = "roles",
       .store_watch = [](std::unique_ptr<store::Watch> inner) -> std::unique_ptr<store::Watch> {
         return std::make_unique<RepeatingWatch>(std::move(inner));
       }},
      {.name = "an API watch rewinds",
       .invariant = invariant::kWatchNeverGoesBack,
       .scenario = "manifests",
       .server = [](kube::Transport& inner) -> std::unique_ptr<kube::Transport> {
         return std::make_unique<RewindingServer>(inner);
       }},
      {.name = "a component writes for ever",
       .invariant = invariant::kBoundedWrites,
       .scenario = "roles",
       .intruder =
           [] {
             return intruder("hot-loop", true,
                             [](const kube::ControllerDeps& deps) { return std::make_unique<HotLoop>(deps.client); });
           }},
      {.name = "a component deletes nothing",
       .invariant = invariant::kConverges,
       .scenario = "manifests",
       .component =
           [](const std::string& component) {
             if (component != "manifests") return TransportWrapper();
             return TransportWrapper([](kube::Transport& inner) -> std::unique_ptr<kube::Transport> {
               return std::make_unique<LazyTransport>(inner);
             });
           }},
      {.name = "a component never rests",
       .invariant = invariant::kQueuesIdle,
       .scenario = "roles",
       .intruder =
           [] {
             return intruder("restless", false,
                             [](const kube::ControllerDeps&) { return std::make_unique<Restless>(); });
           }},
  };
  for (const PlantedDeed& row : kDeeds) {
    bugs.push_back({.name = row.name, .invariant = row.invariant, .scenario = row.scenario, .deed = row.deed});
  }
  return bugs;
}

}  // namespace coracle::sim
