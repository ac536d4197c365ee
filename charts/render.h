#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/value.h"
#include "charts/chart.h"
#include "charts/template_environment.h"

namespace coracle::charts {

// The Helm version that charts see in .Capabilities.HelmVersion and whose records we write. scripts/peers installs it:
// it is what the golden charts and the tests compare with.
inline constexpr std::string_view kHelmVersion = "v4.3.1";

// What .Capabilities tells a chart.
struct Capabilities {
  std::string kube_version;               // "v1.36.2+k3s1"; vendor suffixes need '+', or ranges would not match
  std::vector<std::string> api_versions;  // "v1", "apps/v1" and "apps/v1/Deployment" of everything served
  std::string helm_version{kHelmVersion};
};

// What .Release tells a chart.
struct ReleaseIdentity {
  std::string name;
  std::string namespace_;
  int revision = 1;
  bool is_upgrade = false;
};

struct Manifest {
  std::string source;  // "chart/templates/file.yaml"
  std::string text;
  Value object;  // parsed; null when the document holds only comments
};

// A manifest that Helm runs at a moment of a release instead of installing it (helm.sh/hook).
struct Hook {
  std::string name;
  std::string kind;
  std::string source;
  std::string text;
  std::vector<std::string> events;  // "pre-install", "test", ...
  int weight = 0;
  std::vector<std::string> delete_policies;  // "hook-succeeded", ...
  std::vector<std::string> output_log_policies;
  Value object;
};

struct Rendering {
  std::vector<Manifest> manifests;  // in the order of installation
  std::vector<Hook> hooks;          // in the order of kinds; events run them by weight and name
  std::vector<Manifest> crds;       // crds/ of the chart and its sub-charts, never templated
  std::string notes;
  std::vector<std::string> warnings;
  Value values;    // as the templates saw them
  Value metadata;  // Chart.yaml, of its dependencies those that the values leave on

  // The text that a release record keeps: each manifest after "---" and its "# Source:".
  std::string manifest_text() const;
};

struct RenderRequest {
  const Chart& chart;
  Value values;  // the user's, see charts/values.h
  ReleaseIdentity release;
  const Capabilities& capabilities;
  TemplateEnvironment environment;
};

// A chart with the user's values before anything is executed. What its crds/ hold is created now: templates may ask
// whether it is served.
struct PreparedChart {
  Chart chart;  // with those of its dependencies that the values leave on
  Value values;
  std::vector<Manifest> crds;
  std::vector<std::string> warnings;
};
Result<PreparedChart> prepare(const Chart& chart, const Value& values);

// What follows up to the manifests: values, schema, templates, sorting. Errors are Helm's own: "execution error at
// (FILE:L:C): ...", "parse error at (FILE:L): ...", "YAML parse error on FILE: ...".
Result<Rendering> render_prepared(PreparedChart prepared, const ReleaseIdentity& release,
                                  const Capabilities& capabilities, const TemplateEnvironment& environment);

// Both in one, as `helm template` does it.
Result<Rendering> render(const RenderRequest& request);

// Sorts kinds as Helm installs them; uninstalling has its own order.
int install_order(std::string_view kind);
int uninstall_order(std::string_view kind);

}  // namespace coracle::charts
