#include "kube/apiserver/internal/strategies/certificates_strategy.h"

#include <algorithm>
#include <utility>

#include "base/tls/crypto.h"
#include "base/tls/tls.h"
#include "kube/apiserver/internal/admission/certificate_request.h"
#include "kube/apiserver/internal/identity/reviews.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::int64_t kMinimumCertificateSeconds = 600;
constexpr std::string_view kLegacySigner = "kubernetes.io/legacy-unknown";

bool approval_condition(const Value& condition) {
  std::string_view type = condition["type"].as_string();
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

// The conditions of `wanted`, with approvals exactly as they were.
Value conditions_with_approvals(const Value& wanted, const Value& old) {
  Value::ArrayBuilder builder;
  for (const Value& condition : old.items()) {
    if (approval_condition(condition)) builder.add(condition);
  }
  for (const Value& condition : wanted.items()) {
    if (!approval_condition(condition)) builder.add(condition);
  }
  return std::move(builder).build();
}

void check_signer(const Value& spec, FieldErrors& errors) {
  std::string_view signer = spec["signerName"].as_string();
  std::size_t slash = signer.find('/');
  if (signer.empty()) {
    errors.push_back(field_error::required("spec.signerName"));
  } else if (signer == kLegacySigner) {
    errors.push_back(
        field_error::invalid("spec.signerName", signer, "the legacy signerName is not allowed via this API version"));
  } else if (slash == std::string_view::npos || slash == 0 || slash + 1 == signer.size()) {
    errors.push_back(field_error::invalid("spec.signerName", signer,
                                          "must be a fully qualified domain and path of the form "
                                          "'example.com/signer-name'"));
  }
}

void check_conditions(const Value& conditions, FieldErrors& errors) {
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    std::string field = "status.conditions[" + std::to_string(i) + "]";
    const Value& condition = conditions.at(i);
    std::string_view type = condition["type"].as_string();
    std::string_view status = condition["status"].as_string();
    if (type.empty()) errors.push_back(field_error::required(field + ".type"));
    if (status.empty()) {
      errors.push_back(field_error::required(field + ".status"));
    } else if ((approval_condition(condition) || type == "Failed") && status != "True") {
      constexpr std::string_view kTrueOnly[] = {"True"};
      errors.push_back(field_error::not_supported(field + ".status", condition["status"], kTrueOnly));
    }
  }
  if (condition_of_type(conditions, "Approved") != nullptr && condition_of_type(conditions, "Denied") != nullptr) {
    errors.push_back(field_error::invalid("status.conditions", "Approved, Denied",
                                          "Approved and Denied conditions are mutually exclusive"));
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
      Value conditions = conditions_with_approvals(wanted["conditions"], before["conditions"]);
      if (!conditions.empty()) {
        status = status.with("conditions", timed_conditions(conditions, before["conditions"], write.now));
      }
      bool signed_already = !before["certificate"].as_string().empty();
      if (!signed_already && wanted["certificate"].is_string()) {
        status = status.with("certificate", wanted["certificate"]);
      }
    }
    return status.is_null() ? object.without("status") : object.with("status", std::move(status));
  }

  void validate(const WriteContext&, const Object& object, FieldErrors& errors) const override {
    const Value& spec = object["spec"];
    Result<std::string> pem = crypto::base64_decode(spec["request"].as_string());
    Result<tls::Name> subject = pem.ok() ? certificate_request_subject(*pem) : Result<tls::Name>(pem.error());
    if (!subject.ok())
      errors.push_back(field_error::invalid("spec.request", spec["request"], subject.error().message()));
    if (spec["usages"].empty()) errors.push_back(field_error::required("spec.usages", "usages is required"));
    check_signer(spec, errors);
    const Value& seconds = spec["expirationSeconds"];
    if (seconds.is_int() && seconds.as_int() < kMinimumCertificateSeconds) {
      errors.push_back(field_error::invalid("spec.expirationSeconds", seconds,
                                            "may not specify a duration less than 600 seconds (10 minutes)"));
    }
  }

  void validate_update(const WriteContext& write, const Object& object, const Object& old,
                       FieldErrors& errors) const override {
    check_conditions(object["status"]["conditions"], errors);
    std::string_view certificate = object["status"]["certificate"].as_string();
    if (write.subresource != "status" || certificate.empty()) return;
    if (certificate == old["status"]["certificate"].as_string()) return;
    Result<std::string> pem = crypto::base64_decode(certificate);
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
