#include "reconcilers/garbage_collector/plan.h"

#include <algorithm>
#include <catch2/catch.hpp>

namespace coracle::reconcilers {
namespace {

const kube::ResourceRef kPods{{"", "v1", "pods"}, "Pod", true};

kube::Object owned_object(std::string_view uid, std::vector<std::string_view> owners, bool foreground = false) {
  Value::ArrayBuilder references;
  for (const std::string_view owner : owners) {
    references.add(Value::object(
        {{"apiVersion", "v1"}, {"kind", "Pod"}, {"name", owner}, {"uid", owner}, {"blockOwnerDeletion", true}}));
  }
  Value::ObjectBuilder metadata;
  metadata.set("name", uid).set("namespace", "n").set("uid", uid);
  metadata.set("ownerReferences", std::move(references).build());
  if (foreground) {
    metadata.set("deletionTimestamp", "2026-01-01T00:00:00Z");
    metadata.set("finalizers", Value::array({Value("foregroundDeletion")}));
  }
  return kube::Object(Value::object({{"metadata", std::move(metadata).build()}}));
}

std::vector<std::string> sorted(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  return texts;
}

GraphNode plain_node() {
  GraphNode node;
  node.uid = "me";
  return node;
}

OwnerStanding owner(std::string uid, OwnerState state) {
  return {{"v1", "Pod", uid, uid, false, true}, state};
}

}  // namespace

TEST_CASE("an owner that exists keeps the object and drops the other references") {
  const CollectionPlan plan = plan_collection(
      plain_node(), {owner("a", OwnerState::Solid), owner("b", OwnerState::Dangling), owner("c", OwnerState::Waiting)},
      {});
  CHECK(plan.action == CollectionPlan::Action::RemoveReferences);
  CHECK(plan.references == std::vector<std::string>{"b", "c"});
  CHECK(plan_collection(plain_node(), {owner("a", OwnerState::Solid)}, {}).action == CollectionPlan::Action::Keep);
}

TEST_CASE("without an owner the object goes, by its own finalizers") {
  const std::vector<OwnerStanding> gone = {owner("a", OwnerState::Dangling)};
  GraphNode node = plain_node();
  CHECK(plan_collection(node, gone, {}).propagation == "Background");
  node.orphan = true;
  CHECK(plan_collection(node, gone, {}).propagation == "Orphan");
  node.orphan = false;
  node.foreground = true;
  CHECK(plan_collection(node, gone, {}).propagation == "Foreground");
}

TEST_CASE("what waits for nobody, is going, or cannot be judged is kept") {
  GraphNode node = plain_node();
  CHECK(plan_collection(node, {}, {}).action == CollectionPlan::Action::Keep);
  CHECK(plan_collection(node, {owner("a", OwnerState::Unknown), owner("b", OwnerState::Dangling)}, {}).action ==
        CollectionPlan::Action::Keep);
  node.deleting = true;
  CHECK(plan_collection(node, {owner("a", OwnerState::Dangling)}, {}).action == CollectionPlan::Action::Keep);
}

TEST_CASE("a circle of foreground deletions is cut") {
  GraphNode dependent = plain_node();
  dependent.deleting = dependent.foreground = true;
  const CollectionPlan plan = plan_collection(plain_node(), {owner("a", OwnerState::Waiting)}, {dependent});
  CHECK(plan.action == CollectionPlan::Action::Delete);
  CHECK(plan.propagation == "Foreground");
  CHECK(plan.unblock_owners);
}

TEST_CASE("the graph tells whom a change concerns") {
  OwnerGraph graph;
  CHECK(graph.apply(kPods, owned_object("owner", {})).empty());
  CHECK(graph.apply(kPods, owned_object("child", {"owner"})) == std::vector<std::string>{"child"});
  CHECK(graph.dependents("owner").size() == 1);
  CHECK(sorted(graph.apply(kPods, owned_object("owner", {}, true))) == std::vector<std::string>{"child", "owner"});
  CHECK(graph.remove(owned_object("child", {})) == std::vector<std::string>{"owner"});
  CHECK(graph.dependents("owner").empty());
  // A dependent may be seen before its owner, and stay when the owner goes.
  graph.apply(kPods, owned_object("late", {"unseen"}));
  CHECK(graph.dependents("unseen").size() == 1);
  graph.apply(kPods, owned_object("unseen", {}));
  CHECK(graph.remove(owned_object("unseen", {})) == std::vector<std::string>{"late"});
}

}  // namespace coracle::reconcilers
