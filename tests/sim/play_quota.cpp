#include <utility>

#include "kube/client/resources.h"
#include "kube/object/quantity.h"
#include "tests/sim/scenarios.h"

namespace coracle::sim {
namespace {

constexpr std::int64_t kMostMaps = 4;
constexpr unsigned kMapNames = 8;

// People make and delete more objects than a quota allows.
class QuotaPlay : public Play {
 public:
  explicit QuotaPlay(World& world) : world_(world) {}

  void prepare() override {
    world_.apply("{apiVersion: v1, kind: Namespace, metadata: {name: limited}}");
    set_limit(kMostMaps);
  }

  void act() override {
    static constexpr Action<QuotaPlay> kActions[] = {
        {"make an object", 8, &QuotaPlay::make},
        {"delete an object", 5, &QuotaPlay::remove},
        {"change the limit", 1, &QuotaPlay::change_limit},
        {"meddle with the status", 1, &QuotaPlay::meddle},
    };
    run_some_action<QuotaPlay>(*this, world_, kActions);
  }

  std::string problem() const override {
    const std::int64_t maps = count();
    const kube::Object* quota = world_.invariants().find("ResourceQuota", "limited", "maps");
    if (quota == nullptr) return "the quota is missing";
    const Value& status = (*quota)["status"];
    if (status["hard"] != (*quota)["spec"]["hard"]) return "the quota's limit is not in its status";
    const std::string counted(status["used"]["configmaps"].as_string());
    return counted == std::to_string(maps) ? "" : "the quota says " + counted + " of " + std::to_string(maps);
  }

 private:
  std::int64_t count() const {
    std::int64_t maps = 0;
    for (const auto& [key, object] : world_.invariants().objects()) {
      if (object.kind() == "ConfigMap" && object.namespace_() == "limited") ++maps;
    }
    return maps;
  }

  std::string some_map() { return "m" + std::to_string(world_.random().below(kMapNames)); }

  void set_limit(std::int64_t limit) {
    limit_ = limit;
    world_.apply(
        "{apiVersion: v1, kind: ResourceQuota, metadata: {name: maps, namespace: limited}, "
        "spec: {hard: {configmaps: '" +
        std::to_string(limit) + "'}}}");
  }

  void make() {
    const kube::Object map(
        Value::object({{"apiVersion", "v1"},
                       {"kind", "ConfigMap"},
                       {"metadata", Value::object({{"name", some_map()}, {"namespace", "limited"}})}}));
    world_.invariants().drain();
    const std::int64_t before = count();
    const Result<kube::Object> made = world_.user().create(world_.context(), kube::resources::config_maps(), map);
    if (made.ok() && before >= limit_) {
      world_.journal().fail("user-request", "the quota let in one more than " + std::to_string(limit_));
    }
    if (made.ok()) return;
    const Reason reason = made.error().reason();
    if (reason == Reason::Forbidden || reason == Reason::AlreadyExists || reason == Reason::Conflict) return;
    world_.journal().fail("user-request", made.error().message());
  }

  void remove() { world_.remove(kube::resources::config_maps(), {"limited", some_map()}, "Background"); }
  void change_limit() { set_limit(1 + static_cast<std::int64_t>(world_.random().below(kMostMaps))); }

  void meddle() {
    const Value patch = Value::object({{"status", Value::object({{"used", Value::object({{"configmaps", "9"}})}})}});
    const Result<kube::Object> patched =
        world_.user().patch(world_.context(), kube::resources::resource_quotas(), {"limited", "maps"},
                            kube::PatchType::Merge, patch, {}, "status");
    if (!patched.ok()) world_.journal().fail("user-request", patched.error().message());
  }

  World& world_;
  std::int64_t limit_ = 0;
};

}  // namespace

std::unique_ptr<Play> make_quota_play(World& world) {
  return std::make_unique<QuotaPlay>(world);
}

}  // namespace coracle::sim
