#include "kube/apiserver/internal/strategies/access/certificates_strategy.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/encoding.h"
#include "base/json/json.h"
#include "base/text.h"
#include "base/tls/tls.h"
#include "kube/apiserver/internal/admission/certificate_request.h"
#include "kube/apiserver/internal/identity/reviews.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::int64_t kMinimumCertificateSeconds = 600;
constexpr std::string_view kSignerName = "spec.signerName";
constexpr std::string_view kLegacySigner = "kubernetes.io/legacy-unknown";

constexpr std::string_view kConditions = "status.conditions";
constexpr std::string_view kApprovals[] = {"Approved", "Denied"};

bool is_approval(std::string_view type) {
  return type == "Approved" || type == "Denied";
}

const Value* condition_of_type(const Value& conditions, std::string_view type) {
  for (const Value& condition : conditions.items()) {
    if (condition["type"].as_string() == type) return &condition;
  }
  return nullptr;
}

// Fills in the times that the writer left out; a condition keeps its time while its status stays.
Value timed_conditions(const Value& conditions, const Value& old, WallTime now) {
  Value::ArrayBuilder builder;
  for (Value condition : conditions.items()) {
    const Value* before = condition_of_type(old, condition["type"].as_string());
    bool same = before != nullptr && (*before)["status"] == condition["status"];
    if (!condition["lastUpdateTime"].is_string()) condition = condition.with("lastUpdateTime", format_time(now));
    if (!condition["lastTransitionTime"].is_string()) {
      bool kept = same && (*before)["lastTransitionTime"].is_string();
      condition =
          condition.with("lastTransitionTime", kept ? (*before)["lastTransitionTime"] : Value(format_time(now)));
    }
    builder.add(std::move(condition));
  }
  return std::move(builder).build();
}

std::vector<Value> conditions_of_type(const Value& conditions, std::string_view type) {
  std::vector<Value> found;
  for (const Value& condition : conditions.items()) {
    if (condition["type"].as_string() == type) found.push_back(condition);
  }
  return found;
}

// The conditions of `wanted`, with approvals exactly as they were unless some came or went: validation names those.
Value conditions_with_approvals(const Value& wanted, const Value& old) {
  std::vector<Value> conditions(wanted.items().begin(), wanted.items().end());
  for (const std::string_view type : kApprovals) {
    const auto before = conditions_of_type(old, type);
    if (before.size() != conditions_of_type(wanted, type).size()) continue;
    auto next = before.begin();
    for (Value& condition : conditions) {
      if (condition["type"].as_string() == type) condition = *next++;
    }
  }
  return Value::array(std::move(conditions));
}

// Decisions stay, and only those who approve make them.
void check_kept_conditions(const Value& now, const Value& before, bool approving, FieldErrors& errors) {
  constexpr std::string_view kKept[] = {"Approved", "Denied", "Failed"};
  const auto forbid = [&](std::string_view what, std::string_view type) {
    errors.push_back(field_error::forbidden(
        kConditions, "updates may not " + std::string(what) + " a condition of type " + json::write_raw(Value(type))));
  };
  const auto count = [](const Value& conditions, std::string_view type) {
    return conditions_of_type(conditions, type).size();
  };
  for (const std::string_view type : kKept) {
    if (count(now, type) < count(before, type)) forbid("remove", type);
  }
  for (const std::string_view type : kApprovals) {
    if (!approving && count(now, type) > count(before, type)) forbid("add", type);
  }
}

bool has_repeated_types(const Value& conditions) {
  std::set<std::string, std::less<>> seen;
  const auto items = conditions.items();
  return std::any_of(items.begin(), items.end(),
                     [&](const Value& one) { return !seen.emplace(one["type"].as_string()).second; });
}

// One half of a signer's name: dotted labels, of which the first bad one is told.
void check_signer_half(std::string_view half, NameErrors (*check)(std::string_view label), FieldErrors& errors) {
  for (const std::string_view label : split(half, '.')) {
    const NameErrors faults = check(label);
    if (faults.empty()) continue;
    for (const std::string& fault : faults) {
      errors.push_back(
          field_error::invalid(kSignerName, half, "validating label " + json::write_raw(Value(label)) + ": " + fault));
    }
    return;
  }
}

void check_signer(const Value& spec, FieldErrors& errors) {
  const std::string_view signer = spec["signerName"].as_string();
  if (signer.empty()) {
    report(errors, field_error::required(kSignerName));
    return;
  }
  if (signer == kLegacySigner) {
    errors.push_back(
        field_error::invalid(kSignerName, signer, "the legacy signerName is not allowed via this API version"));
    return;
  }
  const auto halves = split(signer, '/');
  if (halves.size() != 2) {
    errors.push_back(field_error::invalid(
        kSignerName, signer, "must be a fully qualified domain and path of the form 'example.com/signer-name'"));
    return;
  }
  constexpr std::size_t kLongestPath = kMaxDns1123Subdomain + kMaxDns1123Label + 1;
  constexpr std::size_t kLongestName = kMaxDns1123Subdomain + kLongestPath + 1;
  const auto check_size = [&](std::string_view text, std::size_t maximum) {
    if (text.size() <= maximum) return;
    errors.push_back(field_error::too_long(kSignerName, static_cast<std::int64_t>(maximum)));
  };
  check_size(halves[0], kMaxDns1123Subdomain);
  check_signer_half(halves[0], check_dns1123_label, errors);
  if (halves[0].find('.') == std::string_view::npos) {
    errors.push_back(field_error::invalid(kSignerName, halves[0],
                                          "should be a domain with at least two segments separated by dots"));
  }
  check_signer_half(halves[1], check_dns1123_subdomain, errors);
  check_size(signer, kLongestName);
}

// What was wrong before may stay.
void check_request_conditions(const Value& conditions, const Value& before, FieldErrors& errors) {
  constexpr std::string_view kStatuses[] = {"False", "True", "Unknown"};
  const std::span<const std::string_view> statuses(kStatuses);
  const auto has = [](const Value& list, std::string_view type) { return condition_of_type(list, type) != nullptr; };
  const bool tolerates_both = has(before, "Approved") && has(before, "Denied");
  const bool tolerates_untyped = has(before, "");
  const bool tolerates_repeated = has_repeated_types(before);
  bool both_told = false;
  std::set<std::string, std::less<>> seen;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const FieldPath path = FieldPath(kConditions).index(i);
    const std::string_view type = conditions.at(i)["type"].as_string();
    const std::string_view status = conditions.at(i)["status"].as_string();
    if (type.empty() && !tolerates_untyped) report(errors, field_error::required(path.child("type").text()));
    const auto supported = is_approval(type) || type == "Failed" ? statuses.subspan(1, 1) : statuses;
    if (status.empty()) {
      report(errors, field_error::required(path.child("status").text()));
    } else if (std::find(supported.begin(), supported.end(), status) == supported.end()) {
      restate(errors, field_error::not_supported(path.child("status").text(), status, supported));
    }
    const bool contradicts = is_approval(type) && seen.contains(type == "Approved" ? "Denied" : "Approved");
    if (contradicts && !tolerates_both && !both_told) {
      both_told = true;
      errors.push_back(
          field_error::invalid(kConditions, type, "Approved and Denied conditions are mutually exclusive"));
    }
    if (!seen.emplace(type).second && !tolerates_repeated) {
      errors.push_back(field_error::duplicate(path.child("type").text(), type));
    }
  }
}

void check_usages(const Value& usages, FieldErrors& errors) {
  if (usages.empty()) restate(errors, field_error::required("spec.usages"));
  std::set<std::string, std::less<>> seen;
  for (std::size_t i = 0; i < usages.size(); ++i) {
    if (seen.emplace(usages.at(i).as_string()).second) continue;
    errors.push_back(field_error::duplicate(FieldPath("spec.usages").index(i).text(), usages.at(i)));
  }
}

class CertificateRequestStrategy : public Strategy {
 public:
  Result<Object> prepare_for_create(const WriteContext& write, Object object) const override {
    Value::ObjectBuilder spec(object["spec"]);
    for (std::string_view field : {"username", "uid", "groups", "extra"}) spec.remove(field);
    // Who asks is what the server found out, never what the request says.
    if (write.context.identity() != nullptr) {
      Value who = user_info(*write.context.identity());
      for (const Value::Member& member : who.members()) spec.set(member.key, member.value);
    }
    return object.with("spec", std::move(spec).build()).without("status");
  }

  Result<Object> prepare_for_update(const WriteContext& write, Object object, const Object& old) const override {
    const Value wanted = object["status"];  // a copy: `object` is replaced below
    const Value& before = old["status"];
    object = object.with("spec", old["spec"]);
    Value status = before;
    if (write.subresource == "approval") {
      status = status.with("conditions", timed_conditions(wanted["conditions"], before["conditions"], write.now));
    } else if (write.subresource == "status") {
      const Value conditions = conditions_with_approvals(wanted["conditions"], before["conditions"]);
      status = wanted;
      if (!conditions.empty()) {
        status = status.with("conditions", timed_conditions(conditions, before["conditions"], write.now));
      }
    }
    return status.is_null() ? object.without("status") : object.with("status", std::move(status));
  }

  void validate(const WriteContext&, const Object& object, FieldErrors& errors) const override {
    const Value& spec = object["spec"];
    Result<std::string> pem = base64_decode(spec["request"].as_string());
    Result<tls::Name> subject = pem.ok() ? certificate_request_subject(*pem) : Result<tls::Name>(pem.error());
    if (!subject.ok()) {
      retract(errors, "spec.request");
      errors.push_back(field_error::invalid("spec.request", spec["request"], subject.error().message()));
    }
    check_usages(spec["usages"], errors);
    check_signer(spec, errors);
    const Value& seconds = spec["expirationSeconds"];
    if (seconds.is_int() && seconds.as_int() < kMinimumCertificateSeconds) {
      errors.push_back(field_error::invalid("spec.expirationSeconds", seconds,
                                            "may not specify a duration less than 600 seconds (10 minutes)"));
    }
  }

  void validate_update(const WriteContext& write, const Object& object, const Object& old,
                       FieldErrors& errors) const override {
    const Value& status = object["status"];
    const Value& before = old["status"];
    check_request_conditions(status["conditions"], before["conditions"], errors);
    check_kept_conditions(status["conditions"], before["conditions"], write.subresource == "approval", errors);
    const std::string_view certificate = status["certificate"].as_string();
    const std::string_view issued = before["certificate"].as_string();
    if (write.subresource != "status" || certificate == issued) return;
    if (!issued.empty()) {
      errors.push_back(
          field_error::forbidden("status.certificate", "updates may not modify existing certificate content"));
      return;
    }
    Result<std::string> pem = base64_decode(certificate);
    bool readable = pem.ok() && tls::inspect_certificate(*pem).ok();
    if (!readable) {
      errors.push_back(field_error::invalid("status.certificate", "<certificate data>",
                                            "must contain at least one CERTIFICATE PEM block"));
    }
  }

  std::string_view default_propagation() const override { return "Background"; }
};

}  // namespace

std::shared_ptr<const Strategy> make_certificate_request_strategy() {
  return std::make_shared<CertificateRequestStrategy>();
}

}  // namespace coracle::kube::apiserver
