#include "kube/patch/patch.h"

#include <catch2/catch.hpp>

#include "base/json/json.h"

namespace coracle::kube::patch {
namespace {

Value parsed(std::string_view text) {
  Result<Value> value = json::read(text);
  REQUIRE(value.ok());
  return *value;
}

const Schema& deployment_schema() {
  const KindSchema* kind = find_builtin_kind("apps", "v1", "Deployment");
  REQUIRE(kind != nullptr);
  return *kind->schema;
}

std::string patched(std::string_view document, std::string_view patch) {
  Result<Value> result = apply_json_patch(parsed(document), parsed(patch));
  return result.ok() ? json::write(*result) : result.error().message();
}

Value spec_of(std::string_view containers, std::string_view rest = "") {
  return parsed(R"({"spec":{"template":{"spec":{"containers":)" + std::string(containers) + std::string(rest) + "}}}}");
}

// The patch between three states must take the live state to the desired one.
void check_three_way(std::string_view last, std::string_view desired, std::string_view live, std::string_view result) {
  Result<Value> patch = three_way_strategic_patch(parsed(last), parsed(desired), parsed(live), deployment_schema());
  REQUIRE(patch.ok());
  INFO(json::write(*patch));
  Result<Value> after = apply_strategic_patch(parsed(live), *patch, deployment_schema());
  REQUIRE(after.ok());
  CHECK(json::write_sorted(*after) == json::write_sorted(parsed(result)));
}

}  // namespace

TEST_CASE("json patches edit whole documents, objects and arrays") {
  CHECK(patched(R"({"a":[1,2]})", R"([{"op":"add","path":"/a/1","value":9}])") == R"({"a":[1,9,2]})");
  CHECK(patched(R"({"a":1})", R"([{"op":"replace","path":"","value":{"b":2}}])") == R"({"b":2})");
  CHECK(patched(R"({"a/b":{"c~d":1}})", R"([{"op":"remove","path":"/a~1b/c~0d"}])") == R"({"a/b":{}})");
  CHECK(patched(R"({"a":{"b":1}})", R"([{"op":"move","from":"/a/b","path":"/c"}])") == R"({"a":{},"c":1})");
  const std::string failed = "the server rejected our request due to an error in our request";
  CHECK(patched(R"({"a":1})", R"([{"op":"test","path":"/a","value":2}])") == failed);
  CHECK(patched(R"({"a":1})", R"([{"op":"add","path":"a","value":2}])") == failed);
  CHECK(patched(R"({"a":1})", R"([{"op":"add","path":"","value":{}}])") == failed);
  CHECK(patched(R"({"a":1})", R"([{"op":"remove","path":""}])") == failed);
  CHECK(patched(R"({"a":1})", R"([{"op":"copy","from":"","path":"/b"}])") == failed);
  CHECK(patched(R"({"a":1})", R"([{"op":"copy","from":"/x/y","path":"/b"}])") == failed);
  CHECK(patched(R"({"a":[1]})", R"([{"op":"copy","from":"/a/1","path":"/b"}])") == failed);
  CHECK(patched(R"({"a":1})", R"([null])") == failed);
  CHECK(patched(R"({"a":1})", R"([{"op":"copy","from":"/x","path":"/b"}])") == R"({"a":1,"b":null})");
  CHECK(patched(R"({"a":1})", R"([{"op":"replace","path":"x/a","value":2}])") == R"({"a":2})");
  CHECK(patched(R"({"a":1})", "null") == R"({"a":1})");
  const std::string undecodable = "error decoding patch: json: cannot unmarshal ";
  CHECK(patched("{}", "1") == undecodable + "number into Go value of type []handlers.jsonPatchOp");
  CHECK(patched("{}", "[[]]") == undecodable + "array into Go value of type handlers.jsonPatchOp");
  CHECK(patched("{}", R"([{"op":1}])") == undecodable + "number into Go struct field jsonPatchOp.op of type string");
  CHECK(patched(R"({"a":1})", R"([{"op":"move","from":"/x","path":"/a"}])") == failed);
  CHECK(patched(R"({"a":1})", R"([{"op":"add"}])") == failed);
  CHECK(patched(R"({})", R"({"op":"add"})") ==
        "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp");
}

TEST_CASE("json patches are limited") {
  std::vector<Value> operations(kMaxJsonPatchOperations + 1, parsed(R"({"op":"test","path":"/a","value":1})"));
  Result<Value> many = apply_json_patch(parsed(R"({"a":1})"), Value::array(operations));
  CHECK(many.error().message() ==
        "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001");
  CHECK(many.error().code() == 413);
  const Value large = Value::object({{"a", std::string(1'000'000, 'x')}});
  std::vector<Value> copies(4, parsed(R"({"op":"copy","from":"/a","path":"/b"})"));
  CHECK(apply_json_patch(large, Value::array(copies)).error().reason() == Reason::Invalid);
  copies.pop_back();
  CHECK(apply_json_patch(large, Value::array(copies)).ok());
}

TEST_CASE("json patches with many operations on a large object are refused before they take long") {
  std::vector<Value::Member> members;
  for (int i = 0; i < 50'000; ++i) members.push_back({"k" + std::to_string(i), Value(i)});
  const Value document = Value::object(std::move(members));
  const Value operation = parsed(R"({"op":"add","path":"/k","value":1})");
  const auto patch = [&](std::size_t operations) { return Value::array(std::vector<Value>(operations, operation)); };
  CHECK(apply_json_patch(document, patch(10)).ok());
  const Result<Value> refused = apply_json_patch(document, patch(kMaxJsonPatchOperations));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().reason() == Reason::RequestEntityTooLarge);
}

TEST_CASE("strategic patches remove many keys at once, and merge long lists in a moment") {
  std::vector<Value::Member> members, nulls;
  for (int i = 0; i < 50'000; ++i) {
    members.push_back({"k" + std::to_string(i), Value(i)});
    if (i % 2 == 0) nulls.push_back({"k" + std::to_string(i), Value()});
  }
  const Value annotations = Value::object(std::move(members));
  const auto annotated = [](const Value& value) {
    return Value::object({{"metadata", Value::object({{"annotations", value}})}});
  };
  const Value patch = annotated(Value::object(std::move(nulls)));
  const Result<Value> result = apply_strategic_patch(annotated(annotations), patch, deployment_schema());
  REQUIRE(result.ok());
  CHECK((*result)["metadata"]["annotations"].size() == 25'000);
  CHECK((*result)["metadata"]["annotations"].contains("k49999"));

  constexpr int kMany = 100'000;
  std::vector<Value> mine, theirs;
  for (int i = 0; i < kMany; ++i) {
    mine.emplace_back("mine-" + std::to_string(i));
    theirs.emplace_back("theirs-" + std::to_string(i));
  }
  const Value live = Value::object({{"metadata", Value::object({{"finalizers", Value::array(mine)}})}});
  const Value exchange =
      Value::object({{"metadata", Value::object({{"$deleteFromPrimitiveList/finalizers", Value::array(std::move(mine))},
                                                 {"finalizers", Value::array(theirs)}})}});
  const Result<Value> exchanged = apply_strategic_patch(live, exchange, deployment_schema());
  REQUIRE(exchanged.ok());
  CHECK((*exchanged)["metadata"]["finalizers"] == Value::array(std::move(theirs)));
}

TEST_CASE("merge patches follow RFC 7386") {
  const auto merged = [](std::string_view document, std::string_view patch) {
    return json::write(apply_merge_patch(parsed(document), parsed(patch)));
  };
  CHECK(merged(R"({"a":"b","c":{"d":"e","f":"g"}})", R"({"a":"z","c":{"f":null}})") == R"({"a":"z","c":{"d":"e"}})");
  CHECK(merged(R"({"a":[1]})", R"({"a":[2,3]})") == R"({"a":[2,3]})");
  CHECK(merged(R"({"a":"b"})", R"({"a":{"bb":{"ccc":null}}})") == R"({"a":{"bb":{}}})");
  CHECK(merged(R"({"a":[1]})", R"({"a":[null,{"b":null,"c":[{"d":null}]}],"e":[{"f":null}]})") ==
        R"({"a":[null,{"c":[{}]}],"e":[{}]})");
  CHECK(merged(R"({"a":{"b":1}})", R"({"a":[{"c":null}]})") == R"({"a":[{"c":null}]})");
  CHECK(merged(R"({"e":null})", R"({"a":1})") == R"({"e":null,"a":1})");
  CHECK(merged(R"([1])", R"({"a":"b","c":null})") == R"({"a":"b"})");
}

TEST_CASE("merge patches are made from three states") {
  const Value last = parsed(R"({"a":1,"gone":1,"b":{"x":1,"y":2}})");
  const Value desired = parsed(R"({"a":2,"b":{"x":1}})");
  const Value live = parsed(R"({"a":1,"gone":1,"b":{"x":1,"y":2,"theirs":3},"status":1})");
  CHECK(json::write_sorted(three_way_merge_patch(last, desired, live)) == R"({"a":2,"b":{"y":null},"gone":null})");
  CHECK(three_way_merge_patch(last, desired, desired).empty());
}

TEST_CASE("strategic three-way patches keep what others added") {
  check_three_way(
      R"({"spec":{"replicas":1,"paused":true,"template":{"spec":{"containers":[{"name":"a","image":"1"},
          {"name":"old","image":"1"}]}}}})",
      R"({"spec":{"replicas":2,"template":{"spec":{"containers":[{"name":"a","image":"2"},
          {"name":"new","image":"1"}]}}}})",
      R"({"spec":{"replicas":1,"paused":true,"template":{"spec":{"containers":[{"name":"a","image":"1","tty":true},
          {"name":"old","image":"1"},{"name":"injected","image":"3"}],"nodeName":"n"}}}})",
      R"({"spec":{"replicas":2,"template":{"spec":{"containers":[{"name":"a","image":"2","tty":true},
          {"name":"injected","image":"3"},{"name":"new","image":"1"}],"nodeName":"n"}}}})");
  check_three_way(R"({"metadata":{"finalizers":["a","b"]}})", R"({"metadata":{"finalizers":["b","c"]}})",
                  R"({"metadata":{"finalizers":["a","b","theirs"]}})",
                  R"({"metadata":{"finalizers":["b","c","theirs"]}})");
  check_three_way(R"({"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}}})",
                  R"({"spec":{"strategy":{"type":"Recreate"}}})",
                  R"({"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}}})",
                  R"({"spec":{"strategy":{"type":"Recreate"}}})");
}

TEST_CASE("strategic three-way patches replace a volume's source and follow a changed order") {
  check_three_way(
      R"({"spec":{"template":{"spec":{"volumes":[{"name":"v","emptyDir":{}}]}}}})",
      R"({"spec":{"template":{"spec":{"volumes":[{"name":"v","secret":{"secretName":"s"}}]}}}})",
      R"({"spec":{"template":{"spec":{"volumes":[{"name":"w"},{"name":"v","configMap":{"name":"c"}}]}}}})",
      R"({"spec":{"template":{"spec":{"volumes":[{"name":"w"},{"name":"v","secret":{"secretName":"s"}}]}}}})");
  check_three_way(R"({"metadata":{"finalizers":["a","b"]}})", R"({"metadata":{"finalizers":["b","a"]}})",
                  R"({"metadata":{"finalizers":["a","b"]}})", R"({"metadata":{"finalizers":["b","a"]}})");
}

TEST_CASE("strategic three-way patches tell items with the same merge key apart") {
  const auto ports = [](std::string_view list) {
    return R"({"spec":{"template":{"spec":{"containers":[{"name":"a","ports":)" + std::string(list) + "}]}}}}";
  };
  const std::string both = ports(R"([{"name":"dns","containerPort":53,"protocol":"UDP"},
                                     {"name":"dns-tcp","containerPort":53,"protocol":"TCP"}])");
  const std::string udp = ports(R"([{"name":"dns","containerPort":53,"protocol":"UDP"}])");
  const std::string renamed = ports(R"([{"name":"dns","containerPort":53,"protocol":"UDP"},
                                        {"name":"tcp","containerPort":53,"protocol":"TCP"}])");
  const std::string injected = ports(R"([{"name":"dns","containerPort":53,"protocol":"UDP"},
                                         {"name":"dns-tcp","containerPort":53,"protocol":"TCP"},
                                         {"name":"theirs","containerPort":9,"protocol":"TCP"}])");
  const std::string injected_renamed = ports(R"([{"name":"dns","containerPort":53,"protocol":"UDP"},
                                                 {"name":"tcp","containerPort":53,"protocol":"TCP"},
                                                 {"name":"theirs","containerPort":9,"protocol":"TCP"}])");
  Result<Value> same = three_way_strategic_patch(parsed(both), parsed(both), parsed(injected), deployment_schema());
  REQUIRE(same.ok());
  CHECK(json::write(*same) == "{}");
  check_three_way(both, renamed, both, renamed);
  check_three_way(both, renamed, injected, injected_renamed);
  check_three_way(both, udp, both, udp);
  check_three_way(both, udp, udp, udp);
  check_three_way(udp, both, udp, both);
}

TEST_CASE("strategic three-way patches are empty when nothing changes") {
  const std::string_view state = R"({"spec":{"template":{"spec":{"containers":[{"name":"a","image":"1"}]}}}})";
  Result<Value> patch = three_way_strategic_patch(
      parsed(state), parsed(state),
      parsed(R"({"spec":{"template":{"spec":{"containers":[{"name":"a","image":"1","tty":true},
      {"name":"b","image":"1"}]}}},"status":{}})"),
      deployment_schema());
  REQUIRE(patch.ok());
  CHECK(patch->empty());
}

TEST_CASE("strategic patches put new items where deleted ones stood") {
  const auto names_after = [](std::string_view live, std::string_view patch) {
    Result<Value> result = apply_strategic_patch(spec_of(live), spec_of(patch), deployment_schema());
    REQUIRE(result.ok());
    std::string names;
    for (const Value& item : (*result)["spec"]["template"]["spec"]["containers"].items())
      names += item["name"].as_string();
    return names;
  };
  CHECK(names_after(R"([{"name":"b"},{"name":"d"}])",
                    R"([{"name":"a"},{"$patch":"delete","name":"b"}],"$setElementOrder/containers":[{"name":"a"}])") ==
        "da");
  CHECK(names_after(R"([{"name":"a"},{"name":"c"},{"name":"d"}])",
                    R"([{"name":"b"},{"name":"c"},{"$patch":"delete","name":"d"}],
                    "$setElementOrder/containers":[{"name":"b"},{"name":"c"}])") == "abc");
  CHECK(names_after(R"([{"name":"x"},{"name":"y"}])", R"([{"name":"n"},{"name":"y"}])") == "nxy");
}

TEST_CASE("strategic patches refuse what they cannot merge") {
  const Value document = spec_of(R"([{"name":"a","image":"1"}])");
  const auto error = [&](std::string_view patch) {
    Result<Value> result = apply_strategic_patch(document, parsed(patch), deployment_schema());
    return result.ok() ? std::string() : result.error().message();
  };
  CHECK(error(R"({"spec":{"template":{"spec":{"containers":[{"image":"x"}]}}}})") ==
        "map: map[image:x] does not contain declared merge key: name");
  CHECK(error(R"({"spec":{"template":{"spec":{"containers":["a"]}}}})") ==
        "list element types are not identical: [[map[image:1 name:a]] [a]]");
  CHECK(error(R"({"spec":{"template":{"spec":{"$setElementOrder/containers":[{"image":"x"}]}}}})") ==
        "map: map[image:x] does not contain declared merge key: name");
  const std::string unordered = error(
      R"({"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"b"}],
      "containers":[{"name":"a"}]}}}})");
  CHECK(unordered == "The order in patch list:\n[map[name:a]]\n doesn't match $setElementOrder list:\n[map[name:b]]\n");
  CHECK(error(R"({"spec":{"$retainKeys":["replicas"],"paused":true}})") == "invalid patch format of retainKeys");
}

}  // namespace coracle::kube::patch
