#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/result.h"

namespace coracle::kube::apiserver {

// What someone wants to do (authorizer.Attributes).
struct Attributes {
  std::string verb;
  bool resource_request = true;
  std::string namespace_;
  std::string group;
  std::string version;
  std::string resource;
  std::string subresource;
  std::string name;
  std::string path;  // of a non-resource request
  std::string field_selector;
  std::string label_selector;
};

struct Decision {
  enum class Outcome : std::uint8_t { Allow, Deny, NoOpinion };
  Outcome outcome = Outcome::NoOpinion;
  std::string reason;
};

// One rule set, as SelfSubjectRulesReview lists it.
struct PolicyRule {
  std::vector<std::string> verbs;
  std::vector<std::string> api_groups;
  std::vector<std::string> resources;
  std::vector<std::string> resource_names;
  std::vector<std::string> non_resource_urls;
};

// Thread-safe; never waits on the network.
class Authorizer {
 public:
  virtual ~Authorizer() = default;
  virtual Decision authorize(const Context& context, const Identity& who, const Attributes& what) = 0;
  // The rules that hold for someone in a namespace; `incomplete` when they cannot all be listed.
  virtual std::vector<PolicyRule> rules_for(const Context& context, const Identity& who, std::string_view ns,
                                            bool& incomplete) = 0;
};

// "pods "x" is forbidden: User "u" cannot get resource "pods" in API group "" in the namespace "n"".
Error forbidden(const Identity& who, const Attributes& what, std::string_view reason);

}  // namespace coracle::kube::apiserver
