#include <map>
#include <set>
#include <utility>

#include "base/files.h"
#include "kube/apply/owner_set.h"
#include "kube/client/resources.h"
#include "tests/sim/scenarios.h"

namespace coracle::sim {
namespace {

constexpr unsigned kFiles = 3;
constexpr unsigned kObjectsPerFile = 4;

// People edit the manifests folder: files come, change, break, and go.
class ManifestsPlay : public Play {
 public:
  explicit ManifestsPlay(World& world) : world_(world) {}

  void act() override {
    static constexpr Action<ManifestsPlay> kActions[] = {
        {"write a file", 6, &ManifestsPlay::write_file},
        {"break a file", 1, &ManifestsPlay::break_file},
        {"remove a file", 1, &ManifestsPlay::remove_file},
        {"change an object by hand", 1, &ManifestsPlay::disturb},
    };
    run_some_action<ManifestsPlay>(*this, world_, kActions);
  }

  // A broken file stays broken for ever, so the last word is a good one.
  void finish() override {
    for (const std::string& name : std::set<std::string>(broken_)) write(name, files_[name]);
  }

  std::string problem() const override {
    for (const auto& [name, objects] : files_) {
      for (const auto& [object, value] : objects) {
        const kube::Object* live = world_.invariants().find(kind_of(object), "default", object);
        if (live == nullptr) return "file " + name + ": " + object + " is missing";
        if (live->label("value") != value) return "file " + name + ": " + object + " is not " + value;
        if (owner_of(*live) != name) return object + " does not belong to " + name;
      }
      for (const auto& [key, live] : world_.invariants().objects()) {
        if (owner_of(live) != name) continue;
        if (!objects.contains(std::string(live.name()))) return key + " is left over from file " + name;
      }
    }
    return {};
  }

 private:
  using Objects = std::map<std::string, std::string>;  // name and value

  static std::string owner_of(const kube::Object& object) {
    if (!object.has_label(kube::kOwnerHashLabel)) return {};
    return std::string(object.annotation("objectset.rio.cattle.io/owner-name"));
  }

  // Two kinds, so that a kind can come into a file and leave it.
  static std::string kind_of(const std::string& object) { return object.ends_with("-0") ? "Secret" : "ConfigMap"; }

  static std::string path(const std::string& name) { return join_path(kManifests, name + ".yaml"); }
  std::string some_file() { return "file" + std::to_string(world_.random().below(kFiles)); }

  void write_file() {
    const std::string name = some_file();
    Objects objects;
    for (unsigned i = 0; i < kObjectsPerFile; ++i) {
      if (world_.random().below(2) == 0) continue;
      objects[name + "-" + std::to_string(i)] = "v" + std::to_string(world_.random().below(3));
    }
    write(name, objects);
  }

  void write(const std::string& name, const Objects& objects) {
    std::string text;
    std::set<std::string> ids;
    for (const auto& [object, value] : objects) {
      text += "---\n{apiVersion: v1, kind: " + kind_of(object) + ", metadata: {name: " + object +
              ", namespace: default, labels: {value: " + value + "}}}\n";
      ids.insert(object_id(kind_of(object), "default", object));
    }
    store(name, text);
    world_.sources().set("manifests/" + name, ids);
    files_[name] = objects;
    broken_.erase(name);
  }

  void store(const std::string& name, const std::string& text) {
    const Result<void> written = world_.files().write_file_atomic(path(name), text, 0600);
    if (!written.ok()) world_.journal().fail("user-request", written.error().message());
  }

  void break_file() {
    const std::string name = some_file();
    if (!files_.contains(name)) return;
    store(name, "kind: [unfinished");
    broken_.insert(name);
  }

  // As in k3s, what the file had brought stays.
  void remove_file() {
    const std::string name = some_file();
    if (!files_.contains(name)) return;
    world_.files().remove_file(path(name)).ignore("a broken file may be gone already");
    files_.erase(name);
    broken_.erase(name);
  }

  // Fields that the file does not name are the user's own.
  void disturb() {
    if (files_.empty() || files_.begin()->second.empty()) return;
    world_.patch(kube::resources::config_maps(), {"default", files_.begin()->second.rbegin()->first},
                 Value::object({{"data", Value::object({{"mine", "kept"}})}}));
  }

  World& world_;
  std::map<std::string, Objects> files_;
  std::set<std::string> broken_;  // whose last good content is desired no longer, but not undone either
};

}  // namespace

std::unique_ptr<Play> make_manifests_play(World& world) {
  return std::make_unique<ManifestsPlay>(world);
}

}  // namespace coracle::sim
