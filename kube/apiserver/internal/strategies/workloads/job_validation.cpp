#include "kube/apiserver/internal/strategies/workloads/job_validation.h"

#include <algorithm>
#include <set>

#include "base/json/json.h"
#include "base/text.h"
#include "kube/apiserver/internal/strategies/internal_form.h"
#include "kube/apiserver/internal/strategies/pods/pod_template.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/object/names.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::int64_t kMaxIndexedParallelism = 100000;
constexpr std::int64_t kMaxFailedIndexes = 100000;
// Above so many completions, the two below are limited when failures are counted for each index.
constexpr std::int64_t kManyCompletions = 100000;
constexpr std::int64_t kLimitForManyCompletions = 10000;
constexpr std::int64_t kMaxManager = 63;
constexpr std::int64_t kMaxRules = 20;
constexpr std::int64_t kMaxExitCodes = 255;
constexpr std::int64_t kMaxConditionPatterns = 20;
constexpr std::size_t kMaxSucceededIndexes = 64UL * 1024;
constexpr std::string_view kNeedsIndexed = "requires indexed completion mode";

constexpr InternalField kExitCodesForm[] = {
    {"containerName", "ContainerName"}, {"operator", "Operator", kNoText}, {"values", "Values"}};
constexpr InternalField kPatternForm[] = {{"type", "Type", kNoText}, {"status", "Status", kNoText}};
constexpr InternalField kFailureRuleForm[] = {{"action", "Action", kNoText},
                                              {"onExitCodes", "OnExitCodes", "null", kExitCodesForm},
                                              {"onPodConditions", "OnPodConditions", "null", kPatternForm}};
constexpr InternalField kFailurePolicyForm[] = {{"rules", "Rules", "null", kFailureRuleForm}};
constexpr InternalField kSuccessRuleForm[] = {{"succeededIndexes", "SucceededIndexes"},
                                              {"succeededCount", "SucceededCount"}};
constexpr InternalField kSuccessPolicyForm[] = {{"rules", "Rules", "null", kSuccessRuleForm}};

std::string quoted_text(std::string_view text) {
  return json::write_raw(Value(text));
}

std::string at_most(std::int64_t limit) {
  return "must be less than or equal to " + std::to_string(limit);
}

// A text that must be one of some: a missing one is told with what it may be.
void check_choice(const Value& value, const FieldPath& path, std::span<const std::string_view> choices,
                  FieldErrors& errors) {
  const std::string_view text = value.as_string();
  if (text.empty()) {
    std::string valid;
    for (const std::string_view choice : choices) valid += (valid.empty() ? "" : " ") + quoted_text(choice);
    errors.push_back(field_error::required(path.text(), "valid values: [" + valid + "]"));
  } else if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
    errors.push_back(field_error::not_supported(path.text(), value, choices));
  }
}

bool names_container(const Value& pod, const Value& name) {
  for (const std::string_view list : {"containers", "initContainers"}) {
    for (const Value& container : pod[list].items()) {
      if (container["name"] == name) return true;
    }
  }
  return false;
}

void check_exit_code_values(const Value& values, std::string_view op, const FieldPath& path, FieldErrors& errors) {
  if (values.empty()) errors.push_back(field_error::invalid(path.text(), values, "at least one value is required"));
  check_list_size(values, kMaxExitCodes, path, errors);
  std::set<std::int64_t> seen;
  bool ordered = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Value& code = values.at(i);
    const std::string at = path.index(i).text();
    if (op == "In" && code.as_int() == 0) {
      errors.push_back(field_error::invalid(at, code, "must not be 0 for the In operator"));
    }
    if (!seen.insert(code.as_int()).second) errors.push_back(field_error::duplicate(at, code));
    ordered = ordered && (i == 0 || values.at(i - 1).as_int() <= code.as_int());
  }
  if (!ordered) errors.push_back(field_error::invalid(path.text(), values, "must be ordered"));
}

void check_exit_codes(const Value& codes, const Value& pod, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kOperators[] = {"In", "NotIn"};
  check_choice(codes["operator"], path.child("operator"), kOperators, errors);
  const Value& container = codes["containerName"];
  if (container.is_string() && !names_container(pod, container)) {
    errors.push_back(field_error::invalid(path.child("containerName").text(), container,
                                          "must be one of the container or initContainer names in the pod template"));
  }
  check_exit_code_values(codes["values"], codes["operator"].as_string(), path.child("values"), errors);
}

void check_pod_conditions(const Value& patterns, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kStatuses[] = {"False", "True", "Unknown"};
  check_list_size(patterns, kMaxConditionPatterns, path, errors);
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const Value& type = patterns.at(i)["type"];
    add_name_errors(path.index(i).child("type"), type.as_string(), check_qualified_name(type.as_string()), errors);
    check_choice(patterns.at(i)["status"], path.index(i).child("status"), kStatuses, errors);
  }
}

void check_failure_rule(const Value& rule, const Value& spec, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kActions[] = {"Count", "FailIndex", "FailJob", "Ignore"};
  const Value& action = rule["action"];
  check_choice(action, path.child("action"), kActions, errors);
  if (action.as_string() == "FailIndex" && !spec.contains("backoffLimitPerIndex")) {
    errors.push_back(
        field_error::invalid(path.child("action").text(), action, "requires the backoffLimitPerIndex to be set"));
  }
  const bool by_code = rule["onExitCodes"].is_object();
  const bool by_condition = !rule["onPodConditions"].empty();
  if (by_code) {
    check_exit_codes(rule["onExitCodes"], spec["template"]["spec"], path.child("onExitCodes"), errors);
  }
  check_pod_conditions(rule["onPodConditions"], path.child("onPodConditions"), errors);
  if (by_code && by_condition) {
    errors.push_back(invalid_unshown(path, "specifying both OnExitCodes and OnPodConditions is not supported"));
  } else if (!by_code && !by_condition) {
    errors.push_back(invalid_unshown(path, "specifying one of OnExitCodes and OnPodConditions is required"));
  }
}

void check_failure_policy(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  const Value& rules = spec["podFailurePolicy"]["rules"];
  retract_whole(errors, path.text());
  const FieldPath at = path.child("rules");
  check_list_size(rules, kMaxRules, at, errors);
  for (std::size_t i = 0; i < rules.size(); ++i) check_failure_rule(rules.at(i), spec, at.index(i), errors);
}

void check_success_rule(const Value& rule, std::int64_t completions, const FieldPath& path, FieldErrors& errors) {
  const Value& indexes = rule["succeededIndexes"];
  const Value& count = rule["succeededCount"];
  if (indexes.is_null() && count.is_null()) {
    errors.push_back(
        field_error::required(path.text(), "at least one of succeededCount or succeededIndexes must be specified"));
  }
  const std::string indexes_path = path.child("succeededIndexes").text();
  const JobIndexes read = read_job_indexes(indexes.as_string(), completions);
  if (indexes.as_string().size() > kMaxSucceededIndexes) {
    errors.push_back(field_error::too_long(indexes_path, kMaxSucceededIndexes));
  }
  if (!read.fault.empty()) {
    errors.push_back(field_error::invalid(indexes_path, indexes, "error parsing succeededIndexes: " + read.fault));
  }
  if (count.is_null()) return;
  const FieldPath at = path.child("succeededCount");
  check_not_negative(count, at, errors);
  if (count.as_int() > completions) {
    errors.push_back(
        field_error::invalid(at.text(), count, at_most(completions) + " (the number of specified completions)"));
  }
  if (indexes.is_string() && count.as_int() > read.count) {
    errors.push_back(field_error::invalid(
        at.text(), count, at_most(read.count) + " (the number of indexes in the specified succeededIndexes field)"));
  }
}

void check_success_policy(const Value& spec, bool indexed, const FieldPath& path, FieldErrors& errors) {
  const Value& policy = spec["successPolicy"];
  retract_whole(errors, path.text());
  const Value& rules = policy["rules"];
  if (!indexed) {
    errors.push_back(field_error::invalid(path.text(), internal_success_policy(policy), kNeedsIndexed));
    return;
  }
  const FieldPath at = path.child("rules");
  if (rules.empty()) {
    errors.push_back(
        field_error::required(at.text(), "at least one rules must be specified when the successPolicy is specified"));
  }
  check_list_size(rules, kMaxRules, at, errors);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    check_success_rule(rules.at(i), spec["completions"].as_int(), at.index(i), errors);
  }
}

// A path like "acme.io/foo".
void check_manager(const Value& manager, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kMarks = "/-._~%!$&'()*+,;=:";
  if (!manager.is_string()) return;
  const std::string_view text = manager.as_string();
  const std::size_t slash = text.find('/');
  if (text.empty()) {
    errors.push_back(field_error::required(path.text()));
  } else if (slash == 0 || slash >= text.size() - 1) {
    errors.push_back(
        field_error::invalid(path.text(), manager, "must be a domain-prefixed path (such as \"acme.io/foo\")"));
  } else {
    const std::string_view host = text.substr(0, slash), rest = text.substr(slash + 1);
    add_name_errors(path, host, check_dns1123_subdomain(host), errors);
    const bool clean = std::all_of(rest.begin(), rest.end(),
                                   [&](char c) { return is_alphanumeric(c) || kMarks.find(c) != kMarks.npos; });
    if (!clean) {
      errors.push_back(field_error::invalid(
          path.text(), rest, "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')"));
    }
  }
  if (text.size() > kMaxManager) errors.push_back(field_error::too_long(path.text(), kMaxManager));
}

void check_indexed(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  const Value& completions = spec["completions"];
  const Value& failed = spec["maxFailedIndexes"];
  const auto limit = [&](std::string_view field, std::int64_t most, std::string_view why = {}) {
    const Value& value = spec[field];
    if (value.as_int() <= most) return;
    errors.push_back(field_error::invalid(path.child(field).text(), value, at_most(most) + std::string(why)));
  };
  if (completions.is_null()) {
    errors.push_back(field_error::required(path.child("completions").text(), "when completion mode is Indexed"));
  }
  limit("parallelism", kMaxIndexedParallelism, " when completion mode is Indexed");
  if (completions.is_int() && failed.is_int() && failed.as_int() > completions.as_int()) {
    errors.push_back(field_error::invalid(path.child("maxFailedIndexes").text(), failed,
                                          "must be less than or equal to completions"));
  }
  limit("maxFailedIndexes", kMaxFailedIndexes);
  if (completions.as_int() <= kManyCompletions || !spec.contains("backoffLimitPerIndex")) return;
  if (failed.is_null()) {
    errors.push_back(
        field_error::required(path.child("maxFailedIndexes").text(),
                              "must be specified when completions is above " + std::to_string(kManyCompletions)));
  }
  const std::string why =
      " when completions are above " + std::to_string(kManyCompletions) + " and used with backoff limit per index";
  limit("parallelism", kLimitForManyCompletions, why);
  limit("maxFailedIndexes", kLimitForManyCompletions, why);
}

void check_completion_mode(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kModes[] = {"NonIndexed", "Indexed"};
  const Value& mode = spec["completionMode"];
  if (mode.as_string() == "Indexed") return check_indexed(spec, path, errors);
  if (mode.is_string() && mode.as_string() != "NonIndexed") {
    retract_whole(errors, path.child("completionMode").text());
    errors.push_back(field_error::not_supported(path.child("completionMode").text(), mode, kModes));
    return;
  }
  for (const std::string_view field : {"backoffLimitPerIndex", "maxFailedIndexes"}) {
    if (!spec.contains(field)) continue;
    errors.push_back(field_error::invalid(path.child(field).text(), spec[field], kNeedsIndexed));
  }
}

// With a failure policy, pods are replaced when they have failed for good.
void check_replacement_policy(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kPolicies[] = {"Failed", "TerminatingOrFailed"};
  const Value& policy = spec["podReplacementPolicy"];
  if (!policy.is_string()) return;
  const auto allowed = std::span(kPolicies).first(spec["podFailurePolicy"].is_object() ? 1 : 2);
  if (std::find(allowed.begin(), allowed.end(), policy.as_string()) != allowed.end()) return;
  retract_whole(errors, path.text());
  errors.push_back(field_error::not_supported(path.text(), policy, allowed));
}

void check_job_restart_policy(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kPolicies[] = {"OnFailure", "Never"};
  const Value& policy = spec["template"]["spec"]["restartPolicy"];
  const std::string_view text = policy.as_string("Always");
  if (text.empty() || text == "Always") {
    report(errors, field_error::required(path.text(), R"(valid values: "OnFailure", "Never")"));
  } else if (text != "OnFailure" && text != "Never") {
    errors.push_back(field_error::not_supported(path.text(), policy, kPolicies));
  } else if (spec["podFailurePolicy"].is_object() && text != "Never") {
    errors.push_back(
        field_error::invalid(path.text(), policy, "only \"Never\" is supported when podFailurePolicy is specified"));
  }
}

// One interval: "3" or "3-5".
std::string index_interval_fault(std::string_view text, std::int64_t completions,
                                 std::pair<std::int64_t, std::int64_t>& interval) {
  const std::vector<std::string_view> ends = split(text, '-');
  if (ends.size() > 2) {
    return "the fragment " + quoted_text(text) +
           " violates the requirement that an index interval can have at most two parts separated by '-'";
  }
  std::int64_t* const places[] = {&interval.first, &interval.second};
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const auto number = parse_signed_int(ends[i]);
    if (!number) return "cannot convert string to integer for index: " + quoted_text(ends[i]);
    if (*number >= completions) return "too large index: " + quoted_text(ends[i]);
    *places[i] = *number;
  }
  if (ends.size() == 1) interval.second = interval.first;
  if (ends.size() == 1 || interval.first < interval.second) return {};
  return "non-increasing order, previous: " + std::to_string(interval.first) +
         ", current: " + std::to_string(interval.second);
}

}  // namespace

Value internal_failure_policy(const Value& policy) {
  return policy.is_null() ? policy : internal_form(policy, kFailurePolicyForm);
}

Value internal_success_policy(const Value& policy) {
  return policy.is_null() ? policy : internal_form(policy, kSuccessPolicyForm);
}

JobIndexes read_job_indexes(std::string_view list, std::int64_t completions) {
  JobIndexes indexes;
  if (list.empty()) return indexes;
  for (const std::string_view text : split(list, ',')) {
    std::pair<std::int64_t, std::int64_t> interval;
    std::string fault = index_interval_fault(text, completions, interval);
    if (fault.empty() && !indexes.intervals.empty() && indexes.intervals.back().second >= interval.first) {
      indexes.fault = indexes.fault.empty()
                          ? "non-increasing order, previous: " + std::to_string(indexes.intervals.back().second) +
                                ", current: " + std::to_string(interval.first)
                          : indexes.fault;
    }
    if (indexes.fault.empty()) indexes.fault = fault;
    if (!fault.empty()) continue;
    indexes.intervals.push_back(interval);
    indexes.count += interval.second - interval.first + 1;
  }
  if (!indexes.fault.empty()) indexes.count = 0;
  return indexes;
}

void check_job_spec(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  for (const std::string_view field : {"parallelism", "completions", "activeDeadlineSeconds", "backoffLimit",
                                       "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes"}) {
    check_not_negative(spec[field], path.child(field), errors);
  }
  if (spec.contains("maxFailedIndexes") && !spec.contains("backoffLimitPerIndex")) {
    errors.push_back(
        field_error::required(path.child("backoffLimitPerIndex").text(), "when maxFailedIndexes is specified"));
  }
  check_manager(spec["managedBy"], path.child("managedBy"), errors);
  check_completion_mode(spec, path, errors);
  if (spec["podFailurePolicy"].is_object()) check_failure_policy(spec, path.child("podFailurePolicy"), errors);
  if (spec["successPolicy"].is_object()) {
    const bool indexed = spec["completionMode"].as_string() == "Indexed";
    check_success_policy(spec, indexed, path.child("successPolicy"), errors);
  }
  check_replacement_policy(spec, path.child("podReplacementPolicy"), errors);
  check_pod_template(spec["template"], path.child("template"), errors);
  check_job_restart_policy(spec, path.child("template").child("spec").child("restartPolicy"), errors);
}

}  // namespace coracle::kube::apiserver
