#include "kube/apply/owner_set.h"

#include <catch2/catch.hpp>

#include "base/json/json.h"
#include "kube/apply/applied_state.h"

namespace coracle::kube {
namespace {

Object read_object(std::string_view text) {
  return Object(json::read(text).value());
}

}  // namespace

TEST_CASE("the hash is the one that k3s computes") {
  const OwnerSet coredns{"", {"k3s.cattle.io", "v1", "Addon"}, {"kube-system", "coredns"}};
  CHECK(coredns.owner_text() == "k3s.cattle.io/v1, Kind=Addon");
  CHECK(coredns.hash() == "bce283298811743a0386ab510f2f67ef74240c57");
}

TEST_CASE("kinds print and read as in the Addon's annotation") {
  const GroupVersionKind config_map{"", "v1", "ConfigMap"};
  CHECK(gvk_text(config_map) == "/v1, Kind=ConfigMap");
  CHECK(parse_gvk_text("/v1, Kind=ConfigMap").value() == config_map);
  CHECK(parse_gvk_text("apps/v1, Kind=Deployment").value() == GroupVersionKind{"apps", "v1", "Deployment"});
  CHECK_FALSE(parse_gvk_text("nonsense").ok());
}

TEST_CASE("only k3s's five cases are made again instead of patched") {
  const auto object = [](std::string_view version, std::string_view kind, std::string_view rest) {
    return read_object("{\"apiVersion\":\"" + std::string(version) + "\",\"kind\":\"" + std::string(kind) + "\"," +
                       std::string(rest) + "}");
  };
  CHECK(must_recreate(object("v1", "Secret", R"("type":"Opaque")"), object("v1", "Secret", R"("type":"x/y")")));
  CHECK_FALSE(must_recreate(object("v1", "Secret", R"("type":"Opaque")"), object("v1", "Secret", R"("data":{})")));
  CHECK(must_recreate(object("v1", "Service", R"("spec":{"type":"ClusterIP"})"),
                      object("v1", "Service", R"("spec":{"type":"NodePort"})")));
  CHECK(must_recreate(object("apps/v1", "Deployment", R"("spec":{"selector":{"matchLabels":{"a":"1"}}})"),
                      object("apps/v1", "Deployment", R"("spec":{"selector":{"matchLabels":{"a":"2"}}})")));
  CHECK_FALSE(
      must_recreate(object("v1", "ConfigMap", R"("data":{"a":"1"})"), object("v1", "ConfigMap", R"("data":{})")));
}

TEST_CASE("a Job is made again for another template, not for a long text that was cut in the record") {
  const auto job = [](const std::string& image) {
    return read_object(R"({"apiVersion":"batch/v1","kind":"Job","spec":{"template":{"spec":{"containers":[{"image":")" +
                       image + R"("}]}}}})");
  };
  const std::string image(80, 'i');
  const auto recorded = [](const Object& object, const Object& applied) {
    return object.with_annotation(kAppliedAnnotation, encode_applied(applied));
  };
  CHECK_FALSE(must_recreate(recorded(job(image), job(image)), job(image)));
  CHECK(must_recreate(recorded(job(image), job("other")), job(image)));
  // A record that holds the whole text.
  CHECK_FALSE(
      must_recreate(job(image).with_annotation(kAppliedAnnotation, json::write(job(image).tree())), job(image)));
}

}  // namespace coracle::kube
