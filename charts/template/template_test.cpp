// The numbered traps of Go's template language and of sprig; each expectation is what Helm prints.

#include <catch2/catch.hpp>

#include "base/sim_executor.h"
#include "charts/testing/rendering.h"

namespace coracle::charts {
namespace {

struct TemplateCase {
  std::string source;
  std::string expected;
};

// {"Values": ...} as read from YAML, in which every number is a float64.
std::string rendered(const std::string& source, const std::string& values = "{i: 5, s: str, m: {a: 1}, l: [1, 2]}") {
  auto result = testing::render_text(source, values);
  return result.ok() ? *result : "Error: " + result.error().message();
}

void check_all(const std::vector<TemplateCase>& cases) {
  for (const TemplateCase& one : cases) {
    INFO(one.source);
    CHECK(rendered(one.source) == one.expected);
  }
}

}  // namespace

TEST_CASE("numbers print with Go's shortest digits") {
  check_all({{"{{ 999999.0 }}", "999999"},
             {"{{ 1000000.0 }}", "1e+06"},
             {"{{ 12345678.0 }}", "1.2345678e+07"},
             {"{{ 123456.7 }}", "123456.7"},
             {"{{ 1000000.5 }}", "1.0000005e+06"},
             {"{{ 2.0 }}", "2"},
             {"{{ 1e-7 }}", "1e-07"},
             {"{{ 9007199254740993.0 }}", "9.007199254740992e+15"},
             {"{{ 1000000.0 | int }}", "1000000"},
             {"{{ toJson 1234567.5 }} {{ toYaml 1234567.5 }}", "1234567.5 1.2345675e+06"},
             {"{{ toJson 1e21 }} {{ toYaml 1e21 }}", "1e+21 1e+21"},
             {"{{ toYaml 1000000.0 }}", "1000000"}});
}

TEST_CASE("values of a file are float64 and literals are int") {
  check_all({{"{{ typeOf .Values.i }} {{ kindOf .Values.i }}", "float64 float64"},
             {"{{ printf \"%d\" .Values.i }}", "%!d(float64=5)"},
             {"{{ eq .Values.i 5.0 }}", "true"},
             {"{{ eq .Values.i 5 }}",
              "Error: template: test:1:3: executing \"test\" at <eq .Values.i 5>: error calling eq: incompatible types "
              "for comparison: float64 and int"},
             {"{{ printf \"%T %T %T %T\" 1 1.0 'a' 1e2 }}", "int float64 int float64"},
             {"{{ eq 1 (int64 1) }} {{ eq .missing \"x\" }} {{ eq .missing nil }}", "true false true"}});
}

TEST_CASE("printf reports wrong operands in the text") {
  check_all(
      {{"{{ printf \"%s\" 1.0 }}", "%!s(float64=1)"},
       {"{{ printf \"%s\" true }}", "%!s(bool=true)"},
       {"{{ printf \"%.2f\" 1 }}", "%!f(int=01)"},
       {"{{ printf \"%d\" }}", "%!d(MISSING)"},
       {"{{ printf \"%d\" 1 2 }}", "1%!(EXTRA int=2)"},
       {"{{ printf \"%\" }}", "%!(NOVERB)"},
       {"{{ printf \"%z\" 1 }}", "%!z(int=1)"},
       {"{{ printf \"%[2]d %[1]d\" 1 2 }}", "2 1"},
       {"{{ printf \"%5d|%-5d|%05d|%+d|%x|%#x|%o|%b|%c|%U\" 42 42 42 42 255 255 8 5 65 65 }}",
        "   42|42   |00042|+42|ff|0xff|10|101|A|U+0041"},
       {"{{ printf \"%8.3f|%e|%g|%.3g\" 3.14159 3.14159 1e21 1234.5678 }}", "   3.142|3.141590e+00|1e+21|1.23e+03"},
       {"{{ printf \"%q\" (list \"a\" \"b\") }}", "[\"a\" \"b\"]"},
       {"{{ printf \"%v %#v\" (dict \"b\" 1 \"a\" (list 1 nil)) (list 1 \"x\" 1.5) }}",
        "map[a:[1 <nil>] b:1] []interface {}{1, \"x\", 1.5}"},
       {"{{ printf \"%10s|%-10s|%.2s|%x\" \"héllo\" \"héllo\" \"héllo\" \"hi\" }}", "     héllo|héllo     |hé|6869"}});
}

TEST_CASE("integer arithmetic truncates and float arithmetic is decimal") {
  check_all({{"{{ add 1 2.9 \"3\" }} {{ div 7 -2 }} {{ add \"abc\" 1 }}", "6 -3 1"},
             {"{{ int \"0123\" }} {{ int \"08\" }} {{ int \"1.9\" }} {{ int 1.9 }} {{ int true }} {{ atoi \"12x\" }}",
              "83 0 0 1 1 0"},
             {"{{ addf 0.1 0.2 }} {{ round 123.5555 3 }} {{ seq -3 }}", "0.3 123.556 1 0 -1 -2 -3"},
             {"{{ div 1 0 }}",
              "Error: template: test:1:3: executing \"test\" at <div 1 0>: error calling div: runtime error: integer "
              "divide by zero"}});
}

TEST_CASE("numbers at the end of their range do no harm") {
  // What does not fit an integer is the smallest one, so these come out of ordinary values.
  const std::string too_many =
      "Error: template: test:1:3: executing \"test\" at <until (int 1e20)>: error calling until: a sequence of more "
      "than 1000000 numbers";
  check_all(
      {{"{{ until (int 1e20) }}", too_many},
       {"{{ untilStep 9223372036854775806 9223372036854775807 1 }} {{ untilStep 0 10 0 }}{{ untilStep 5 1 2 }}",
        "[9223372036854775806] [][]"},
       {"{{ untilStep -9223372036854775807 9223372036854775807 9223372036854775807 }}", "[-9223372036854775807 0]"},
       {"{{ untilStep 0 -9223372036854775808 -9223372036854775807 }}", "[0 -9223372036854775807]"},
       {"[{{ seq 9223372036854775806 9223372036854775807 }}{{ seq -9223372036854775807 -9223372036854775808 }}]", "[]"},
       {"{{ seq 3 -2 -4 }}|{{ seq 5 5 }}|{{ seq 5 -1 5 }}|{{ seq 5 0 1 }}|{{ seq 0 2 5 }}|{{ seq }}",
        "3 1 -1 -3|5|||0 2 4|"},
       {"{{ add 9223372036854775807 1 }} {{ sub 0 -9223372036854775808 }} {{ mul 9223372036854775807 2 }}",
        "-9223372036854775808 -9223372036854775808 -2"},
       {"{{ div -9223372036854775808 -1 }} {{ mod -9223372036854775808 -1 }} {{ max 1e20 5 }}",
        "-9223372036854775808 0 5"},
       {"{{ atoi \"99999999999999999999\" }} {{ atoi \"-99999999999999999999\" }} {{ atoi \"x9\" }}",
        "9223372036854775807 -9223372036854775808 0"},
       {"{{ round 1e308 400 }} {{ round 123.456 -1 }} {{ floor -1e308 }}", "NaN 120 -1e+308"},
       {"[{{ repeat 9223372036854775807 \"\" }}{{ randAlpha -1 }}{{ randNumeric -9223372036854775808 }}]", "[]"},
       {"{{ trunc -9223372036854775808 \"abc\" }} {{ substr -1 2 \"abc\" }} {{ abbrev -9223372036854775808 "
        "\"abcdefgh\" }}",
        "abc ab abcdefgh"},
       {"{{ abbrevboth -9223372036854775808 8 \"abcdefghijklmnop\" }} {{ abbrevboth 5 8 \"abcdefghijklmnop\" }}",
        "...lmnop ...fg..."},
       {"{{ chunk 9223372036854775807 (list 1 2) }} {{ splitn \",\" -9223372036854775808 \"a,b\" }}",
        "[[1 2]] map[_0:a _1:b]"}});
  CHECK(rendered("{{ untilStep -9223372036854775808 9223372036854775807 1 }}").find("more than 1000000 numbers") !=
        std::string::npos);
  CHECK(rendered("{{ randInt -9223372036854775808 9223372036854775807 }}").find("invalid argument to Intn") !=
        std::string::npos);
  CHECK(rendered("{{ substr -1 9 \"abc\" }}").find("slice bounds out of range [:9] with length 3") !=
        std::string::npos);
  CHECK(rendered("{{ slice (list 1 2 3) 1e20 }}").find("slice index out of bounds") != std::string::npos);
}

TEST_CASE("missing values are empty or an error, depending on where they stand") {
  check_all({{"[{{ .Values.missing }}]", "[]"},
             {"{{ print .Values.missing }} {{ printf \"%s\" .Values.missing }} [{{ quote .Values.missing }}]",
              "<nil> %!s(<nil>) []"},
             {"{{ toYaml .Values.missing }} {{ toJson .Values.missing }}", "null null"},
             {"[{{ (.Values.missing).deeper.x }}]", "[]"},
             {"{{ .Values.missing.deeper }}",
              "Error: template: test:1:10: executing \"test\" at <.Values.missing.deeper>: nil pointer evaluating "
              "interface {}.deeper"},
             {"{{ .Values.s.x }}",
              "Error: template: test:1:10: executing \"test\" at <.Values.s.x>: can't evaluate field x in type "
              "interface {}"},
             {"{{ upper .Values.missing }}",
              "Error: template: test:1:16: executing \"test\" at <.Values.missing>: wrong type for value; expected "
              "string; got interface {}"},
             {"{{ .Values.missing | upper }}",
              "Error: template: test:1:21: executing \"test\" at <upper>: invalid value; expected string"},
             {"{{ nil }}", "Error: template: test:1:3: executing \"test\" at <nil>: nil is not a command"},
             {"{{ first (list) }}", ""},
             {"{{ len nil }}",
              "Error: template: test:1:3: executing \"test\" at <len nil>: error calling len: reflect: call of "
              "reflect.Value.Type on zero Value"}});
}

TEST_CASE("truth, defaults and short circuits") {
  check_all(
      {{"{{ if \"false\" }}t{{ else }}f{{ end }}{{ if 0.0 }}t{{ else }}f{{ end }}{{ if list }}t{{ else }}f{{ end }}",
        "tff"},
       {"{{ and 1 0 2 }} {{ or 0 \"\" 3 }} {{ or true .Values.missing.foo }}", "0 3 true"},
       {"{{ default true false }} {{ default 5 0 }} {{ default \"y\" \"\" }}", "true 5 y"},
       {"{{ coalesce nil \"\" 0 \"x\" }} {{ ternary 1 2 true }} {{ empty 0 }}", "x 1 true"}});
}

TEST_CASE("print separates operands only where neither is a string") {
  check_all({{"{{ print 1 2 \"a\" \"b\" 3 4 }}", "1 2ab3 4"},
             {"{{ println \"a\" 1 }}", "a 1\n"},
             {"{{ html \"<a&'\\\">\" }} {{ js \"'<\" }} {{ urlquery \"a b&\" }}",
              "&lt;a&amp;&#39;&#34;&gt; \\'\\u003C a+b%26"}});
}

TEST_CASE("strings work on bytes") {
  check_all(
      {{"{{ len \"é\" }} {{ index \"abc\" 1 }} {{ trunc -3 \"abcdef\" }} {{ trimSuffix \"-\" \"a--\" }}",
        "2 98 def a-"},
       {"{{ indent 2 \"a\\nb\\n\" | quote }} {{ nindent 1 \"x\" | quote }}", "\"  a\\n  b\\n  \" \"\\n x\""},
       {"{{ squote \"a'b\" }} {{ quote \"a\\\"b\" nil 1 }} {{ cat \"a\" nil 1 }}", "'a'b' \"a\\\"b\" \"1\" a 1"},
       {"{{ join \"-\" (list \"a\" nil 1) }} {{ (split \",\" \"x,y\")._1 }} {{ title \"foo bAR\" }}", "a-1 y Foo BAR"},
       {"{{ camelcase \"foo_bar\" }} {{ snakecase \"FooBarHTTP\" }} {{ camelcase \"HTTPServer\" }}",
        "FooBar foo_bar_http Httpserver"},
       {"{{ b64dec \"%%%%\" }} {{ b64enc \"a\" }} {{ sha256sum \"a\" | trunc 8 }}",
        "illegal base64 data at input byte 0 YQ== ca978112"}});
}

TEST_CASE("documents are read leniently") {
  check_all({{"{{ hasKey (fromYaml \"a: [\") \"Error\" }} {{ hasKey (fromJson \"{\") \"Error\" }}", "true true"},
             {"{{ (fromYaml \"- a\").Error }}",
              "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type "
              "map[string]interface {}"},
             {"{{ toJson \"<a>\" }} {{ toRawJson \"<a>\" }}", "\"\\u003ca\\u003e\" \"<a>\""},
             {"{{ (fromYaml \"a: 1\").a | typeOf }} {{ fromYamlArray \"[1, x]\" | toJson }}", "float64 [1,\"x\"]"},
             {"{{ toToml (dict \"a\" 1.0 \"b\" (dict \"c\" \"d\")) }}", "a = 1.0\n\n[b]\n  c = \"d\"\n"}});
}

TEST_CASE("regular expressions are RE2") {
  check_all(
      {{"{{ regexReplaceAll \"a(x*)b\" \"-ab-axxb-\" \"$1W\" }} {{ regexReplaceAll \"a(x*)b\" \"-ab-axxb-\" \"${1}W\" "
        "}}",
        "--- -W-xxW-"},
       {"{{ regexMatch \"(\" \"a\" }} {{ regexMatch \"b\" \"abc\" }} {{ regexFindAll \"a*\" \"baaac\" -1 | toJson }}",
        "false true [\"\",\"aaa\",\"\"]"},
       {"{{ regexSplit \"z+\" \"pizza\" -1 }} {{ regexQuoteMeta \"1.2\" }}", "[pi a] 1\\.2"},
       {"{{ regexFind \"(\" \"a\" }}",
        "Error: template: test:1:3: executing \"test\" at <regexFind \"(\" \"a\">: error calling regexFind: "
        "regexp: Compile(`(`): error parsing regexp: missing closing ): `(`"}});
}

TEST_CASE("maps are ranged over in the order of their keys") {
  check_all(
      {{"{{ range $k, $v := dict \"b\" 1 \"10\" 2 \"9\" 3 \"B\" 4 }}{{ $k }}={{ $v }} {{ end }}", "10=2 9=3 B=4 b=1 "},
       {"{{ range $v := list 7 8 }}{{ $v }}{{ end }} {{ range 3 }}{{ . }}{{ end }}", "78 012"},
       {"{{ range .Values.missing }}x{{ else }}none{{ end }}", "none"},
       {"{{ range list 1 2 3 4 }}{{ if eq . 2 }}{{ continue }}{{ end }}{{ if eq . 4 }}{{ break }}{{ end }}{{ . }}{{ "
        "end }}",
        "13"},
       {"{{ range \"abc\" }}{{ end }}",
        "Error: template: test:1:9: executing \"test\" at <\"abc\">: range can't iterate over abc"}});
}

TEST_CASE("variables are scoped by blocks and definitions") {
  check_all({{"{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $y := 3 }}{{ $y }}{{ end }}{{ $x }}", "32"},
             {"{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}", "1"},
             {"{{ define \"d\" }}{{ $ }}{{ end }}{{ include \"d\" \"arg\" }}{{ template \"d\" 5 }}", "arg5"},
             {"{{ with .Values.m }}{{ .a }}{{ $.Values.s }}{{ end }}", "1str"},
             {"{{ with .Values.missing }}x{{ else with .Values.s }}{{ . }}{{ end }}", "str"},
             {"{{ block \"b\" . }}body{{ end }}", "body"},
             {"{{ $x }}", "Error: template: test:1: undefined variable \"$x\""},
             {"{{ define \"x\" }}a{{ end }}{{ define \"x\" }}b{{ end }}",
              "Error: template: test:1: template: multiple definition of template \"x\""},
             {"{{ .Values.foo-bar }}", "Error: template: test:1: bad character U+002D '-'"}});
}

TEST_CASE("dictionaries are references") {
  check_all({{"{{ $d := dict \"a\" 1 }}{{ $_ := set $d \"b\" 2 }}{{ $e := $d }}{{ $_ := unset $e \"a\" }}{{ $d }}",
              "map[b:2]"},
             {"{{ $l := list 1 }}{{ $m := append $l 2 }}{{ $l }}{{ $m }}", "[1][1 2]"},
             {"{{ merge (dict \"a\" 0 \"b\" (dict)) (dict \"a\" 5 \"b\" (dict \"c\" 1)) | toJson }}",
              "{\"a\":5,\"b\":{\"c\":1}}"},
             {"{{ mergeOverwrite (dict \"a\" 1 \"b\" 2 \"l\" (list 1)) (dict \"a\" false \"b\" nil \"l\" (list 2)) | "
              "toJson }}",
              "{\"a\":false,\"b\":null,\"l\":[2]}"},
             {"{{ dict \"a\" | toJson }} [{{ get (dict) \"x\" }}] {{ hasKey (dict \"a\" nil) \"a\" }}",
              "{\"a\":\"\"} [] true"},
             {"{{ has 2 .Values.l }} {{ has 2.0 .Values.l }} {{ uniq (list 1 1.0 \"1\" 1) | len }}", "false true 3"},
             {"{{ dig \"a\" \"b\" \"none\" (dict \"a\" (dict \"b\" 7)) }} {{ dig \"x\" \"none\" (dict) }}", "7 none"},
             {"{{ $d := dict }}{{ $_ := set $d \"self\" $d }}{{ hasKey $d.self.self \"self\" }}", "true"},
             {"{{ index .Values.missing \"a\" }}",
              "Error: template: test:1:3: executing \"test\" at <index .Values.missing \"a\">: error calling index: "
              "index of untyped nil"}});
}

TEST_CASE("version ranges follow Masterminds") {
  check_all(
      {{"{{ semverCompare \">=1.21\" \"1.21.0-rc1\" }} {{ semverCompare \">=1.21-0\" \"1.21.0-rc1\" }}", "false true"},
       {"{{ semverCompare \">=1.21\" \"v1.21.5+k3s1\" }} {{ semverCompare \">=1.27\" \"v1.27.3-gke.1\" }}",
        "true false"},
       {"{{ semverCompare \"!=1.2\" \"1.2.5\" }} {{ semverCompare \"1.2 - 1.4\" \"1.4.9\" }}", "false true"},
       {"{{ semverCompare \"^0.2\" \"0.3.0\" }} {{ semverCompare \"~1.2.3\" \"1.2.9\" }} {{ semverCompare \">11\" "
        "\"11.1.0\" }}",
        "false true false"},
       {"{{ semverCompare \">=1.0, <2.0 || >3\" \"4.5.0\" }} {{ (semver \"v1.2.3-a+b\").Minor }}", "true 2"}});
}

TEST_CASE("trim markers take all blanks") {
  check_all({{"a  \n {{- 1 -}} \n b", "a1b"},
             {"{{-1}}", "-1"},
             {"{{-\"a\"}}", "Error: template: test:1: illegal number syntax: \"-\""},
             {"a {{- /* comment */ -}} b", "ab"},
             {"{{ `raw \\n` }} {{ 0x1F }} {{ 0b11 }} {{ 0o17 }} {{ 1_000 }}", "raw \\n 31 3 15 1000"}});
}

TEST_CASE("errors name template, place and node") {
  check_all(
      {{"{{ include \"nope\" . }}",
        "Error: template: test:1:3: executing \"test\" at <include \"nope\" .>: error calling include: template: no "
        "template \"nope\" associated with template \"gotpl\""},
       {"\n{{ template \"nope\" . }}",
        "Error: template: test:2:12: executing \"test\" at <{{template \"nope\" .}}>: template \"nope\" not defined"},
       {"{{ tpl \"{{ .Values.a.b }}\" . }}",
        "Error: template: test:1:3: executing \"test\" at <tpl \"{{ .Values.a.b }}\" .>: error calling tpl: error "
        "during tpl function execution for \"{{ .Values.a.b }}\": template: gotpl:1:10: executing \"gotpl\" at "
        "<.Values.a.b>: nil pointer evaluating interface {}.b"},
       {"{{ foo 1 }}", "Error: template: test:1: function \"foo\" not defined"},
       {"{{ if }}", "Error: template: test:1: missing value for if"},
       {"{{ if true }}", "Error: template: test:1: unexpected EOF"},
       {"{{ \"abc", "Error: template: test:1: unterminated quoted string"},
       {"{{ derivePassword 1 \"long\" \"p\" \"u\" \"s\" }}",
        "Error: template: test:1:3: executing \"test\" at <derivePassword 1 \"long\" \"p\" \"u\" \"s\">: error calling "
        "derivePassword: this function is not supported by the chart engine"}});
}

TEST_CASE("tpl sees the caller's definitions and keeps its own") {
  check_all(
      {{"{{ define \"o\" }}out{{ end }}{{ tpl \"{{ define \\\"i\\\" }}in{{ end }}{{ include \\\"i\\\" . }}{{ include "
        "\\\"o\\\" . }}\" . }}",
        "inout"},
       {"{{ tpl \"{{ define \\\"i\\\" }}in{{ end }}x\" . }}{{ include \"i\" . }}",
        "Error: template: test:1:47: executing \"test\" at <include \"i\" .>: error calling include: template: no "
        "template \"i\" associated with template \"gotpl\""},
       {"{{ tpl \"[{{ .missing }}]\" (dict) }}", "[]"}});
}

TEST_CASE("endless recursion is an error") {
  // Which limit is met first, calls or stack, depends on how large the build's frames are.
  const std::string text = rendered("{{ define \"r\" }}{{ include \"r\" . }}{{ end }}{{ include \"r\" . }}");
  const bool by_calls =
      text.find("rendering template has a nested reference name: r: unable to execute template") != std::string::npos;
  const bool by_stack = text.find("the templates are nested too deeply") != std::string::npos;
  CHECK((by_calls || by_stack));
}

TEST_CASE("deep nesting is an error and deep values do no harm") {
  std::string deep = "{{ define \"r\" }}";
  for (int i = 0; i < 60; ++i) deep += "{{ if true }}{{ with . }}";
  deep += "{{ include \"r\" (((((((((($)))))))))) }}";
  for (int i = 0; i < 120; ++i) deep += "{{ end }}";
  CHECK(rendered(deep + "{{ end }}{{ include \"r\" . }}").find("Error: template: test:1:") == 0);
  CHECK(rendered("{{ $l := list }}{{ $d := dict }}{{ range 100000 }}{{ $l = list $l }}{{ $d = dict \"d\" $d }}{{ end }}"
                 "{{ len $l }}{{ len $d }}") == "11");
  const std::string deep_list = "{{ $l := list }}{{ range 100000 }}{{ $l = list $l }}{{ end }}";
  CHECK(rendered(deep_list + "{{ deepCopy $l }}").find("nested too deeply or too large to copy") != std::string::npos);
  CHECK(rendered(deep_list + "{{ $m := list }}{{ range 100000 }}{{ $m = list $m }}{{ end }}{{ deepEqual $l $m }}") ==
        "false");
}

TEST_CASE("values that unfold without end are errors") {
  const std::string doubled = "{{ $d := dict \"a\" 1 }}{{ range 60 }}{{ $d = dict \"l\" $d \"r\" $d }}{{ end }}";
  CHECK(rendered(doubled + "{{ mustToJson $d }}").find("too large a tree") != std::string::npos);
  CHECK(rendered(doubled + "{{ deepCopy $d }}").find("too large to copy") != std::string::npos);
  CHECK(rendered("{{ $s := \"x\" }}{{ range 60 }}{{ $s = print $s $s }}{{ end }}").find("the result is too large") !=
        std::string::npos);
  CHECK(rendered("{{ range 1000000000 }}{{ end }}").find("steps") != std::string::npos);
}

TEST_CASE("texts that would be larger than memory are errors") {
  const std::string texts = "{{ $s := repeat 1000000 \"a\" }}{{ $t := repeat 1000000 \"b\" }}";
  const std::string list = texts + "{{ $l := list }}{{ range 100 }}{{ $l = append $l $s }}{{ end }}";
  std::string hundred;
  for (int i = 0; i < 100; ++i) hundred += " $s";
  const std::string commas = "(repeat 4000000 \",\")";
  for (const std::string& source : {texts + "{{ replace \"a\" $t $s }}",
                                    texts + "{{ replace \"\" $t $s }}",
                                    texts + "{{ wrapWith 1 $t $s }}",
                                    texts + "{{ regexReplaceAll \"a\" $s $t }}",
                                    texts + "{{ regexReplaceAll \"a+\" $s (repeat 1000 \"$0\") }}",
                                    texts + "{{ regexReplaceAllLiteral \"a\" $s $t }}",
                                    std::string("{{ indent 1024 (repeat 100000 \"\\n\") }}"),
                                    std::string("{{ indent 9223372036854775807 \"a\" }}"),
                                    texts + "{{ join $t (until 100) }}",
                                    list + "{{ join \",\" $l }}",
                                    list + "{{ toStrings $l }}",
                                    list + "{{ sortAlpha $l }}",
                                    list + "{{ cat $l $l }}",
                                    list + "{{ print $l }}",
                                    texts + "{{ quote" + hundred + " }}",
                                    texts + "{{ cat" + hundred + " }}",
                                    texts + "{{ print" + hundred + " }}",
                                    std::string("{{ printf (repeat 100 \"%1000000[1]d\") 1 }}"),
                                    texts + "{{ printf (repeat 100 \"%[1]s\") $s }}",
                                    "{{ splitList \",\" " + commas + " }}",
                                    "{{ split \",\" " + commas + " }}",
                                    "{{ regexSplit \",\" " + commas + " -1 }}",
                                    std::string("{{ $l := until 1000000 }}{{ concat $l $l $l }}")}) {
    INFO(source);
    CHECK(rendered(source).find("the result is too large") != std::string::npos);
  }
  CHECK(rendered(list + "{{ mustToJson $l }}").find("too large a tree") != std::string::npos);
  CHECK(rendered(list + "{{ mustToToml (dict \"l\" $l) }}").find("too large") != std::string::npos);
  CHECK(rendered("{{ repeat 1000 (repeat 1000000 \"a\") }}").find("Repeat output length overflow") !=
        std::string::npos);
  check_all(
      {{"{{ indent 1025 \"a\" | len }} {{ replace \"an\" \"\" \"banana\" }} {{ replace \"\" \"-\" \"aé\" }}",
        "1026 ba -a-é-"},
       {"{{ wrap 0 \"abc def\" }} {{ wrapWith 2 \"-\" \"abc def\" }}", "abc\ndef ab-c-de-f"},
       {"{{ trimAll \"ab\" \"abxba\" }} {{ regexReplaceAll \"(b)\" \"abc\" \"[$1$$$2]\" }}", "x a[b$]c"},
       {"{{ (urlParse \"http://h/%41%2f\").path }} {{ contains \"\" \"a\" }} {{ split \"\" \"ab\" }}",
        "/A/ true map[_0:a _1:b]"},
       {"{{ urlParse \"http://h/%41%zz\" }}",
        "Error: template: test:1:3: executing \"test\" at <urlParse \"http://h/%41%zz\">: error calling urlParse: "
        "unable to parse url: parse \"http://h/%41%zz\": invalid URL escape \"%zz\""}});
}

TEST_CASE("a rendering ends when nobody waits for it any more") {
  const auto executor = SimExecutor::make(1, {});
  std::stop_source stop;
  const Context context = Context(*executor).with_stop(stop.get_token());
  const testing::FixedClock clock;
  const auto random = seeded_random(1);
  // The caller gives up in the middle of the rendering, when it looks something up.
  const TemplateEnvironment environment{
      .clock = clock,
      .random = *random,
      .lookup = [&](const std::string&, const std::string&, const std::string&, const std::string&) -> Result<Value> {
        stop.request_stop();
        return Value();
      },
      .context = &context};
  CHECK(testing::render_text("{{ range 100 }}x{{ end }}", "{}", environment).ok());
  const std::string give_up = "{{ $_ := lookup \"v1\" \"Pod\" \"\" \"\" }}";
  const std::string numbers = "{{ $l := until 1000000 }}";
  const std::string unfolding = "{{ $d := dict \"a\" 1 }}{{ range 60 }}{{ $d = dict \"l\" $d \"r\" $d }}{{ end }}";
  for (const std::string& source :
       {give_up + "{{ range 40000000 }}x{{ end }}", numbers + give_up + "{{ uniq $l }}",
        numbers + give_up + "{{ range $l }}{{ has \"x\" $l }}{{ end }}",
        numbers + give_up + "{{ range $l }}{{ without $l 5 }}{{ end }}",
        numbers + give_up + "{{ range $l }}{{ compact $l | first }}{{ end }}",
        unfolding + give_up + "{{ range 1000000 }}{{ toJson $d }}{{ end }}",
        unfolding + give_up + "{{ range 1000000 }}{{ toToml $d }}{{ end }}",
        numbers + give_up + "{{ range 1000000 }}{{ $e := deepCopy $l }}{{ end }}",
        give_up + "{{ range 1000000 }}{{ repeat 10000000 \"a\" | upper | len }}{{ end }}",
        give_up + "{{ range 1000000 }}{{ regexMatch \"(x+x+)+y\" (repeat 100000 \"x\") }}{{ end }}",
        give_up + "{{ regexReplaceAll \"a.*b|a\" (repeat 1000000 \"a\") \"c\" }}",
        give_up + "{{ range 1000 }}{{ genPrivateKey \"rsa\" | len }}{{ end }}"}) {
    INFO(source);
    stop = std::stop_source();
    const Context fresh = context.with_stop(stop.get_token());
    TemplateEnvironment waiting = environment;
    waiting.context = &fresh;
    const auto ended = testing::render_text(source, "{}", waiting);
    REQUIRE_FALSE(ended.ok());
    CHECK(ended.error().reason() == Reason::Canceled);
  }
}

TEST_CASE("TOML of deep and of unfolding values is an error") {
  const std::string deep =
      "{{ $l := list }}{{ $d := dict }}{{ range 100000 }}{{ $l = list $l }}{{ $d = dict \"d\" $d }}{{ end }}";
  CHECK(rendered(deep + "{{ mustToToml (dict \"l\" $l) }}").find("nested too deeply") != std::string::npos);
  CHECK(rendered(deep + "{{ mustToToml $d }}").find("nested too deeply") != std::string::npos);
  CHECK(rendered("{{ $d := dict \"a\" 1 }}{{ range 60 }}{{ $d = dict \"l\" $d \"r\" $d }}{{ end }}{{ mustToToml $d }}")
            .find("too large") != std::string::npos);
}

TEST_CASE("dates use Go's layouts in UTC") {
  check_all(
      {{"{{ now | date \"2006-01-02T15:04:05Z07:00\" }}", "2026-01-02T03:04:05Z"},
       {"{{ date \"Jan 2, 2006 Mon 3:04PM\" 0 }} {{ htmlDate 86400 }}", "Jan 1, 1970 Thu 12:00AM 1970-01-02"},
       {"{{ toDate \"2006-01-02\" \"2020-02-29\" | dateModify \"24h\" | htmlDate }}", "2020-03-01"},
       {"{{ duration \"3661\" }} {{ duration 3661 }} {{ durationRound \"3700s\" }}", "1h1m1s 0s 1h"},
       {"{{ (toDate \"2006-01-02\" \"2020-05-06\").Year }} {{ unixEpoch (toDate \"2006-01-02\" \"1970-01-02\") }}",
        "2020 86400"},
       {"{{ durationHours \"90m\" }} {{ durationRoundTo \"95m\" \"1h\" }}", "1.5 2h0m0s"}});
}

TEST_CASE("times and durations at the end of their range do no harm") {
  check_all(
      {{"{{ toDate \"2006-01-02\" \"nonsense\" }} {{ (toDate \"2006-01-02\" \"nonsense\").IsZero }}",
        "0001-01-01 00:00:00 +0000 UTC true"},
       {"{{ ago (toDate \"2006-01-02\" \"\") }} {{ durationRound (toDate \"2006-01-02\" \"\") }}",
        "2562047h47m16.854775807s 292y"},
       {"{{ $d := toDate \"2006-01-02\" \"9999-12-31\" }}{{ unixEpoch $d }} {{ $d.UnixNano }} {{ toJson $d }}",
        "253402214400 -4852202631933722624 \"9999-12-31T00:00:00Z\""},
       {"{{ (toDate \"2006-01-02\" \"9999-12-31\").Sub (toDate \"2006-01-02\" \"\") }}", "2562047h47m16.854775807s"},
       {"{{ dateModify \"-1s\" (toDate \"2006-01-02\" \"\") }} {{ htmlDate -99999999999 }}",
        "0000-12-31 23:59:59 +0000 UTC -1199-02-15"},
       {"{{ date \"2006\" 9223372036854775807 }} {{ date \"2006\" -9223372036854775808 }}", "32767 -32767"},
       {"{{ $d := toDate \"2006-01-02\" \"2020-01-31\" }}{{ ($d.AddDate 9223372036854775807 0 0).Year }} "
        "{{ ($d.AddDate 0 -9223372036854775807 0).Year }} {{ $d.AddDate 0 -13 40 }}",
        "32767 -32767 2019-02-09 00:00:00 +0000 UTC"},
       {"{{ toDate \"2006-01-02T15:04:05.000Z07:00\" \"2020-01-02T03:04:05.123+02:00\" | toJson }}",
        "\"2020-01-02T03:04:05.123+02:00\""},
       {"{{ duration \"99999999999999999999\" }} {{ duration (int64 9223372036854775807) }}", "-1s -1s"},
       {"{{ durationRound (int64 -9223372036854775808) }} {{ durationSeconds 9223372036854775807 }}", "292y 0"},
       {"{{ durationSeconds 1e300 }} {{ durationSeconds \"-1e300\" }} {{ durationHours \"NaN\" }}", "0 0 0"},
       {"{{ durationRoundTo \"2562047h47m16.854775807s\" \"2562000h\" }} {{ durationRoundTo \"-30m\" \"1h\" }}",
        "2562000h0m0s -1h0m0s"},
       {"{{ durationRoundTo \"2562047h47m16.854775807s\" \"1708031h\" }} {{ durationRoundTo -9223372036 3 }}",
        "2562047h47m16.854775807s -2562047h47m15s"},
       {"{{ durationTruncateTo \"-2562047h\" \"1h\" }} {{ mustToDuration \"9223372036\" }}",
        "-2562047h0m0s 2562047h47m16s"},
       {"{{ mustToDuration 9223372037 }}",
        "Error: template: test:1:3: executing \"test\" at <mustToDuration 9223372037>: error calling mustToDuration: "
        "duration seconds overflow: 9223372037"}});
}

TEST_CASE("certificates verify and keys belong to them") {
  CHECK(rendered(
            "{{ $ca := genCA \"ca\" 365 }}{{ $c := genSignedCert \"x\" (list \"10.0.0.1\") (list \"x.svc\") 30 $ca }}"
            "{{ hasPrefix \"-----BEGIN CERTIFICATE-----\" $c.Cert }} {{ contains \"PRIVATE KEY\" $c.Key }}") ==
        "true true");
  CHECK(rendered("{{ htpasswd \"u\" \"p\" | trunc 9 }} {{ randAlphaNum 12 | len }} {{ uuidv4 | len }}") ==
        "u:$2a$10$ 12 36");
}

}  // namespace coracle::charts
