#include "reconcilers/resource_quota/resource_quota.h"

#include <catch2/catch.hpp>

#include "base/json/json.h"

namespace coracle::reconcilers {
namespace {

kube::Object quota_with(std::string_view text) {
  return kube::Object(json::read(text).value());
}

std::string planned(std::string_view quota, const std::vector<CountedObjects>& content) {
  const QuotaPlan plan = plan_quota_status(quota_with(quota), content, true);
  return plan.status ? json::write(*plan.status) : "as it should be";
}

}  // namespace

TEST_CASE("a quota's status is what its namespace uses of each name") {
  const std::vector<CountedObjects> content = {
      {"pods",
       {quota_with(R"({"spec":{"containers":[{"resources":{"requests":{"cpu":"500m"}}}]}})"),
        quota_with(R"({"spec":{"containers":[{"resources":{"requests":{"cpu":"700m"}}}]}})")}},
      {"services", {quota_with(R"({"spec":{"type":"NodePort","ports":[{}]}})")}}};
  CHECK(planned(R"({"spec":{"hard":{"pods":"5","requests.cpu":"2","services.nodeports":"1","secrets":"3"}}})",
                content) == R"({"hard":{"pods":"5","requests.cpu":"2","services.nodeports":"1","secrets":"3"},)"
                            R"("used":{"pods":"2","requests.cpu":"1200m","secrets":"0","services.nodeports":"1"}})");
}

TEST_CASE("a status that says the same in other words is left alone") {
  CHECK(planned(R"({"spec":{"hard":{"cpu":"1"}},"status":{"hard":{"cpu":"1000m"},"used":{"cpu":"0m"}}})", {}) ==
        "as it should be");
  // A name that is limited no longer goes from the status.
  CHECK(planned(R"({"spec":{"hard":{"cpu":"1"}},"status":{"hard":{"cpu":"1"},"used":{"cpu":"0","pods":"1"}}})", {}) ==
        R"({"hard":{"cpu":"1"},"used":{"cpu":"0"}})");
}

TEST_CASE("what was charged a moment ago may not be stored yet") {
  const kube::Object quota = quota_with(R"({"spec":{"hard":{"pods":"5","secrets":"5"}},
    "status":{"hard":{"pods":"5","secrets":"5"},"used":{"pods":"0","secrets":"2"}}})");
  const std::vector<CountedObjects> content = {{"pods", {quota_with("{}")}}, {"secrets", {quota_with("{}")}}};
  const QuotaPlan early = plan_quota_status(quota, content, false);
  REQUIRE(early.status);
  CHECK(json::write((*early.status)["used"]) == R"({"pods":"1","secrets":"2"})");
  CHECK(early.lowers_later);
  const QuotaPlan later = plan_quota_status(quota.with("status", *early.status), content, true);
  REQUIRE(later.status);
  CHECK(json::write((*later.status)["used"]) == R"({"pods":"1","secrets":"1"})");
  CHECK_FALSE(later.lowers_later);
}

}  // namespace coracle::reconcilers
