#include "base/yaml/yaml.h"

#include <catch2/catch.hpp>

#include "base/json/json.h"

namespace coracle::yaml {
namespace {

std::string as_json(std::string_view text, bool strict = false) {
  Result<Value> value = read(text, {.strict = strict});
  return value.ok() ? json::write_sorted(*value) : "error: " + value.error().message();
}

std::string string_yaml(std::string_view text) {
  return write(Value::object({{"k", Value(text)}}));
}

struct Pair {
  std::string_view in;
  std::string_view out;
};

}  // namespace

TEST_CASE("only true and false are booleans where a reader says so") {
  ReadOptions options;
  options.wide_booleans = false;
  CHECK(json::write(read("[y, Yes, on, N, no, OFF, true, True, FALSE, !!bool yes]", options).value()) ==
        R"(["y","Yes","on","N","no","OFF",true,true,false,true])");
  CHECK(json::write(read("{y: 1, true: 2}", options).value()) == R"({"y":1,"true":2})");
}

TEST_CASE("yaml reads booleans, numbers and texts as go-yaml v2 does") {
  const Pair pairs[] = {
      {"[y, Y, yes, On, TRUE, n, NO, Off, False]", "[true,true,true,true,true,false,false,false,false]"},
      {"[tRue, yEs, oN]", R"(["tRue","yEs","oN"])"},
      {"[0777, 0o777, 0b11, 0x1F, 1_000, 08, 1e3, +1, -0x1f]", "[511,511,3,31,1000,8,1000,1,-31]"},
      {"[1.10, .5, 1., 0.1e-7, 12:30, 12:30:45]", R"([1.1,0.5,1,1e-8,"12:30","12:30:45"])"},
      {"[2001-01-01, 2001-01-01T00:00:00Z]", R"(["2001-01-01","2001-01-01T00:00:00Z"])"},
      {"[18446744073709551616, -9223372036854775808]", "[18446744073709552000,-9223372036854775808]"},
      {"[1e400, 0x, 0b12, 1e3x, ._1, .1_0, =]", R"(["1e400","0x","0b12","1e3x","._1",0.1,"="])"},
      {"[~, null, NULL, nULL, '', ]", R"([null,null,null,"nULL",""])"},
      {"a: !!str 1\nb: !!int \"2\"\nc: !!float 3\nd: !foo 4\n", R"({"a":"1","b":2,"c":3,"d":"4"})"},
      {"a: !!binary aGVs\nb: !!binary 8A==\n", "{\"a\":\"hel\",\"b\":\"\xEF\xBF\xBD\"}"},
  };
  for (const Pair& pair : pairs) {
    INFO(pair.in);
    CHECK(as_json(pair.in) == pair.out);
  }
}

TEST_CASE("yaml turns keys into texts") {
  CHECK(as_json("on: push\n") == R"({"true":"push"})");
  CHECK(as_json("1: a\n1.5: b\n1e7: c\n1e3: d\n0x10: e\n.inf: f\n") ==
        R"({".inf":"f","1":"a","1.5":"b","1000":"d","16":"e","1e+07":"c"})");
  CHECK(as_json("~: 1\n") == "error: unsupported map key of type: %!s(<nil>), key: <nil>, value: 1");
  CHECK(as_json("a: {{ .x }}\n") ==
        R"(error: yaml: invalid map key: map[interface {}]interface {}{".x":interface {}(nil)})");
}

TEST_CASE("yaml reports repeated keys with their line only when strict") {
  constexpr std::string_view kText = "kind: Pod\nmetadata:\n  name: a\n  name: b\nkind: Service\n";
  CHECK(as_json(kText) == R"({"kind":"Service","metadata":{"name":"b"}})");
  CHECK(as_json(kText, true) ==
        "error: yaml: unmarshal errors:\n  line 4: key \"name\" already set in map\n"
        "  line 5: key \"kind\" already set in map");
  CHECK(as_json("1: a\n\"1\": b\n", true) == R"({"1":"b"})");
  CHECK(as_json("yes: a\ntrue: b\n", true) == "error: yaml: unmarshal errors:\n  line 2: key true already set in map");
}

TEST_CASE("yaml expands anchors and merge keys") {
  CHECK(as_json("a: &b {x: 1}\nc:\n  <<: *b\n  z: 2\n") == R"({"a":{"x":1},"c":{"x":1,"z":2}})");
  CHECK(as_json("<<: [{a: 1}, {a: 2, c: 3}]\nb: 2\n") == R"({"a":1,"b":2,"c":3})");
  CHECK(as_json("\"<<\": {a: 1}\nb: <<\n") == R"({"\u003c\u003c":{"a":1},"b":"\u003c\u003c"})");
  CHECK(as_json("<<: 3\n") == "error: yaml: map merge requires map or sequence of maps as the value");
  CHECK(as_json("a: &x [*x]\n") == "error: yaml: anchor 'x' value contains itself");
  CHECK(as_json("a: *nope\n") == "error: yaml: unknown anchor 'nope' referenced");
}

TEST_CASE("yaml limits aliases and depth") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += before + ", ";
    bomb += "]\n";
  }
  CHECK(as_json(bomb) == "error: yaml: document contains excessive aliasing");
  CHECK(as_json(std::string(300, '[')) == "error: yaml: line 1: exceeded max depth of 200");
}

TEST_CASE("yaml syntax errors carry go-yaml's texts") {
  const Pair pairs[] = {
      {"a: b: c\n", "error: yaml: mapping values are not allowed in this context"},
      {"a:\n\tb: c\n", "error: yaml: line 2: found character that cannot start any token"},
      {"a: 1\n b: 2\n", "error: yaml: line 2: mapping values are not allowed in this context"},
      {"a: b\nc\n", "error: yaml: line 3: could not find expected ':'"},
      {"\nx:\n  - a\n  b: c\n", "error: yaml: line 3: did not find expected '-' indicator"},
      {"a: \"\\/\"\n", "error: yaml: found unknown escape character"},
      {"\nb: \"\xC3\xA9\\/\"\n", "error: yaml: line 2: found unknown escape character"},
      {"a: @b\n", "error: yaml: found character that cannot start any token"},
      {"a: .inf\n", "error: json: unsupported value: +Inf"},
      {"a: \x01\n", "error: yaml: control characters are not allowed"},
  };
  for (const Pair& pair : pairs) {
    INFO(pair.in);
    CHECK(as_json(pair.in) == pair.out);
  }
  CHECK(as_json("a: \"\\\\/\"\n") == R"({"a":"\\/"})");
  CHECK(as_json("\xEF\xBB\xBF"
                "a: 1\n") == R"({"a":1})");
}

TEST_CASE("yaml streams keep documents with their lines and drop empty ones") {
  Result<std::vector<Document>> documents = read_all("# c\n---\n---\na: 1\n---\n# nothing\n---\n\nb: 2\n");
  REQUIRE(documents.ok());
  REQUIRE(documents->size() == 2);
  CHECK((*documents)[0].line == 4);
  CHECK((*documents)[1].line == 9);
  CHECK((*documents)[1].value["b"].as_int() == 2);
  CHECK(as_json("a: 1\n---\na: [\n") == R"({"a":1})");
  CHECK(as_json("") == "null");
  CHECK(read_all("a: 1\n---\na: [\n").error().reason() == Reason::BadRequest);
}

TEST_CASE("yaml writes keys in natural order") {
  Result<Value> value =
      json::read(R"({"b":1,"a10":1,"a9":1,"a.b":1,"a-b":1,"a":1,"B":1,"A":1,"10":1,"9":1,"1":1,"_a":1})");
  REQUIRE(value.ok());
  CHECK(write(*value) ==
        "_a: 1\n\"1\": 1\n\"9\": 1\n\"10\": 1\nA: 1\nB: 1\na: 1\na-b: 1\na.b: 1\na9: 1\na10: 1\nb: 1\n");
}

TEST_CASE("yaml quotes what would read back as something else") {
  for (const std::string_view text : {"true", "yes", "y", "1", "1.0", "0123", "0x1f", "1:30", "2020-01-02", "~", "null",
                                      "", "0b11", "1_000", "089", ".inf", "2020-01-02T03:04:05Z", "1."}) {
    CHECK(string_yaml(text) == "k: \"" + std::string(text) + "\"\n");
  }
  for (std::string_view text : {"a: b", "a #b", "- a", "*a", "{{ .x }}", " x", "x ", "x:", "---", "@a", "%a", "|a"}) {
    CHECK(string_yaml(text) == "k: '" + std::string(text) + "'\n");
  }
  for (std::string_view text : {"it's", "a[0]", "a,b", "=", "<<", "10Gi", "1.2.3", "v1", "yEs", "-a", "0b12",
                                "2020-13-02", "1e400", "a]", ":a", "Infinity"}) {
    CHECK(string_yaml(text) == "k: " + std::string(text) + "\n");
  }
  CHECK(string_yaml("'a") == "k: '''a'\n");
  CHECK(string_yaml("a\tb") == "k: \"a\\tb\"\n");
  CHECK(string_yaml("\xF0\x9F\x98\x80") == "k: \"\\U0001F600\"\n");
  CHECK(write(Value::object({{"y", 1}, {"a: b", 2}})) == "'a: b': 2\n\"y\": 1\n");
}

TEST_CASE("yaml writes several lines as a literal block") {
  CHECK(string_yaml("a\n") == "k: |\n  a\n");
  CHECK(string_yaml("a\nb") == "k: |-\n  a\n  b\n");
  CHECK(string_yaml("a\n\n") == "k: |+\n  a\n\n");
  CHECK(string_yaml("\na") == "k: |2-\n\n  a\n");
  CHECK(string_yaml(" a\nb") == "k: |2-\n   a\n  b\n");
  CHECK(string_yaml("a\nb ") == "k: \"a\\nb \"\n");
  CHECK(string_yaml("a\tb\nc") == "k: \"a\\tb\\nc\"\n");
  CHECK(write_pretty(Value::object({{"k", "a\tb\nc"}})) == "k: |-\n  a\tb\n  c\n");
}

TEST_CASE("yaml folds long lines at single blanks") {
  std::string words, doubled;
  for (int i = 0; i < 20; ++i) {
    words += i == 0 ? "word" : " word";
    doubled += i == 0 ? "word" : "  word";
  }
  const std::string first = "word word word word word word word word word word word word word word word word";
  CHECK(string_yaml(words) == "k: " + first + "\n  word word word word\n");
  CHECK(string_yaml(words + ":") == "k: '" + first + "\n  word word word word:'\n");
  CHECK(string_yaml(doubled) == "k: " + doubled + "\n");
  CHECK(string_yaml(std::string(200, 'a')) == "k: " + std::string(200, 'a') + "\n");
  CHECK(write_pretty(Value::object({{"k", words}})) == "k: " + words + "\n");
}

TEST_CASE("yaml lays out sequences, mappings and long keys") {
  Result<Value> value = json::read(R"({"a":[[1,[2,{"b":[3]}]],{"c":{"d":[]}},{}],"e":null})");
  REQUIRE(value.ok());
  CHECK(write(*value) == "a:\n- - 1\n  - - 2\n    - b:\n      - 3\n- c:\n    d: []\n- {}\ne: null\n");
  CHECK(write_pretty(*value) ==
        "a:\n  - - 1\n    - - 2\n      - b:\n          - 3\n  - c:\n      d: []\n  - {}\ne: null\n");
  const std::string long_key(129, 'k');
  CHECK(write(Value::object({{long_key, Value::object({{"x", 1}})}})) == "? " + long_key + "\n: x: 1\n");
}

TEST_CASE("yaml writes numbers as they come out of JSON") {
  const auto number = [](double value) { return write(Value(value)); };
  CHECK(number(1000000.0) == "1000000\n");
  CHECK(number(1e15) == "1000000000000000\n");
  CHECK(number(1234567.5) == "1.2345675e+06\n");
  CHECK(number(1e-7) == "1e-07\n");
  CHECK(number(1e21) == "1e+21\n");
  CHECK(write_pretty(Value(1000000.0)) == "1e+06\n");
}

TEST_CASE("yaml reads back what it writes") {
  const std::string_view texts[] = {"a: b", "x\ny\n\n",    " lead", "\ttab", "multi\n  indented\n",
                                    "\n",   "tr ail \n x", "''",    "\\",    "\xE2\x80\xA8",
                                    "#",    "- - -",       "? x",   "%",     "a\r\nb"};
  for (std::string_view text : texts) {
    const Value value = Value::object({{"k", text}, {text, Value::array({Value(text)})}});
    Result<Value> back = read(write(value));
    REQUIRE(back.ok());
    CHECK(*back == value);
    Result<Value> pretty = read(write_pretty(value));
    REQUIRE(pretty.ok());
    CHECK(*pretty == value);
  }
}

TEST_CASE("a text that was never set is an empty one") {
  CHECK(read(std::string_view()).value().is_null());
  CHECK(read_all(std::string_view()).value().empty());
}

}  // namespace coracle::yaml
