#include "kube/object/status.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace coracle::kube {
namespace {

constexpr std::int64_t kMaxRetryAfterSeconds = 3600;
constexpr int kHttpOk = 200;
constexpr int kHttpInternalError = 500;

void add_identity(Value::ObjectBuilder& details, const ErrorDetails& about) {
  details.set_nonempty("name", about.name);
  details.set_nonempty("group", about.group);
  details.set_nonempty("kind", about.kind);
  details.set_nonempty("uid", about.uid);
}

Value::ObjectBuilder status_head() {
  Value::ObjectBuilder status;
  status.append("kind", "Status");
  status.append("apiVersion", "v1");
  status.append("metadata", Value::object());
  return status;
}

bool reason_is_internal(Reason reason) {
  return reason >= Reason::Canceled;
}

}  // namespace

Value to_status(const Error& error) {
  Value::ObjectBuilder details;
  add_identity(details, error.details());
  std::vector<Value> causes;
  for (const Cause& cause : error.causes()) {
    Value::ObjectBuilder entry;
    entry.set_nonempty("reason", cause.reason);
    entry.set_nonempty("message", cause.message);
    entry.set_nonempty("field", cause.field);
    causes.push_back(std::move(entry).build());
  }
  std::string message = error.message();
  const bool internal = error.reason() == Reason::InternalError || reason_is_internal(error.reason());
  constexpr std::string_view kInternalPrefix = "Internal error occurred: ";
  if (internal && message.compare(0, kInternalPrefix.size(), kInternalPrefix) != 0) {
    if (causes.empty()) causes.push_back(Value::object({{"message", message}}));
    message.insert(0, kInternalPrefix);
  }
  if (!causes.empty()) details.append("causes", Value::array(std::move(causes)));
  if (error.retry_after()) details.append("retryAfterSeconds", std::int64_t{error.retry_after()->count()});

  Value::ObjectBuilder status = status_head();
  status.append("status", "Failure");
  status.append("message", message);
  if (const std::string_view reason = reason_text(error.reason()); !reason.empty()) status.append("reason", reason);
  // Errors without a reason and those about nothing in particular carry no details.
  if (details.size() > 0) status.append("details", std::move(details).build());
  status.append("code", error.code());
  return std::move(status).build();
}

bool is_status(const Value& value) {
  return value["kind"].as_string() == "Status" && value["apiVersion"].as_string() == "v1";
}

Error error_from_status(const Value& status, int http_code) {
  if (!is_status(status)) {
    const int code = http_code != 0 ? http_code : kHttpInternalError;
    return Error(Reason::Unknown, "the server answered with code " + std::to_string(code) + " and no Status")
        .with_code(code);
  }
  Error error(reason_from_text(status["reason"].as_string()), std::string(status["message"].as_string()));
  const auto code = static_cast<int>(status["code"].as_int(http_code));
  if (code != 0) error = std::move(error).with_code(code);
  const Value& details = status["details"];
  std::vector<Cause> causes;
  for (const Value& cause : details["causes"].items()) {
    causes.push_back({std::string(cause["reason"].as_string()), std::string(cause["message"].as_string()),
                      std::string(cause["field"].as_string())});
  }
  if (!causes.empty()) error = std::move(error).with_causes(std::move(causes));
  error = std::move(error).with_details(
      {std::string(details["name"].as_string()), std::string(details["group"].as_string()),
       std::string(details["kind"].as_string()), std::string(details["uid"].as_string())});
  const std::int64_t retry = details["retryAfterSeconds"].as_int();
  if (retry > 0)
    error = std::move(error).with_retry_after(std::chrono::seconds(std::min(retry, kMaxRetryAfterSeconds)));
  return error;
}

Value success_status(const ErrorDetails& about) {
  Value::ObjectBuilder status = status_head();
  status.append("status", "Success");
  Value::ObjectBuilder details;
  add_identity(details, about);
  if (details.size() > 0) {
    status.append("details", std::move(details).build());
  } else {
    status.append("code", kHttpOk);
  }
  return std::move(status).build();
}

}  // namespace coracle::kube
