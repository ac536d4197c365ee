#include <array>
#include <set>
#include <utility>

#include "kube/client/resources.h"
#include "tests/sim/scenarios.h"

namespace coracle::sim {
namespace {

struct ChartVersion {
  std::string_view version;
  std::set<std::string> objects;
};
const std::array<ChartVersion, 3> kChartVersions = {{
    {"1.0.0", {"demo-main", "demo-old"}},
    {"1.1.0", {"demo-main", "demo-new"}},
    {"2.0.0", {"demo-main"}},
}};

std::string chart_template(const std::string& name) {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\ndata:\n  value: {{ .Values.value }}\n";
}

// People install a chart, change its values and its version, and take it away.
class HelmPlay : public Play {
 public:
  explicit HelmPlay(World& world) : world_(world) {}

  void prepare() override {
    for (const ChartVersion& version : kChartVersions) {
      std::map<std::string, std::string> files;
      files["Chart.yaml"] = "apiVersion: v2\nname: demo\nversion: " + std::string(version.version) + "\n";
      files["values.yaml"] = "value: none\n";
      for (const std::string& object : version.objects) files["templates/" + object + ".yaml"] = chart_template(object);
      world_.charts().publish(std::string(version.version), files);
    }
    install();
  }

  void act() override {
    static constexpr Action<HelmPlay> kActions[] = {
        {"install or upgrade", 6, &HelmPlay::install},
        {"ask for a version that is not there", 1, &HelmPlay::ask_for_nothing},
        {"delete the HelmChart", 2, &HelmPlay::remove},
    };
    run_some_action<HelmPlay>(*this, world_, kActions);
  }

  void finish() override {
    if (there_ && version_ == nullptr) install();
  }

  std::string problem() const override {
    const Invariants& state = world_.invariants();
    const std::set<std::string> wanted = there_ ? version_->objects : std::set<std::string>();
    for (const auto& [key, object] : state.objects()) {
      if (object.annotation("meta.helm.sh/release-name") != "demo") continue;
      if (!wanted.contains(std::string(object.name()))) return key + " is left over";
    }
    for (const std::string& name : wanted) {
      const kube::Object* live = state.find("ConfigMap", "default", name);
      if (live == nullptr) return name + " is missing";
      if ((*live)["data"]["value"].as_string() != value_) return name + " is not " + value_;
    }
    if (!there_ && state.find("HelmChart", "kube-system", "demo") != nullptr) return "the HelmChart is still there";
    return problem_of_records();
  }

 private:
  std::string problem_of_records() const {
    std::size_t deployed = 0;
    for (const auto& [key, object] : world_.invariants().objects()) {
      if (object["type"].as_string() != "helm.sh/release.v1") continue;
      if (!there_) return key + " is left over";
      const std::string_view status = object.label("status");
      if (status.starts_with("pending") || status == "uninstalling") return key + " is " + std::string(status);
      if (status == "deployed") ++deployed;
    }
    return deployed == (there_ ? 1U : 0U) ? "" : std::to_string(deployed) + " records are deployed";
  }

  void write(std::string_view version) {
    std::set<std::string> ids;
    if (version_ != nullptr) {
      for (const std::string& object : version_->objects) ids.insert(object_id("ConfigMap", "default", object));
      world_.sources().set("helm/default/demo", ids);
    }
    world_.apply(
        "{apiVersion: helm.cattle.io/v1, kind: HelmChart, metadata: {name: demo, namespace: kube-system}, spec: "
        "{chart: demo, repo: 'https://charts.example.com', version: " +
        std::string(version) + ", targetNamespace: default, valuesContent: 'value: " + value_ + "'}}");
  }

  void install() {
    world_.invariants().drain();
    // One that is still going cannot be had back.
    const kube::Object* live = world_.invariants().find("HelmChart", "kube-system", "demo");
    if (!there_ && live != nullptr) return;
    there_ = true;
    version_ = &kChartVersions.at(world_.random().below(kChartVersions.size()));
    value_ = "v" + std::to_string(world_.random().below(3));
    write(version_->version);
  }

  // What was installed before stays.
  void ask_for_nothing() {
    if (!there_) return;
    version_ = nullptr;
    write("9.9.9");
  }

  void remove() {
    if (!there_) return;
    there_ = false;
    world_.sources().set("helm/default/demo", {});
    world_.remove(kube::resources::helm_charts(), {"kube-system", "demo"}, "Background");
  }

  World& world_;
  bool there_ = false;
  const ChartVersion* version_ = nullptr;  // null: one that does not exist
  std::string value_;
};

}  // namespace

std::unique_ptr<Play> make_helm_play(World& world) {
  return std::make_unique<HelmPlay>(world);
}

}  // namespace coracle::sim
