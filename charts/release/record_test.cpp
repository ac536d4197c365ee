#include <catch2/catch.hpp>

#include "base/encoding.h"
#include "base/json/json.h"
#include "charts/release.h"
#include "charts/testing/rendering.h"

namespace coracle::charts {
namespace {

Release sample() {
  Release release;
  release.name = "demo";
  release.namespace_ = "apps";
  release.revision = 3;
  release.first_deployed = WallTime(std::chrono::milliseconds(1'700'000'000'123));
  release.last_deployed = WallTime(std::chrono::seconds(1'700'000'100));
  release.status = release_status::kDeployed;
  release.description = "Upgrade complete";
  release.notes = "hello";
  release.chart.metadata = Value::object({{"apiVersion", "v2"}, {"name", "demo"}, {"version", "1.0.0"}});
  release.chart.templates = {{"templates/a.yaml", "kind: A"}};
  release.chart.files = {{"README.md", std::string("\0bin", 4)}};
  release.chart.schema = "{}";
  release.config = Value::object({{"replicas", 2}});
  release.manifest = "---\n# Source: demo/templates/a.yaml\nkind: A\n";
  ReleaseHook hook;
  hook.hook.name = "job";
  hook.hook.kind = "Job";
  hook.hook.source = "demo/templates/h.yaml";
  hook.hook.events = {"pre-install"};
  hook.hook.weight = -5;
  hook.last_run.phase = "Succeeded";
  hook.last_run.completed_at = WallTime(std::chrono::seconds(1'700'000'050));
  release.hooks.push_back(hook);
  release.labels = {{"team", "edge"}, {"owner", "somebody"}};
  release.apply_method = "ssa";
  return release;
}

}  // namespace

TEST_CASE("a release survives its record") {
  const Release before = sample();
  const auto payload = encode_release(before);
  REQUIRE(payload.ok());
  const auto after = decode_release(*payload);
  REQUIRE(after.ok());
  CHECK(after->name == "demo");
  CHECK(after->revision == 3);
  CHECK(after->first_deployed == before.first_deployed);
  CHECK_FALSE(after->deleted.has_value());
  CHECK(after->status == "deployed");
  CHECK(after->manifest == before.manifest);
  CHECK(after->config["replicas"].is_double());
  CHECK(after->chart.templates[0].data == "kind: A");
  CHECK(after->chart.files[0].data == before.chart.files[0].data);
  CHECK(after->chart.schema == "{}");
  REQUIRE(after->hooks.size() == 1);
  CHECK(after->hooks[0].hook.weight == -5);
  CHECK(after->hooks[0].last_run.completed_at == before.hooks[0].last_run.completed_at);
  CHECK(after->apply_method == "ssa");
}

TEST_CASE("the Secret carries Helm's type, name and labels") {
  const auto secret = release_to_secret(sample(), WallTime(std::chrono::seconds(1'700'000'200)), false);
  REQUIRE(secret.ok());
  CHECK((*secret)["type"].as_string() == "helm.sh/release.v1");
  CHECK((*secret)["metadata"]["name"].as_string() == "sh.helm.release.v1.demo.v3");
  CHECK(json::write_sorted((*secret)["metadata"]["labels"]) ==
        R"({"createdAt":"1700000200","name":"demo","owner":"helm","status":"deployed","team":"edge","version":"3"})");
  const auto release = release_from_secret(*secret);
  REQUIRE(release.ok());
  CHECK(release->labels == std::map<std::string, std::string>{{"team", "edge"}});
  CHECK(release_to_secret(sample(), {}, true).value()["metadata"]["labels"].contains("modifiedAt"));
}

TEST_CASE("records of old Helm versions are read") {
  const std::string json = R"({"name":"old","version":1,"info":{"first_deployed":"2020-01-02T03:04:05.678Z",)"
                           R"("deleted":"","status":"superseded"}})";
  const auto release = decode_release(base64_encode(json));
  REQUIRE(release.ok());
  CHECK(release->status == "superseded");
  CHECK(release->first_deployed.has_value());
  CHECK_FALSE(release->deleted.has_value());
}

TEST_CASE("a record that is too large gives up what Helm can do without") {
  constexpr std::size_t kLimit = 8 * 1024;
  const auto noise = seeded_random(7)->hex(16 * 1024);
  Release release = sample();
  release.chart.files.push_back({"big.bin", noise});
  auto payload = encode_release(release, kLimit);
  REQUIRE(payload.ok());
  CHECK(payload->size() <= kLimit);
  CHECK(decode_release(*payload)->chart.files.empty());
  CHECK(decode_release(*payload)->chart.templates.size() == 1);
  release.chart.templates.push_back({"templates/README.md", noise});
  CHECK(decode_release(*encode_release(release, kLimit))->chart.templates.size() == 1);
  release.chart.templates.push_back({"templates/big.yaml", noise});
  CHECK(decode_release(*encode_release(release, kLimit))->chart.templates.empty());
  release.manifest = noise;
  CHECK(encode_release(release, kLimit).error().reason() == Reason::RequestEntityTooLarge);
}

TEST_CASE("broken records are errors") {
  CHECK_FALSE(decode_release("%%%").ok());
  CHECK_FALSE(decode_release(base64_encode("\x1f\x8b\x08junk")).ok());
  CHECK_FALSE(decode_release(base64_encode("[]")).ok());
  CHECK_FALSE(release_from_secret(Value::object({{"type", "Opaque"}})).ok());
}

}  // namespace coracle::charts
