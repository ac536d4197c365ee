#include "reconcilers/storage_protection/storage_protection.h"

#include <catch2/catch.hpp>

#include "base/json/json.h"

namespace coracle::reconcilers {
namespace {

constexpr std::string_view kGuard = "kubernetes.io/pvc-protection";

kube::Object protected_object(std::string_view text) {
  return kube::Object(json::read(text).value());
}

}  // namespace

TEST_CASE("a finalizer is there until its object is deleted and unused") {
  const kube::Object bare = protected_object(R"({"metadata":{"name":"a","finalizers":["other"]}})");
  const kube::Object guarded = bare.with_finalizer(kGuard);
  const kube::Object going = guarded.with_metadata("deletionTimestamp", "2026-01-01T00:00:00Z");
  REQUIRE(plan_protection(bare, kGuard, false));
  CHECK(*plan_protection(bare, kGuard, false) == guarded);
  CHECK_FALSE(plan_protection(guarded, kGuard, false));
  CHECK_FALSE(plan_protection(going, kGuard, true));
  const std::optional<kube::Object> let_go = plan_protection(going, kGuard, false);
  REQUIRE(let_go);
  CHECK_FALSE(let_go->has_finalizer(kGuard));
  CHECK(let_go->has_finalizer("other"));
  // What is going away already is not held back any more.
  CHECK_FALSE(plan_protection(*let_go, kGuard, true));
}

TEST_CASE("a scheduled pod uses the claims that it names and those that were made for it") {
  const kube::Object claim = protected_object(R"({"metadata":{"name":"data","namespace":"a"}})");
  const auto pod = [](std::string_view ns, std::string_view node, std::string_view volume) {
    return protected_object(R"({"metadata":{"name":"web","namespace":")" + std::string(ns) +
                            R"(","uid":"u1"},"spec":{"nodeName":")" + std::string(node) + R"(","volumes":[)" +
                            std::string(volume) + "]},\"status\":{\"phase\":\"Succeeded\"}}");
  };
  constexpr std::string_view kNamed = R"({"name":"v","persistentVolumeClaim":{"claimName":"data"}})";
  CHECK(pod_uses_claim(pod("a", "n1", kNamed), claim));
  CHECK_FALSE(pod_uses_claim(pod("a", "", kNamed), claim));
  CHECK_FALSE(pod_uses_claim(pod("b", "n1", kNamed), claim));
  CHECK_FALSE(pod_uses_claim(pod("a", "n1", R"({"name":"data","emptyDir":{}})"), claim));

  constexpr std::string_view kMade = R"({"name":"cache","ephemeral":{"volumeClaimTemplate":{"spec":{}}}})";
  const auto made = [](std::string_view owner) {
    return protected_object(R"({"metadata":{"name":"web-cache","namespace":"a","ownerReferences":[
      {"apiVersion":"v1","kind":"Pod","name":"web","controller":true,"uid":")" +
                            std::string(owner) + "\"}]}}");
  };
  CHECK(pod_uses_claim(pod("a", "n1", kMade), made("u1")));
  CHECK_FALSE(pod_uses_claim(pod("a", "n1", kMade), made("another")));
}

TEST_CASE("a class is used by what names it in spec or status") {
  for (const char* text :
       {R"({"spec":{"volumeAttributesClassName":"gold"}})", R"({"status":{"currentVolumeAttributesClassName":"gold"}})",
        R"({"status":{"modifyVolumeStatus":{"targetVolumeAttributesClassName":"gold"}}})"}) {
    CHECK(claim_uses_attributes_class(protected_object(text), "gold"));
    CHECK_FALSE(claim_uses_attributes_class(protected_object(text), "silver"));
  }
  const kube::Object volume = protected_object(R"({"spec":{"volumeAttributesClassName":"gold"}})");
  CHECK(volume_uses_attributes_class(volume, "gold"));
  CHECK_FALSE(volume_uses_attributes_class(volume, "silver"));
}

}  // namespace coracle::reconcilers
