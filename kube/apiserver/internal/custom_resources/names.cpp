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

bool is_url_with_host(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || scheme == 0) return false;
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const std::string_view host = text.substr(scheme + 3);
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(scheme), is_letter) && !host.empty() &&
         host.front() != '/' && host.find(' ') == std::string_view::npos;
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

Approval approval_of(std::string_view annotation) {
  const std::string wanted =
      "protected groups must have approval annotation \"" + std::string(kApprovalAnnotation) + "\"";
  constexpr std::string_view kSee = ", see https://github.com/kubernetes/enhancements/pull/1111";
  const std::string text(annotation);
  if (annotation.empty()) return {Approval::State::Missing, wanted + std::string(kSee)};
  if (annotation.starts_with("unapproved")) return {Approval::State::Bypassed, "not approved: \"" + text + "\""};
  if (is_url_with_host(annotation)) return {Approval::State::Approved, "approved in " + text};
  return {Approval::State::Invalid,
          wanted + " with either a URL or a reason starting with \"unapproved\"" + std::string(kSee)};
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
  const auto judge = [&](const NameRule& rule) {
    const std::string_view name = wanted[rule.field].as_string();
    const auto& space = rule.is_kind ? taken.kinds : taken.resources;
    if (!name.empty() && space.count(name) > 0 && before[rule.field].as_string() != name) {
      refuse(rule.reason, in_use(name));
    } else if (name.empty()) {
      accepted.remove(rule.field);
    } else {
      accepted.set(rule.field, name);
    }
  };
  const auto judge_short_names = [&] {
    const auto ours = before["shortNames"].items();
    std::vector<std::string> clashes;
    for (const Value& name : wanted["shortNames"].items()) {
      const bool kept = std::find(ours.begin(), ours.end(), name) != ours.end();
      if (!kept && taken.resources.count(name.as_string()) > 0) clashes.push_back(in_use(name.as_string()));
    }
    if (!clashes.empty()) {
      const std::string all_clashes = join(clashes, ", ");
      refuse("ShortNamesConflict", clashes.size() == 1 ? all_clashes : "[" + all_clashes + "]");
      return;
    }
    accepted.set("shortNames", wanted["shortNames"]);
    if (wanted["shortNames"].empty()) accepted.remove("shortNames");
  };
  // Of several conflicts the last one is told.
  for (const NameRule& rule : kNameRules) {
    if (rule.is_kind && rule.field == "kind") judge_short_names();
    judge(rule);
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
    Approval approval = approval_of(definition.annotation(kApprovalAnnotation));
    constexpr std::string_view kReasons[] = {"MissingAnnotation", "UnapprovedAnnotation", "ApprovedAnnotation",
                                             "InvalidAnnotation"};
    verdict.conditions.push_back(
        {"KubernetesAPIApprovalPolicyConformant", approval.state == Approval::State::Approved ? "True" : "False",
         std::string(kReasons[static_cast<std::size_t>(approval.state)]), std::move(approval.reason)});
  }
  return verdict;
}

}  // namespace coracle::kube::apiserver
