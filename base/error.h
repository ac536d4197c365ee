#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coracle {

// Why something failed. The first group is the wire vocabulary of metav1.Status; the second never
// leaves the process. A reason exists only if a caller can react to it.
enum class Reason : std::uint8_t {
  Unknown,  // no reason on the wire; `code` decides
  Unauthorized,
  Forbidden,
  NotFound,
  AlreadyExists,
  Conflict,
  Gone,
  Invalid,
  ServerTimeout,
  StoreReadError,
  Timeout,
  TooManyRequests,
  BadRequest,
  MethodNotAllowed,
  NotAcceptable,
  RequestEntityTooLarge,
  UnsupportedMediaType,
  InternalError,
  Expired,
  ServiceUnavailable,

  Canceled,     // the caller gave up
  Unavailable,  // a peer or device cannot be reached; worth a retry
  Corrupt,      // stored or received bytes contradict themselves
  Unsupported,  // a feature that is not built in
};

// The reason's text in metav1.Status ("NotFound"); internal reasons read "InternalError" there.
std::string_view reason_text(Reason reason);
// The HTTP status code that belongs to a reason.
int reason_http_code(Reason reason);
// The reason for a Status.reason text; Unknown for a text that is not in the vocabulary.
Reason reason_from_text(std::string_view text);

struct Cause {
  std::string reason;  // "FieldValueInvalid", "FieldManagerConflict", ...
  std::string message;
  std::string field;  // "spec.containers[0].name"
  bool operator==(const Cause&) const = default;
};

// What the error is about (metav1.StatusDetails without causes).
struct ErrorDetails {
  std::string name;
  std::string group;
  std::string kind;
  std::string uid;
  bool operator==(const ErrorDetails&) const = default;
};

// A failure as a value, in the shape of metav1.Status. Immutable and cheap to copy.
class [[nodiscard]] Error {
 public:
  Error(Reason reason, std::string message);

  Reason reason() const { return data_->reason; }
  int code() const { return data_->code; }
  const std::string& message() const { return data_->message; }
  const std::vector<Cause>& causes() const { return data_->causes; }
  const ErrorDetails& details() const { return data_->details; }
  std::optional<std::chrono::seconds> retry_after() const { return data_->retry_after; }

  Error with_code(int code) &&;
  Error with_cause(Cause cause) &&;
  Error with_causes(std::vector<Cause> causes) &&;
  Error with_details(ErrorDetails details) &&;
  Error with_retry_after(std::chrono::seconds after) &&;
  // The same error, its message preceded by "<what>: ". Reason, causes and details stay.
  Error in(std::string_view what) const;

 private:
  struct Data {
    Reason reason;
    int code;
    std::string message;
    std::vector<Cause> causes;
    ErrorDetails details;
    std::optional<std::chrono::seconds> retry_after;
  };
  Data& writable();
  std::shared_ptr<Data> data_;
};

Error canceled(std::string message);
Error internal_error(std::string message);
Error bad_request(std::string message);
Error unavailable(std::string message);
Error unsupported(std::string message);

}  // namespace coracle
