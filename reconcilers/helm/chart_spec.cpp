#include "reconcilers/helm/chart_spec.h"

#include <array>
#include <utility>
#include <vector>

#include "base/text.h"

namespace coracle::reconcilers {
namespace {

constexpr std::array<std::string_view, 7> kFieldsWithoutEffect = {
    "bootstrap", "jobImage", "backOffLimit", "podSecurityContext", "securityContext", "dockerRegistrySecret",
    "plainHTTP"};

template <class Enum>
using Names = std::initializer_list<std::pair<std::string_view, Enum>>;

template <class Enum>
Result<Enum> read_choice(std::string_view field, std::string_view text, Names<Enum> names, Enum fallback) {
  if (text.empty()) return fallback;
  std::vector<std::string_view> expected;
  for (const auto& [name, value] : names) {
    if (name == text) return value;
    expected.push_back(name);
  }
  return bad_request("spec." + std::string(field) + ": \"" + std::string(text) + "\", expected one of " +
                     join(expected, ", "));
}

std::string fill_in(std::string_view text, std::string_view api_address, bool& found) {
  found = found || text.find(kApiAddressVariable) != std::string_view::npos;
  return replace_all(text, kApiAddressVariable, api_address);
}

// What the config says where it says something, else what the chart says.
const Value& overridden(const Value& spec, const Value& config, std::string_view field) {
  return is_zero(config[field]) ? spec[field] : config[field];
}

}  // namespace

ReleaseLocation release_location(const kube::Object& chart) {
  const std::string_view target = chart["spec"]["targetNamespace"].as_string();
  return {{std::string(target.empty() ? chart.namespace_() : target), std::string(chart.name())},
          chart["spec"]["driver"].as_string() == "configmap" ? ReleaseDriver::ConfigMap : ReleaseDriver::Secret};
}

Result<HelmSpec> read_helm_spec(const kube::Object& chart, const std::optional<kube::Object>& config,
                                std::string_view api_address) {
  const Value& spec = chart["spec"];
  const Value config_spec = config ? (*config)["spec"] : Value();
  HelmSpec read;
  const ReleaseLocation location = release_location(chart);
  read.release = location.release;
  read.driver = location.driver;
  if (read.release.name.size() > kMaxReleaseName) {
    return bad_request("metadata.name: \"" + read.release.name + "\" is longer than the " +
                       std::to_string(kMaxReleaseName) + " characters that the name of a release may have");
  }
  read.chart_content = spec["chartContent"].as_string();
  read.version = spec["version"].as_string();
  read.chart = fill_in(spec["chart"].as_string(), api_address, read.from_own_api);
  if (read.chart.find("://") == std::string::npos) {
    read.repository = fill_in(spec["repo"].as_string(), api_address, read.from_own_api);
  }
  if (read.chart_content.empty() && read.chart.empty()) {
    return bad_request("spec: one of chart and chartContent must be set");
  }
  read.create_namespace = spec["createNamespace"].as_bool();
  read.take_ownership = spec["takeOwnership"].as_bool();
  read.force_conflicts = spec["forceConflicts"].as_bool() || config_spec["forceConflicts"].as_bool();
  ASSIGN_OR_RETURN(
      read.apply_mode,
      read_choice<ApplyMode>("serverSide", overridden(spec, config_spec, "serverSide").as_string(),
                             {{"auto", ApplyMode::Auto}, {"true", ApplyMode::Server}, {"false", ApplyMode::Client}},
                             ApplyMode::Auto));
  ASSIGN_OR_RETURN(
      read.failure_policy,
      read_choice<FailurePolicy>(
          "failurePolicy", overridden(spec, config_spec, "failurePolicy").as_string(),
          {{"retry", FailurePolicy::Retry}, {"reinstall", FailurePolicy::Reinstall}, {"abort", FailurePolicy::Abort}},
          FailurePolicy::Retry));
  read.timeout = kDefaultReleaseTimeout;
  if (const std::string_view timeout = spec["timeout"].as_string(); !timeout.empty()) {
    Result<Duration> duration = parse_duration(timeout);
    if (!duration.ok()) return duration.error().in("spec.timeout");
    if (*duration > Duration::zero()) read.timeout = *duration;
  }
  return read;
}

bool supports_helm_version(std::string_view version) {
  return version.empty() || version == "v3";
}

std::vector<std::string> fields_without_effect(const kube::Object& chart) {
  std::vector<std::string> fields;
  for (const std::string_view field : kFieldsWithoutEffect) {
    if (!is_zero(chart["spec"][field])) fields.emplace_back(field);
  }
  return fields;
}

std::vector<std::string> watched_secrets(const kube::Object& owner) {
  std::vector<std::string> names;
  const Value& spec = owner["spec"];
  for (const Value& secret : spec["valuesSecrets"].items()) {
    if (!secret["ignoreUpdates"].as_bool()) names.emplace_back(secret["name"].as_string());
  }
  if (const std::string_view name = spec["authSecret"]["name"].as_string(); !name.empty()) names.emplace_back(name);
  return names;
}

}  // namespace coracle::reconcilers
