#include "base/value.h"

#include <catch2/catch.hpp>

namespace coracle {
namespace {

Value numbered_object(int members) {
  Value::ObjectBuilder builder;
  for (int i = 0; i < members; ++i) builder.set("key" + std::to_string(i), i);
  return std::move(builder).build();
}

TEST_CASE("values answer their fallback when the kind differs") {
  CHECK(Value().is_null());
  CHECK(Value(true).as_bool());
  CHECK(Value(7).as_int() == 7);
  CHECK(Value(7).as_double() == 7.0);
  CHECK(Value(7.5).as_int(3) == 3);
  CHECK(Value("text").as_string() == "text");
  CHECK(Value("").as_string("other").empty());
  CHECK(Value(7).as_string("other") == "other");
  CHECK(sizeof(Value) == 16);
}

TEST_CASE("missing members and items read as null") {
  const Value value = Value::object({{"spec", Value::object({{"replicas", 3}})}});
  CHECK(value["spec"]["replicas"].as_int() == 3);
  CHECK(value["status"]["replicas"].as_int(1) == 1);
  CHECK(value.at(0).is_null());
  CHECK(Value::array({1, "two"}).at(1).as_string() == "two");
  CHECK(Value::array({1}).at(1).is_null());
}

TEST_CASE("a repeated key keeps its first place and its last value") {
  for (int extra : {0, 100}) {
    std::vector<Value::Member> members;
    for (int i = 0; i < extra; ++i) members.push_back({"filler" + std::to_string(i), i});
    members.push_back({"a", 1});
    members.push_back({"b", 2});
    members.push_back({"a", 3});
    const Value value = Value::object(std::move(members));
    REQUIRE(value.size() == static_cast<std::size_t>(extra) + 2);
    CHECK(value.members()[value.size() - 2].key == "a");
    CHECK(value["a"].as_int() == 3);
    CHECK(value["b"].as_int() == 2);
  }
}

TEST_CASE("large objects find, replace and remove members like small ones") {
  for (int count : {3, 16, 17, 40, 1000}) {
    const Value value = numbered_object(count);
    REQUIRE(value.size() == static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) REQUIRE(value["key" + std::to_string(i)].as_int() == i);
    CHECK_FALSE(value.contains("key" + std::to_string(count)));

    const Value changed = value.with("key1", "new");
    CHECK(changed["key1"].as_string() == "new");
    CHECK(changed.members()[1].key == "key1");
    CHECK(value["key1"].as_int() == 1);

    CHECK(value.with("key1", 1).same_tree(value));
    CHECK(changed.with("key1", "new").same_tree(changed));
    CHECK_FALSE(value.with("key1", 1.0) == value);

    const Value shorter = value.without("key0");
    CHECK(shorter.size() + 1 == value.size());
    CHECK_FALSE(shorter.contains("key0"));
    CHECK(shorter["key2"].as_int() == 2);
    CHECK(shorter.with("key0", 0) == value);  // order does not matter
  }
}

TEST_CASE("with_path makes the objects on its way") {
  const std::string_view path[] = {"metadata", "labels", "app"};
  const Value value = Value().with_path(path, "web");
  CHECK(value["metadata"]["labels"]["app"].as_string() == "web");
  const Value both = value.with_path(std::span(path).first(1), value["metadata"].with("name", "n"));
  CHECK(both["metadata"]["labels"]["app"].as_string() == "web");
  CHECK(both["metadata"]["name"].as_string() == "n");
}

TEST_CASE("comparison is deep and knows kinds") {
  CHECK(Value(1) == Value(1));
  CHECK_FALSE(Value(1) == Value(1.0));
  CHECK_FALSE(Value::array({1, 2}) == Value::array({2, 1}));
  CHECK(Value::object({{"a", 1}, {"b", 2}}) == Value::object({{"b", 2}, {"a", 1}}));
  CHECK_FALSE(Value::object({{"a", 1}}) == Value::object({{"b", 1}}));
  const Value tree = Value::array({1});
  const Value copy = tree;
  CHECK(copy.same_tree(tree));
  CHECK_FALSE(copy.same_tree(Value::array({1})));
}

TEST_CASE("set_nonempty leaves out what Go calls empty") {
  Value::ObjectBuilder builder;
  builder.set_nonempty("a", "").set_nonempty("b", 0).set_nonempty("c", false).set_nonempty("d", Value());
  builder.set_nonempty("e", Value::array()).set_nonempty("f", Value::object()).set_nonempty("g", 0.0);
  CHECK(builder.size() == 0);
  builder.set_nonempty("h", "x");
  CHECK(std::move(builder).build() == Value::object({{"h", "x"}}));
}

TEST_CASE("a deep tree dies without trouble") {
  Value value("leaf");
  for (int i = 0; i < 2000; ++i) value = i % 2 == 0 ? Value::array({value}) : Value::object({{"k", value}});
  const Value copy = value;
  value = Value();
  CHECK(copy.size() == 1);
}

}  // namespace
}  // namespace coracle
