#include "kube/codec/codec.h"

#include <catch2/catch.hpp>

#include "base/json/json.h"
#include "kube/codec/normalise.h"
#include "kube/codec/protobuf.h"
#include "kube/codec/watch_event.h"
#include "kube/schema/crd_schema.h"

namespace coracle::kube {
namespace {

const Schema& type_of(std::string_view kind, std::string_view group = "", std::string_view version = "v1") {
  const KindSchema* found = find_builtin_kind(group, version, kind);
  REQUIRE(found != nullptr);
  return *found->schema;
}

std::string canonical(std::string_view text, const Schema& schema) {
  const auto decoded = decode(text, MediaType::Json, "Thing", schema);
  return decoded.ok() ? json::write(decoded->object) : "error: " + decoded.error().message();
}

std::vector<std::string> findings(std::string_view text, const Schema& schema, MediaType media = MediaType::Json) {
  const auto decoded = decode(text, media, "Thing", schema);
  REQUIRE(decoded.ok());
  return decoded->findings;
}

}  // namespace

TEST_CASE("decoding prints what upstream prints") {
  CHECK(canonical(R"({"metadata":{"name":"a","labels":{},"annotations":null},"apiVersion":"v1","kind":"ConfigMap",)"
                  R"("data":{"k":null}})",
                  type_of("ConfigMap")) ==
        R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"},"data":{"k":""}})");
  CHECK(canonical(R"({"kind":"Namespace","apiVersion":"v1","metadata":{"name":"a"}})", type_of("Namespace")) ==
        R"({"kind":"Namespace","apiVersion":"v1","metadata":{"name":"a"},"spec":{},"status":{}})");
  CHECK(canonical(R"({"spec":{"containers":[{"name":"c","ports":[{"containerPort":80,"hostPort":0}]}]}})",
                  type_of("Pod")) ==
        R"({"metadata":{},"spec":{"containers":[{"name":"c","ports":[{"containerPort":80}],"resources":{}}]},)"
        R"("status":{}})");
  CHECK(canonical(R"({"rules":[]})", type_of("ClusterRole", "rbac.authorization.k8s.io")) ==
        R"({"metadata":{},"rules":null})");
}

TEST_CASE("quantities, times and durations become canonical") {
  CHECK(canonical(R"({"spec":{"hard":{"cpu":1,"memory":"1024Mi","pods":"0.5"}}})", type_of("ResourceQuota")) ==
        R"({"metadata":{},"spec":{"hard":{"cpu":"1","memory":"1Gi","pods":"500m"}},"status":{}})");
  CHECK(canonical(R"({"metadata":{"creationTimestamp":"2026-01-02T05:04:05.9+02:00"}})", type_of("ConfigMap")) ==
        R"({"metadata":{"creationTimestamp":"2026-01-02T03:04:05Z"}})");
  CHECK(canonical(R"({"metadata":{"creationTimestamp":"9999-12-31T23:59:59.5+00:00"}})", type_of("ConfigMap")) ==
        R"({"metadata":{"creationTimestamp":"9999-12-31T23:59:59Z"}})");
  CHECK(canonical(R"({"metadata":{"creationTimestamp":"1500-01-01T00:00:00+01:00"}})", type_of("ConfigMap")) ==
        R"({"metadata":{"creationTimestamp":"1499-12-31T23:00:00Z"}})");
  CHECK(canonical(R"({"metadata":{"creationTimestamp":"0001-01-01T00:00:00+00:00"}})", type_of("ConfigMap")) ==
        canonical(R"({"metadata":{"creationTimestamp":null}})", type_of("ConfigMap")));
  CHECK(canonical(R"({"metadata":{"creationTimestamp":"0001-01-01T00:00:00Z"}})", type_of("ConfigMap")) ==
        R"({"metadata":{}})");
  CHECK(canonical(R"({"spec":{"renewTime":"2026-01-02T05:04:05.500000+02:00"}})",
                  type_of("Lease", "coordination.k8s.io")) ==
        R"({"metadata":{},"spec":{"renewTime":"2026-01-02T03:04:05.500000Z"}})");
}

TEST_CASE("a canonical tree is returned as it is") {
  const Schema& schema = type_of("Pod");
  const auto first =
      decode(R"({"spec":{"containers":[{"name":"c"}]},"metadata":{"name":"a"}})", MediaType::Json, "Pod", schema);
  REQUIRE(first.ok());
  const auto again = normalise(first->object, schema);
  REQUIRE(again.ok());
  CHECK(again->same_tree(first->object));
}

TEST_CASE("type errors are told in Go's words") {
  CHECK(canonical(R"({"spec":{"replicas":"x"}})", type_of("Deployment", "apps")) ==
        "error: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32");
  CHECK(canonical(R"({"spec":{"containers":[{"image":5}]}})", type_of("Pod")) ==
        "error: json: cannot unmarshal number into Go struct field Container.spec.containers.image of type string");
  CHECK(canonical(R"({"spec":[]})", type_of("Pod")) ==
        "error: json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec");
  CHECK(canonical(R"({"spec":{"priority":3000000000}})", type_of("Pod")) ==
        "error: json: cannot unmarshal number 3000000000 into Go struct field PodSpec.spec.priority of type int32");
  CHECK(canonical(R"({"data":{"a":1}})", type_of("ConfigMap")) ==
        "error: json: cannot unmarshal number into Go struct field ConfigMap.data of type string");
  CHECK(canonical("[1]", type_of("Pod")) ==
        "error: the object provided is unrecognized (must be of type Thing): couldn't get version/kind; json parse "
        "error: json: cannot unmarshal array into Go value of type struct { APIVersion string "
        R"("json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" } (5b315d))");
  CHECK(canonical(R"({"kind":1})", type_of("Pod")) ==
        "error: the object provided is unrecognized (must be of type Thing): couldn't get version/kind; json parse "
        R"(error: json: cannot unmarshal number into Go struct field .kind of type string ({"kind":1}))");
  CHECK(canonical(R"({"apiVersion":"a/b/c"})", type_of("Pod")) ==
        "error: the object provided is unrecognized (must be of type Thing): unexpected GroupVersion string: a/b/c "
        R"(({"apiVersion":"a/b/c"}))");
  CHECK(canonical("null", type_of("ConfigMap")) == R"({"metadata":{}})");
  CHECK(canonical(R"({"data":{"a":"aGk"}})", type_of("Secret")) == "error: illegal base64 data at input byte 0");
  CHECK(canonical(R"({"data":{"a":"?"}})", type_of("Secret")) == "error: illegal base64 data at input byte 0");
  for (const char* quantity : {"\"1x\"", "true", "{}", "\"\""}) {
    CHECK(canonical(R"({"spec":{"hard":{"cpu":)" + std::string(quantity) + "}}}", type_of("ResourceQuota")) ==
          "error: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
  }
}

TEST_CASE("times are read as strictly as Go reads them") {
  const auto created = [](const std::string& text) {
    return canonical(R"({"metadata":{"creationTimestamp":")" + text + "\"}}", type_of("ConfigMap"));
  };
  const std::string layout = " as \"2006-01-02T15:04:05Z07:00\": cannot parse ";
  CHECK(created("abc") == "error: parsing time \"abc\"" + layout + "\"abc\" as \"2006\"");
  CHECK(created("2026-01-02T03:04") == "error: parsing time \"2026-01-02T03:04\"" + layout + "\"\" as \":\"");
  CHECK(created("2026-01-02 03:04:05Z") ==
        "error: parsing time \"2026-01-02 03:04:05Z\"" + layout + "\" 03:04:05Z\" as \"T\"");
  CHECK(created("2026-13-02T03:04:05Z") == "error: parsing time \"2026-13-02T03:04:05Z\": month out of range");
  CHECK(created("2026-02-30T03:04:05Z") == "error: parsing time \"2026-02-30T03:04:05Z\": day out of range");
  const auto renewed = [](const std::string& text) {
    return canonical(R"({"spec":{"renewTime":")" + text + "\"}}", type_of("Lease", "coordination.k8s.io"));
  };
  const std::string micro = " as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse ";
  CHECK(renewed("2026-01-02T03:04:05Z") ==
        "error: parsing time \"2026-01-02T03:04:05Z\"" + micro + "\"Z\" as \".000000\"");
  CHECK(renewed("2026-01-02T03:04:05.1234567Z") ==
        "error: parsing time \"2026-01-02T03:04:05.1234567Z\"" + micro + "\"7Z\" as \"Z07:00\"");
}

TEST_CASE("maps are printed in the order of their keys") {
  CHECK(canonical(R"({"data":{"b":"1","a":"2"}})", type_of("ConfigMap")) ==
        R"({"metadata":{},"data":{"a":"2","b":"1"}})");
}

TEST_CASE("bodies that are no JSON are shown by their first bytes") {
  const auto decoded = decode("hello", MediaType::Json, "ConfigMap", type_of("ConfigMap"));
  REQUIRE_FALSE(decoded.ok());
  CHECK(
      decoded.error().message().starts_with("the object provided is unrecognized (must be of type ConfigMap): couldn't "
                                            "get version/kind; json parse error: "));
  CHECK(decoded.error().message().ends_with("invalid character 'h' looking for beginning of value (68656c6c6f)"));
  const Schema& schema = type_of("ConfigMap");
  CHECK(decode("{", MediaType::Json, "", schema).error().message() ==
        "couldn't get version/kind; json parse error: unexpected end of JSON input");
  CHECK(decode("{\"a\" 1}", MediaType::Yaml, "ConfigMap", schema).error().message() ==
        "the object provided is unrecognized (must be of type ConfigMap): yaml: did not find expected ',' or '}' "
        "({\"a\" 1})");
  CHECK(decode("{}", MediaType::Protobuf, "ConfigMap", schema).error().message() ==
        "the object provided is unrecognized (must be of type ConfigMap): provided data does not appear to be a "
        "protobuf message, expected prefix [107 56 115 0] ({})");
  CHECK(decode("", MediaType::Json, "ConfigMap", type_of("ConfigMap")).error().message().ends_with(" (<empty>)"));
}

TEST_CASE("unknown and repeated fields are found in document order") {
  CHECK(findings(R"({"metadata":{"foo":1,"name":"a"},"data":{"a":"1","a":"2"},"bar":2})", type_of("ConfigMap")) ==
        std::vector<std::string>{R"(unknown field "metadata.foo")", R"(duplicate field "data.a")",
                                 R"(unknown field "bar")"});
  CHECK(findings(R"({"spec":{"containers":[{"name":"a"},{"nam":"b"}]}})", type_of("Pod")) ==
        std::vector<std::string>{R"(unknown field "spec.containers[1].nam")"});
  CHECK(findings(R"({"data":{"a":"1","a":"2"}})", type_of("ConfigMap")) ==
        std::vector<std::string>{R"(duplicate field "data.a")"});
  CHECK(findings("data:\n  a: one\n  a: two\nbar: 1\n", type_of("ConfigMap"), MediaType::Yaml) ==
        std::vector<std::string>{"yaml: unmarshal errors:\n  line 3: key \"a\" already set in map",
                                 R"(unknown field "bar")"});
}

TEST_CASE("warnings tell each repeated key of YAML by itself") {
  const auto decoded =
      decode("data:\n  a: one\n  a: two\n  a: three\nbar: 1\n", MediaType::Yaml, "ConfigMap", type_of("ConfigMap"));
  REQUIRE(decoded.ok());
  CHECK(decoded->warnings() == std::vector<std::string>{"line 3: key \"a\" already set in map",
                                                        "line 4: key \"a\" already set in map",
                                                        R"(unknown field "bar")"});
}

TEST_CASE("of a custom resource only metadata is typed") {
  DecodeOptions options;
  options.custom = true;
  const auto decoded = decode(R"({"spec":{"b":1,"a":[],"a":null},"metadata":{"name":"x","nope":1},"kind":"W"})",
                              MediaType::Json, "W", type_of("ConfigMap"), options);
  REQUIRE(decoded.ok());
  CHECK(json::write(decoded->object) == R"({"kind":"W","metadata":{"name":"x"},"spec":{"b":1,"a":null}})");
  CHECK(decoded->findings ==
        std::vector<std::string>{R"(duplicate field "spec.a")", R"(unknown field "metadata.nope")"});
}

TEST_CASE("media types are told apart without their parameters") {
  CHECK(parse_media_type("") == MediaType::Json);
  CHECK(parse_media_type("application/json; charset=utf-8") == MediaType::Json);
  CHECK(parse_media_type("application/yaml") == MediaType::Yaml);
  CHECK(parse_media_type("application/vnd.kubernetes.protobuf;stream=watch") == MediaType::Protobuf);
  CHECK(parse_media_type("Application/JSON") == MediaType::Json);
  CHECK(parse_media_type("text/plain") == std::nullopt);
}

TEST_CASE("watch frames") {
  CHECK(json_watch_frame("ADDED", R"({"a":1})") == "{\"type\":\"ADDED\",\"object\":{\"a\":1}}\n");
  const std::string frame = protobuf_watch_frame("ADDED", "k8s");
  CHECK(frame == std::string("\0\0\0\x0e\x0a\x05"
                             "ADDED\x12\x05\x0a\x03k8s",
                             18));
  CHECK(protobuf_watch_event("ADDED", "k8s") == frame.substr(4));
  const auto read = read_protobuf_watch_event(std::string_view(frame).substr(4));
  REQUIRE(read.ok());
  CHECK(read->type == "ADDED");
  CHECK(read->object == "k8s");
  CHECK_FALSE(read_protobuf_watch_event(std::string_view(frame).substr(4, 9)).ok());
}

TEST_CASE("resources inside a custom resource have a type and metadata, or are none") {
  const Value source = json::read(R"({"type":"object","properties":{"spec":{"type":"object","properties":{"parts":
      {"type":"array","items":{"type":"object","x-kubernetes-embedded-resource":true,
       "x-kubernetes-preserve-unknown-fields":true}}}}}})")
                           .value();
  const auto compiled = CompiledSchema::compile(source);
  REQUIRE(compiled.ok());
  const auto normal = [&](std::string_view part) {
    const Value object = json::read(R"({"spec":{"parts":[)" + std::string(part) + "]}}").value();
    const auto result = normalise_embedded(object, (*compiled)->root());
    return result.ok() ? json::write((*result)["spec"]["parts"].at(0)) : result.error().message();
  };
  CHECK(normal(R"({"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"a":"b"},"name":"p"},"spec":{"kind":1}})") ==
        R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","labels":{"a":"b"}},"spec":{"kind":1}})");
  CHECK(normal(R"({"apiVersion":"v1","kind":"Pod","metadata":null})") ==
        R"({"apiVersion":"v1","kind":"Pod","metadata":{}})");
  CHECK(normal(R"({"apiVersion":"v1","kind":1})") == "spec.parts[0].kind: Invalid value: 1: must be a string");
  CHECK(normal(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":1}})") ==
        R"(spec.parts[0].metadata: Invalid value: {"name":1}: json: cannot unmarshal number into Go struct field )"
        "ObjectMeta.name of type string");
}

}  // namespace coracle::kube
