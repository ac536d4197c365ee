#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "kube/apiserver/internal/strategies/admission/admission_matching.h"
#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

// https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
namespace coracle::kube::apiserver {

namespace {

constexpr std::int64_t kHighestPrecedence = 10000;
constexpr std::int64_t kMostQueues = 10000000;
constexpr int kMostHashBits = 60;  // a hand is dealt by the bits of one hash
constexpr std::string_view kFlowVerbs[] = {"create", "delete", "deletecollection", "get",  "list",
                                           "patch",  "proxy",  "update",           "watch"};

struct SubjectKind {
  std::string_view kind;
  std::string_view field;
};
constexpr SubjectKind kSubjectKinds[] = {{"ServiceAccount", "serviceAccount"}, {"User", "user"}, {"Group", "group"}};

void check_account(const Value& account, const FieldPath& path, FieldErrors& errors) {
  const std::string_view name = account["name"].as_string();
  const std::string_view ns = account["namespace"].as_string();
  if (!name.empty() && name != "*") add_name_errors(path.child("name"), name, check_dns1123_subdomain(name), errors);
  if (ns.empty()) {
    restate(errors,
            field_error::required(path.child("namespace").text(), "must specify namespace for service account"));
  } else {
    add_name_errors(path.child("namespace"), ns, check_dns1123_label(ns), errors);
  }
}

void check_flow_subject(const Value& subject, const FieldPath& path, FieldErrors& errors) {
  const std::string_view kind = subject["kind"].as_string();
  const auto known = std::find_if(std::begin(kSubjectKinds), std::end(kSubjectKinds),
                                  [&](const SubjectKind& one) { return one.kind == kind; });
  if (known == std::end(kSubjectKinds)) {
    constexpr std::string_view kKinds[] = {"Group", "ServiceAccount", "User"};
    retract(errors, path.child("kind").text());
    errors.push_back(field_error::not_supported(path.child("kind").text(), kind, kKinds));
    return;
  }
  const std::string field(known->field);
  const FieldPath at = path.child(field);
  const Value& named = subject[field];
  if (named.is_object()) {
    if (named["name"].as_string().empty()) report(errors, field_error::required(at.child("name").text()));
    if (field == "serviceAccount") check_account(named, at, errors);
  } else {
    errors.push_back(
        field_error::required(at.text(), field + " is required when subject kind is '" + std::string(kind) + "'"));
  }
  for (const SubjectKind& other : kSubjectKinds) {
    if (&other == known || !subject[other.field].is_object()) continue;
    errors.push_back(field_error::forbidden(
        path.child(other.field).text(),
        std::string(other.field) + " is forbidden when subject kind is not '" + std::string(other.kind) + "'"));
  }
}

void need_values(const Value& list, std::string_view detail, const FieldPath& path, FieldErrors& errors) {
  if (list.empty()) restate(errors, field_error::required(path.text(), detail));
}

void check_flow_verbs(const Value& verbs, const FieldPath& path, FieldErrors& errors) {
  need_values(verbs, "verbs must contain at least one value", path, errors);
  check_lonely_wildcard(verbs, "verbs", path, errors);
  if (contains_text(verbs, "*")) return;
  const auto items = verbs.items();
  const bool supported = std::all_of(items.begin(), items.end(),
                                     [](const Value& verb) { return is_listed(verb.as_string(), kFlowVerbs); });
  if (!supported) errors.push_back(field_error::not_supported(path.text(), verbs, kFlowVerbs));
}

std::string_view url_fault(std::string_view url) {
  if (url.empty()) return "must not be empty";
  if (url == "/") return {};
  if (!url.starts_with('/')) return "must start with slash";
  if (url.find(' ') != std::string_view::npos) return "must not contain white-space";
  if (url.find("//") != std::string_view::npos) return "must not contain double slash";
  const auto wildcards = std::count(url.begin(), url.end(), '*');
  if (wildcards > 1 || (wildcards == 1 && !url.ends_with("/*"))) return "wildcard can only do suffix matching";
  return {};
}

void check_url_rule(const Value& rule, const FieldPath& path, FieldErrors& errors) {
  check_flow_verbs(rule["verbs"], path.child("verbs"), errors);
  const Value& urls = rule["nonResourceURLs"];
  const FieldPath at = path.child("nonResourceURLs");
  need_values(urls, "nonResourceURLs must contain at least one value", at, errors);
  check_lonely_wildcard(urls, "non-resource URLs", at, errors);
  for (std::size_t i = 0; !contains_text(urls, "*") && i < urls.size(); ++i) {
    const std::string_view fault = url_fault(urls.at(i).as_string());
    if (!fault.empty()) errors.push_back(field_error::invalid(at.index(i).text(), urls.at(i).as_string(), fault));
  }
}

void check_resource_rule(const Value& rule, const FieldPath& path, FieldErrors& errors) {
  check_flow_verbs(rule["verbs"], path.child("verbs"), errors);
  need_values(rule["apiGroups"], "resource rules must supply at least one api group", path.child("apiGroups"), errors);
  check_lonely_wildcard(rule["apiGroups"], "api groups", path.child("apiGroups"), errors);
  need_values(rule["resources"], "resource rules must supply at least one resource", path.child("resources"), errors);
  check_lonely_wildcard(rule["resources"], "resources", path.child("resources"), errors);
  const Value& namespaces = rule["namespaces"];
  const FieldPath at = path.child("namespaces");
  if (namespaces.empty() && !rule["clusterScope"].as_bool()) {
    errors.push_back(field_error::required(
        at.text(), "resource rules that are not cluster scoped must supply at least one namespace"));
  }
  check_lonely_wildcard(namespaces, "namespaces", at, errors);
  for (std::size_t i = 0; !contains_text(namespaces, "*") && i < namespaces.size(); ++i) {
    const std::string_view name = namespaces.at(i).as_string();
    for (const std::string& problem : check_dns1123_label(name)) {
      errors.push_back(field_error::invalid(at.index(i).text(), name,
                                            "each member of this list must be '*' or a DNS-1123 label; " + problem));
    }
  }
}

void check_flow_rule(const Value& rule, const FieldPath& path, FieldErrors& errors) {
  const Value& subjects = rule["subjects"];
  need_values(subjects, "subjects must contain at least one value", path.child("subjects"), errors);
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    check_flow_subject(subjects.at(i), path.child("subjects").index(i), errors);
  }
  const Value& resources = rule["resourceRules"];
  const Value& urls = rule["nonResourceRules"];
  if (resources.empty() && urls.empty()) {
    errors.push_back(
        field_error::required(path.text(), "at least one of resourceRules and nonResourceRules has to be non-empty"));
  }
  for (std::size_t i = 0; i < resources.size(); ++i) {
    check_resource_rule(resources.at(i), path.child("resourceRules").index(i), errors);
  }
  for (std::size_t i = 0; i < urls.size(); ++i) {
    check_url_rule(urls.at(i), path.child("nonResourceRules").index(i), errors);
  }
}

void check_flow_schema(const Object& object, const Object*, FieldErrors& errors) {
  const Value& spec = object["spec"];
  const FieldPath path("spec");
  const std::int64_t precedence = spec["matchingPrecedence"].as_int();
  const auto refuse = [&](std::string_view detail) {
    errors.push_back(field_error::invalid(path.child("matchingPrecedence").text(), precedence, detail));
  };
  if (precedence <= 0) refuse("must be a positive value");
  if (precedence > kHighestPrecedence) refuse("must not be greater than " + std::to_string(kHighestPrecedence));
  if (precedence == 1 && object.name() != "exempt") {
    refuse("only the schema named 'exempt' may have matchingPrecedence 1");
  }
  const Value& distinguisher = spec["distinguisherMethod"];
  const std::string_view method = distinguisher["type"].as_string();
  if (distinguisher.is_object() && method != "ByNamespace" && method != "ByUser") {
    constexpr std::string_view kMethods[] = {"ByNamespace", "ByUser"};
    const std::string at = path.child("distinguisherMethod").child("type").text();
    retract(errors, at);
    errors.push_back(field_error::not_supported(at, Value::object({{"Type", method}}), kMethods));
  }
  const std::string_view level = spec["priorityLevelConfiguration"]["name"].as_string();
  const FieldPath level_at = path.child("priorityLevelConfiguration").child("name");
  if (level.empty()) {
    restate(errors, field_error::required(level_at.text(), "must reference a priority level"));
  } else {
    add_name_errors(level_at, level, check_dns1123_subdomain(level), errors);
  }
  for (std::size_t i = 0; i < spec["rules"].size(); ++i) {
    check_flow_rule(spec["rules"].at(i), path.child("rules").index(i), errors);
  }
}

void check_condition_types(const Object& object, const Object&, FieldErrors& errors) {
  const Value& conditions = object["status"]["conditions"];
  std::set<std::string, std::less<>> seen;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const std::string at = FieldPath("status.conditions").index(i).child("type").text();
    const std::string_view type = conditions.at(i)["type"].as_string();
    if (!seen.emplace(type).second) errors.push_back(field_error::duplicate(at, type));
    if (type.empty()) report(errors, field_error::required(at));
  }
}

void check_shares(const Value& level, const FieldPath& path, FieldErrors& errors) {
  const Value& shares = level["nominalConcurrencyShares"];
  if (shares.as_int() < 0) {
    errors.push_back(
        field_error::invalid(path.child("nominalConcurrencyShares").text(), shares, "must be a non-negative integer"));
  }
}

void check_lendable(const Value& level, const FieldPath& path, FieldErrors& errors) {
  const Value& percent = level["lendablePercent"];
  if (percent.as_int() >= 0 && percent.as_int() <= 100) return;
  errors.push_back(
      field_error::invalid(path.child("lendablePercent").text(), percent, "must be between 0 and 100, inclusive"));
}

void check_queuing(const Value& queuing, const FieldPath& path, FieldErrors& errors) {
  const std::int64_t queues = queuing["queues"].as_int();
  const std::int64_t hand = queuing["handSize"].as_int();
  const auto refuse = [&](std::string_view field, std::string_view detail) {
    errors.push_back(field_error::invalid(path.child(field).text(), queuing[field].as_int(), detail));
  };
  if (queuing["queueLengthLimit"].as_int() <= 0) refuse("queueLengthLimit", "must be positive");
  if (queues <= 0) refuse("queues", "must be positive");
  if (queues > kMostQueues) refuse("queues", "must not be greater than " + std::to_string(kMostQueues));
  if (hand <= 0) {
    refuse("handSize", "must be positive");
  } else if (hand > queues) {
    refuse("handSize", "should not be greater than queues (" + std::to_string(queues) + ")");
  } else if (std::ceil(std::log2(static_cast<double>(queues)) * static_cast<double>(hand)) > kMostHashBits) {
    refuse("handSize", "required entropy bits of deckSize " + std::to_string(queues) + " and handSize " +
                           std::to_string(hand) + " should not be greater than " + std::to_string(kMostHashBits));
  }
}

void check_limit_response(const Value& response, const FieldPath& path, FieldErrors& errors) {
  const std::string_view type = response["type"].as_string();
  const FieldPath queuing_at = path.child("queuing");
  const bool queues = response["queuing"].is_object();
  if (type == "Reject") {
    if (!queues) return;
    errors.push_back(
        field_error::forbidden(queuing_at.text(), "must be nil if limited.limitResponse.type is not Limited"));
  } else if (type == "Queue") {
    if (queues) {
      check_queuing(response["queuing"], queuing_at, errors);
      return;
    }
    errors.push_back(
        field_error::required(queuing_at.text(), "must not be empty if limited.limitResponse.type is Limited"));
  } else {
    constexpr std::string_view kTypes[] = {"Queue", "Reject"};
    const std::string at = path.child("type").text();
    retract(errors, at);
    errors.push_back(field_error::not_supported(at, type, kTypes));
  }
}

void check_limited(const Value& limited, const FieldPath& path, FieldErrors& errors) {
  check_shares(limited, path, errors);
  check_limit_response(limited["limitResponse"], path.child("limitResponse"), errors);
  check_lendable(limited, path, errors);
  const Value& borrowing = limited["borrowingLimitPercent"];
  if (borrowing.as_int() < 0) {
    errors.push_back(field_error::invalid(path.child("borrowingLimitPercent").text(), borrowing,
                                          "if specified, must be a non-negative integer"));
  }
}

void check_priority_level(const Object& object, const Object*, FieldErrors& errors) {
  const Value& spec = object["spec"];
  const FieldPath path("spec");
  const std::string_view type = spec["type"].as_string();
  const FieldPath limited_at = path.child("limited");
  const FieldPath exempt_at = path.child("exempt");
  retract(errors, "spec.type");
  if ((object.name() == "exempt") != (type == "Exempt")) {
    errors.push_back(field_error::invalid("spec.type", type, "must be 'Exempt' if and only if `name` is 'exempt'"));
  }
  if (type == "Exempt") {
    if (spec["limited"].is_object()) {
      errors.push_back(field_error::forbidden(limited_at.text(), "must be nil if the type is not Limited"));
    }
    check_shares(spec["exempt"], exempt_at, errors);
    check_lendable(spec["exempt"], exempt_at, errors);
  } else if (type == "Limited") {
    if (spec["exempt"].is_object()) {
      errors.push_back(field_error::forbidden(exempt_at.text(), "must be nil if the type is Limited"));
    }
    if (spec["limited"].is_object()) {
      check_limited(spec["limited"], limited_at, errors);
    } else {
      errors.push_back(field_error::required(limited_at.text(), "must not be empty when type is Limited"));
    }
  } else {
    constexpr std::string_view kTypes[] = {"Exempt", "Limited"};
    errors.push_back(field_error::not_supported("spec.type", type, kTypes));
  }
}

constexpr std::string_view kFlowControl = "flowcontrol.apiserver.k8s.io";

constexpr ResourceRules kFlowRules[] = {
    {.group = kFlowControl,
     .resource = "flowschemas",
     .check = check_flow_schema,
     .check_status = check_condition_types},
    {.group = kFlowControl,
     .resource = "prioritylevelconfigurations",
     .check = check_priority_level,
     .check_status = check_condition_types},
};

}  // namespace

std::span<const ResourceRules> flow_rules() {
  return kFlowRules;
}

}  // namespace coracle::kube::apiserver
