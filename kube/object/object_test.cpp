#include "kube/object/object.h"

#include <catch2/catch.hpp>

#include "base/json/json.h"
#include "kube/object/conditions.h"
#include "kube/object/json_path.h"
#include "kube/object/status.h"

namespace coracle::kube {
namespace {

Value parse_json(std::string_view text) {
  Result<Value> value = json::read(text);
  REQUIRE(value.ok());
  return *value;
}

std::string path_result(std::string_view path, const Value& root) {
  Result<JsonPath> parsed = JsonPath::parse(path);
  if (!parsed.ok()) return "error: " + parsed.error().message();
  std::string out;
  for (const Value& match : parsed->evaluate(root)) out += (out.empty() ? "" : " ") + json::write(match);
  return out;
}

}  // namespace

TEST_CASE("objects read and change metadata") {
  const Object object(parse_json(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d","namespace":"n",
      "labels":{"a":"b"},"finalizers":["x/y"],"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"u",
      "controller":true}]}})"));
  CHECK(object.gvk() == GroupVersionKind{"apps", "v1", "Deployment"});
  CHECK(object.gvk().api_version() == "apps/v1");
  CHECK(GroupVersionKind::parse("v1", "Pod").group.empty());
  CHECK(object.key().text() == "n/d");
  CHECK(object.has_finalizer("x/y"));
  REQUIRE(object.controller());
  CHECK(object.controller()->uid == "u");
  CHECK(object.with_label("c", "d").label("c") == "d");
  CHECK(object.with_annotation("k", "v").annotation("k") == "v");
  CHECK_FALSE(object.without_finalizer("x/y").metadata().contains("finalizers"));
  CHECK(object.with_finalizer("x/y") == object);
}

TEST_CASE("conditions keep their transition time while the status stays") {
  const WallTime start{std::chrono::seconds(1'000'000)};
  const WallTime later = start + std::chrono::hours(1);
  Value list = with_condition(Value(), {"Ready", "False", "A", "m", 3}, start);
  list = with_condition(list, {"Ready", "False", "B", "n", std::nullopt}, later);
  CHECK(find_condition(list, "Ready")["lastTransitionTime"].as_string() == format_time(start));
  CHECK(find_condition(list, "Ready")["reason"].as_string() == "B");
  CHECK(find_condition(list, "Ready")["observedGeneration"].as_int() == 3);
  list = with_condition(list, {"Ready", "True", "C", "", std::nullopt}, later);
  CHECK(find_condition(list, "Ready")["lastTransitionTime"].as_string() == format_time(later));
  CHECK(condition_is_true(list, "Ready"));
  CHECK(list.size() == 1);
  CHECK(without_condition(list, "Ready").empty());
  CHECK(find_condition(list, "Other").is_null());
}

TEST_CASE("JSONPath evaluates what kubectl and printer columns use") {
  const Value root = parse_json(R"({"spec":{"a":[{"t":"Ready","s":"True","n":1},{"t":"X","s":"False","n":2}],
      "b":{"c.d":1,"e":"f"},"n":5},"l":[1,2,3,4]})");
  CHECK(path_result(".spec.n", root) == "5");
  CHECK(path_result("{.spec.a[0].t}", root) == "\"Ready\"");
  CHECK(path_result("{.spec.a[?(@.t==\"Ready\")].s}", root) == "\"True\"");
  CHECK(path_result(".spec.a[?(@.n>=2)].t", root) == "\"X\"");
  CHECK(path_result(".spec.a[?(@.missing)].t", root) == "");
  CHECK(path_result(".spec.a[*].n", root) == "1 2");
  CHECK(path_result(".spec.b.c\\.d", root) == "1");
  CHECK(path_result(".spec.b['e']", root) == "\"f\"");
  CHECK(path_result(".l[1:3]", root) == "2 3");
  CHECK(path_result(".l[-1]", root) == "4");
  CHECK(path_result(".l[0,2]", root) == "1 3");
  CHECK(path_result("..n", root) == "5 1 2");
  CHECK(path_result(".spec.missing.deeper", root) == "");
  CHECK(path_result(".spec.a[", root) == "error: invalid JSONPath \".spec.a[\": invalid array index at position 9");
  CHECK(path_result("{.spec", root).find("error: ") == 0);
  CHECK(JsonPath::parse(".spec.n")->first(root).as_int() == 5);
  std::vector<std::string> fields;
  CHECK(JsonPath::parse(".spec.replicas")->plain_fields(fields));
  CHECK(fields == std::vector<std::string>{"spec", "replicas"});
  CHECK_FALSE(JsonPath::parse(".spec.a[0]")->plain_fields(fields));
}

TEST_CASE("errors travel as metav1.Status") {
  const Error error = Error(Reason::NotFound, "pods \"x\" not found").with_details({"x", "", "pods", ""});
  const Value status = to_status(error);
  CHECK(json::write(status) ==
        R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods \"x\" not found",)"
        R"("reason":"NotFound","details":{"name":"x","kind":"pods"},"code":404})");
  const Error back = error_from_status(status);
  CHECK(back.reason() == Reason::NotFound);
  CHECK(back.code() == 404);
  CHECK(back.details() == error.details());

  const Error rich = Error(Reason::Invalid, "bad")
                         .with_cause({"FieldValueInvalid", "m", "spec.x"})
                         .with_retry_after(std::chrono::seconds(2));
  const Error rich_back = error_from_status(to_status(rich));
  CHECK(rich_back.causes() == rich.causes());
  CHECK(rich_back.retry_after() == std::chrono::seconds(2));

  CHECK(to_status(internal_error("boom"))["message"].as_string() == "Internal error occurred: boom");
  CHECK(to_status(internal_error("boom"))["details"]["causes"].at(0)["message"].as_string() == "boom");
  CHECK(error_from_status(Value("oops"), 502).code() == 502);
  CHECK(success_status({"x", "", "pods", "u"})["details"]["uid"].as_string() == "u");
}

}  // namespace coracle::kube
