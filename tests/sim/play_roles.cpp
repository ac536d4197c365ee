#include <set>
#include <utility>

#include "kube/client/resources.h"
#include "tests/sim/scenarios.h"

namespace coracle::sim {
namespace {

constexpr unsigned kRoles = 4;
constexpr std::string_view kSum = "sim-sum";

// People add, change and remove roles that another one sums up.
class RolesPlay : public Play {
 public:
  explicit RolesPlay(World& world) : world_(world) {}

  void prepare() override {
    world_.apply(
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: sim-sum}, "
        "aggregationRule: {clusterRoleSelectors: [{matchLabels: {sim: part}}]}, rules: []}");
  }

  void act() override {
    static constexpr Action<RolesPlay> kActions[] = {
        {"write a role", 5, &RolesPlay::write},
        {"remove a role", 2, &RolesPlay::remove},
        {"meddle with the sum", 1, &RolesPlay::meddle},
    };
    run_some_action<RolesPlay>(*this, world_, kActions);
  }

  std::string problem() const override {
    const kube::Object* sum = world_.invariants().find("ClusterRole", "", kSum);
    if (sum == nullptr) return "the summing role is missing";
    std::set<std::string> verbs;
    for (const Value& rule : (*sum)["rules"].items()) verbs.emplace(rule["verbs"].at(0).as_string());
    std::set<std::string> wanted;
    for (const auto& [name, verb] : roles_) wanted.insert(verb);
    return verbs == wanted ? "" : "the sum has " + std::to_string(verbs.size()) + " verbs, not those of its parts";
  }

 private:
  std::string some_role() { return "sim-part" + std::to_string(world_.random().below(kRoles)); }

  void write() {
    const std::string name = some_role();
    const std::string verb = "verb" + std::to_string(world_.random().below(3));
    world_.apply("{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: " + name +
                 ", labels: {sim: part}}, rules: [{apiGroups: [''], resources: [configmaps], verbs: [" + verb + "]}]}");
    roles_[name] = verb;
  }

  void remove() {
    const std::string name = some_role();
    if (roles_.erase(name) > 0) world_.remove(kube::resources::cluster_roles(), {"", name}, "Background");
  }

  void meddle() {
    world_.patch(kube::resources::cluster_roles(), {"", std::string(kSum)}, Value::object({{"rules", Value::array()}}));
  }

  World& world_;
  std::map<std::string, std::string> roles_;
};

}  // namespace

std::unique_ptr<Play> make_roles_play(World& world) {
  return std::make_unique<RolesPlay>(world);
}

}  // namespace coracle::sim
