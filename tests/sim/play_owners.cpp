#include <array>
#include <set>
#include <utility>

#include "kube/client/resources.h"
#include "tests/sim/scenarios.h"

namespace coracle::sim {
namespace {

constexpr std::string_view kOwnersHold = "sim.example.com/keep";
constexpr std::array<std::string_view, 3> kPolicies = {"Background", "Foreground", "Orphan"};
// A dependent that is this young when its owner is deleted may not have been seen yet; upstream's collector then
// deletes it, as an object whose owner does not exist.
constexpr Duration kSeenAfter = std::chrono::minutes(2);

enum class Fate : std::uint8_t { Lives, Dies, Either };

// People make objects that own each other, and delete owners in all three ways.
class OwnersPlay : public Play {
 public:
  explicit OwnersPlay(World& world) : world_(world) {}

  void act() override {
    static constexpr Action<OwnersPlay> kActions[] = {
        {"make an object", 10, &OwnersPlay::make},
        {"make an object of a stranger", 1, &OwnersPlay::make_dangling},
        {"make a circle", 1, &OwnersPlay::make_circle},
        {"delete an object", 5, &OwnersPlay::remove},
        {"let go of one object", 1, &OwnersPlay::let_go},
    };
    run_some_action<OwnersPlay>(*this, world_, kActions);
  }

  void finish() override {
    while (let_go_of_one()) continue;
  }

  std::string problem() const override {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const Fate fate = fate_of(i);
      const kube::Object* object = world_.invariants().find_uid(nodes_[i].uid);
      if (fate == Fate::Lives && (object == nullptr || object->deleting())) return nodes_[i].name + " should live";
      if (fate == Fate::Dies && object != nullptr) return nodes_[i].name + " should be gone";
    }
    return {};
  }

 private:
  struct Node {
    std::string name;
    std::string uid;
    std::vector<std::size_t> owners;
    bool dangling = false;  // its only owner never existed
    MonotonicTime made;
    std::string deleted = {};  // by whose policy; empty: not by the user
    MonotonicTime deleted_at = {};
  };

  MonotonicTime now() const { return world_.journal().now(); }

  // `within`: objects whose fate is being found out; those of a circle keep each other alive.
  Fate fate_of(std::size_t index, std::set<std::size_t> within = {}) const {
    if (!within.insert(index).second) return Fate::Lives;
    const Node& node = nodes_[index];
    if (!node.deleted.empty() || node.dangling) return Fate::Dies;
    bool either = false;
    std::size_t dead = 0;
    std::size_t orphaned = 0;
    for (const std::size_t owner : node.owners) {
      const Fate fate = fate_of(owner, within);
      if (fate == Fate::Lives) return Fate::Lives;
      if (fate == Fate::Either) either = true;
      if (nodes_[owner].deleted != "Orphan") {
        ++dead;
      } else if (nodes_[owner].deleted_at - node.made < kSeenAfter) {
        either = true;
      } else {
        ++orphaned;
      }
    }
    // Of two owners that go, one leaving the object behind, the order decides.
    if (either || (dead > 0 && orphaned > 0)) return Fate::Either;
    return dead > 0 ? Fate::Dies : Fate::Lives;
  }

  static Value reference(const Node& owner, bool blocks) {
    return Value::object({{"apiVersion", "v1"},
                          {"kind", "ConfigMap"},
                          {"name", owner.name},
                          {"uid", owner.uid},
                          {"blockOwnerDeletion", blocks}});
  }

  // Names come back, uids do not.
  std::string free_name() {
    world_.invariants().drain();
    for (unsigned i = 0;; ++i) {
      const std::string name = "o" + std::to_string(i);
      if (world_.invariants().find("ConfigMap", "default", name) == nullptr) return name;
    }
  }

  std::size_t create(std::vector<std::size_t> owners, Value references, bool dangling) {
    Node node{free_name(), "", std::move(owners), dangling, now()};
    Value::ObjectBuilder metadata;
    metadata.set("name", node.name).set("namespace", "default").set("ownerReferences", std::move(references));
    if (world_.random().below(8) == 0) metadata.set("finalizers", Value::array({Value(kOwnersHold)}));
    const kube::Object object(
        Value::object({{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", std::move(metadata).build()}}));
    const Result<kube::Object> made = world_.user().create(world_.context(), kube::resources::config_maps(), object);
    if (!made.ok()) {
      world_.journal().fail("user-request", made.error().message());
      return nodes_.size();
    }
    node.uid = made->uid();
    nodes_.push_back(std::move(node));
    return nodes_.size() - 1;
  }

  std::vector<std::size_t> living() const {
    std::vector<std::size_t> nodes;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (fate_of(i) == Fate::Lives) nodes.push_back(i);
    }
    return nodes;
  }

  void make() {
    std::vector<std::size_t> owners;
    Value::ArrayBuilder references;
    std::vector<std::size_t> candidates = living();
    for (std::uint64_t wanted = world_.random().below(3); wanted > 0 && !candidates.empty(); --wanted) {
      const auto at = static_cast<std::ptrdiff_t>(world_.random().below(candidates.size()));
      owners.push_back(candidates[static_cast<std::size_t>(at)]);
      references.add(reference(nodes_[owners.back()], world_.random().below(2) == 0));
      candidates.erase(candidates.begin() + at);
    }
    create(std::move(owners), std::move(references).build(), false);
  }

  void make_dangling() {
    Node stranger;
    stranger.name = "stranger";
    stranger.uid = world_.random().uuid();
    create({}, Value::array({reference(stranger, true)}), true);
  }

  // Two that own each other; when one is deleted, both go.
  void make_circle() {
    const std::size_t first = create({}, Value::array(), false);
    if (first >= nodes_.size()) return;
    const std::size_t second = create({first}, Value::array({reference(nodes_[first], true)}), false);
    if (second >= nodes_.size()) return;
    nodes_[first].owners.push_back(second);
    world_.patch(
        kube::resources::config_maps(), {"default", nodes_[first].name},
        Value::object(
            {{"metadata", Value::object({{"ownerReferences", Value::array({reference(nodes_[second], true)})}})}}));
  }

  void remove() {
    const std::vector<std::size_t> candidates = living();
    if (candidates.empty()) return;
    Node& node = nodes_[candidates[world_.random().below(candidates.size())]];
    node.deleted = kPolicies.at(world_.random().below(kPolicies.size()));
    node.deleted_at = now();
    world_.journal().note("user", "ACTION", node.name + " " + node.deleted);
    world_.remove(kube::resources::config_maps(), {"default", node.name}, node.deleted);
  }

  void let_go() { let_go_of_one(); }

  // Other finalizers may stand beside ours, so the version is the lock.
  bool let_go_of_one() {
    world_.invariants().drain();
    for (const auto& [key, object] : world_.invariants().objects()) {
      if (!object.has_finalizer(kOwnersHold)) continue;
      const Result<kube::Object> live =
          world_.user().get(world_.context(), kube::resources::config_maps(), object.key());
      if (!live.ok() || !live->has_finalizer(kOwnersHold)) return true;
      const Value patch = Value::object(
          {{"metadata",
            Value::object({{"resourceVersion", live->resource_version()},
                           {"finalizers", live->without_finalizer(kOwnersHold).metadata()["finalizers"]}})}});
      world_.user()
          .patch(world_.context(), kube::resources::config_maps(), object.key(), kube::PatchType::Merge, patch)
          .ignore("a lost race is tried again");
      return true;
    }
    return false;
  }

  World& world_;
  std::vector<Node> nodes_;
};

}  // namespace

std::unique_ptr<Play> make_owners_play(World& world) {
  return std::make_unique<OwnersPlay>(world);
}

}  // namespace coracle::sim
