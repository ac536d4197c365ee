#include "reconcilers/namespace_lifecycle/namespace_controller.h"

#include <catch2/catch.hpp>

#include "kube/object/conditions.h"

namespace coracle::reconcilers {
namespace {

const WallTime kNow{std::chrono::hours(24 * 365 * 50)};

std::string text_of(const Value& conditions, std::string_view type) {
  const Value& condition = kube::find_condition(conditions, type);
  return std::string(condition["status"].as_string()) + " " + std::string(condition["reason"].as_string()) + ": " +
         std::string(condition["message"].as_string());
}

}  // namespace

TEST_CASE("all five conditions are written, in upstream's words") {
  NamespaceProgress progress;
  progress.remaining = {{"pods.", 1, {}}, {"deployments.apps", 2, {{"ex.io/hold", 2}}}};
  const Value conditions = plan_namespace_conditions(Value(), progress, kNow);
  REQUIRE(conditions.size() == 5);
  CHECK(text_of(conditions, "NamespaceDeletionDiscoveryFailure") ==
        "False ResourcesDiscovered: All resources successfully discovered");
  CHECK(text_of(conditions, "NamespaceContentRemaining") ==
        "True SomeResourcesRemain: Some resources are remaining: deployments.apps has 2 resource instances, "
        "pods. has 1 resource instances");
  CHECK(text_of(conditions, "NamespaceFinalizersRemaining") ==
        "True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: ex.io/hold in 2 resource "
        "instances");
}

TEST_CASE("conditions that say the same stay as they are") {
  const Value first = plan_namespace_conditions(Value(), {}, kNow);
  CHECK(plan_namespace_conditions(first, {}, kNow + std::chrono::minutes(1)) == first);
}

}  // namespace coracle::reconcilers
