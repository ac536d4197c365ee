#include "tests/sim/world.h"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/builtin_controllers.h"
#include "daemon/bundled_definitions.h"
#include "kube/apply/applier.h"
#include "kube/apply/manifest.h"
#include "kube/controller/identity.h"
#include "reconcilers/git/git_repository_controller.h"
#include "reconcilers/git/kustomization_controller.h"
#include "reconcilers/helm/helm_controller.h"
#include "reconcilers/manifests_folder/manifests_folder.h"
#include "store/memory.h"

namespace coracle::sim {
namespace {

constexpr std::string_view kCaPem = "a certificate authority";
constexpr Duration kServerPoll = std::chrono::milliseconds(100);
// How often, in a thousand looks of the trouble maker, and how far apart those are at most.
constexpr Duration kTroubleEvery = std::chrono::seconds(10);
constexpr unsigned kCompacts = 150;
constexpr unsigned kClockJumps = 60;
constexpr unsigned kServerRestarts = 25;
constexpr std::uint64_t kPowerCutEvery = 3;  // of the restarts
constexpr Duration kLongestJump = std::chrono::hours(2);
constexpr Duration kLongestOutage = std::chrono::seconds(5);
// Faults draw from another sequence than the scenario, so that a planted bug changes neither.
constexpr std::uint64_t kFaultSalt = 0xFA0175;
constexpr std::uint64_t kPlaySalt = 0x9A37;

}  // namespace

// Names the actor of every request, and tries again while there is no server.
class World::UserTransport : public kube::Transport {
 public:
  UserTransport(kube::Transport& server, std::string actor) : server_(server), actor_(std::move(actor)) {}

  Result<http::Response> send(const Context& context, const http::Request& request) override {
    http::Request named = request;
    named.headers.set("Audit-Id", audit_id(actor_, request.method, ++requests_));
    while (true) {
      Result<http::Response> response = server_.send(context, named);
      if (response.ok() || response.error().reason() != Reason::Unavailable) return response;
      TRY(context.sleep(kServerPoll));
    }
  }

 private:
  kube::Transport& server_;
  const std::string actor_;
  std::uint64_t requests_ = 0;
};

World::World(SimExecutor& executor, std::uint64_t seed, Journal& journal, const PlantedBug* bug)
    : executor_(executor),
      journal_(journal),
      bug_(bug),
      log_(make_journal_sink(journal), "world"),
      faults_(seed ^ kFaultSalt, journal),
      random_(seeded_random(seed ^ kPlaySalt)),
      sources_(executor_.clock()),
      store_(store::make_memory_backend(executor_), bug ? bug->store_watch : nullptr),
      invariants_(Context(executor_), store_, journal, sources_),
      slot_(executor_, store_, log_.named("apiserver")),
      planted_server_(bug && bug->server ? bug->server(slot_) : nullptr),
      user_(client_as("user")),
      user_mapper_(user_),
      files_(make_memory_file_system(executor_)),
      git_(faults_),
      charts_(faults_),
      tasks_(Context(executor_).with_stop(stop_.get_token())) {}

World::~World() {
  stop_.request_stop();
  tasks_.stop();
  tasks_.join();
  components_.clear();
  slot_.stop(Context(executor_)).ignore("its context has no end");
}

Context World::context() const {
  return kube::as_master(Context(const_cast<ShiftedExecutor&>(executor_)).with_stop(stop_.get_token()), "admin");
}

kube::Client World::client_as(const std::string& actor) {
  actors_.push_back(std::make_unique<UserTransport>(slot_, actor));
  return kube::Client(*actors_.back());
}

Result<void> World::start(const std::vector<std::string_view>& components) {
  TRY(invariants_.start());
  TRY(slot_.start(context()));
  TRY(daemon::apply_definitions(context(), kube::Applier(user_, user_mapper_, log_.named("bundle")),
                                std::array<std::string_view, 1>{"crds/"}));
  TRY(files_->make_directories(std::string(kManifests), 0755));
  std::vector<ComponentSpec> specs;
  for (ComponentSpec& spec : known_components()) {
    if (std::find(components.begin(), components.end(), spec.name) != components.end())
      specs.push_back(std::move(spec));
  }
  if (specs.size() != components.size()) return bad_request("the scenario names a component that is not known");
  if (bug_ != nullptr && bug_->intruder) specs.push_back(bug_->intruder());
  for (ComponentSpec& spec : specs) {
    TransportWrapper wrapper = bug_ != nullptr && bug_->component ? bug_->component(spec.name) : TransportWrapper();
    components_.push_back(std::make_unique<Component>(Context(executor_).with_stop(stop_.get_token()), server(),
                                                      faults_, journal_, std::move(spec), std::move(wrapper), log_));
    components_.back()->start();
  }
  tasks_.spawn(Lane::Blocking, [this](const Context& task) { trouble(task); });
  return {};
}

std::vector<ComponentSpec> World::known_components() {
  using Controllers = std::vector<std::unique_ptr<kube::ManagedController>>;
  const auto together = [](auto... controllers) {
    Controllers all;
    (all.push_back(std::move(controllers)), ...);
    return all;
  };
  namespace from = coracle::reconcilers;
  std::vector<ComponentSpec> specs;
  for (const daemon::ControllerGroup& group : daemon::builtin_controllers()) {
    specs.push_back({std::string(group.name), [make = group.make](const kube::ControllerDeps& deps) {
                       return make(deps, std::string(kCaPem));
                     }});
  }
  specs.push_back({"manifests", [this, together](const kube::ControllerDeps& deps) {
                     return together(from::make_manifests_folder(deps, *files_, {std::string(kManifests), {}}));
                   }});
  specs.push_back(
      {"helm", [this, together](const kube::ControllerDeps& deps) {
         return together(from::make_helm_controller(deps, charts_, {"127.0.0.1:6443", std::string(kCaPem)}));
       }});
  specs.push_back({"git",
                   [this, together](const kube::ControllerDeps& deps) {
                     return together(from::make_git_repository_controller(deps, git_),
                                     from::make_kustomization_controller(deps, git_));
                   },
                   true});
  return specs;
}

void World::trouble(const Context& context) {
  while (faults_.active()) {
    if (!context.sleep(faults_.some(kTroubleEvery)).ok()) return;
    const store::Revision revision = store_.current_revision();
    if (faults_.happens(Fault::Compaction, kCompacts, "store", std::to_string(revision))) {
      store_.compact(context, revision).ignore("a second compaction to one revision is refused");
    }
    if (faults_.happens(Fault::ClockJump, kClockJumps, "clock", "")) {
      executor_.shift(faults_.some(2 * kLongestJump) - kLongestJump);
    }
    if (faults_.happens(Fault::ServerRestart, kServerRestarts, "apiserver", "")) restart_server(context);
  }
}

void World::restart_server(const Context& context) {
  // The outage ends even when the run does.
  const Context whole = Context(executor_);
  // A power cut takes all components along.
  if (faults_.below(kPowerCutEvery) == 0) {
    for (const auto& component : components_) component->crash();
  }
  if (!slot_.stop(whole).ok()) return;
  context.sleep(faults_.some(kLongestOutage)).ignore("the server comes back all the same");
  expect("the API server starts again", slot_.start(kube::as_master(whole, "admin")));
}

void World::calm_down() {
  faults_.stop();
}

bool World::idle() const {
  return busy_component().empty();
}

std::string World::busy_component() const {
  for (const auto& component : components_) {
    if (!component->idle()) return component->name();
  }
  return {};
}

void World::expect(std::string_view deed, const Result<void>& result) {
  if (result.ok() || stop_.stop_requested()) return;
  journal_.fail("user-request", std::string(deed) + ": " + result.error().message());
}

void World::apply(const std::string& manifest) {
  const Result<std::vector<kube::Object>> objects = kube::parse_manifest(manifest);
  if (!objects.ok()) return expect(manifest, objects.error());
  for (const kube::Object& object : *objects) {
    const Result<kube::DiscoveredResource> resource = user_mapper_.find(context(), object.gvk());
    if (!resource.ok()) return expect("find " + std::string(object.kind()), resource.error());
    const Result<kube::Object> applied =
        user_.apply(context(), resource->ref, object, {.field_manager = "user", .force = true});
    if (!applied.ok()) expect("apply " + object.key().text(), applied.error());
  }
}

void World::remove(const kube::ResourceRef& resource, const kube::ObjectKey& key, std::string_view propagation) {
  const Result<void> removed = user_.remove(context(), resource, key, {.propagation = std::string(propagation)});
  if (!removed.ok() && removed.error().reason() != Reason::NotFound) expect("delete " + key.text(), removed);
}

void World::patch(const kube::ResourceRef& resource, const kube::ObjectKey& key, const Value& patch) {
  const Result<kube::Object> patched = user_.patch(context(), resource, key, kube::PatchType::Merge, patch);
  if (!patched.ok() && patched.error().reason() != Reason::NotFound) expect("patch " + key.text(), patched.error());
}

void World::pause(Duration at_most) {
  const Duration time(random_->below(static_cast<std::uint64_t>(at_most.count())));
  context().sleep(time).ignore("the run ends when it is stopped");
}

}  // namespace coracle::sim
