#include "kube/cache/store.h"

#include <catch2/catch.hpp>

#include "base/task_group.h"

namespace coracle::kube {
namespace {

Object stored_object(std::string_view ns, std::string_view name, std::string_view version,
                     std::string_view owner = "") {
  Value::ObjectBuilder metadata;
  metadata.set("namespace", ns).set("name", name).set("resourceVersion", version);
  metadata.set("labels", Value::object({{"owner", Value(owner)}}));
  return Object(Value::object({{"kind", "ConfigMap"}, {"metadata", std::move(metadata).build()}}));
}

std::map<std::string, IndexFunction, std::less<>> by_owner() {
  return {{"owner", [](const Object& object) { return std::vector{std::string(object.label("owner"))}; }}};
}

}  // namespace

TEST_CASE("a store follows applies, removals and replacement") {
  auto executor = make_thread_executor();
  Store store(*executor, by_owner());
  CHECK_FALSE(store.synced());
  std::vector<Store::Change> first =
      store.replace({stored_object("a", "x", "3", "u1"), stored_object("b", "y", "4")}, "5");
  CHECK(first.size() == 2);
  CHECK(store.synced());
  CHECK(store.revision() == 5);
  CHECK(store.list("a").size() == 1);
  CHECK(store.by_index("owner", "u1").size() == 1);

  Store::Change change = store.apply(stored_object("a", "x", "6", "u2"));
  REQUIRE(change.before);
  CHECK(change.before->resource_version() == "3");
  CHECK(store.by_index("owner", "u1").empty());
  CHECK(store.by_index("owner", "u2").size() == 1);

  CHECK(store.remove(stored_object("a", "x", "7")).before.has_value());
  CHECK_FALSE(store.get({"a", "x"}));
  CHECK(store.revision() == 7);
  CHECK_FALSE(store.remove(stored_object("a", "x", "8")).before.has_value());
}

TEST_CASE("a replacement reports only what is different") {
  auto executor = make_thread_executor();
  Store store(*executor);
  store.replace({stored_object("a", "same", "1"), stored_object("a", "gone", "2"), stored_object("a", "old", "3")},
                "3");
  const std::vector<Store::Change> changes = store.replace(
      {stored_object("a", "same", "1"), stored_object("a", "old", "9"), stored_object("a", "new", "8")}, "9");
  std::string text;
  for (const Store::Change& change : changes) {
    text += std::string(change.before ? change.before->name() : "-") + ">" +
            std::string(change.after ? change.after->name() : "-") + " ";
  }
  CHECK(text == "old>old ->new gone>- ");
}

TEST_CASE("wait_for returns when the revision is in, and when the context ends") {
  auto executor = make_thread_executor();
  const Context context(*executor);
  Store store(*executor);
  store.replace({}, "5");
  CHECK(store.wait_for(context, "5").ok());
  CHECK(store.wait_for(context, "").ok());
  const Result<void> late = store.wait_for(context.with_timeout(std::chrono::milliseconds(5)), "6");
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().reason() == Reason::Timeout);

  TaskGroup group(context);
  group.spawn(Lane::Worker, [&store](const Context&) { store.advance("6"); });
  CHECK(store.wait_for(context, "6").ok());
}

}  // namespace coracle::kube
