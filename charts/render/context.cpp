#include "charts/render/context.h"

#include <algorithm>
#include <array>

#include "charts/semver.h"
#include "charts/template/methods.h"
#include "charts/values.h"

namespace coracle::charts {
namespace {

// .Capabilities: a pointer to a struct, so that its JSON and its errors are those of Helm.
class CapabilitiesObject final : public GoObject {
 public:
  CapabilitiesObject(GoValue kube_version, GoValue api_versions, GoValue helm_version)
      : kube_version_(std::move(kube_version)),
        api_versions_(std::move(api_versions)),
        helm_version_(std::move(helm_version)) {}

  std::string type_name() const override { return "*common.Capabilities"; }
  std::string_view kind_name() const override { return "ptr"; }
  const GoValue* field(std::string_view name) const override {
    if (name == "KubeVersion") return &kube_version_;
    if (name == "APIVersions") return &api_versions_;
    if (name == "HelmVersion") return &helm_version_;
    return nullptr;
  }
  std::string print() const override { return "&{" + kube_version_.as_object().print() + "}"; }
  Result<Value> to_value() const override {
    ASSIGN_OR_RETURN(Value kube, kube_version_.to_value());
    ASSIGN_OR_RETURN(Value versions, api_versions_.to_value());
    ASSIGN_OR_RETURN(Value helm, helm_version_.to_value());
    return Value::object({{"KubeVersion", kube}, {"APIVersions", versions}, {"HelmVersion", helm}});
  }

 private:
  GoValue kube_version_;
  GoValue api_versions_;
  GoValue helm_version_;
};

class KubeVersionObject final : public GoObject {
 public:
  explicit KubeVersionObject(const std::string& version) {
    const auto parsed = Version::parse(version);
    const Version parts = parsed.ok() ? *parsed : Version();
    version_ = GoValue::string(version);
    major_ = GoValue::string(std::to_string(parts.major));
    minor_ = GoValue::string(std::to_string(parts.minor));
  }

  std::string type_name() const override { return "common.KubeVersion"; }
  const GoValue* field(std::string_view name) const override {
    if (name == "Version") return &version_;
    if (name == "Major") return &major_;
    if (name == "Minor") return &minor_;
    return nullptr;
  }
  // GitVersion is what charts of Helm 2 asked for.
  bool has_method(std::string_view name) const override { return name == "GitVersion" || name == "String"; }
  Result<GoValue> call(std::string_view, std::span<const GoValue>) const override { return version_; }
  std::string print() const override { return version_.text(); }
  Result<Value> to_value() const override {
    return Value::object({{"Version", version_.text()}, {"Major", major_.text()}, {"Minor", minor_.text()}});
  }

 private:
  GoValue version_;
  GoValue major_;
  GoValue minor_;
};

GoValue make_capabilities(const Capabilities& capabilities) {
  auto versions = std::make_shared<GoList>();
  versions->element = ElementType::String;
  versions->version_set = true;
  for (const std::string& version : capabilities.api_versions) versions->items.push_back(GoValue::string(version));
  const GoValue empty = GoValue::string("");
  GoValue helm =
      GoValue::object(make_struct("version.BuildInfo", {{"Version", GoValue::string(capabilities.helm_version)},
                                                        {"GitCommit", empty},
                                                        {"GitTreeState", empty},
                                                        {"GoVersion", empty},
                                                        {"KubeClientVersion", empty}}));
  return GoValue::object(std::make_shared<CapabilitiesObject>(
      GoValue::object(std::make_shared<KubeVersionObject>(capabilities.kube_version)),
      GoValue::list(std::move(versions)), std::move(helm)));
}

GoValue text_or_empty(const Value& value) {
  return GoValue::string(scalar_text(value));
}

GoValue list_or_empty(const Value& value) {
  return value.is_array() ? GoValue::from_value(value) : GoValue::list();
}

GoValue string_map(const Value& value) {
  auto dict = std::make_shared<GoDict>();
  dict->named = GoDict::Named::StringMap;
  for (const auto& [key, item] : value.members()) {
    dict->set(key, text_or_empty(item));
  }
  return GoValue::dict(std::move(dict));
}

struct FieldName {
  std::string_view go;
  std::string_view json;
};

GoValue text_fields(const Value& source, std::span<const FieldName> names) {
  auto dict = std::make_shared<GoDict>();
  for (const FieldName& name : names) dict->set(name.go, text_or_empty(source[name.json]));
  return GoValue::dict(std::move(dict));
}

GoValue make_maintainers(const Value& maintainers) {
  constexpr std::array<FieldName, 3> kFields = {{{"Name", "name"}, {"Email", "email"}, {"URL", "url"}}};
  std::vector<GoValue> items;
  for (const Value& maintainer : maintainers.items()) items.push_back(text_fields(maintainer, kFields));
  return GoValue::list(std::move(items));
}

GoValue make_dependencies(const Value& dependencies) {
  constexpr std::array<FieldName, 5> kFields = {{{"Name", "name"},
                                                 {"Version", "version"},
                                                 {"Repository", "repository"},
                                                 {"Condition", "condition"},
                                                 {"Alias", "alias"}}};
  std::vector<GoValue> items;
  for (const Value& dependency : dependencies.items()) {
    GoValue item = text_fields(dependency, kFields);
    item.as_dict().set("Tags", list_or_empty(dependency["tags"]));
    item.as_dict().set("ImportValues", list_or_empty(dependency["import-values"]));
    item.as_dict().set("Enabled", GoValue::boolean(dependency["enabled"].as_bool()));
    items.push_back(std::move(item));
  }
  return GoValue::list(std::move(items));
}

// .Chart: Chart.yaml under the names of Helm's Go struct.
GoValue make_chart(const Chart& chart, bool is_root) {
  constexpr std::array<FieldName, 11> kFields = {{{"Name", "name"},
                                                  {"Home", "home"},
                                                  {"Version", "version"},
                                                  {"Description", "description"},
                                                  {"Icon", "icon"},
                                                  {"APIVersion", "apiVersion"},
                                                  {"Condition", "condition"},
                                                  {"Tags", "tags"},
                                                  {"AppVersion", "appVersion"},
                                                  {"KubeVersion", "kubeVersion"},
                                                  {"Type", "type"}}};
  const Value& metadata = chart.metadata;
  GoValue map = text_fields(metadata, kFields);
  GoDict& dict = map.as_dict();
  dict.set("Sources", list_or_empty(metadata["sources"]));
  dict.set("Keywords", list_or_empty(metadata["keywords"]));
  dict.set("Maintainers", make_maintainers(metadata["maintainers"]));
  dict.set("Dependencies", make_dependencies(metadata["dependencies"]));
  dict.set("Deprecated", GoValue::boolean(metadata["deprecated"].as_bool()));
  dict.set("Annotations", string_map(metadata["annotations"]));
  dict.set("IsRoot", GoValue::boolean(is_root));
  return map;
}

GoValue make_release(const ReleaseIdentity& release) {
  GoValue map = GoValue::dict();
  GoDict& dict = map.as_dict();
  dict.set("Name", GoValue::string(release.name));
  dict.set("Namespace", GoValue::string(release.namespace_));
  dict.set("Revision", GoValue::integer(release.revision));
  dict.set("IsInstall", GoValue::boolean(!release.is_upgrade));
  dict.set("IsUpgrade", GoValue::boolean(release.is_upgrade));
  dict.set("Service", GoValue::string("Helm"));
  return map;
}

class Collector {
 public:
  Collector(GoValue release, GoValue capabilities)
      : release_(std::move(release)), capabilities_(std::move(capabilities)) {}

  // Answers the chart's own context, which its parent offers in .Subcharts.
  GoValue visit(const Chart& chart, GoValue values, const std::string& full_path, bool is_root) {
    values = values.is_dict() ? values.as_values() : GoValue::dict().as_values();
    std::map<std::string, std::string, std::less<>> files;
    for (const ChartFile& file : chart.files) files[file.name] = file.data;
    GoValue sub_charts = GoValue::dict();
    GoValue context = GoValue::dict();
    GoDict& dict = context.as_dict();
    dict.set("Chart", make_chart(chart, is_root));
    dict.set("Files", make_files(files));
    dict.set("Release", release_);
    dict.set("Capabilities", capabilities_);
    dict.set("Values", values);
    dict.set("Subcharts", sub_charts);
    for (const auto& dependency : chart.dependencies) {
      const std::string name(dependency->name());
      const GoValue* inner = values.as_dict().find(name);
      sub_charts.as_dict().set(
          name, visit(*dependency, inner != nullptr ? *inner : GoValue(), full_path + "/charts/" + name, false));
    }
    for (const ChartFile& file : chart.templates) {
      const std::string_view base = std::string_view(file.name).substr(file.name.rfind('/') + 1);
      // A library chart only lends its definitions.
      if (chart.is_library() && !base.starts_with('_')) continue;
      templates[full_path + "/" + file.name] = {&file, context, full_path + "/templates"};
    }
    return context;
  }

  std::map<std::string, Renderable> templates;

 private:
  GoValue release_;
  GoValue capabilities_;
};

}  // namespace

std::map<std::string, Renderable> collect_templates(const Chart& chart, const Value& values,
                                                    const ReleaseIdentity& release, const Capabilities& capabilities) {
  Collector collector(make_release(release), make_capabilities(capabilities));
  collector.visit(chart, GoValue::from_value(values), std::string(chart.name()), true);
  return std::move(collector.templates);
}

std::vector<std::string> execution_order(const std::map<std::string, Renderable>& templates) {
  std::vector<std::string> names;
  for (const auto& [name, renderable] : templates) names.push_back(name);
  const auto depth = [](const std::string& name) { return std::count(name.begin(), name.end(), '/'); };
  std::sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return depth(a) != depth(b) ? depth(a) > depth(b) : a > b;
  });
  return names;
}

}  // namespace coracle::charts
