#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "kube/apiserver/internal/resource.h"
#include "kube/object/conditions.h"
#include "kube/object/object.h"

// CustomResourceDefinition objects: their rules, names and conditions.
// https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/
namespace coracle::kube::apiserver {

inline constexpr std::string_view kDefinitionGroup = "apiextensions.k8s.io";
inline constexpr std::string_view kDefinitionResource = "customresourcedefinitions";
// Keeps a deleted definition until its objects are gone.
inline constexpr std::string_view kInstanceCleanup = "customresourcecleanup.apiextensions.k8s.io";
inline constexpr std::string_view kApprovalAnnotation = "api-approved.kubernetes.io";

// The strategy of customresourcedefinitions.
std::shared_ptr<const Strategy> make_definition_strategy();

// What upstream's validation says; `old` is null on create.
void validate_definition(const Object& definition, const Object* old, FieldErrors& errors);
// Of a write to /status.
void validate_definition_status(const Object& definition, const Object& old, FieldErrors& errors);

// Groups of the Kubernetes project itself (*.k8s.io, *.kubernetes.io).
bool is_protected_group(std::string_view group);
// What the approval annotation of a definition in such a group says.
struct Approval {
  enum class State : std::uint8_t { Missing, Bypassed, Approved, Invalid };
  State state = State::Missing;
  std::string reason;  // in words
};
Approval approval_of(std::string_view annotation);
// spec.names of a definition that may be used, and the conditions that say so.
struct NameVerdict {
  Value accepted;  // status.acceptedNames
  std::vector<Condition> conditions;
};
// Two definitions of one group may not use the same names: who has them accepted keeps them.
NameVerdict judge_names(const Object& definition, std::span<const Object> all);

// apiextensions.k8s.io/v1beta1 to v1, for what an older server has stored; other objects as they are.
Result<Object> definition_to_v1(const Object& definition, const GroupVersionKind& to);

// The version that is stored.
std::string_view storage_version_of(const Object& definition);

}  // namespace coracle::kube::apiserver
