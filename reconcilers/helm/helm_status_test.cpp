#include "reconcilers/helm/helm_status.h"

#include <catch2/catch.hpp>

#include "kube/client/discovery.h"
#include "kube/object/conditions.h"

namespace coracle::reconcilers {
namespace {

using std::chrono::seconds;

Value after(const HelmOutcome& outcome) {
  return plan_helm_conditions(Value(), outcome, {}, WallTime(seconds(1'700'000'000)));
}

}  // namespace

TEST_CASE("a chart waits for a definition when a kind is missing, whatever its message says") {
  const Error missing = kube::no_kind_match("no matches for kind \"Boat\" in version \"example.com/v1\"");
  const Value conditions = after(HelmOutcome::failure(missing.in(std::string(20'000, 'x'))));
  CHECK(kube::find_condition(conditions, "Failed")["reason"].as_string() == "NoKindMatch");
  CHECK(waits_for_definition(conditions));

  const Value other = after(HelmOutcome::failure(bad_request("the template says: no matches for kind")));
  CHECK(kube::find_condition(other, "Failed")["reason"].as_string() == "ReleaseFailed");
  CHECK_FALSE(waits_for_definition(other));
  CHECK_FALSE(waits_for_definition(after({false, "release shop/web revision 1 is deployed"})));
}

}  // namespace coracle::reconcilers
