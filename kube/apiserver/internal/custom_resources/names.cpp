#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "kube/apiserver/internal/custom_resources/definition.h"

namespace coracle::kube::apiserver {

namespace {

// Names that other definitions of the group have.
struct TakenNames {
  std::set<std::string, std::less<>> resources;  // plural, singular and short names share one space
  std::set<std::string, std::less<>> kinds;      // kinds and list kinds share another
};

TakenNames names_taken_by_others(const Object& definition, std::span<const Object> all) {
  TakenNames taken;
  for (const Object& other : all) {
    if (other.name() == definition.name()) continue;
    if (other["spec"]["group"].as_string() != definition["spec"]["group"].as_string()) continue;
    const Value& names = other["status"]["acceptedNames"];
    for (const char* field : {"plural", "singular"}) {
      if (!names[field].as_string().empty()) taken.resources.emplace(names[field].as_string());
    }
    for (const Value& name : names["shortNames"].items()) taken.resources.emplace(name.as_string());
    for (const char* field : {"kind", "listKind"}) {
      if (!names[field].as_string().empty()) taken.kinds.emplace(names[field].as_string());
    }
  }
  return taken;
}

std::string in_use(std::string_view name) {
  return "\"" + std::string(name) + "\" is already in use";
}

// One name of a definition: taken over when it is free, kept as accepted before when it is not.
struct NameRule {
  std::string_view field, reason;
  bool is_kind;
};
constexpr NameRule kNameRules[] = {{"plural", "PluralConflict", false},
                                   {"singular", "SingularConflict", false},
                                   {"kind", "KindConflict", true},
                                   {"listKind", "ListKindConflict", true}};

}  // namespace

std::string_view storage_version_of(const Object& definition) {
  for (const Value& version : definition["spec"]["versions"].items()) {
    if (version["storage"].as_bool()) return version["name"].as_string();
  }
  return {};
}

bool is_protected_group(std::string_view group) {
  return group == "k8s.io" || group == "kubernetes.io" || group.ends_with(".k8s.io") ||
         group.ends_with(".kubernetes.io");
}

NameVerdict judge_names(const Object& definition, std::span<const Object> all) {
  const Value& wanted = definition["spec"]["names"];
  const Value& before = definition["status"]["acceptedNames"];
  const TakenNames taken = names_taken_by_others(definition, all);
  Condition names{"NamesAccepted", "True", "NoConflicts", "no conflicts found"};
  Value::ObjectBuilder accepted(before.is_object() ? before : Value::object());
  const auto refuse = [&](std::string_view reason, const std::string& message) {
    names.status = "False";
    names.reason = reason;
    names.message = message;
  };
  for (const NameRule& rule : kNameRules) {
    const std::string_view name = wanted[rule.field].as_string();
    const auto& space = rule.is_kind ? taken.kinds : taken.resources;
    if (!name.empty() && space.count(name) > 0 && before[rule.field].as_string() != name) {
      refuse(rule.reason, in_use(name));
    } else if (name.empty()) {
      accepted.remove(rule.field);
    } else {
      accepted.set(rule.field, name);
    }
  }
  std::vector<std::string> clashes;
  for (const Value& name : wanted["shortNames"].items()) {
    if (taken.resources.count(name.as_string()) > 0) clashes.push_back(in_use(name.as_string()));
  }
  if (!clashes.empty()) {
    refuse("ShortNamesConflict", join(clashes, ", "));
  } else {
    accepted.set("shortNames", wanted["shortNames"]);
    if (wanted["shortNames"].empty()) accepted.remove("shortNames");
  }
  accepted.set("categories", wanted["categories"]);
  if (wanted["categories"].empty()) accepted.remove("categories");

  Condition established{"Established", "False", "NotAccepted", "not all names are accepted"};
  const bool was_established = condition_is_true(definition["status"]["conditions"], "Established");
  if (names.status == "True" || was_established) {
    established.status = "True";
    established.reason = "InitialNamesAccepted";
    established.message = "the initial names have been accepted";
  }
  NameVerdict verdict;
  verdict.accepted = std::move(accepted).build();
  verdict.conditions = {std::move(names), std::move(established)};
  const std::string_view group = definition["spec"]["group"].as_string();
  if (is_protected_group(group)) {
    const std::string_view approval = definition.annotation(kApprovalAnnotation);
    const bool approved = approval.starts_with("http");
    verdict.conditions.push_back(
        {"KubernetesAPIApprovalPolicyConformant", approved ? "True" : "False",
         approved ? "ApprovedAnnotation" : (approval.empty() ? "MissingAnnotation" : "UnapprovedAnnotation"),
         approved ? "approved in " + std::string(approval) : "not approved: \"" + std::string(approval) + "\""});
  }
  return verdict;
}

}  // namespace coracle::kube::apiserver
