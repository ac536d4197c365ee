#include "reconcilers/git/flux_status.h"

#include <catch2/catch.hpp>

#include "base/json/json.h"
#include "kube/object/conditions.h"
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
        "Ready=False/GitOperationFailed Reconciling=True/ProgressingWithRetry FetchFailed=True/GitOperationFailed ");
  const Value stored = plan_source_status(repository("{}", first), {kReady, kMain}, kEarly);
  CHECK(conditions_text(stored) == "Ready=True/Succeeded ArtifactInStorage=True/Succeeded ");
  CHECK(kube::find_condition(stored["conditions"], "ArtifactInStorage")["message"].as_string() ==
        "stored artifact for revision '" + kMain.revision + "'");

  const Value offline = plan_source_status(repository("{}", stored), {kFailed, std::nullopt, true}, kLate);
  CHECK(conditions_text(offline) ==
        "Ready=False/GitOperationFailed ArtifactInStorage=True/Succeeded Reconciling=True/ProgressingWithRetry "
        "FetchFailed=True/GitOperationFailed ");
  CHECK(offline["artifact"] == stored["artifact"]);
  const Value lost = plan_source_status(repository("{}", stored), {kFailed, std::nullopt, false}, kLate);
  CHECK(kube::find_condition(lost["conditions"], "ArtifactInStorage").is_null());
  CHECK_FALSE(lost.contains("artifact"));
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

}  // namespace coracle::reconcilers
