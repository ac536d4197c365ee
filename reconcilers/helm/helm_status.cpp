#include "reconcilers/helm/helm_status.h"

#include "base/utf8.h"
#include "kube/client/discovery.h"
#include "kube/object/conditions.h"

namespace coracle::reconcilers {
namespace {

constexpr std::size_t kMaxConditionMessage = 16 * 1024;
constexpr std::string_view kInProcess = "the release is installed in process, without a Job";

constexpr std::string_view kNoKindMatch = "NoKindMatch";

}  // namespace

HelmOutcome HelmOutcome::failure(const Error& error) {
  HelmOutcome outcome{true, error.message()};
  if (kube::is_no_kind_match(error)) outcome.reason = kNoKindMatch;
  return outcome;
}

bool waits_for_definition(const Value& conditions) {
  const Value& failed = kube::find_condition(conditions, "Failed");
  return failed["status"].as_string() == "True" && failed["reason"].as_string() == kNoKindMatch;
}

Value plan_helm_progress(const Value& conditions, std::string_view doing, WallTime now) {
  const std::string message = std::string(kInProcess) + "; now: " + std::string(doing);
  return kube::with_condition(conditions, {"JobCreated", "True", "InProcess", message, {}}, now);
}

Value plan_helm_conditions(const Value& conditions, const HelmOutcome& outcome,
                           const std::vector<std::string>& without_effect, WallTime now) {
  std::string message(kInProcess);
  for (std::size_t i = 0; i < without_effect.size(); ++i) {
    message += (i == 0 ? "; without effect: " : ", ") + without_effect[i];
  }
  const Value planned = kube::with_condition(conditions, {"JobCreated", "True", "InProcess", message, {}}, now);
  return kube::with_condition(planned,
                              {"Failed",
                               outcome.failed ? "True" : "False",
                               outcome.failed ? outcome.reason : std::string("Deployed"),
                               std::string(truncate_utf8(outcome.message, kMaxConditionMessage)),
                               {}},
                              now);
}

}  // namespace coracle::reconcilers
