#include "tests/sim/scenarios.h"

namespace coracle::sim {
namespace {

const Scenario kScenarios[] = {
    {"manifests", {"manifests", "garbage-collector", "service-account", "root-ca"}, 12, make_manifests_play},
};

}  // namespace

std::span<const Scenario> scenarios() { return kScenarios; }

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
