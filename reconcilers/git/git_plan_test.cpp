#include <catch2/catch.hpp>

#include "base/json/json.h"
#include "kube/object/conditions.h"
#include "reconcilers/git/flux_status.h"
#include "reconcilers/git/kustomization_plan.h"
#include "reconcilers/git/source_plan.h"

namespace coracle::reconcilers {
namespace {

kube::Object json_object(std::string_view text) {
  return kube::Object(json::read(text).value());
}

const std::vector<GitReference> kReferences = {{"refs/heads/main", std::string(40, 'a')},
                                               {"refs/heads/master", std::string(40, 'b')},
                                               {"refs/tags/v1.2.0", std::string(40, 'c')},
                                               {"refs/tags/v1.10.0", std::string(40, 'd')},
                                               {"refs/tags/v2.0.0", std::string(40, 'e')}};

std::string revision(const WantedReference& wanted) {
  const Result<ChosenReference> chosen = choose_reference(wanted, kReferences);
  return chosen.ok() ? chosen->revision : "error: " + chosen.error().message();
}

const WallTime kSomeTime{std::chrono::hours(24 * 365 * 50)};

}  // namespace

TEST_CASE("of several references the later in Flux's order counts") {
  CHECK(revision({}) == "master@sha1:" + std::string(40, 'b'));
  CHECK(revision({.branch = "main"}) == "main@sha1:" + std::string(40, 'a'));
  CHECK(revision({.branch = "main", .tag = "v1.2.0"}) == "v1.2.0@sha1:" + std::string(40, 'c'));
  CHECK(revision({.tag = "v2.0.0", .semver = ">=1.0 <2.0"}) == "v1.10.0@sha1:" + std::string(40, 'd'));
  CHECK(revision({.semver = "*", .name = "refs/heads/main"}) == "refs/heads/main@sha1:" + std::string(40, 'a'));
  CHECK(revision({.branch = "main", .commit = std::string(40, 'f')}) == "main@sha1:" + std::string(40, 'f'));
  CHECK(revision({.commit = std::string(40, 'f')}) == "sha1:" + std::string(40, 'f'));
  CHECK(revision({.branch = "gone", .commit = std::string(40, 'f')}) ==
        "error: couldn't find remote ref \"refs/heads/gone\"");
  CHECK(revision({.name = "refs/tags/v1.2.0^{}"}) == "refs/tags/v1.2.0^{}@sha1:" + std::string(40, 'c'));
  CHECK(choose_reference({.branch = "main"}, {}).error().message() == "git repository is empty");
  CHECK(revision({.branch = "gone"}) == "error: couldn't find remote ref \"refs/heads/gone\"");
  CHECK(revision({.semver = ">9"}) == "error: no match found for semver: >9");
}

TEST_CASE("fields that are not built in are named") {
  CHECK(unsupported_source_field(json_object(R"({"spec":{"verify":{"secretRef":{"name":"x"}}}})")) ==
        "spec.verify is not built in yet");
  CHECK_FALSE(unsupported_source_field(json_object(R"({"spec":{"url":"https://x","ref":{"branch":"a"}}})")));
  CHECK(unsupported_kustomization_field(json_object(R"({"spec":{"sourceRef":{"kind":"Bucket"}}})"))->find("Bucket") !=
        std::string::npos);
  CHECK(unsupported_kustomization_field(
            json_object(R"({"spec":{"sourceRef":{"kind":"GitRepository"},"patches":[{"patch":"x"}]}})")) ==
        "spec.patches is not built in yet");
  CHECK_FALSE(unsupported_kustomization_field(
      json_object(R"({"spec":{"sourceRef":{"kind":"GitRepository"},"wait":true,"targetNamespace":"x"}})")));
}

TEST_CASE("paths stay inside the repository") {
  CHECK(source_directory("").value() == "");
  CHECK(source_directory("./").value() == "");
  CHECK(source_directory("./apps//base/").value() == "apps/base");
  CHECK(source_directory("/apps/../infra").value() == "infra");
  CHECK_FALSE(source_directory("../secrets").ok());
  CHECK_FALSE(source_directory("apps/../../x").ok());
}

TEST_CASE("manifests are built from YAML files; kustomizations and broken files are named") {
  const std::vector<GitFile> files = {{"a.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}"},
                                      {"README.md", "text"},
                                      {"sub/b.yml", "{apiVersion: v1, kind: Secret, metadata: {name: b}}"}};
  const std::vector<kube::Object> objects = build_manifests(files).value();
  REQUIRE(objects.size() == 2);
  CHECK(objects[1].name() == "b");
  CHECK(is_build_file("sub/b.yml"));
  CHECK(is_build_file("x/Kustomization"));
  CHECK_FALSE(is_build_file("a.yaml/demo.mp4"));
  CHECK(build_manifests({{"x/kustomization.yaml", ""}}).error().message() ==
        "x/kustomization.yaml: kustomize is not built in yet, only plain manifests are applied");
  CHECK(build_manifests({{"bad.yaml", "kind: X"}}).error().message().starts_with("bad.yaml: document 1 (line 1): "));
}

TEST_CASE("an object stands once in a build") {
  const auto config_map = [](std::string_view metadata) {
    return "{apiVersion: v1, kind: ConfigMap, metadata: {" + std::string(metadata) + "}}\n---\n";
  };
  CHECK(build_manifests({{"a.yaml", config_map("name: a")}, {"b.yaml", config_map("name: a, namespace: default")}})
            .error()
            .message() == "b.yaml: may not add resource with an already registered id: ConfigMap/default/a");
  CHECK(
      build_manifests({{"a.yaml", config_map("name: a") + config_map("name: b") + config_map("name: a, namespace: b")}})
          .value()
          .size() == 3);
}

TEST_CASE("manifests are read as kustomize reads them") {
  const kube::Object object =
      build_manifests({{"a.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: n}, data: {a: yes, y: 'on'}}"}})
          .value()
          .front();
  CHECK(object.name() == "n");
  CHECK(json::write(object["data"]) == R"({"a":"yes","y":"on"})");
  CHECK(build_manifests({{"a.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {generateName: x-}}"}})
            .error()
            .message() == "a.yaml: missing metadata.name in object of kind ConfigMap");
}

TEST_CASE("objects say how they are applied") {
  const kube::Object plain = json_object(R"({"metadata":{"name":"a"}})");
  const auto marked = [&plain](std::string_view name, std::string_view value) {
    return plain.with_annotation("kustomize.toolkit.fluxcd.io/" + std::string(name), value);
  };
  CHECK_FALSE(leaves_managers(plain, nullptr));
  CHECK(leaves_managers(marked("ssa", "Merge"), nullptr));
  const kube::Object live = marked("ssa", "merge");
  CHECK(leaves_managers(plain, &live));
  CHECK_FALSE(may_recreate(plain, &plain));
  CHECK(may_recreate(marked("force", "enabled"), nullptr));
  CHECK_FALSE(may_recreate(marked("force", "disabled"), nullptr));
}

TEST_CASE("objects get owner labels, common metadata and the target namespace") {
  const kube::Object kustomization =
      json_object(R"({"metadata":{"name":"apps","namespace":"flux-system"},"spec":{"targetNamespace":"shop",)"
                  R"("commonMetadata":{"labels":{"team":"a"},"annotations":{"note":"b"}}}})");
  const auto namespaced = [](const kube::GroupVersionKind& gvk) { return gvk.kind != "Namespace"; };
  const std::vector<kube::Object> prepared =
      prepare_objects(
          kustomization,
          {json_object(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","creationTimestamp":null},)"
                       R"("stringData":{"k":"v"},"status":{}})"),
           json_object(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}})")},
          namespaced)
          .value();
  CHECK(
      json::write_sorted(prepared[0].tree()) ==
      R"({"apiVersion":"v1","data":{"k":"dg=="},"kind":"Secret","metadata":{"annotations":{"note":"b"},"labels":{)"
      R"("kustomize.toolkit.fluxcd.io/name":"apps","kustomize.toolkit.fluxcd.io/namespace":"flux-system","team":"a"},)"
      R"("name":"s","namespace":"shop"}})");
  CHECK(prepared[1].namespace_().empty());

  CHECK(may_prune(kustomization, prepared[0]));
  CHECK_FALSE(may_prune(kustomization, prepared[0].with_annotation("kustomize.toolkit.fluxcd.io/prune", "Disabled")));
  CHECK_FALSE(may_prune(kustomization, prepared[0].with_label("kustomize.toolkit.fluxcd.io/name", "other")));
}

TEST_CASE("namespaces that others made are kept") {
  const kube::Object kustomization = json_object(R"({"metadata":{"name":"apps","namespace":"flux-system"}})");
  const std::string prune = "kustomize.toolkit.fluxcd.io/prune";
  const kube::Object desired = json_object(
      R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop","labels":{)"
      R"("kustomize.toolkit.fluxcd.io/name":"apps","kustomize.toolkit.fluxcd.io/namespace":"flux-system"}}})");
  const kube::Object foreign = json_object(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}})");
  const auto outcome = [&](const kube::Object& wanted, const kube::Object* live) {
    return std::string(with_namespace_kept(kustomization, wanted, live).annotation(prune));
  };
  CHECK(outcome(desired, nullptr).empty());
  CHECK(outcome(desired, &desired).empty());
  CHECK(outcome(desired, &foreign) == "disabled");
  const kube::Object adopted = desired.with_annotation(prune, "disabled");
  CHECK(outcome(desired, &adopted) == "disabled");
  CHECK(outcome(desired.with_annotation(prune, "enabled"), &adopted) == "enabled");
  const kube::Object other = foreign.with("kind", "ConfigMap");
  CHECK(outcome(other, &other).empty());
}

TEST_CASE("that everything goes has to be confirmed for the revision") {
  const kube::Object kustomization = json_object(R"({"metadata":{"name":"apps"},"spec":{"prune":true}})");
  const kube::Inventory two = {{"default", "a", "", "ConfigMap", "v1"}, {"default", "b", "", "ConfigMap", "v1"}};
  const auto message = unconfirmed_prune(kustomization, "main@sha1:1", {}, two);
  REQUIRE(message);
  CHECK(message->find("all 2 objects") != std::string::npos);
  const std::string key = "kustomize.toolkit.fluxcd.io/prune-all";
  CHECK_FALSE(unconfirmed_prune(kustomization.with_annotation(key, "main@sha1:1"), "main@sha1:1", {}, two));
  CHECK(unconfirmed_prune(kustomization.with_annotation(key, "main@sha1:1"), "main@sha1:2", {}, two));
  CHECK_FALSE(unconfirmed_prune(kustomization, "main@sha1:1", {kustomization}, two));
  CHECK_FALSE(unconfirmed_prune(kustomization, "main@sha1:1", {}, {two[0]}));
  CHECK_FALSE(unconfirmed_prune(kustomization.with("spec", Value::object()), "main@sha1:1", {}, two));
}

TEST_CASE("dependencies must be ready, and at the same revision of the same source") {
  const kube::Object me = json_object(
      R"({"metadata":{"name":"me","namespace":"n"},"spec":{"sourceRef":{"kind":"GitRepository","name":"r"},)"
      R"("dependsOn":[{"name":"base"}]}})");
  const auto dependency = [](std::string_view ready, std::string_view revision) {
    return json_object(
        R"({"metadata":{"namespace":"n","generation":2},"spec":{"sourceRef":{"kind":"GitRepository","name":"r"}},)"
        R"("status":{"observedGeneration":2,"lastAppliedRevision":")" +
        std::string(revision) + R"(","conditions":[{"type":"Ready","status":")" + std::string(ready) + "\"}]}}");
  };
  const auto check = [&me](std::optional<kube::Object> found) {
    return unready_dependency(me, "rev", [&found](const kube::ObjectKey&) { return found; }).value_or("ready");
  };
  CHECK(check(std::nullopt) == "dependency 'n/base' not found");
  CHECK(check(dependency("False", "rev")) == "dependency 'n/base' is not ready");
  CHECK(check(dependency("True", "old")) == "dependency 'n/base' revision is not up to date");
  CHECK(check(dependency("True", "rev")) == "ready");
  // A source is the same however it is named.
  const kube::Object elsewhere = json_object(
      R"({"metadata":{"namespace":"other","generation":2},"spec":{"sourceRef":{"kind":"GitRepository","name":"r",)"
      R"("namespace":"n"}},"status":{"observedGeneration":2,"lastAppliedRevision":"old",)"
      R"("conditions":[{"type":"Ready","status":"True"}]}})");
  CHECK(check(elsewhere) == "dependency 'n/base' revision is not up to date");
}

TEST_CASE("only jobs with a time to live vanish when they are done") {
  const kube::Inventory jobs = vanishing_jobs(
      {json_object(R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"a"},"spec":{}})"),
       json_object(
           R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"b"},"spec":{"ttlSecondsAfterFinished":0}})"),
       json_object(
           R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"c"},"spec":{"ttlSecondsAfterFinished":1}})")});
  REQUIRE(jobs.size() == 1);
  CHECK(jobs[0] == kube::InventoryEntry{"default", "b", "batch", "Job", "v1"});
}

TEST_CASE("artifacts leave out what rules and sparse checkouts leave out") {
  const std::vector<std::string_view> files = {".github/ci.yaml", "apps/.gitignore", "apps/a.yaml", "apps/a.tmp.yaml",
                                               "infra/b.yaml"};
  const std::vector<GitFile> rules = {{".sourceignore", "*.tmp.yaml\n"}, {"infra/.sourceignore", "b.yaml\n"}};
  const auto paths = [&files](std::string_view spec, const std::vector<GitFile>& ignore_files) {
    std::string text;
    const PathFilter in_artifact = artifact_filter(json_object(R"({"spec":)" + std::string(spec) + "}"), ignore_files);
    for (const std::string_view file : files) {
      if (in_artifact(file)) text += std::string(file) + " ";
    }
    return text;
  };
  CHECK(paths("{}", {}) == "apps/a.yaml apps/a.tmp.yaml infra/b.yaml ");
  // Whoever says something says all but what is of version control.
  CHECK(paths("{}", rules) == ".github/ci.yaml apps/a.yaml ");
  CHECK(paths(R"({"ignore":"infra/"})", {}) == ".github/ci.yaml apps/a.yaml apps/a.tmp.yaml ");
  CHECK(paths(R"({"ignore":"# nothing\n"})", {}) == "apps/a.yaml apps/a.tmp.yaml infra/b.yaml ");
  CHECK(paths(R"({"ignore":"!/apps/a.tmp.yaml\n!.gitignore"})", rules) ==
        ".github/ci.yaml apps/.gitignore apps/a.yaml apps/a.tmp.yaml ");
  CHECK(paths(R"({"sparseCheckout":["./apps"]})", rules) == "apps/a.yaml apps/a.tmp.yaml ");
}

TEST_CASE("events tell of a commit by the start of its message") {
  CHECK(stored_commit_text("Add a thing") == "stored artifact for commit 'Add a thing'");
  CHECK(stored_commit_text(std::string(50, 'x')) == "stored artifact for commit '" + std::string(50, 'x') + "'");
  std::string umlauts;
  for (int i = 0; i < 50; ++i) umlauts += "\xC3\xBC";
  CHECK(stored_commit_text(umlauts + "x") == "stored artifact for commit '" + umlauts + "...'");
}

TEST_CASE("conditions follow the outcome") {
  const Value failed = plan_flux_conditions(Value(), {FluxOutcome::Kind::Failed, "BuildFailed", "no"}, 3, kSomeTime);
  CHECK(kube::find_condition(failed, "Ready")["status"].as_string() == "False");
  CHECK(kube::find_condition(failed, "Reconciling")["reason"].as_string() == "ProgressingWithRetry");
  const Value ready = plan_flux_conditions(failed, {FluxOutcome::Kind::Ready, "Succeeded", "yes"}, 3, kSomeTime);
  CHECK(kube::condition_is_true(ready, "Ready"));
  CHECK(kube::find_condition(ready, "Reconciling").is_null());
  const Value stalled = plan_flux_conditions(ready, {FluxOutcome::Kind::Stalled, "URLInvalid", "x"}, 4, kSomeTime);
  CHECK(kube::condition_is_true(stalled, "Stalled"));
  CHECK(kube::find_condition(stalled, "Ready")["observedGeneration"].as_int() == 4);
}

}  // namespace coracle::reconcilers
