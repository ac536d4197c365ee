#include <algorithm>
#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/text.h"
#include "charts/render/manifests.h"
#include "charts/testing/packed_chart.h"
#include "charts/testing/rendering.h"

namespace coracle::charts {
namespace {

Chart chart_of(std::vector<ChartFile> templates, std::string_view values = "{}") {
  Chart chart;
  chart.metadata = Value::object({{"apiVersion", "v2"}, {"name", "demo"}, {"version", "0.1.0"}});
  chart.values = read_values(values).value();
  chart.templates = std::move(templates);
  return chart;
}

std::string error_of(std::vector<ChartFile> templates, std::string_view values = "{}") {
  const auto rendering = testing::render_chart(chart_of(std::move(templates), values));
  return rendering.ok() ? "" : rendering.error().message();
}

// What `helm template` prints.
std::string printed(const Rendering& rendering) {
  std::string out = std::string(trim(rendering.manifest_text())) + "\n";
  for (const Hook& hook : rendering.hooks) out += "---\n# Source: " + hook.source + "\n" + hook.text + "\n";
  return out;
}

std::string manifest_of(std::string_view kind) {
  return "kind: " + std::string(kind) + "\n";
}

}  // namespace

// Each case is a chart of ours with what the real helm renders from it (tests/golden/charts/check.sh).
TEST_CASE("golden charts render as helm renders them") {
  const std::string root = std::string(CORACLE_SOURCE_DIR) + "/tests/golden/charts";
  const auto cases = list_directory(root);
  REQUIRE(cases.ok());
  int compared = 0;
  for (const DirectoryEntry& entry : *cases) {
    if (entry.kind != FileKind::Directory) continue;
    INFO(entry.name);
    const std::string folder = root + "/" + entry.name;
    const auto chart = testing::load_folder(folder + "/chart");
    REQUIRE(chart.ok());
    Value values = Value::object();
    if (file_exists(folder + "/values.yaml")) {
      values = read_values(read_file(folder + "/values.yaml", 1 << 20).value()).value();
    }
    const auto rendering = testing::render_chart(*chart, values);
    const std::string actual = rendering.ok() ? printed(*rendering) : rendering.error().message();
    CHECK(actual == read_file(folder + "/expected.yaml", 4 << 20).value());
    ++compared;
  }
  CHECK(compared >= 5);
}

TEST_CASE("failures say where, as helm says it") {
  CHECK(error_of({{"templates/a.yaml", "\n{{ fail \"no luck\" }}"}}) ==
        "execution error at (demo/templates/a.yaml:2:3): no luck");
  CHECK(error_of({{"templates/a.yaml", "{{ include \"x\" . }}"},
                  {"templates/_x.tpl", "{{ define \"x\" }}{{ required \"name it\" .Values.name }}{{ end }}"}}) ==
        "execution error at (demo/templates/a.yaml:1:3): name it");
  CHECK(error_of({{"templates/a.yaml", "\n\n{{ if }}"}}) ==
        "parse error at (demo/templates/a.yaml:3): missing value for if");
  CHECK(error_of({{"templates/a.yaml", "{{ .Values.a.b }}"}}) ==
        "template: demo/templates/a.yaml:1:10: executing \"demo/templates/a.yaml\" at <.Values.a.b>: nil pointer "
        "evaluating interface {}.b");
  CHECK(error_of({{"templates/a.yaml", "a: [1"}}).starts_with("YAML parse error on demo/templates/a.yaml: "));
  CHECK(error_of({{"templates/a.yaml", "- a"}}) ==
        "YAML parse error on demo/templates/a.yaml: error unmarshaling JSON: while decoding JSON: json: cannot "
        "unmarshal array into Go value of type util.SimpleHead");
}

TEST_CASE("templates run deepest first, then backwards, and see what earlier ones set") {
  const auto rendering =
      testing::render_chart(chart_of({{"templates/a.yaml", "kind: A\nseen: {{ .Values.mark }}"},
                                      {"templates/z.yaml", "{{ $_ := set .Values \"mark\" \"z\" }}"},
                                      {"templates/deep/b.yaml", "kind: B\nseen: {{ .Values.mark }}"}}));
  REQUIRE(rendering.ok());
  REQUIRE(rendering->manifests.size() == 2);
  CHECK(rendering->manifests[0].object["seen"].as_string() == "z");
  CHECK(rendering->manifests[1].object["seen"].is_null());
}

TEST_CASE("manifests are split at lines that begin with three dashes") {
  CHECK(split_manifests("a: 1\n---\nb: 2\n--- \n\n---c: 3\n") ==
        std::vector<std::string>{"a: 1\n", "b: 2\n", "c: 3\n"});
  CHECK(split_manifests("  \n---\n# only a comment\n---\n").size() == 1);
  CHECK(split_manifests("text: |\n  ---\n  kept\n").size() == 1);
  CHECK(split_manifests("").empty());
}

TEST_CASE("kinds are sorted for installation, unknown ones last") {
  const auto rendering = testing::render_chart(
      chart_of({{"templates/a.yaml", manifest_of("Zebra") + "---\n" + manifest_of("Deployment") + "---\n" +
                                         manifest_of("Apple") + "---\n" + manifest_of("Service")},
                {"templates/b.yaml", manifest_of("Namespace") + "---\n" + manifest_of("ConfigMap")}}));
  REQUIRE(rendering.ok());
  std::string kinds;
  for (const Manifest& manifest : rendering->manifests) kinds += std::string(manifest.object["kind"].as_string()) + " ";
  CHECK(kinds == "Namespace ConfigMap Service Deployment Apple Zebra ");
  CHECK(uninstall_order("Service") < uninstall_order("Deployment"));
  CHECK(uninstall_order("ValidatingWebhookConfiguration") < uninstall_order("MutatingWebhookConfiguration"));
}

TEST_CASE("hooks are no manifests, unknown ones vanish") {
  const auto hook = [](const std::string& name, const std::string& event, const std::string& weight) {
    return "---\nkind: Job\nmetadata:\n  name: " + name + "\n  annotations:\n    helm.sh/hook: " + event +
           "\n    helm.sh/hook-weight: \"" + weight +
           "\"\n    helm.sh/hook-delete-policy: hook-succeeded, hook-failed\n";
  };
  const auto rendering = testing::render_chart(
      chart_of({{"templates/h.yaml", hook("b", "pre-install", "5") + hook("a", "pre-install,post-upgrade", "5") +
                                         hook("c", "pre-install", "-1") + hook("d", "crd-install", "0")}}));
  REQUIRE(rendering.ok());
  CHECK(rendering->manifests.empty());
  CHECK(rendering->hooks.size() == 3);
  CHECK(rendering->warnings.size() == 1);
  const auto found =
      std::find_if(rendering->hooks.begin(), rendering->hooks.end(), [](const Hook& each) { return each.name == "a"; });
  REQUIRE(found != rendering->hooks.end());
  CHECK(found->events == std::vector<std::string>{"pre-install", "post-upgrade"});
  CHECK(found->weight == 5);
  CHECK(found->delete_policies == std::vector<std::string>{"hook-succeeded", "hook-failed"});
}

TEST_CASE("the weight of a hook is read as Go reads a number") {
  const auto weight_of = [](const std::string& weight) {
    const auto rendering =
        testing::render_chart(chart_of({{"templates/h.yaml",
                                         "kind: Job\nmetadata: {name: a, annotations: {helm.sh/hook: test, "
                                         "helm.sh/hook-weight: '" +
                                             weight + "'}}\n"}}));
    return rendering.value().hooks.at(0).weight;
  };
  CHECK(weight_of("+3") == 3);
  CHECK(weight_of("-3") == -3);
  CHECK(weight_of("010") == 10);
  for (const char* none : {"", "+", "+-3", "--3", " 3", "3.0", "three"}) CHECK(weight_of(none) == 0);
}

TEST_CASE("notes, CRDs and the version of Kubernetes") {
  Chart chart = chart_of({{"templates/NOTES.txt", "Hello {{ .Release.Name }} in {{ .Release.Namespace }}"}});
  chart.files = {{"crds/x.yaml", "kind: CustomResourceDefinition\n---\nkind: Second\n"}};
  auto rendering = testing::render_chart(chart);
  REQUIRE(rendering.ok());
  CHECK(rendering->notes == "Hello demo in apps");
  CHECK(rendering->crds.size() == 2);
  CHECK(rendering->manifests.empty());
  chart.metadata = chart.metadata.with("kubeVersion", ">=1.99");
  CHECK(testing::render_chart(chart).error().message() ==
        "chart requires kubeVersion: >=1.99 which is incompatible with Kubernetes v1.36.2");
  chart.metadata = chart.metadata.without("kubeVersion")
                       .with("dependencies", Value::array({Value::object({{"name", "absent"}, {"version", "1.x"}})}));
  CHECK(testing::render_chart(chart).error().message() ==
        "found in Chart.yaml, but missing in charts/ directory: absent");
  chart.metadata = chart.metadata.without("dependencies").with("type", "library");
  CHECK(testing::render_chart(chart).error().message() == "library charts are not installable");
}

TEST_CASE("definitions are known before a template is executed") {
  Chart chart = chart_of({{"templates/a.yaml", "{{ fail \"not yet\" }}"}});
  chart.metadata = chart.metadata.with("kubeVersion", ">=1.99");
  chart.files = {{"crds/x.yaml", "kind: CustomResourceDefinition\n"}};
  const auto prepared = prepare(chart, Value::object());
  REQUIRE(prepared.ok());
  REQUIRE(prepared->crds.size() == 1);
  CHECK(prepared->crds[0].source == "demo/crds/x.yaml");
}

TEST_CASE("values that break the schema stop the rendering") {
  Chart chart = chart_of({}, "replicas: many");
  chart.schema = R"({"properties":{"replicas":{"type":"integer"}}})";
  const auto rendering = testing::render_chart(chart);
  REQUIRE_FALSE(rendering.ok());
  CHECK(rendering.error().reason() == Reason::Invalid);
  CHECK(rendering.error().message() ==
        "values don't meet the specifications of the schema(s) in the following chart(s):\n"
        "demo:\n- at '/replicas': got string, want integer\n");
}

TEST_CASE("lookup and capabilities come from outside") {
  const testing::FixedClock clock;
  const auto random = seeded_random(1);
  const Capabilities served = testing::capabilities();
  const Chart chart =
      chart_of({{"templates/a.yaml",
                 "kind: A\nfound: {{ (lookup \"v1\" \"Secret\" \"ns\" \"s\").data.k }}\n"
                 "has: {{ .Capabilities.APIVersions.Has \"apps/v1\" }}{{ has \"apps/v9\" "
                 ".Capabilities.APIVersions }}\nminor: {{ .Capabilities.KubeVersion.Minor | quote }}\n"}});
  const auto rendering =
      render({.chart = chart,
              .values = Value::object(),
              .release = {"demo", "apps", 1, false},
              .capabilities = served,
              .environment = {.clock = clock,
                              .random = *random,
                              .lookup = [](const std::string& version, const std::string& kind, const std::string&,
                                           const std::string& name) -> Result<Value> {
                                if (version + kind + name != "v1Secrets") return Value();
                                return Value::object({{"data", Value::object({{"k", "v"}})}});
                              }}});
  REQUIRE(rendering.ok());
  CHECK(rendering->manifests[0].text == "kind: A\nfound: v\nhas: truefalse\nminor: \"36\"\n");
}

TEST_CASE("random texts are errors or output, never a crash") {
  const auto random = seeded_random(99);
  const std::vector<std::string> pieces = {"{{",    "}}",  "{{-",     "-}}",    " ",   "if",   "end",  "range",
                                           "$x",    ":=",  ".Values", ".a",     "(",   ")",    "|",    "quote",
                                           "\"s\"", "1",   "include", "define", "\n",  "else", "with", "template",
                                           "`r`",   "'c'", "/*",      "*/",     "nil", "dict", ",",    "block"};
  int rendered = 0;
  constexpr int kTexts = 3000;
  for (int i = 0; i < kTexts; ++i) {
    std::string text;
    for (std::uint64_t n = random->below(16) + 1; n > 0; --n) {
      text += pieces[random->below(pieces.size())];
      if (random->below(2) == 0) text += ' ';
    }
    const Result<std::string> output = testing::render_text(text, "{a: 1}");
    rendered += output.ok() ? 1 : 0;
    INFO(text);
    CHECK((output.ok() || !output.error().message().empty()));
  }
  CHECK(rendered > 0);
  CHECK(rendered < kTexts);
}

}  // namespace coracle::charts
