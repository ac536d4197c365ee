#include "tests/sim/scenarios.h"

namespace coracle::sim {
namespace {

// All plays at once, on one cluster.
class EverythingPlay : public Play {
 public:
  explicit EverythingPlay(World& world) : world_(world) {
    for (const auto make : {make_manifests_play, make_namespaces_play, make_owners_play, make_git_play, make_helm_play,
                            make_roles_play, make_storage_play, make_quota_play}) {
      plays_.push_back(make(world));
    }
  }

  void prepare() override {
    for (const auto& play : plays_) play->prepare();
  }
  void act() override { plays_[world_.random().below(plays_.size())]->act(); }
  void finish() override {
    for (const auto& play : plays_) play->finish();
  }
  std::string problem() const override {
    for (const auto& play : plays_) {
      if (std::string problem = play->problem(); !problem.empty()) return problem;
    }
    return {};
  }

 private:
  World& world_;
  std::vector<std::unique_ptr<Play>> plays_;
};

std::unique_ptr<Play> make_everything_play(World& world) {
  return std::make_unique<EverythingPlay>(world);
}

const Scenario kScenarios[] = {
    {"manifests", {"manifests", "garbage-collector", "service-account", "root-ca"}, 12, make_manifests_play},
    {"namespaces", {"namespace", "service-account", "root-ca", "garbage-collector"}, 20, make_namespaces_play},
    {"owners", {"garbage-collector"}, 24, make_owners_play},
    {"git", {"git", "namespace", "service-account", "root-ca", "garbage-collector"}, 14, make_git_play},
    {"helm", {"helm", "garbage-collector"}, 12, make_helm_play},
    {"roles", {"aggregation", "garbage-collector"}, 14, make_roles_play},
    {"storage", {"storage-protection", "service-account"}, 30, make_storage_play},
    {"quota", {"resource-quota", "namespace", "root-ca"}, 30, make_quota_play},
    {"everything",
     {"manifests", "namespace", "service-account", "root-ca", "garbage-collector", "git", "helm", "aggregation",
      "storage-protection", "resource-quota"},
     60,
     make_everything_play},
};

}  // namespace

std::span<const Scenario> scenarios() {
  return kScenarios;
}

const Scenario* find_scenario(std::string_view name) {
  for (const Scenario& scenario : scenarios()) {
    if (scenario.name == name) return &scenario;
  }
  return nullptr;
}

std::string config_map_yaml(std::string_view ns, std::string_view name, std::string_view value) {
  return "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + std::string(name) +
         "\n  namespace: " + std::string(ns) + "\ndata:\n  value: " + std::string(value) + "\n";
}

}  // namespace coracle::sim
