#pragma once

#include <string>
#include <vector>

#include "kube/apiserver/internal/admission/plugins.h"
#include "kube/apiserver/internal/identity/identity_test_support.h"

namespace coracle::kube::apiserver::testing {

// What one plug-in does to one write.
struct Admitted {
  std::string fault;  // the error's message; empty when admitted
  std::vector<Cause> causes;
  Object object;  // after the mutating call
  std::vector<std::string> warnings;
};

struct AdmissionRequest {
  Operation operation = Operation::Create;
  std::string subresource = {};
  std::optional<Object> old = std::nullopt;
  Identity who = person("alice");
  bool dry_run = false;
  std::string request_name = {};
};

inline Admitted admit(TestCluster& cluster, AdmissionPlugin& plugin, const Object& object,
                      const AdmissionRequest& request = {}) {
  Admitted result;
  result.object = object;
  ResourcePtr resource = cluster.table->find_kind(object.gvk());
  if (object.kind() == "TokenRequest") resource = cluster.table->find("", "v1", "serviceaccounts");
  std::string ns(object.namespace_());
  std::string name(object.name());
  AdmissionAttributes attributes{request.operation,
                                 *resource,
                                 request.subresource,
                                 ns,
                                 name,
                                 request.who,
                                 request.old ? &*request.old : nullptr,
                                 request.dry_run,
                                 request.request_name};
  Object* mutated = request.operation == Operation::Delete ? nullptr : &result.object;
  Result<void> admitted = plugin.admit(cluster.context, attributes, mutated, result.warnings);
  if (admitted.ok()) admitted = plugin.validate(cluster.context, attributes, mutated, result.warnings);
  if (!admitted.ok()) {
    result.fault = admitted.error().message();
    result.causes = admitted.error().causes();
  }
  return result;
}

inline Object pod_object(const std::string& spec, const std::string& metadata = "") {
  return object_of(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"q","namespace":"a")" + metadata +
                   R"(},"spec":{)" + spec + "}}");
}

// Allows a list of "<verb> <resource> <name>".
class NamedAuthorizer : public Authorizer {
 public:
  explicit NamedAuthorizer(std::vector<std::string> allowed) : allowed_(std::move(allowed)) {}
  Decision authorize(const Context&, const Identity&, const Attributes& what) override {
    std::string line = what.verb + " " + what.resource + " " + what.name;
    bool allowed = std::find(allowed_.begin(), allowed_.end(), line) != allowed_.end();
    return {allowed ? Decision::Outcome::Allow : Decision::Outcome::NoOpinion, ""};
  }
  std::vector<PolicyRule> rules_for(const Context&, const Identity&, std::string_view, bool&) override { return {}; }

 private:
  std::vector<std::string> allowed_;
};

}  // namespace coracle::kube::apiserver::testing
