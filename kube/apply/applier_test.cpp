#include "kube/apply/applier.h"

#include <catch2/catch.hpp>

#include "base/json/json.h"
#include "base/text.h"

namespace coracle::kube {
namespace {

std::string entry(std::string_view manager, std::string_view operation, std::string_view fields,
                  std::string_view more = "") {
  return R"({"manager":")" + std::string(manager) + R"(","operation":")" + std::string(operation) +
         R"(","apiVersion":"v1","fieldsV1":)" + std::string(fields) + std::string(more) + "}";
}

// What is left of entries when "kustomize-controller" has taken over from kubectl.
std::string after_take_over(std::initializer_list<std::string> entries) {
  const std::optional<Value> taken = taken_over(json::read("[" + join(entries, ",") + "]").value(),
                                                {"kubectl", "before-first-apply"}, "kustomize-controller");
  return taken ? json::write_sorted(*taken) : "nothing";
}

std::string as_written(std::initializer_list<std::string> entries) {
  return json::write_sorted(json::read("[" + join(entries, ",") + "]").value());
}

}  // namespace

TEST_CASE("fields that are taken over become one entry with our own") {
  const std::string ours = entry("kustomize-controller", "Apply", R"({"f:data":{"f:a":{}}})");
  const std::string other = entry("helm", "Update", R"({"f:data":{"f:h":{}}})");
  CHECK(after_take_over({ours, entry("kubectl", "Apply", R"({"f:data":{"f:a":{},"f:b":{}}})"), other,
                         entry("kubectl-edit", "Update", R"({"f:metadata":{"f:labels":{}}})")}) ==
        as_written({other, entry("kustomize-controller", "Apply",
                                 R"({"f:data":{"f:a":{},"f:b":{}},"f:metadata":{"f:labels":{}}})")}));
  // Without one of our own, what is taken over becomes it.
  CHECK(after_take_over({entry("before-first-apply", "Update", R"({"f:a":{}})"),
                         entry("kustomize-controller", "Update", R"({"f:b":{}})")}) ==
        as_written({entry("kustomize-controller", "Apply", R"({"f:a":{},"f:b":{}})")}));
}

TEST_CASE("nothing is taken over where nobody else owns, and nothing of subresources") {
  const std::string ours = entry("kustomize-controller", "Apply", R"({"f:a":{}})");
  CHECK(after_take_over({ours}) == "nothing");
  CHECK(after_take_over({ours, entry("kubectl", "Update", R"({"f:status":{}})", R"(,"subresource":"status")")}) ==
        "nothing");
}

}  // namespace coracle::kube
