#include "charts/render.h"

#include <algorithm>

#include "base/text.h"
#include "base/yaml/yaml.h"
#include "charts/render/context.h"
#include "charts/render/manifests.h"
#include "charts/semver.h"
#include "charts/template/evaluator.h"
#include "charts/template/failure.h"
#include "charts/template/parser.h"
#include "charts/template/scope.h"
#include "charts/values.h"

namespace coracle::charts {

namespace {

constexpr std::string_view kNotesSuffix = "NOTES.txt";

// The second part of "template: LOCATION: rest", and the last one.
std::string location_of(std::string_view message) {
  const std::size_t first = message.find(": ");
  if (first == std::string_view::npos) return "";
  const std::size_t second = message.find(": ", first + 2);
  return std::string(message.substr(first + 2, second == std::string_view::npos ? second : second - first - 2));
}

Error parse_failure(const Error& error) {
  const std::string& message = error.message();
  const std::size_t last = message.rfind(": ");
  const std::string what = last == std::string::npos ? message : message.substr(last + 2);
  return bad_request("parse error at (" + location_of(message) + "): " + what);
}

Error execution_failure(const Error& error) {
  const Cause* failure = find_chart_failure(error);
  if (failure == nullptr) return error;
  return bad_request("execution error at (" + location_of(error.message()) + "): " + failure->message)
      .with_causes({*failure});
}

Result<void> parse_all(const std::map<std::string, Renderable>& templates, const std::vector<std::string>& order,
                       TemplateScope& scope) {
  for (const std::string& name : order) {
    auto parsed = parse_template(name, templates.at(name).file->data);
    if (!parsed.ok()) return parse_failure(parsed.error());
    scope.add(std::move(parsed).value());
  }
  return {};
}

Result<std::map<std::string, std::string>> execute_all(std::map<std::string, Renderable>& templates,
                                                       const std::vector<std::string>& order,
                                                       const TemplateScope& scope,
                                                       const TemplateEnvironment& environment) {
  Evaluator evaluator(scope, environment);
  std::map<std::string, std::string> outputs;
  for (const std::string& name : order) {
    if (std::string_view(name).substr(name.rfind('/') + 1).starts_with('_')) continue;
    Renderable& renderable = templates.at(name);
    auto identity = std::make_shared<GoDict>();
    identity->set("Name", GoValue::string(name));
    identity->set("BasePath", GoValue::string(renderable.base_path));
    renderable.context.as_dict().set("Template", GoValue::dict(std::move(identity)).as_values());
    auto output = evaluator.execute(*scope.find(name), renderable.context);
    if (!output.ok()) return execution_failure(output.error());
    remove_no_value(*output);
    outputs[name] = std::move(output).value();
  }
  return outputs;
}

Result<void> check_kube_version(const Chart& chart, const Capabilities& capabilities) {
  const std::string_view wanted = chart.metadata["kubeVersion"].as_string();
  if (wanted.empty()) return {};
  const auto range = VersionRange::parse(wanted);
  const auto version = Version::parse(capabilities.kube_version);
  if (range.ok() && version.ok() && range->contains(*version)) return {};
  return bad_request("chart requires kubeVersion: " + std::string(wanted) + " which is incompatible with Kubernetes " +
                     capabilities.kube_version);
}

// A packaged chart must bring every sub-chart that it names, also the disabled ones.
Result<void> check_dependencies(const Chart& chart) {
  std::vector<std::string_view> missing;
  for (const Value& requirement : chart.metadata["dependencies"].items()) {
    const std::string_view name = requirement["name"].as_string();
    const bool present = std::any_of(chart.dependencies.begin(), chart.dependencies.end(),
                                     [name](const auto& dependency) { return dependency->name() == name; });
    if (!present) missing.push_back(name);
  }
  if (missing.empty()) return {};
  return bad_request("found in Chart.yaml, but missing in charts/ directory: " + join(missing, ", "));
}

bool is_manifest_name(std::string_view name) {
  return name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json");
}

Result<void> collect_crds(const Chart& chart, const std::string& full_path, std::vector<Manifest>& crds) {
  for (const ChartFile& file : chart.files) {
    if (!file.name.starts_with("crds/") || !is_manifest_name(file.name)) continue;
    const std::string source = full_path + "/" + file.name;
    for (std::string& text : split_manifests(file.data)) {
      auto object = yaml::read(text, {.strict = false});
      if (!object.ok()) return object.error().in("YAML parse error on " + source);
      if (object->is_object()) crds.push_back({source, std::move(text), std::move(object).value()});
    }
  }
  for (const auto& dependency : chart.dependencies) {
    TRY(collect_crds(*dependency, full_path + "/charts/" + std::string(dependency->name()), crds));
  }
  return {};
}

}  // namespace

Result<PreparedChart> prepare(const Chart& chart, const Value& values) {
  if (chart.is_library()) return bad_request("library charts are not installable");
  TRY(check_dependencies(chart));
  PreparedChart prepared;
  ASSIGN_OR_RETURN(prepared.chart, process_dependencies(chart, values, &prepared.warnings));
  prepared.values = values;
  TRY(collect_crds(prepared.chart, std::string(prepared.chart.name()), prepared.crds));
  return prepared;
}

Result<Rendering> render_prepared(PreparedChart prepared, const ReleaseIdentity& release,
                                  const Capabilities& capabilities, const TemplateEnvironment& environment) {
  const Chart& chart = prepared.chart;
  TRY(check_kube_version(chart, capabilities));
  Rendering rendering;
  rendering.metadata = chart.metadata;
  rendering.crds = std::move(prepared.crds);
  rendering.warnings = std::move(prepared.warnings);
  ASSIGN_OR_RETURN(rendering.values, coalesce_values(chart, prepared.values, &rendering.warnings));
  TRY(validate_values(chart, rendering.values, &rendering.warnings, environment.context));
  auto templates = collect_templates(chart, rendering.values, release, capabilities);
  const std::vector<std::string> order = execution_order(templates);
  TemplateScope scope;
  TRY(parse_all(templates, order, scope));
  ASSIGN_OR_RETURN(auto outputs, execute_all(templates, order, scope, environment));
  const std::string root_notes = std::string(chart.name()) + "/templates/" + std::string(kNotesSuffix);
  for (auto output = outputs.begin(); output != outputs.end();) {
    if (!output->first.ends_with(kNotesSuffix)) {
      ++output;
      continue;
    }
    if (output->first == root_notes) rendering.notes = std::move(output->second);
    output = outputs.erase(output);
  }
  TRY(sort_manifests(outputs, rendering));
  return rendering;
}

Result<Rendering> render(const RenderRequest& request) {
  ASSIGN_OR_RETURN(PreparedChart prepared, prepare(request.chart, request.values));
  return render_prepared(std::move(prepared), request.release, request.capabilities, request.environment);
}

}  // namespace coracle::charts
