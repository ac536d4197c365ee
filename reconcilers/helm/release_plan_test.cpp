#include "reconcilers/helm/release_plan.h"

#include <catch2/catch.hpp>

#include "base/yaml/yaml.h"
#include "reconcilers/helm/helm_status.h"
#include "reconcilers/helm/k3s_leftovers.h"
#include "reconcilers/helm/release_hooks.h"

namespace coracle::reconcilers {
namespace {

using Action = ReleasePlan::Action;

Action action_after(std::string_view status, std::string_view hash, FailurePolicy policy) {
  return plan_release({{3, std::string(status), "H"}}, hash, policy).action;
}

std::string ids(const kube::Inventory& inventory) {
  std::string text;
  for (const kube::InventoryEntry& entry : inventory) text += entry.kind + "/" + entry.key().text() + " ";
  return text;
}

kube::Object config_map(std::string_view metadata) {
  return kube::Object(
      Value::object({{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", yaml::read(metadata).value()}}));
}

charts::ReleaseHook make_hook(std::string name, int weight, std::vector<std::string> events,
                              std::vector<std::string> policies = {}) {
  charts::ReleaseHook entry;
  entry.hook.name = std::move(name);
  entry.hook.kind = "Job";
  entry.hook.weight = weight;
  entry.hook.events = std::move(events);
  entry.hook.delete_policies = std::move(policies);
  return entry;
}

}  // namespace

TEST_CASE("the newest record decides what happens to a release") {
  const ReleasePlan first = plan_release({}, "H", FailurePolicy::Retry);
  CHECK(first.action == Action::Install);
  CHECK(first.revision == 1);
  CHECK(action_after("deployed", "H", FailurePolicy::Retry) == Action::Nothing);
  CHECK(action_after("deployed", "other", FailurePolicy::Retry) == Action::Upgrade);
  CHECK(action_after("superseded", "H", FailurePolicy::Retry) == Action::Upgrade);
  CHECK(action_after("uninstalled", "H", FailurePolicy::Retry) == Action::Install);
  CHECK(plan_release({{3, "uninstalled", "H"}}, "H", FailurePolicy::Retry).revision == 4);
}

TEST_CASE("a failed release is reinstalled only where the policy says so") {
  CHECK(action_after("failed", "H", FailurePolicy::Retry) == Action::Upgrade);
  CHECK(action_after("failed", "H", FailurePolicy::Reinstall) == Action::Reinstall);
  CHECK(action_after("failed", "H", FailurePolicy::Abort) == Action::StayFailed);
  CHECK(action_after("failed", "other", FailurePolicy::Abort) == Action::Upgrade);
}

TEST_CASE("an attempt that was cut short is followed by another") {
  for (const char* status : {"pending-install", "pending-upgrade", "pending-rollback", "uninstalling"}) {
    const ReleasePlan plan = plan_release({{2, "deployed", "G"}, {3, status, "H"}}, "H", FailurePolicy::Retry);
    CHECK(is_interrupted(status));
    CHECK(plan.action == Action::Upgrade);
    CHECK(plan.revision == 4);
    CHECK(action_after(status, "H", FailurePolicy::Abort) == Action::Upgrade);
  }
  CHECK(action_after("pending-upgrade", "H", FailurePolicy::Reinstall) == Action::Upgrade);
  CHECK(action_after("pending-install", "H", FailurePolicy::Reinstall) == Action::Reinstall);
  CHECK_FALSE(is_interrupted("failed"));
}

TEST_CASE("a record that should have been superseded is noticed") {
  CHECK(plan_release({{1, "deployed", "G"}, {2, "deployed", "H"}}, "H", FailurePolicy::Retry).supersede_others);
  CHECK_FALSE(plan_release({{1, "superseded", "G"}, {2, "deployed", "H"}}, "H", FailurePolicy::Retry).supersede_others);
  CHECK_FALSE(plan_release({{1, "deployed", "G"}, {2, "failed", "H"}}, "H", FailurePolicy::Retry).supersede_others);
}

TEST_CASE("objects stand from the newest deployed record on") {
  CHECK(standing_records({{1, "superseded", ""}, {2, "deployed", ""}, {3, "failed", ""}, {4, "failed", ""}}) ==
        std::vector<std::size_t>{1, 2, 3});
  CHECK(standing_records({{1, "failed", ""}, {2, "failed", ""}}) == std::vector<std::size_t>{0, 1});
  CHECK(standing_records({{1, "deployed", ""}, {2, "uninstalled", ""}}).empty());
  CHECK(standing_records({}).empty());
}

TEST_CASE("the history keeps the newest records and the deployed one") {
  std::vector<ReleaseRecord> history;
  for (int revision = 1; revision <= 12; ++revision) {
    history.push_back({revision, revision == 2 ? "deployed" : "failed", ""});
  }
  CHECK(records_to_prune(history, 9) == std::vector<int>{1, 3});
  CHECK(records_to_prune(history, 12).empty());
  CHECK(records_to_prune({}, 9).empty());
}

TEST_CASE("a manifest is read as Helm reads it") {
  const auto objects = manifest_objects(R"(---
# Source: a/templates/x.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {k: "1", k: "2"}
---
# Source: a/templates/empty.yaml
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: b}}
- {apiVersion: v1, kind: Secret, metadata: {name: c}}
---
apiVersion: v1
kind: SecretList
items: [{metadata: {name: d}}]
)");
  REQUIRE(objects.ok());
  REQUIRE(objects->size() == 4);
  CHECK(objects->at(3).kind() == "Secret");
  CHECK(objects->at(0)["data"]["k"].as_string() == "2");
  CHECK(objects->at(2).name() == "c");
  CHECK(manifest_objects("apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n").error().message().find("metadata.name") !=
        std::string::npos);
  CHECK(manifest_objects("---\nkind: ConfigMap\nmetadata: {name: x}\n")
            .error()
            .message()
            .starts_with("unable to build kubernetes objects: document 1 (line 2): apiVersion: "));
  CHECK_FALSE(manifest_objects("apiVersion: v1\nkind: Pod\nmetadata: {generateName: x-}\n").ok());
  CHECK(manifest_objects("").value().empty());
}

TEST_CASE("what left the chart goes, whatever its version, leaders of traffic first") {
  const auto objects = [](std::string_view text) { return manifest_objects(text).value(); };
  const auto before = objects(R"(
{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: ns}}
---
{apiVersion: v1, kind: Service, metadata: {name: s, namespace: ns}}
---
{apiVersion: apps/v1beta1, kind: Deployment, metadata: {name: d, namespace: ns}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: ns}}
)");
  const auto now = objects("{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: ns}}");
  // Pruning goes backwards.
  CHECK(ids(objects_that_left(before, now)) == "ConfigMap/ns/a Service/ns/s Ingress/ns/i ");
  CHECK(objects_that_left(now, before).empty());
}

TEST_CASE("ownership is judged in Helm's words") {
  const kube::ObjectKey release{"shop", "web"};
  const kube::Object bare = config_map("{name: a, namespace: shop}");
  CHECK(ownership_problem(bare, release).value() ==
        "invalid ownership metadata; "
        "label validation error: missing key \"app.kubernetes.io/managed-by\": must be set to \"Helm\"; "
        "annotation validation error: missing key \"meta.helm.sh/release-name\": must be set to \"web\"; "
        "annotation validation error: missing key \"meta.helm.sh/release-namespace\": must be set to \"shop\"");
  const kube::Object owned = owned_by_release(bare, release);
  CHECK_FALSE(ownership_problem(owned, release));
  CHECK(ownership_problem(owned, {"shop", "other"}).value() ==
        "invalid ownership metadata; annotation validation error: "
        "key \"meta.helm.sh/release-name\" must equal \"other\": current value is \"web\"");
  CHECK(is_kept(config_map("{name: a, annotations: {helm.sh/resource-policy: keep}}")));
  CHECK(is_kept(config_map("{name: a, annotations: {helm.sh/resource-policy: ' Keep '}}")));
  CHECK_FALSE(is_kept(config_map("{name: a, annotations: {helm.sh/resource-policy: keeper}}")));
  CHECK_FALSE(is_kept(bare));
}

TEST_CASE("hooks run by weight and name, and go when their policy says") {
  std::vector<charts::ReleaseHook> hooks;
  hooks.push_back(make_hook("b", 0, {"pre-install", "pre-upgrade"}));
  hooks.push_back(make_hook("c", -5, {"pre-install"}));
  hooks.push_back(make_hook("a", 0, {"pre-install"}, {"hook-succeeded"}));
  hooks.push_back(make_hook("d", 0, {"post-install"}));
  std::string order;
  for (const charts::ReleaseHook* hook : hooks_of_event(hooks, "pre-install")) order += hook->hook.name;
  CHECK(order == "cab");
  CHECK(deletes_hook(hooks[0].hook, "before-hook-creation"));
  CHECK_FALSE(deletes_hook(hooks[0].hook, "hook-succeeded"));
  CHECK(deletes_hook(hooks[2].hook, "hook-succeeded"));
  CHECK_FALSE(deletes_hook(hooks[2].hook, "before-hook-creation"));
  hooks[2].hook.kind = "CustomResourceDefinition";
  CHECK_FALSE(deletes_hook(hooks[2].hook, "hook-succeeded"));
}

TEST_CASE("conditions tell the error and the fields without effect") {
  const WallTime now{};
  const Value failed = plan_helm_conditions(Value(), {true, "boom"}, {"jobImage", "backOffLimit"}, now);
  CHECK(failed.at(0)["type"].as_string() == "JobCreated");
  CHECK(failed.at(0)["status"].as_string() == "True");
  CHECK(failed.at(0)["reason"].as_string() == "InProcess");
  CHECK(failed.at(0)["message"].as_string().ends_with("without effect: jobImage, backOffLimit"));
  CHECK(failed.at(1)["status"].as_string() == "True");
  CHECK(failed.at(1)["message"].as_string() == "boom");
  const Value mended = plan_helm_conditions(failed, {false, "deployed"}, {}, now);
  CHECK(mended.size() == 2);
  CHECK(mended.at(1)["status"].as_string() == "False");
}

TEST_CASE("what k3s keeps for a chart's Jobs is named as k3s names it") {
  std::string text;
  for (const Leftover& leftover : k3s_leftovers({"kube-system", "traefik"})) {
    text += leftover.resource.kind + " " + leftover.key.text() + "\n";
  }
  CHECK(text ==
        "Job kube-system/helm-install-traefik\n"
        "Job kube-system/helm-delete-traefik\n"
        "ClusterRoleBinding helm-kube-system-traefik\n"
        "ServiceAccount kube-system/helm-traefik\n"
        "Secret kube-system/chart-values-traefik\n"
        "ConfigMap kube-system/chart-content-traefik\n");
}

}  // namespace coracle::reconcilers
