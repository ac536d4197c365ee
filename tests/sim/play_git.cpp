#include <map>
#include <set>
#include <utility>

#include "kube/client/resources.h"
#include "kube/object/conditions.h"
#include "tests/sim/scenarios.h"

namespace coracle::sim {
namespace {

constexpr std::string_view kTeam = "apps";
constexpr unsigned kObjects = 4;
constexpr std::string_view kSource =
    "{apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository, metadata: {name: app, namespace: default}, "
    "spec: {url: 'https://git.example.com/app', interval: 1m, ref: {branch: main}}}";
constexpr std::string_view kKustomization =
    "{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {name: app, namespace: default}, "
    "spec: {sourceRef: {kind: GitRepository, name: app}, interval: 5m, prune: true, path: ./}}";
constexpr std::string_view kNamespaceFile = "{apiVersion: v1, kind: Namespace, metadata: {name: apps}}\n";

// People push to a repository, meddle with what came of it, and take the Kustomization away.
class GitPlay : public Play {
 public:
  explicit GitPlay(World& world) : world_(world) {}

  void prepare() override {
    push_objects();
    world_.apply(std::string(kSource));
    make();
  }

  void act() override {
    static constexpr Action<GitPlay> kActions[] = {
        {"push", 6, &GitPlay::push_objects},
        {"push something broken", 1, &GitPlay::push_broken},
        {"change an object by hand", 2, &GitPlay::disturb},
        {"delete an object by hand", 1, &GitPlay::delete_one},
        {"delete the Kustomization", 1, &GitPlay::remove},
        {"make the Kustomization", 2, &GitPlay::make},
    };
    run_some_action<GitPlay>(*this, world_, kActions);
  }

  void finish() override {
    if (broken_) push_objects();
  }

  std::string problem() const override {
    const Invariants& state = world_.invariants();
    for (const auto& [key, object] : state.objects()) {
      if (object.label("kustomize.toolkit.fluxcd.io/name").empty() || object.kind() != "ConfigMap") continue;
      if (!there_ || !objects_.contains(std::string(object.name()))) return key + " is left over";
    }
    const kube::Object* kustomization = state.find("Kustomization", "default", "app");
    if (!there_) return kustomization == nullptr ? "" : "the Kustomization is still there";
    for (const auto& [name, value] : objects_) {
      const kube::Object* live = state.find("ConfigMap", kTeam, name);
      if (live == nullptr) return name + " is missing";
      if ((*live)["data"]["value"].as_string() != value) return name + " is not " + value;
    }
    if (kustomization == nullptr) return "the Kustomization is missing";
    const Value& status = (*kustomization)["status"];
    if (!kube::condition_is_true(status["conditions"], "Ready")) return "the Kustomization is not ready";
    const std::string_view revision = status["lastAppliedRevision"].as_string();
    return revision.ends_with(world_.git().head()) ? "" : "the head has not been applied";
  }

 private:
  // The book of what the source asks for.
  void note_sources() {
    std::set<std::string> ids;
    if (there_ && !broken_) {
      ids.insert(object_id("Namespace", "", kTeam));
      for (const auto& [name, value] : objects_) ids.insert(object_id("ConfigMap", kTeam, name));
    }
    world_.sources().set("git/default/app", ids);
  }

  void push_objects() {
    objects_.clear();
    for (unsigned i = 0; i < kObjects; ++i) {
      if (world_.random().below(3) == 0) continue;
      objects_["g" + std::to_string(i)] = "v" + std::to_string(world_.random().below(3));
    }
    std::map<std::string, std::string> files{{"namespace.yaml", std::string(kNamespaceFile)}};
    for (const auto& [name, value] : objects_) files[name + ".yaml"] = config_map_yaml(kTeam, name, value);
    broken_ = false;
    world_.git().push(std::move(files));
    note_sources();
  }

  // Nothing is applied or pruned from it, so what the commit before asked for stays.
  void push_broken() {
    world_.git().push({{"broken.yaml", "kind: [unfinished"}});
    broken_ = true;
  }

  const std::string* some_object() {
    if (objects_.empty()) return nullptr;
    auto object = objects_.begin();
    std::advance(object, static_cast<std::ptrdiff_t>(world_.random().below(objects_.size())));
    return &object->first;
  }

  void disturb() {
    const std::string* name = some_object();
    if (name == nullptr) return;
    world_.patch(kube::resources::config_maps(), {std::string(kTeam), *name},
                 Value::object({{"data", Value::object({{"value", "meddled"}})}}));
  }

  void delete_one() {
    const std::string* name = some_object();
    if (name != nullptr) world_.remove(kube::resources::config_maps(), {std::string(kTeam), *name}, "Background");
  }

  void remove() {
    if (!there_) return;
    there_ = false;
    note_sources();
    world_.remove(kube::resources::kustomizations(), {"default", "app"}, "Background");
  }

  void make() {
    world_.invariants().drain();
    if (there_ || world_.invariants().find("Kustomization", "default", "app") != nullptr) return;
    there_ = true;
    note_sources();
    world_.apply(std::string(kKustomization));
  }

  World& world_;
  std::map<std::string, std::string> objects_;
  bool broken_ = false;
  bool there_ = false;
};

}  // namespace

std::unique_ptr<Play> make_git_play(World& world) {
  return std::make_unique<GitPlay>(world);
}

}  // namespace coracle::sim
