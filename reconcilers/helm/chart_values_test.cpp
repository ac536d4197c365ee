#include "reconcilers/helm/chart_values.h"

#include <catch2/catch.hpp>

#include "base/encoding.h"
#include "base/json/json.h"
#include "base/yaml/yaml.h"

namespace coracle::reconcilers {
namespace {

Value parsed(std::string_view text) {
  return yaml::read(text).value();
}

kube::Object helm_chart(std::string_view spec) {
  return kube::Object(Value::object(
      {{"metadata", Value::object({{"name", "web"}, {"namespace", "kube-system"}})}, {"spec", parsed(spec)}}));
}

std::string layered(std::string_view chart_spec, std::string_view config_spec, const SecretContents& secrets = {}) {
  const Result<LayeredValues> values = layer_values(parsed(chart_spec), parsed(config_spec), secrets);
  return values.ok() ? json::write_sorted(values->values) : values.error().message();
}

Value secret_data(std::string_view key, std::string_view text) {
  return Value::object({{key, base64_encode(text)}});
}

}  // namespace

TEST_CASE("values lie over each other in k3s's order") {
  const SecretContents secrets = {{"s", secret_data("k", "c: secret\nd: secret\ne: secret\nf: secret\n")},
                                  {"t", secret_data("k", "f: config-secret\ng: config-secret\n")}};
  const std::string chart = R"(
valuesContent: "{a: content, b: content, c: content, d: content, g: content}"
values: {b: values, c: values}
valuesSecrets: [{name: s, keys: [k]}]
set: {g: set}
)";
  const std::string config = R"(
valuesContent: "{d: config-content, e: config-content}"
values: {e: config-values}
valuesSecrets: [{name: t, keys: [k]}]
)";
  CHECK(layered(chart, config, secrets) ==
        R"({"a":"content","b":"values","c":"secret","d":"config-content","e":"config-values",)"
        R"("f":"config-secret","g":"set"})");
}

TEST_CASE("set types booleans, null and numbers, and keeps every other text whole") {
  CHECK(layered(R"(set: {a: 1, b: "true", c: "1.5", d: "x,y=z", e.f: "007", g: "False"})", "{}") ==
        R"({"a":1,"b":true,"c":"1.5","d":"x,y=z","e":{"f":"007"},"g":false})");
  CHECK(layered(R"({values: {keep: 1, drop: 2}, set: {drop: "null"}})", "{}") == R"({"drop":null,"keep":1})");
}

TEST_CASE("a Secret must be there unless its updates are ignored") {
  const std::string needed = "valuesSecrets: [{name: s, keys: [k]}]";
  const std::string optional = "valuesSecrets: [{name: s, keys: [k], ignoreUpdates: true}]";
  CHECK(layered(needed, "{}") == R"(HelmChart spec.valuesSecrets: Secret "s" does not exist)");
  CHECK(layered(optional, "{}") == "{}");
  const SecretContents other = {{"s", secret_data("other", "a: 1")}};
  CHECK(layered("{}", needed, other) == R"(HelmChartConfig spec.valuesSecrets: Secret "s" has no key "k")");
  CHECK(layered(optional, "{}", other) == "{}");
  // Without keys a Secret is not used.
  CHECK(layered("valuesSecrets: [{name: s}]", "{}", other) == "{}");
  const SecretContents broken = {{"s", secret_data("k", "[1]")}};
  CHECK(layered(needed, "{}", broken).find("values must be a map") != std::string::npos);
}

TEST_CASE("the hash ignores Secrets whose updates are ignored, and how values are written") {
  const auto hash = [](std::string_view spec, const SecretContents& secrets) {
    const kube::Object chart = helm_chart(spec);
    const HelmSpec read = read_helm_spec(chart, std::nullopt, "127.0.0.1:6443").value();
    return config_hash(read, layer_values(chart["spec"], Value(), secrets)->settled);
  };
  const SecretContents one = {{"s", secret_data("k", "a: 1")}};
  const SecretContents two = {{"s", secret_data("k", "a: 2")}};
  const std::string ignored =
      "{chart: c, repo: 'http://x', valuesSecrets: [{name: s, keys: [k], ignoreUpdates: true}]}";
  const std::string watched = "{chart: c, repo: 'http://x', valuesSecrets: [{name: s, keys: [k]}]}";
  CHECK(hash(ignored, one) == hash(ignored, two));
  CHECK(hash(watched, one) != hash(watched, two));
  CHECK(hash("{chart: c, repo: r, values: {a: 1, b: 2}}", {}) ==
        hash("{chart: c, repo: r, valuesContent: '{b: 2, a: 1}', timeout: 10m}", {}));
  CHECK(hash("{chart: c, repo: r}", {}) != hash("{chart: c, repo: r, version: 1.0.0}", {}));
  CHECK(hash(watched, one).size() == 63);
}

TEST_CASE("spec is read with k3s's defaults, but nothing is reinstalled unless asked") {
  const HelmSpec plain = read_helm_spec(helm_chart("{chart: c, repo: 'https://x'}"), std::nullopt, "h:1").value();
  CHECK(plain.release == kube::ObjectKey{"kube-system", "web"});
  CHECK(plain.failure_policy == FailurePolicy::Retry);
  CHECK(plain.apply_mode == ApplyMode::Auto);
  CHECK(plain.timeout == std::chrono::seconds(300));

  const HelmSpec own = read_helm_spec(helm_chart("{chart: 'https://%{KUBERNETES_API}%/static/charts/t.tgz', repo: r, "
                                                 "targetNamespace: shop, timeout: 90s}"),
                                      std::nullopt, "127.0.0.1:6443")
                           .value();
  CHECK(own.chart == "https://127.0.0.1:6443/static/charts/t.tgz");
  CHECK(own.repository.empty());
  CHECK(own.from_own_api);
  CHECK(own.release.namespace_ == "shop");
  CHECK(own.timeout == std::chrono::seconds(90));

  const kube::Object config(Value::object({{"spec", parsed("{failurePolicy: reinstall, serverSide: 'false', "
                                                           "forceConflicts: true}")}}));
  const HelmSpec over = read_helm_spec(helm_chart("{chart: c, failurePolicy: abort}"), config, "h:1").value();
  CHECK(over.failure_policy == FailurePolicy::Reinstall);
  CHECK(over.apply_mode == ApplyMode::Client);
  CHECK(over.force_conflicts);

  CHECK_FALSE(read_helm_spec(helm_chart("{}"), std::nullopt, "h:1").ok());
  CHECK(read_helm_spec(helm_chart("{chart: c, timeout: soon}"), std::nullopt, "h:1")
            .error()
            .message()
            .starts_with("spec.timeout: "));
}

TEST_CASE("a name that no release can have is refused") {
  const kube::Object chart(
      Value::object({{"metadata", Value::object({{"name", std::string(54, 'a')}})}, {"spec", parsed("{chart: c}")}}));
  CHECK(read_helm_spec(chart, std::nullopt, "h:1").error().message().starts_with("metadata.name: "));
}

TEST_CASE("what only a Job could use is named") {
  CHECK(fields_without_effect(helm_chart("{chart: c, jobImage: i, backOffLimit: 3, bootstrap: false}")) ==
        std::vector<std::string>{"jobImage", "backOffLimit"});
  CHECK(watched_secrets(helm_chart("{authSecret: {name: auth}, valuesSecrets: [{name: a}, "
                                   "{name: b, ignoreUpdates: true}]}")) == std::vector<std::string>{"a", "auth"});
  CHECK(supports_helm_version("v3"));
  CHECK_FALSE(supports_helm_version("v2"));
}

}  // namespace coracle::reconcilers
