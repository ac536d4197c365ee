#include "kube/object/selector.h"

#include <catch2/catch.hpp>

namespace coracle::kube {
namespace {

std::string label_text(std::string_view text) {
  Result<LabelSelector> selector = LabelSelector::parse(text);
  return selector.ok() ? selector->text() : "error: " + selector.error().message();
}

bool label_match(std::string_view text, std::initializer_list<std::pair<std::string_view, Value>> labels) {
  Result<LabelSelector> selector = LabelSelector::parse(text);
  REQUIRE(selector.ok());
  return selector->matches(Value::object(labels));
}

}  // namespace

TEST_CASE("label selectors read and print upstream's grammar") {
  CHECK(label_text("x in (b,a,b) , !y,a=b") == "a=b,x in (a,b),!y");
  CHECK(label_text("a!=b,c notin (d),e,f>1,g<2") == "a!=b,c notin (d),e,f>1,g<2");
  CHECK(label_text("a in (,b)") == "a in (,b)");
  CHECK(label_text("a=") == "a=");
  CHECK(label_text("in,notin") == "in,notin");
  CHECK(label_text("") == "");
  CHECK(label_text("a,,b") == "error: found ',', expected: identifier after ','");
  CHECK(label_text("a in b") == "error: unable to parse requirement: found 'b' expected: '('");
  CHECK(label_text("=b") == "error: found '=', expected: !, identifier, or 'end of string'");
  CHECK(label_text("a>x").find("the value must be an integer") != std::string::npos);
  CHECK(label_text("-a").find("error: unable to parse requirement: <nil>: Invalid value: \"-a\": name part must") == 0);
}

TEST_CASE("label selectors match") {
  CHECK(label_match("a=b", {{"a", "b"}}));
  CHECK_FALSE(label_match("a=b", {{"a", "c"}}));
  CHECK(label_match("a!=b", {}));
  CHECK(label_match("a notin (b)", {{"x", "y"}}));
  CHECK_FALSE(label_match("a in (b)", {}));
  CHECK(label_match("a,!b", {{"a", ""}}));
  CHECK(label_match("n>5", {{"n", "7"}}));
  CHECK_FALSE(label_match("n>5", {{"n", "x"}}));
}

TEST_CASE("label selectors come from metav1.LabelSelector") {
  CHECK(LabelSelector::from_value(Value())->selects_nothing());
  CHECK(LabelSelector::from_value(Value::object())->selects_everything());
  const Value selector = Value::object(
      {{"matchLabels", Value::object({{"b", "1"}})},
       {"matchExpressions",
        Value::array({Value::object({{"key", "a"}, {"operator", "In"}, {"values", Value::array({"y", "x"})}})})}});
  CHECK(LabelSelector::from_value(selector)->text() == "a in (x,y),b=1");
  const Value wrong =
      Value::object({{"matchExpressions", Value::array({Value::object({{"key", "a"}, {"operator", "Is"}})})}});
  CHECK(LabelSelector::from_value(wrong).error().message() == "\"Is\" is not a valid label selector operator");
  CHECK(LabelSelector::from_labels(Value::object({{"b", "2"}, {"a", "1"}})).text() == "a=1,b=2");
}

TEST_CASE("field selectors read escapes and match through a lookup") {
  Result<FieldSelector> selector = FieldSelector::parse("metadata.name=a\\,b,spec.x!=c\\=d");
  REQUIRE(selector.ok());
  CHECK(selector->text() == "metadata.name=a\\,b,spec.x!=c\\=d");
  CHECK(selector->required_value("metadata.name") == "a,b");
  CHECK(selector->required_value("spec.x") == std::nullopt);
  const auto lookup = [](std::string_view field) { return std::string(field == "metadata.name" ? "a,b" : "z"); };
  CHECK(selector->matches(lookup));
  CHECK(FieldSelector::parse("a==b")->text() == "a=b");
  CHECK(FieldSelector::parse("")->empty());
  CHECK(FieldSelector::parse("a").error().message() == "invalid selector: 'a'; can't understand 'a'");
  CHECK(FieldSelector::parse("a=b\\c").error().message() == "invalid field selector: invalid escape sequence: \\c");
  CHECK_FALSE(FieldSelector::parse("a=b=c").ok());
}

}  // namespace coracle::kube
