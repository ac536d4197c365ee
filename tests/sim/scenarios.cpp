#include "tests/sim/scenarios.h"

namespace coracle::sim {
namespace {

const Scenario kScenarios[] = {
    {"manifests", {"manifests", "garbage-collector", "service-account", "root-ca"}, 12, make_manifests_play},
    {"namespaces", {"namespace", "service-account", "root-ca", "garbage-collector"}, 20, make_namespaces_play},
    {"owners", {"garbage-collector"}, 24, make_owners_play},
    {"git", {"git", "namespace", "service-account", "root-ca", "garbage-collector"}, 14, make_git_play},
    {"helm", {"helm", "garbage-collector"}, 12, make_helm_play},
    {"roles", {"aggregation", "garbage-collector"}, 14, make_roles_play},
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
