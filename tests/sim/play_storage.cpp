#include <algorithm>
#include <map>
#include <utility>

#include "kube/client/resources.h"
#include "tests/sim/scenarios.h"

namespace coracle::sim {
namespace {

constexpr unsigned kClaims = 4;
constexpr unsigned kStoragePods = 6;
constexpr unsigned kVolumes = 3;
constexpr unsigned kClasses = 2;

// People make claims, volumes and classes of volume attributes, use them, and delete them while they are in use and
// afterwards.
class StoragePlay : public Play {
 public:
  explicit StoragePlay(World& world) : world_(world) {}

  void act() override {
    static constexpr Action<StoragePlay> kActions[] = {
        {"make a claim", 4, &StoragePlay::make_claim},       {"make a pod", 6, &StoragePlay::make_pod},
        {"delete a claim", 3, &StoragePlay::remove_claim},   {"delete a pod", 4, &StoragePlay::remove_pod},
        {"make a volume", 2, &StoragePlay::make_volume},     {"bind or free a volume", 3, &StoragePlay::bind},
        {"delete a volume", 2, &StoragePlay::remove_volume}, {"make a class", 2, &StoragePlay::make_class},
        {"delete a class", 2, &StoragePlay::remove_class},
    };
    run_some_action<StoragePlay>(*this, world_, kActions);
  }

  std::string problem() const override {
    for (const auto& [name, claim] : claims_) {
      const kube::Object* object = state().find("PersistentVolumeClaim", "default", name);
      if (std::string found = problem_of(object, claim.deleted, is_claim_used(name)); !found.empty()) {
        return "claim " + name + found;
      }
    }
    for (const auto& [name, volume] : volumes_) {
      const kube::Object* object = state().find("PersistentVolume", "", name);
      if (std::string found = problem_of(object, volume.deleted, volume.bound); !found.empty()) {
        return "volume " + name + found;
      }
    }
    for (const auto& [name, deleted] : classes_) {
      const kube::Object* object = state().find("VolumeAttributesClass", "", name);
      if (std::string found = problem_of(object, deleted, is_class_used(name)); !found.empty()) {
        return "class " + name + found;
      }
    }
    return {};
  }

 private:
  struct Claim {
    bool deleted = false;
    std::string attributes_class;
  };
  struct Volume {
    bool deleted = false;
    bool bound = false;
  };

  static std::string problem_of(const kube::Object* object, bool deleted, bool used) {
    if (deleted && !used) return object == nullptr ? "" : " should be gone";
    if (object == nullptr) return " should be there";
    if (object->deleting() != deleted) return " is going, or is not";
    return object->metadata()["finalizers"].size() == 1 ? "" : " is not protected";
  }

  const Invariants& state() const { return world_.invariants(); }
  std::string some(const char* prefix, unsigned count) { return prefix + std::to_string(world_.random().below(count)); }
  bool is_there(std::string_view kind, std::string_view ns, const std::string& name) {
    world_.invariants().drain();
    return state().find(kind, ns, name) != nullptr;
  }

  bool is_claim_used(const std::string& name) const {
    return std::any_of(pods_.begin(), pods_.end(), [&](const auto& pod) { return pod.second == name; });
  }
  bool is_class_used(const std::string& name) const {
    return std::any_of(claims_.begin(), claims_.end(), [&](const auto& each) {
      const Claim& claim = each.second;
      return claim.attributes_class == name && (!claim.deleted || is_claim_used(each.first));
    });
  }

  // A class that nobody wants any more is not named again: it may be gone before.
  void make_claim() {
    const std::string name = some("c", kClaims);
    if (is_there("PersistentVolumeClaim", "default", name)) return;
    std::string attributes_class = some("a", kClasses);
    const auto found = classes_.find(attributes_class);
    if (found == classes_.end() || found->second) attributes_class.clear();
    const std::string line = attributes_class.empty() ? "" : ", volumeAttributesClassName: " + attributes_class;
    world_.apply("{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: " + name +
                 ", namespace: default}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}" +
                 line + "}}");
    claims_[name] = {false, attributes_class};
  }

  // Scheduled already, and gone at once when it is deleted.
  void make_pod() {
    const std::string name = some("p", kStoragePods);
    const std::string claim = some("c", kClaims);
    const auto found = claims_.find(claim);
    if (pods_.contains(name) || found == claims_.end() || found->second.deleted) return;
    if (!is_there("ServiceAccount", "default", "default")) return;
    world_.apply("{apiVersion: v1, kind: Pod, metadata: {name: " + name +
                 ", namespace: default}, spec: {nodeName: n1, terminationGracePeriodSeconds: 0, "
                 "containers: [{name: main, image: example.com/none}], "
                 "volumes: [{name: data, persistentVolumeClaim: {claimName: " +
                 claim + "}}]}}");
    pods_[name] = claim;
  }

  void remove_claim() {
    const std::string name = some("c", kClaims);
    if (!claims_.contains(name)) return;
    claims_[name].deleted = true;
    world_.remove(kube::resources::persistent_volume_claims(), {"default", name}, "Background");
  }

  void remove_pod() {
    const std::string name = some("p", kStoragePods);
    if (pods_.erase(name) > 0) world_.remove(kube::resources::pods(), {"default", name}, "Background");
  }

  void make_volume() {
    const std::string name = some("v", kVolumes);
    if (is_there("PersistentVolume", "", name)) return;
    world_.apply("{apiVersion: v1, kind: PersistentVolume, metadata: {name: " + name +
                 "}, spec: {accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}, hostPath: {path: /none}}}");
    volumes_[name] = {};
  }

  // A volume that nobody wants any more is not bound again: it may be gone before.
  void bind() {
    const std::string name = some("v", kVolumes);
    const auto found = volumes_.find(name);
    if (found == volumes_.end() || (found->second.deleted && !found->second.bound)) return;
    found->second.bound = !found->second.bound;
    const Value status = Value::object({{"phase", found->second.bound ? "Bound" : "Released"}});
    const Result<kube::Object> patched =
        world_.user().patch(world_.context(), kube::resources::persistent_volumes(), {"", name}, kube::PatchType::Merge,
                            Value::object({{"status", status}}), {}, "status");
    if (!patched.ok()) world_.journal().fail("user-request", patched.error().message());
  }

  void remove_volume() {
    const std::string name = some("v", kVolumes);
    if (!volumes_.contains(name)) return;
    volumes_[name].deleted = true;
    world_.remove(kube::resources::persistent_volumes(), {"", name}, "Background");
  }

  void make_class() {
    const std::string name = some("a", kClasses);
    if (is_there("VolumeAttributesClass", "", name)) return;
    world_.apply("{apiVersion: storage.k8s.io/v1, kind: VolumeAttributesClass, metadata: {name: " + name +
                 "}, driverName: csi.example.com, parameters: {iops: '100'}}");
    classes_[name] = false;
  }

  void remove_class() {
    const std::string name = some("a", kClasses);
    if (!classes_.contains(name)) return;
    classes_[name] = true;
    world_.remove(kube::resources::volume_attributes_classes(), {"", name}, "Background");
  }

  World& world_;
  std::map<std::string, Claim> claims_;
  std::map<std::string, std::string> pods_;  // the claim that each uses
  std::map<std::string, Volume> volumes_;
  std::map<std::string, bool> classes_;  // deleted?
};

}  // namespace

std::unique_ptr<Play> make_storage_play(World& world) {
  return std::make_unique<StoragePlay>(world);
}

}  // namespace coracle::sim
