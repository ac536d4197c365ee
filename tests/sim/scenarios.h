#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/world.h"

namespace coracle::sim {

// What a scenario's people do, and what they then expect to see. Actions are drawn by the world's
// random sequence.
class Play {
 public:
  virtual ~Play() = default;
  // Before the first action.
  virtual void prepare() {}
  virtual void act() = 0;
  // After the last one: what holds things up is let go.
  virtual void finish() {}
  // What differs from what should be; empty when all is as desired.
  virtual std::string problem() const = 0;
};

struct Scenario {
  std::string_view name;
  std::vector<std::string_view> components;
  unsigned actions;
  std::unique_ptr<Play> (*make)(World& world);
};

std::span<const Scenario> scenarios();
const Scenario* find_scenario(std::string_view name);

// One thing that may be done, as often as its weight says.
template <class P>
struct Action {
  std::string_view name;
  unsigned weight;
  void (P::*run)();
};

template <class P>
void run_some_action(P& play, World& world, std::span<const Action<P>> actions) {
  std::uint64_t total = 0;
  for (const Action<P>& action : actions) total += action.weight;
  std::uint64_t draw = world.random().below(total);
  for (const Action<P>& action : actions) {
    if (draw >= action.weight) {
      draw -= action.weight;
      continue;
    }
    world.journal().note("user", "ACTION", action.name);
    (play.*action.run)();
    return;
  }
}

std::unique_ptr<Play> make_manifests_play(World& world);
std::unique_ptr<Play> make_git_play(World& world);
std::unique_ptr<Play> make_namespaces_play(World& world);
std::unique_ptr<Play> make_owners_play(World& world);
std::unique_ptr<Play> make_helm_play(World& world);
std::unique_ptr<Play> make_roles_play(World& world);
std::unique_ptr<Play> make_storage_play(World& world);
std::unique_ptr<Play> make_quota_play(World& world);

// A ConfigMap's manifest, a document of its own.
std::string config_map_yaml(std::string_view ns, std::string_view name, std::string_view value);

}  // namespace coracle::sim
