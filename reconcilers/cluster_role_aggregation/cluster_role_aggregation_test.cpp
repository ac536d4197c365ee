#include "reconcilers/cluster_role_aggregation/cluster_role_aggregation.h"

#include <catch2/catch.hpp>

#include "base/json/json.h"

namespace coracle::reconcilers {
namespace {

kube::Object role(std::string_view text) {
  return kube::Object(json::read(text).value());
}

}  // namespace

TEST_CASE("rules are gathered by selector, without the role itself and without repetition") {
  const kube::Object view =
      role(R"({"metadata":{"name":"view","labels":{"a":"1"}},"aggregationRule":{"clusterRoleSelectors":[)"
           R"({"matchLabels":{"b":"1"}},{"matchLabels":{"a":"1"}}]}})");
  const std::vector<kube::Object> roles = {
      role(R"({"metadata":{"name":"one","labels":{"a":"1"}},"rules":[{"verbs":["get"],"resources":["x"]}]})"),
      role(R"({"metadata":{"name":"two","labels":{"b":"1"}},)"
           R"("rules":[{"verbs":["list"]},{"verbs":["get"],"resources":["x"]}]})"),
      view,
  };
  CHECK(json::write(plan_aggregated_rules(view, roles).value()) ==
        R"([{"verbs":["list"]},{"verbs":["get"],"resources":["x"]}])");
}

TEST_CASE("a wrong selector is an error") {
  const kube::Object broken = role(R"({"metadata":{"name":"x"},"aggregationRule":{"clusterRoleSelectors":[)"
                                   R"({"matchExpressions":[{"key":"a","operator":"Near"}]}]}})");
  CHECK_FALSE(plan_aggregated_rules(broken, {broken}).ok());
}

}  // namespace coracle::reconcilers
