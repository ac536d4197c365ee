#include <catch2/catch.hpp>

#include "base/context.h"
#include "base/json/json.h"
#include "base/sim_executor.h"
#include "charts/testing/rendering.h"
#include "charts/values.h"
#include "charts/values/schema.h"

namespace coracle::charts {
namespace {

Value from_yaml(std::string_view text) {
  return read_values(text).value();
}

std::string set_text(const std::string& text, const std::string& base = "{}") {
  const auto result = set_values(from_yaml(base), text);
  return result.ok() ? json::write_sorted(*result) : "Error: " + result.error().message();
}

std::shared_ptr<Chart> make_chart(const std::string& name, std::string_view values) {
  auto chart = std::make_shared<Chart>();
  chart->metadata = Value::object({{"apiVersion", "v2"}, {"name", name}, {"version", "1.0.0"}});
  chart->values = from_yaml(values);
  return chart;
}

std::string coalesced(const Chart& chart, std::string_view overrides) {
  const auto result = coalesce_values(chart, from_yaml(overrides));
  return result.ok() ? json::write_sorted(*result) : "Error: " + result.error().message();
}

std::vector<std::string> dependency_names(const Chart& chart, std::string_view overrides) {
  const auto processed = process_dependencies(chart, from_yaml(overrides));
  REQUIRE(processed.ok());
  std::vector<std::string> names;
  for (const auto& dependency : processed->dependencies) names.emplace_back(dependency->name());
  return names;
}

std::string violations(std::string_view schema, std::string_view value) {
  const auto found = check_schema(json::read(schema).value(), from_yaml(value), nullptr);
  if (!found.ok()) return "Error: " + found.error().message();
  std::string text;
  for (const SchemaViolation& violation : *found) text += violation.path + ": " + violation.message + ";";
  return text;
}

}  // namespace

TEST_CASE("--set types what it reads") {
  CHECK(set_text("a=1,b=01,c=1.5,d=1e3,e=0x10,f=yes") ==
        R"({"a":1,"b":"01","c":"1.5","d":"1e3","e":"0x10","f":"yes"})");
  CHECK(set_text("a=true,b=False,c=null,d=") == R"({"a":true,"b":false,"c":null,"d":""})");
  CHECK(set_values({}, "a=1").value()["a"].is_int());
  CHECK(set_values({}, "a=1,b=true", true).value()["b"].is_string());
}

TEST_CASE("--set reaches into maps and lists") {
  CHECK(set_text("a.b.c=1") == R"({"a":{"b":{"c":1}}})");
  CHECK(set_text("a={x,y,3}") == R"({"a":["x","y",3]})");
  CHECK(set_text("a={}") == R"({"a":[""]})");
  CHECK(set_text("a[1]=z") == R"({"a":[null,"z"]})");
  CHECK(set_text("a[0].b=1,a[0].c=2") == R"({"a":[{"b":1,"c":2}]})");
  CHECK(set_text("a[0][1]=x") == R"({"a":[[null,"x"]]})");
  CHECK(set_text(R"(a\.b=c\,d)") == R"({"a.b":"c,d"})");
  CHECK(set_text("a.b=2", "{a: {b: 1, c: 3}}") == R"({"a":{"b":2,"c":3}})");
  CHECK(set_text("a=b=c") == R"({"a":"b=c"})");
}

TEST_CASE("--set refuses what it cannot mean") {
  CHECK(set_text("a") == R"(Error: failed parsing --set data: key "a" has no value)");
  CHECK(set_text("a,b=1") == R"(Error: failed parsing --set data: key "a" has no value (cannot end with ,))");
  CHECK(set_text("a[-1]=x") == "Error: failed parsing --set data: negative -1 index not allowed");
  CHECK(set_text("a[99999999]=x").find("greater than maximum supported index of 65536") != std::string::npos);
  CHECK(set_text("a={x") == "Error: failed parsing --set data: list must terminate with '}'");
  CHECK(set_text("a[0=x") == "Error: failed parsing --set data: missing ']' after a list index");
}

TEST_CASE("numbers of files are floats and documents merge") {
  const Value values = from_yaml("a: 1\nb: {c: 2}\n---\nb: {d: 3}\n");
  CHECK(values["a"].is_double());
  CHECK(json::write_sorted(values) == R"({"a":1,"b":{"c":2,"d":3}})");
  CHECK_FALSE(read_values("- a\n").ok());
}

TEST_CASE("user values lie over defaults and null deletes") {
  const auto chart = make_chart("top", "{a: 1, m: {x: 1, z: 2}, l: [1, 2], gone: null}");
  CHECK(coalesced(*chart, "{m: {x: 5}}") == R"({"a":1,"l":[1,2],"m":{"x":5,"z":2}})");
  CHECK(coalesced(*chart, "{a: null, m: {x: null}}") == R"({"l":[1,2],"m":{"z":2}})");
  CHECK(coalesced(*chart, "{l: [9], new: null}") == R"({"a":1,"l":[9],"m":{"x":1,"z":2},"new":null})");
}

TEST_CASE("sub-charts get their table and the globals") {
  const auto top = make_chart("top", "{sub: {a: 2}, global: {g: top}}");
  top->dependencies.push_back(make_chart("sub", "{a: 1, b: 1, global: {g: sub, h: sub}}"));
  CHECK(coalesced(*top, "{sub: {b: 3}}") ==
        R"({"global":{"g":"top"},"sub":{"a":2,"b":3,"global":{"g":"top","h":"sub"}}})");
  CHECK(coalesced(*top, "{sub: {a: null}}") ==
        R"({"global":{"g":"top"},"sub":{"b":1,"global":{"g":"top","h":"sub"}}})");
  CHECK(coalesced(*top, "{sub: 1}") == "Error: type mismatch on sub: a map of values is expected, not number");
}

TEST_CASE("conditions win over tags, and both disable sub-charts") {
  const auto top = make_chart("top", "{one: {enabled: true}, tags: {extra: false}}");
  top->dependencies = {make_chart("one", "{}"), make_chart("two", "{}"), make_chart("loose", "{}")};
  top->metadata = top->metadata.with(
      "dependencies",
      numbers_as_read(json::read(R"([{"name":"one","version":">=1","condition":"one.enabled","tags":["extra"]},
                                     {"name":"two","version":"1.x","tags":["extra"]}])")
                          .value()));
  CHECK(dependency_names(*top, "{}") == std::vector<std::string>{"loose", "one"});
  CHECK(dependency_names(*top, "{one: {enabled: false}, tags: {extra: true}}") ==
        std::vector<std::string>{"loose", "two"});
  CHECK(json::write(process_dependencies(*top, Value::object())->metadata["dependencies"].at(0)["enabled"]) == "true");
  CHECK_FALSE(process_dependencies(*top, Value::object({{"one", Value::object({{"enabled", false}})}}))
                  ->metadata.contains("dependencies"));
}

TEST_CASE("an alias renames a sub-chart and import-values lift its exports") {
  const auto top = make_chart("top", "{own: 1}");
  top->dependencies = {make_chart("sub", "{exports: {up: {lifted: 5, own: 9}}, deep: {x: 1}}")};
  top->metadata = top->metadata.with("dependencies", json::read(R"([{"name":"sub","version":"1.0.0","alias":"renamed",
      "import-values":["up",{"child":"deep","parent":"into.place"}]}])")
                                                         .value());
  CHECK(dependency_names(*top, "{}") == std::vector<std::string>{"renamed"});
  const auto processed = process_dependencies(*top, Value::object());
  CHECK(processed->values["lifted"].as_double() == 5);
  CHECK(processed->values["own"].as_double() == 1);
  CHECK(processed->values["into"]["place"]["x"].as_double() == 1);
}

TEST_CASE("schemas find what is wrong and where") {
  CHECK(violations(R"({"properties":{"a":{"type":"integer"}}})", "{a: 1}").empty());
  CHECK(violations(R"({"properties":{"a":{"type":"integer"}}})", "{a: x}") == "/a: got string, want integer;");
  CHECK(violations(R"({"required":["a","b"]})", "{a: 1}") == ": missing property 'b';");
  CHECK(violations(R"({"additionalProperties":false,"properties":{"a":{}}})", "{a: 1, z: 2}") ==
        ": additional properties 'z' not allowed;");
  CHECK(violations(R"({"properties":{"a":{"enum":["x","y"]}}})", "{a: z}") == "/a: value must be one of 'x', 'y';");
  CHECK(violations(R"({"properties":{"a":{"minimum":2,"maximum":3}}})", "{a: 1}") == "/a: minimum: got 1, want 2;");
  CHECK(violations(R"({"properties":{"a":{"pattern":"^x"}}})", "{a: yx}") == "/a: 'yx' does not match pattern '^x';");
  CHECK(violations(R"({"properties":{"a":{"items":{"type":"string"}}}})", "{a: [x, 1]}") ==
        "/a/1: got number, want string;");
  CHECK(violations(R"({"if":{"required":["a"]},"then":{"required":["b"]}})", "{a: 1}") == ": missing property 'b';");
  CHECK(violations(R"({"oneOf":[{"required":["a"]},{"required":["b"]}]})", "{a: 1, b: 1}") ==
        ": oneOf failed, subschemas 0, 1 matched;");
  CHECK(violations(R"({"$defs":{"p":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/p"}}})", "{a: 1}") ==
        "/a: got number, want string;");
}

TEST_CASE("schemas that take too long are refused, and end when nobody waits for them") {
  std::string doubling = R"({"$ref":"#/$defs/0","$defs":{"40":{})";
  for (int i = 0; i < 40; ++i) {
    const std::string next = R"({"$ref":"#/$defs/)" + std::to_string(i + 1) + "\"}";
    doubling += ",\"" + std::to_string(i) + R"(":{"allOf":[)" + next + "," + next + "]}";
  }
  doubling += "}}";
  CHECK(violations(doubling, "{}").find("the schemas take more than") != std::string::npos);
  std::string items = "[0";
  for (int i = 1; i < 20'000; ++i) items += "," + std::to_string(i);
  CHECK(violations(R"({"properties":{"l":{"uniqueItems":true}}})", "l: " + items + "]")
            .find("the schemas take more than") != std::string::npos);
  const auto executor = SimExecutor::make(1, {});
  std::stop_source stop;
  stop.request_stop();
  const Context context = Context(*executor).with_stop(stop.get_token());
  const auto stopped = check_schema(json::read(doubling).value(), Value::object(), nullptr, &context);
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().reason() == Reason::Canceled);
}

TEST_CASE("a schema's remote references are accepted with one warning and its cycles are refused") {
  std::vector<std::string> warnings;
  const Value schema = json::read(R"({"properties":{"a":{"$ref":"https://example.com/s.json"},
                                                    "b":{"$ref":"https://example.com/s.json"}}})")
                           .value();
  const auto found = check_schema(schema, from_yaml("{a: 1, b: 2}"), &warnings);
  REQUIRE(found.ok());
  CHECK(found->empty());
  CHECK(warnings.size() == 1);
  CHECK(violations(R"({"$ref":"#"})", "{}").find("refers to itself") != std::string::npos);
  CHECK(violations(R"({"unevaluatedProperties":false})", "{}") ==
        "Error: the schema keyword unevaluatedProperties is not supported");
}

}  // namespace coracle::charts
