#include "reconcilers/git/flux_status.h"

#include <catch2/catch.hpp>

#include "base/json/json.h"
#include "kube/object/conditions.h"
#include "reconcilers/git/kustomization_plan.h"
#include "reconcilers/git/kustomization_status.h"
#include "reconcilers/git/source_plan.h"

namespace coracle::reconcilers {
namespace {

const WallTime kEarly{std::chrono::hours(24 * 365 * 50)};
const WallTime kLate = kEarly + std::chrono::minutes(10);
const ChosenReference kMain{"refs/heads/main", std::string(40, 'a'), "main@sha1:" + std::string(40, 'a')};
const FluxOutcome kReady{FluxOutcome::Kind::Ready, "Succeeded", "stored"};
const FluxOutcome kFailed{FluxOutcome::Kind::Failed, "GitOperationFailed", "no route"};

kube::Object repository(std::string_view spec, const Value& status = Value()) {
  const kube::Object object(
      json::read(R"({"metadata":{"namespace":"n","name":"r","generation":1},"spec":)" + std::string(spec) + "}")
          .value());
  return status.is_null() ? object : object.with("status", status);
}

// "type=status/reason" of every condition.
std::string conditions_text(const Value& status) {
  std::string text;
  for (const Value& condition : status["conditions"].items()) {
    text += std::string(condition["type"].as_string()) + "=" + std::string(condition["status"].as_string()) + "/" +
            std::string(condition["reason"].as_string()) + " ";
  }
  return text;
}

}  // namespace

TEST_CASE("a source says what it has stored, and why it could not be fetched while it cannot") {
  const Value first = plan_source_status(repository("{}"), {kFailed}, kEarly);
  CHECK(conditions_text(first) ==
        "Reconciling=True/ProgressingWithRetry Ready=False/GitOperationFailed FetchFailed=True/GitOperationFailed ");
  const Value stored = plan_source_status(repository("{}", first), {kReady, kMain}, kEarly);
  CHECK(conditions_text(stored) == "Ready=True/Succeeded ArtifactInStorage=True/Succeeded ");
  CHECK(kube::find_condition(stored["conditions"], "ArtifactInStorage")["message"].as_string() ==
        "stored artifact for revision '" + kMain.revision + "'");

  const Value offline = plan_source_status(repository("{}", stored), {kFailed, std::nullopt, true}, kLate);
  CHECK(conditions_text(offline) ==
        "Reconciling=True/ProgressingWithRetry Ready=False/GitOperationFailed ArtifactInStorage=True/Succeeded "
        "FetchFailed=True/GitOperationFailed ");
  CHECK(offline["artifact"] == stored["artifact"]);
  const Value lost = plan_source_status(repository("{}", stored), {kFailed, std::nullopt, false}, kLate);
  CHECK(kube::find_condition(lost["conditions"], "ArtifactInStorage").is_null());
  CHECK_FALSE(lost.contains("artifact"));
}

TEST_CASE("a condition that says something else has changed") {
  const auto ready_since = [](const Value& conditions, std::string_view message, WallTime now) {
    return plan_flux_conditions(conditions, {FluxOutcome::Kind::Ready, "Succeeded", std::string(message)}, 1, now);
  };
  const auto time = [](const Value& conditions) {
    return kube::find_condition(conditions, "Ready")["lastTransitionTime"].as_string();
  };
  const Value first = ready_since(Value(), "one", kEarly);
  CHECK(time(ready_since(first, "one", kLate)) == format_time(kEarly));
  CHECK(time(ready_since(first, "two", kLate)) == format_time(kLate));
}

TEST_CASE("a generation is observed when it is done with") {
  CHECK_FALSE(plan_source_status(repository("{}"), {kFailed}, kEarly).contains("observedGeneration"));
  CHECK(plan_source_status(repository("{}"), {kReady, kMain}, kEarly)["observedGeneration"].as_int() == 1);
  Attempt attempt{.outcome = {FluxOutcome::Kind::Failed, "BuildFailed", "bad"}};
  CHECK_FALSE(plan_kustomization_status(repository("{}"), attempt, kEarly).contains("observedGeneration"));
  attempt.outcome.kind = FluxOutcome::Kind::Stalled;
  CHECK(plan_kustomization_status(repository("{}"), attempt, kEarly)["observedGeneration"].as_int() == 1);
}

TEST_CASE("what is suspended answers requests and stays ready in its new generation") {
  const Value stored = plan_source_status(repository("{}"), {kReady, kMain}, kEarly);
  const kube::Object suspended =
      repository("{}", stored).with_metadata("generation", 2).with_annotation(kReconcileRequest, "now");
  const Value status = plan_suspended_status(suspended);
  CHECK(status["observedGeneration"].as_int() == 2);
  CHECK(status["lastHandledReconcileAt"].as_string() == "now");
  CHECK(status["conditions"] == stored["conditions"]);
  const Value failed = plan_source_status(repository("{}", stored), {kFailed, std::nullopt, true}, kEarly);
  CHECK(plan_suspended_status(repository("{}", failed).with_metadata("generation", 2))["observedGeneration"].as_int() ==
        1);
}

TEST_CASE("an artifact tells what it was made with, and changes only with that") {
  const std::string spec = R"({"ignore":"*.md","sparseCheckout":["./apps"]})";
  const Value stored = plan_source_status(repository(spec), {kReady, kMain}, kEarly);
  CHECK(stored["observedIgnore"].as_string() == "*.md");
  CHECK(json::write(stored["observedSparseCheckout"]) == R"(["./apps"])");
  CHECK(stored["artifact"]["digest"].as_string() == "sha1:" + kMain.commit);
  CHECK_FALSE(stored["artifact"].contains("size"));

  const Value again = plan_source_status(repository(spec, stored), {kReady, kMain}, kLate);
  CHECK(again["artifact"] == stored["artifact"]);
  const Value other = plan_source_status(repository(R"({"ignore":""})", stored), {kReady, kMain}, kLate);
  CHECK(other["artifact"]["lastUpdateTime"].as_string() == format_time(kLate));
  CHECK(other["observedIgnore"].is_string());
  CHECK_FALSE(other.contains("observedSparseCheckout"));
  const Value plain = plan_source_status(repository("{}", other), {kReady, kMain}, kLate);
  CHECK_FALSE(plain.contains("observedIgnore"));
  // What was not fetched was not observed.
  const Value failed = plan_source_status(repository("{}", stored), {kFailed, std::nullopt, true}, kLate);
  CHECK(failed["observedIgnore"].as_string() == "*.md");
}

TEST_CASE("a Kustomization is Healthy only where something is checked") {
  Attempt attempt{.outcome = {FluxOutcome::Kind::Progressing, "Progressing", "waiting"}, .revision = "main@sha1:a"};
  attempt.health = HealthVerdict{true, "Unknown", "Progressing", "Running health checks"};
  const Value waiting = plan_kustomization_status(repository("{}"), attempt, kEarly);
  CHECK(conditions_text(waiting) ==
        "Reconciling=True/Progressing Ready=Unknown/Progressing Healthy=Unknown/Progressing ");

  attempt.outcome = {FluxOutcome::Kind::Failed, "BuildFailed", "bad"};
  attempt.health.reset();
  const Value unbuilt = plan_kustomization_status(repository("{}", waiting), attempt, kEarly);
  CHECK(kube::find_condition(unbuilt["conditions"], "Healthy")["status"].as_string() == "Unknown");
  attempt.outcome = {FluxOutcome::Kind::Ready, "ReconciliationSucceeded", "Applied revision"};
  attempt.health = HealthVerdict{true, "True", "Succeeded", "Health check passed in 1s"};
  const Value healthy = plan_kustomization_status(repository("{}", waiting), attempt, kEarly);
  CHECK(conditions_text(healthy) == "Ready=True/ReconciliationSucceeded Healthy=True/Succeeded ");
  attempt.health = HealthVerdict{};
  CHECK(conditions_text(plan_kustomization_status(repository("{}", healthy), attempt, kEarly)) ==
        "Ready=True/ReconciliationSucceeded ");
}

TEST_CASE("the history has the latest five outcomes, each once") {
  const Snapshot snapshot{"sha256:a", std::chrono::milliseconds(1500)};
  Value history = plan_history(Value(), snapshot, "main@sha1:1", "ReconciliationSucceeded", kEarly);
  history = plan_history(history, {"sha256:b", {}}, "main@sha1:2", "HealthCheckFailed", kEarly);
  history = plan_history(history, snapshot, "main@sha1:3", "ReconciliationSucceeded", kLate);
  CHECK(history.items().size() == 2);
  CHECK(json::write_sorted(history.items()[0]) ==
        R"({"digest":"sha256:a","firstReconciled":")" + format_time(kEarly) + R"(","lastReconciled":")" +
            format_time(kLate) +
            R"(","lastReconciledDuration":"1.5s","lastReconciledStatus":"ReconciliationSucceeded",)"
            R"("metadata":{"revision":"main@sha1:3"},"totalReconciliations":2})");
  for (const std::string digest : {"c", "d", "e", "f"}) {
    history = plan_history(history, {digest, {}}, "main@sha1:4", "ReconciliationSucceeded", kLate);
  }
  CHECK(history.items().size() == 5);
  CHECK(history.items()[0]["digest"].as_string() == "f");
  CHECK(history.items()[4]["digest"].as_string() == "sha256:a");
}

TEST_CASE("a round that finds everything as it was changes no status") {
  Attempt attempt{.outcome = {FluxOutcome::Kind::Ready, "ReconciliationSucceeded", "Applied revision"},
                  .revision = "main@sha1:1",
                  .applied = true,
                  .snapshot = Snapshot{"sha256:a", std::chrono::seconds(1)}};
  const Value first = plan_kustomization_status(repository("{}"), attempt, kEarly);
  CHECK(plan_kustomization_status(repository("{}", first), attempt, kLate) == first);
  attempt.snapshot->digest = "sha256:b";
  CHECK(plan_kustomization_status(repository("{}", first), attempt, kLate)["history"].size() == 2);
}

TEST_CASE("a digest is that of the objects and their order") {
  const std::vector<kube::Object> objects = {repository(R"({"a":1})"), repository(R"({"a":2})")};
  CHECK(digest_of(objects) == digest_of({repository(R"({"a":1})"), repository(R"({"a":2})")}));
  CHECK(digest_of(objects) != digest_of({objects[1], objects[0]}));
  CHECK(digest_of({}).starts_with("sha256:"));
}

TEST_CASE("a change of status asks for no work, one of spec, deletion or a request does") {
  const kube::Object before = repository("{}");
  CHECK(asks_for_work(std::nullopt, before));
  CHECK_FALSE(asks_for_work(before, repository("{}", Value::object({{"observedGeneration", 1}}))));
  CHECK(asks_for_work(before, before.with_metadata("generation", 2)));
  CHECK(asks_for_work(before, before.with_metadata("deletionTimestamp", "2026-01-01T00:00:00Z")));
  CHECK(asks_for_work(before, before.with_annotation(kReconcileRequest, "now")));
}

TEST_CASE("a reference without a namespace means the object's own") {
  CHECK(referenced_key(repository("{}"), Value::object({{"name", "x"}})) == kube::ObjectKey{"n", "x"});
  CHECK(referenced_key(repository("{}"), Value::object({{"name", "x"}, {"namespace", "m"}})) ==
        kube::ObjectKey{"m", "x"});
}

TEST_CASE("a message that is too long is cut between characters") {
  std::string message(19'999, 'x');
  message += "\u00e9";
  const Value status = plan_source_status(repository("{}"), {{FluxOutcome::Kind::Failed, "Failed", message}}, kEarly);
  CHECK(kube::find_condition(status["conditions"], "Ready")["message"].as_string() == std::string(19'999, 'x'));
}

TEST_CASE("nothing waits for its own health") {
  const kube::Object me = repository(R"({"wait":true})");
  const kube::InventoryEntry itself{"n", "r", "kustomize.toolkit.fluxcd.io", "Kustomization", "v1"};
  const kube::InventoryEntry other{"n", "other", "kustomize.toolkit.fluxcd.io", "Kustomization", "v1"};
  const kube::InventoryEntry build{"n", "r", "kustomize.config.k8s.io", "Kustomization", "v1beta1"};
  CHECK(health_targets(me, {itself, other, build}).size() == 2);
}

}  // namespace coracle::reconcilers
