#include <array>
#include <set>
#include <utility>

#include "kube/client/resources.h"
#include "tests/sim/scenarios.h"

namespace coracle::sim {
namespace {

constexpr unsigned kNamespaces = 3;
constexpr unsigned kNames = 3;
constexpr std::string_view kHold = "sim.example.com/hold";

struct ContentKind {
  std::string_view kind;
  std::string_view resource;
  std::string_view body;  // what stands beside the metadata
};
constexpr std::array<ContentKind, 4> kContent = {{
    {"ConfigMap", "configmaps", "data: {a: b}"},
    {"Secret", "secrets", "stringData: {a: b}"},
    {"Service", "services", "spec: {ports: [{port: 80}]}"},
    {"Pod", "pods", "spec: {containers: [{name: main, image: example.com/none}]}"},
}};

// People make namespaces with content, some of it held by a finalizer, and delete them.
class NamespacesPlay : public Play {
 public:
  explicit NamespacesPlay(World& world) : world_(world) {}

  void act() override {
    static constexpr Action<NamespacesPlay> kActions[] = {
        {"make a namespace", 4, &NamespacesPlay::make},
        {"add content", 8, &NamespacesPlay::add_content},
        {"delete a namespace", 3, &NamespacesPlay::remove},
        {"let go of one object", 2, &NamespacesPlay::let_go},
        {"tamper with what is published", 2, &NamespacesPlay::tamper},
    };
    run_some_action<NamespacesPlay>(*this, world_, kActions);
  }

  void finish() override {
    while (let_go_of_one()) continue;
  }

  std::string problem() const override {
    for (unsigned i = 0; i < kNamespaces; ++i) {
      const std::string ns = name(i);
      const std::string found = live_.contains(ns) ? problem_of_live(ns) : problem_of_gone(ns);
      if (!found.empty()) return found;
    }
    return {};
  }

 private:
  static std::string name(unsigned i) { return "team" + std::to_string(i); }
  std::string some_namespace() { return name(static_cast<unsigned>(world_.random().below(kNamespaces))); }
  const Invariants& state() const { return world_.invariants(); }

  std::string problem_of_live(const std::string& ns) const {
    const kube::Object* object = state().find("Namespace", "", ns);
    if (object == nullptr || object->deleting()) return "namespace " + ns + " is missing or going";
    if (state().find("ServiceAccount", ns, "default") == nullptr) return ns + " has no default account";
    const kube::Object* authority = state().find("ConfigMap", ns, "kube-root-ca.crt");
    if (authority == nullptr || (*authority)["data"].size() != 1 || !(*authority)["data"].contains("ca.crt")) {
      return ns + " has no certificate authority, or another one";
    }
    for (const std::string& id : live_.at(ns)) {
      const std::size_t space = id.find(' ');
      if (state().find(id.substr(0, space), ns, id.substr(space + 1)) == nullptr) return ns + " has lost " + id;
    }
    return {};
  }

  std::string problem_of_gone(const std::string& ns) const {
    if (state().find("Namespace", "", ns) != nullptr) return "namespace " + ns + " is still there";
    for (const auto& [key, object] : state().objects()) {
      if (object.namespace_() == ns) return key + " is left over";
    }
    return {};
  }

  void make() {
    const std::string ns = some_namespace();
    world_.invariants().drain();
    if (live_.contains(ns) || state().find("Namespace", "", ns) != nullptr) return;
    world_.apply("{apiVersion: v1, kind: Namespace, metadata: {name: " + ns + "}}");
    live_[ns];
  }

  void add_content() {
    const std::string ns = some_namespace();
    if (!live_.contains(ns)) return;
    const ContentKind& content = kContent.at(world_.random().below(kContent.size()));
    world_.invariants().drain();
    // The pods' account must be there before them.
    if (content.kind == "Pod" && state().find("ServiceAccount", ns, "default") == nullptr) return;
    const std::string object = "c" + std::to_string(world_.random().below(kNames));
    const std::string id = std::string(content.kind) + " " + object;
    if (live_[ns].contains(id)) return;
    const bool held = world_.random().below(3) == 0;
    world_.apply("{apiVersion: v1, kind: " + std::string(content.kind) + ", metadata: {name: " + object +
                 ", namespace: " + ns + (held ? ", finalizers: [" + std::string(kHold) + "]" : "") + "}, " +
                 std::string(content.body) + "}");
    live_[ns].insert(id);
  }

  void remove() {
    const std::string ns = some_namespace();
    if (live_.erase(ns) == 0) return;
    world_.remove(kube::resources::namespaces(), {"", ns}, "Background");
  }

  void let_go() { let_go_of_one(); }

  bool let_go_of_one() {
    world_.invariants().drain();
    for (const auto& [key, object] : state().objects()) {
      if (!object.has_finalizer(kHold)) continue;
      for (const ContentKind& content : kContent) {
        if (content.kind != object.kind()) continue;
        const kube::ResourceRef resource{{"", "v1", std::string(content.resource)}, std::string(content.kind)};
        world_.patch(resource, object.key(), Value::object({{"metadata", Value::object({{"finalizers", Value()}})}}));
        return true;
      }
    }
    return false;
  }

  void tamper() {
    const std::string ns = some_namespace();
    if (!live_.contains(ns)) return;
    world_.patch(kube::resources::config_maps(), {ns, "kube-root-ca.crt"},
                 Value::object({{"data", Value::object({{"extra", "no"}})}}));
    world_.remove(kube::resources::service_accounts(), {ns, "default"}, "Background");
  }

  World& world_;
  std::map<std::string, std::set<std::string>> live_;  // content by namespace: "Secret c1"
};

}  // namespace

std::unique_ptr<Play> make_namespaces_play(World& world) {
  return std::make_unique<NamespacesPlay>(world);
}

}  // namespace coracle::sim
