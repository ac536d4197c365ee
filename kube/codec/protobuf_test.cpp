#include "kube/codec/protobuf.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/encoding.h"
#include "base/json/json.h"
#include "base/random.h"
#include "base/yaml/yaml.h"
#include "kube/codec/codec.h"
#include "kube/codec/normalise.h"

namespace coracle::kube {
namespace {

const Schema& message_type(std::string_view kind, std::string_view group = "", std::string_view version = "v1") {
  const KindSchema* found = find_builtin_kind(group, version, kind);
  REQUIRE(found != nullptr);
  return *found->schema;
}

Value tree_of(std::string_view text) {
  auto value = json::read(text);
  REQUIRE(value.ok());
  return *value;
}

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// JSON in, protobuf out, JSON again.
std::string round_trip(std::string_view text, const Schema& schema) {
  const auto value = normalise(tree_of(text), schema);
  REQUIRE(value.ok());
  const auto message = encode_envelope(*value, schema);
  REQUIRE(message.ok());
  const auto decoded = decode(*message, MediaType::Protobuf, "Thing", schema);
  if (!decoded.ok()) return "error: " + decoded.error().message();
  CHECK(decoded->object == *value);
  return json::write(decoded->object);
}

}  // namespace

TEST_CASE("the bytes of a small object are those of upstream") {
  const Value object =
      tree_of(R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"},"data":{"b":"2","a":"1"}})");
  const auto bytes = encode_envelope(object, message_type("ConfigMap"));
  REQUIRE(bytes.ok());
  CHECK(hex_encode(*bytes) ==
        "6b387300"  // magic
        "0a0f0a02763112"
        "09436f6e6669674d6170"  // TypeMeta
        "1223"                  // raw
        "0a11"
        "0a0161"
        "1200"
        "1a00"
        "2200"
        "2a00"
        "3200"
        "3800"
        "4200"  // metadata: what Go cannot leave out
        "1206"
        "0a0161"
        "120131"
        "1206"
        "0a0162"
        "120132"
        "1a00"
        "2200");
}

TEST_CASE("every form of value survives protobuf") {
  CHECK(round_trip(
            R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","creationTimestamp":"2026-01-02T03:04:05Z"},)"
            R"("spec":{"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"c","resources":)"
            R"({"limits":{"cpu":"500m"}},"livenessProbe":{"httpGet":{"port":"web"},"periodSeconds":3}}],)"
            R"("terminationGracePeriodSeconds":-1},"status":{}})",
            message_type("Pod"))
            .find(R"("port":"web")") != std::string::npos);
  round_trip(R"({"kind":"Secret","apiVersion":"v1","metadata":{},"data":{"k":"AAEC/w=="}})", message_type("Secret"));
  round_trip(R"({"metadata":{},"data":{"a":[1,2.5,null]},"revision":7})", message_type("ControllerRevision", "apps"));
  round_trip(R"({"metadata":{"managedFields":[{"manager":"m","fieldsV1":{"f:data":{".":{}}}}]}})",
             message_type("ConfigMap"));
  round_trip(R"({"metadata":{},"spec":{"renewTime":"2026-01-02T03:04:05.000001Z","acquireTime":"9999-12-31T23:59:)"
             R"(59.000000Z"}})",
             message_type("Lease", "coordination.k8s.io"));
  round_trip(R"({"metadata":{},"spec":{"request":"AA==","signerName":"s","extra":{"a":["b","c"]}},"status":{}})",
             message_type("CertificateSigningRequest", "certificates.k8s.io"));
}

TEST_CASE("unions of JSON schemas survive protobuf") {
  const std::string text = round_trip(
      R"({"metadata":{},"spec":{"group":"g","names":{"plural":"p","kind":"K"},"scope":"Namespaced","versions":[{)"
      R"("name":"v1",)"
      R"("served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","default":{"a":0.5},)"
      R"("properties":{"a":)"
      R"({"type":"array","items":{"type":"string"},"additionalProperties":false},"b":{"additionalProperties":{)"
      R"("type":"number",)"
      R"("maximum":1.5},"items":[{"type":"string"}]}}}}}]},"status":{"conditions":null,"acceptedNames":{)"
      R"("plural":"","kind":""},)"
      R"("storedVersions":null}})",
      message_type("CustomResourceDefinition", "apiextensions.k8s.io"));
  CHECK(text.find(R"("additionalProperties":false)") != std::string::npos);
}

TEST_CASE("fields that the table does not know are skipped") {
  const std::string message(
      "\xba\x3e\x02hi\x12\x06\x0a\x01"
      "a\x12\x01"
      "1\xc0\x3e\x05",
      16);
  const auto decoded = decode_protobuf(message, message_type("ConfigMap"), "v1", "ConfigMap");
  REQUIRE(decoded.ok());
  CHECK((*decoded)["data"]["a"].as_string() == "1");
}

TEST_CASE("lists are made of pieces") {
  auto list = begin_protobuf_list(tree_of(R"({"resourceVersion":"7"})"));
  REQUIRE(list.ok());
  const auto item = encode_protobuf(tree_of(R"({"metadata":{"name":"a"}})"), message_type("ConfigMap"));
  REQUIRE(item.ok());
  append_protobuf_item(*list, *item);
  append_protobuf_item(*list, *item);
  const auto decoded = decode_protobuf(*list, message_type("ConfigMapList"), "v1", "ConfigMapList");
  REQUIRE(decoded.ok());
  CHECK((*decoded)["metadata"]["resourceVersion"].as_string() == "7");
  CHECK((*decoded)["items"].size() == 2);
}

TEST_CASE("broken messages are told and bounded") {
  const Schema& pod = message_type("Pod");
  CHECK_FALSE(read_envelope("k8s").ok());
  CHECK_FALSE(read_envelope(std::string("k8s\0\x0a\x7f", 6)).ok());
  const auto wrong = decode_protobuf(std::string("\x08\x01", 2), pod);
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().message().find("\"metadata\"") != std::string::npos);

  // JSON schemas may hold each other: a message nested deeper than any real one.
  std::string nested;
  for (int i = 0; i < 4000; ++i) {
    std::string around("\xe2\x01", 2);  // not
    for (std::size_t size = nested.size();; size >>= 7U) {
      around += static_cast<char>((size & 0x7FU) | (size > 0x7F ? 0x80U : 0U));
      if (size <= 0x7F) break;
    }
    nested = around + nested;
  }
  const Schema* props = find_builtin_type("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps");
  REQUIRE(props != nullptr);
  const auto deep = decode_protobuf(nested, *props);
  REQUIRE_FALSE(deep.ok());
  CHECK(deep.error().message().find("nested deeper") != std::string::npos);

  // Two bytes of input for one container, most of which Go cannot leave out.
  std::string many;
  for (std::size_t i = 0; i < kMaxDecodedValues + 10; ++i) many += std::string("\x12\x00", 2);
  const auto wide = decode_protobuf(many, *find_builtin_type("io.k8s.api.core.v1.PodSpec"));
  REQUIRE_FALSE(wide.ok());
  CHECK(wide.error().message().find("values") != std::string::npos);
}

TEST_CASE("random and mutated bytes give an answer") {
  const Schema& pod = message_type("Pod");
  const Value object = tree_of(
      R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","labels":{"a":"b"}},"spec":{"volumes":[{"name":"v",)"
      R"("configMap":{"name":"c"}}],"containers":[{"name":"c","image":"i","resources":{"limits":{"cpu":"1"}},)"
      R"("ports":[{"containerPort":80}]}]},"status":{"podIPs":[{"ip":"1.2.3.4"}]}})");
  const auto bytes = encode_envelope(object, pod);
  REQUIRE(bytes.ok());
  const std::string text = json::write(object);
  const auto random = seeded_random(20260102);
  std::size_t accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string mutant = round % 2 == 0 ? *bytes : text;
    const std::size_t changes = 1 + random->below(4);
    for (std::size_t i = 0; i < changes; ++i) {
      const std::size_t at = random->below(mutant.size());
      switch (random->below(3)) {
        case 0:
          mutant[at] = static_cast<char>(random->next());
          break;
        case 1:
          mutant.erase(at, 1 + random->below(8));
          break;
        default:
          mutant.insert(at, 1 + random->below(3), static_cast<char>(random->next()));
      }
      if (mutant.empty()) mutant = "x";
    }
    const auto decoded = decode(mutant, round % 2 == 0 ? MediaType::Protobuf : MediaType::Json, "Pod", pod);
    if (!decoded.ok()) {
      CHECK_FALSE(decoded.error().message().empty());
      continue;
    }
    ++accepted;
    CHECK(encode(decoded->object, MediaType::Protobuf, pod).ok());
  }
  CHECK(accepted > 0);
}

// Upstream's own samples of every kind: a folder with <group>.<version>.<Kind>.{json,yaml,pb}.
TEST_CASE("upstream's samples of every kind read and write the same") {
  const char* folder = std::getenv("CORACLE_KUBERNETES_SAMPLES");
  if (folder == nullptr) {
    WARN("skipped: CORACLE_KUBERNETES_SAMPLES does not name a folder of upstream's samples");
    return;
  }
  std::size_t seen = 0;
  std::size_t unknown = 0;  // beta and alpha versions
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".pb") continue;
    const std::string bytes = file_text(entry.path());
    const auto envelope = read_envelope(bytes);
    REQUIRE(envelope.ok());
    const std::size_t slash = envelope->api_version.find('/');
    const auto group = slash == std::string_view::npos ? std::string_view() : envelope->api_version.substr(0, slash);
    const auto version =
        slash == std::string_view::npos ? envelope->api_version : envelope->api_version.substr(slash + 1);
    const KindSchema* kind = find_builtin_kind(group, version, envelope->kind);
    if (kind == nullptr) {
      ++unknown;
      continue;
    }
    CAPTURE(entry.path().filename().string());
    ++seen;
    const std::string text = file_text(std::filesystem::path(entry.path()).replace_extension(".json"));
    const auto expected = json::read(text);
    REQUIRE(expected.ok());
    const auto from_bytes = decode(bytes, MediaType::Protobuf, kind->kind, *kind->schema);
    if (!from_bytes.ok()) FAIL(from_bytes.error().message());
    CHECK(json::write(from_bytes->object) == json::write(*expected));
    const auto from_text = decode(text, MediaType::Json, kind->kind, *kind->schema);
    if (!from_text.ok()) FAIL(from_text.error().message());
    CHECK(from_text->findings.empty());
    CHECK(json::write(from_text->object) == json::write(*expected));
    const auto again = encode(from_text->object, MediaType::Protobuf, *kind->schema);
    REQUIRE(again.ok());
    CHECK(hex_encode(*again) == hex_encode(bytes));
    const auto from_yaml = decode(file_text(std::filesystem::path(entry.path()).replace_extension(".yaml")),
                                  MediaType::Yaml, kind->kind, *kind->schema);
    if (!from_yaml.ok()) FAIL(from_yaml.error().message());
    CHECK(from_yaml->object == *expected);
  }
  CHECK(seen > 0);
  WARN("compared " << seen << " kinds, " << unknown << " are not in the tables");
}

}  // namespace coracle::kube
