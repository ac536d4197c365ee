#include <algorithm>
#include <catch2/catch.hpp>

#include "base/json/json.h"
#include "kube/object/field_path.h"
#include "kube/object/names.h"
#include "kube/object/path_element.h"

namespace coracle::kube {
namespace {

std::string joined(const NameErrors& errors) {
  std::string text;
  for (const std::string& error : errors) text += (text.empty() ? "" : "; ") + error;
  return text;
}

std::string fields_v1(const PathElement& element) {
  std::string text;
  element.append_fields_v1_key(text);
  return text;
}

std::string readable(const PathElement& element) {
  std::string text;
  element.append_readable(text);
  return text;
}

}  // namespace

TEST_CASE("field paths print as validation messages name them") {
  CHECK(FieldPath("spec").child("containers").index(0).child("name").text() == "spec.containers[0].name");
  CHECK(FieldPath("metadata").child("annotations").key("a.b/c").text() == "metadata.annotations[a.b/c]");
  CHECK(FieldPath().child("x").text() == "x");
}

TEST_CASE("path elements have a fieldsV1 and a readable form") {
  const PathElement key = PathElement::key({{"protocol", Value("TCP")}, {"containerPort", Value(80)}});
  CHECK(fields_v1(key) == R"(k:{"containerPort":80,"protocol":"TCP"})");
  CHECK(readable(key) == R"([containerPort=80,protocol="TCP"])");
  CHECK(fields_v1(PathElement::field("spec")) == "f:spec");
  CHECK(readable(PathElement::field("spec")) == ".spec");
  CHECK(fields_v1(PathElement::value(Value("x"))) == R"(v:"x")");
  CHECK(readable(PathElement::value(Value("x"))) == R"([="x"])");
  CHECK(fields_v1(PathElement::index(3)) == "i:3");
  for (const PathElement& element :
       {key, PathElement::field("a:b"), PathElement::value(Value(1)), PathElement::index(12)}) {
    Result<PathElement> parsed = PathElement::parse(fields_v1(element));
    REQUIRE(parsed.ok());
    CHECK(*parsed == element);
  }
  // Another spelling of the same key is the same key.
  CHECK(*PathElement::parse(R"(k:{"protocol": "TCP", "containerPort":80})") == key);
  CHECK(*PathElement::parse(R"(k:{"protocol":"TCP","containerPort":80})") == key);
  CHECK(*PathElement::parse(R"(v:"\u0061")") == PathElement::value(Value("a")));
  CHECK(*PathElement::parse(R"(v:"<")") == PathElement::value(Value("<")));
  CHECK_FALSE(PathElement::parse(R"(k:{"a":1}x)").ok());
  CHECK_FALSE(PathElement::parse("spec").ok());
  CHECK_FALSE(PathElement::parse("i:x").ok());
  CHECK_FALSE(PathElement::parse("k:1").ok());
}

TEST_CASE("path elements sort by kind, then by value") {
  std::vector<PathElement> elements = {PathElement::index(10),
                                       PathElement::index(9),
                                       PathElement::value(Value("b")),
                                       PathElement::value(Value("ab")),
                                       PathElement::value(Value("a")),
                                       PathElement::key({{"p", Value(443)}}),
                                       PathElement::key({{"p", Value(80)}}),
                                       PathElement::field("z"),
                                       PathElement::field("a")};
  std::sort(elements.begin(), elements.end());
  std::string text;
  for (const PathElement& element : elements) text += fields_v1(element) + " ";
  CHECK(text == R"(f:a f:z k:{"p":80} k:{"p":443} v:"a" v:"ab" v:"b" i:9 i:10 )");
}

TEST_CASE("names are checked in upstream's words") {
  CHECK(check_dns1123_label("my-name").empty());
  CHECK(joined(check_dns1123_label("a.b")) == "must not contain dots");
  CHECK(joined(check_dns1123_label("A")) ==
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
        "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')");
  CHECK(check_dns1123_label(std::string(63, 'a')).empty());
  CHECK(joined(check_dns1123_label(std::string(64, 'a'))) == "must be no more than 63 characters");
  CHECK(check_dns1123_subdomain("a.b-c.9").empty());
  CHECK(joined(check_dns1123_subdomain("a..b")) ==
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
        "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
        R"('[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'))");
  CHECK(check_dns1035_label("a1").empty());
  CHECK_FALSE(check_dns1035_label("1a").empty());
  CHECK(check_wildcard_dns1123_subdomain("*.a.b").empty());
  CHECK_FALSE(check_wildcard_dns1123_subdomain("a.b").empty());
}

TEST_CASE("label keys and values, ports and config keys are checked") {
  CHECK(check_qualified_name("example.com/My_Name.1").empty());
  CHECK(joined(check_qualified_name("/x")) == "prefix part must be non-empty");
  CHECK(check_qualified_name("a/b/c")[0].find("a valid label key must consist of") == 0);
  CHECK(check_qualified_name("a/")[0] == "name part must be non-empty");
  CHECK(check_label_value("").empty());
  CHECK(joined(check_label_value(std::string(64, 'a'))) == "must be no more than 63 bytes");
  CHECK_FALSE(check_label_value("-a").empty());
  CHECK(joined(check_path_segment_name("..")) == "may not be '..'");
  CHECK(joined(check_path_segment_name("a/b%")) == "may not contain '/'; may not contain '%'");
  CHECK(check_port_name("http").empty());
  CHECK(joined(check_port_name("80")) == "must contain at least one letter (a-z)");
  CHECK(joined(check_port_number(0)) == "must be between 1 and 65535, inclusive");
  CHECK(joined(check_config_map_key("..")) == "must not be '..'");
  CHECK(check_config_map_key("a_b.C-1").empty());
  CHECK_FALSE(check_environment_name("a=b").empty());
  CHECK_FALSE(check_percent("5").empty());
}

}  // namespace coracle::kube
