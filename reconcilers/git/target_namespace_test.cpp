#include "reconcilers/git/target_namespace.h"

#include <catch2/catch.hpp>

#include "kube/apply/manifest.h"

namespace coracle::reconcilers {
namespace {

// What becomes of a manifest in the namespace "shop".
Result<std::vector<kube::Object>> moved(std::string_view manifest) {
  return move_to_namespace(kube::parse_manifest(manifest).value(), "shop", [](const kube::GroupVersionKind& gvk) {
    return gvk.kind == "ServiceAccount" || gvk.kind == "Service" || gvk.kind == "RoleBinding";
  });
}

// "namespace" of each item, "-" where it has none.
std::string namespaces(const Value& items) {
  std::string text;
  for (const Value& item : items.items()) text += std::string(item["namespace"].as_string("-")) + " ";
  return text;
}

}  // namespace

TEST_CASE("what is namespaced moves, Namespaces get the name, the rest stays") {
  const std::vector<kube::Object> objects = moved(R"(
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: old}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: old}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: reader}}
)")
                                                .value();
  CHECK(objects[0].key() == kube::ObjectKey{"shop", "web"});
  CHECK(objects[1].key() == kube::ObjectKey{"", "shop"});
  CHECK(objects[2].key() == kube::ObjectKey{"", "reader"});
}

TEST_CASE("subjects follow their service accounts") {
  const std::vector<kube::Object> objects = moved(R"(
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: x}
subjects:
- {kind: ServiceAccount, name: sa}
- {kind: ServiceAccount, name: sa, namespace: old}
- {kind: ServiceAccount, name: sa, namespace: other}
- {kind: ServiceAccount, name: elsewhere, namespace: old}
- {kind: ServiceAccount, name: default, namespace: kube-system}
- {kind: User, name: sa}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: sa, namespace: old}}
)")
                                                .value();
  CHECK(namespaces(objects[0]["subjects"]) == "shop shop other old shop - ");
}

TEST_CASE("webhooks, API services and conversions follow their services") {
  const std::vector<kube::Object> objects = moved(R"(
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: x}
webhooks:
- {name: a, clientConfig: {service: {name: svc, namespace: default}}}
- {name: b, clientConfig: {service: {name: svc, namespace: other}}}
- {name: c, clientConfig: {url: "https://x"}}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.x}
spec: {service: {name: svc, namespace: default}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: x.y}
spec: {conversion: {webhook: {clientConfig: {service: {name: svc, namespace: default}}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: svc}}
)")
                                                .value();
  const auto service = [](const Value& config) { return config["service"]["namespace"].as_string("-"); };
  CHECK(service(objects[0]["webhooks"].at(0)["clientConfig"]) == "shop");
  CHECK(service(objects[0]["webhooks"].at(1)["clientConfig"]) == "other");
  CHECK(service(objects[0]["webhooks"].at(2)["clientConfig"]) == "-");
  CHECK(service(objects[1]["spec"]) == "shop");
  CHECK(service(objects[2]["spec"]["conversion"]["webhook"]["clientConfig"]) == "shop");
}

TEST_CASE("two objects that become one are refused") {
  CHECK(moved(R"(
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: a}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: b}}
)")
            .error()
            .message() == "spec.targetNamespace: namespace transformation produces ID conflict: Service/shop/web");
}

}  // namespace coracle::reconcilers
