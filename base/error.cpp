#include "base/error.h"

#include <array>
#include <utility>

namespace coracle {
namespace {

struct ReasonRow {
  Reason reason;
  std::string_view text;
  int code;
};

constexpr std::array kReasons = {
    ReasonRow{Reason::Unknown, "", 500},
    ReasonRow{Reason::Unauthorized, "Unauthorized", 401},
    ReasonRow{Reason::Forbidden, "Forbidden", 403},
    ReasonRow{Reason::NotFound, "NotFound", 404},
    ReasonRow{Reason::AlreadyExists, "AlreadyExists", 409},
    ReasonRow{Reason::Conflict, "Conflict", 409},
    ReasonRow{Reason::Gone, "Gone", 410},
    ReasonRow{Reason::Invalid, "Invalid", 422},
    ReasonRow{Reason::ServerTimeout, "ServerTimeout", 500},
    ReasonRow{Reason::StoreReadError, "StorageReadError", 500},
    ReasonRow{Reason::Timeout, "Timeout", 504},
    ReasonRow{Reason::TooManyRequests, "TooManyRequests", 429},
    ReasonRow{Reason::BadRequest, "BadRequest", 400},
    ReasonRow{Reason::MethodNotAllowed, "MethodNotAllowed", 405},
    ReasonRow{Reason::NotAcceptable, "NotAcceptable", 406},
    ReasonRow{Reason::RequestEntityTooLarge, "RequestEntityTooLarge", 413},
    ReasonRow{Reason::UnsupportedMediaType, "UnsupportedMediaType", 415},
    ReasonRow{Reason::InternalError, "InternalError", 500},
    ReasonRow{Reason::Expired, "Expired", 410},
    ReasonRow{Reason::ServiceUnavailable, "ServiceUnavailable", 503},
    ReasonRow{Reason::Canceled, "InternalError", 500},
    ReasonRow{Reason::Unavailable, "InternalError", 500},
    ReasonRow{Reason::Corrupt, "InternalError", 500},
    ReasonRow{Reason::Unsupported, "InternalError", 501},
};

const ReasonRow& row_of(Reason reason) {
  return kReasons[static_cast<std::size_t>(reason)];
}

}  // namespace

std::string_view reason_text(Reason reason) {
  return row_of(reason).text;
}

int reason_http_code(Reason reason) {
  return row_of(reason).code;
}

Reason reason_from_text(std::string_view text) {
  for (const ReasonRow& row : kReasons) {
    if (row.text == text) return row.reason;
  }
  return Reason::Unknown;
}

Error::Error(Reason reason, std::string message)
    : data_(std::make_shared<Data>(Data{reason, reason_http_code(reason), std::move(message), {}, {}, {}})) {}

Error::Data& Error::writable() {
  if (data_.use_count() > 1) data_ = std::make_shared<Data>(*data_);
  return *data_;
}

Error Error::with_code(int code) && {
  writable().code = code;
  return std::move(*this);
}

Error Error::with_cause(Cause cause) && {
  writable().causes.push_back(std::move(cause));
  return std::move(*this);
}

Error Error::with_causes(std::vector<Cause> causes) && {
  writable().causes = std::move(causes);
  return std::move(*this);
}

Error Error::with_details(ErrorDetails details) && {
  writable().details = std::move(details);
  return std::move(*this);
}

Error Error::with_retry_after(std::chrono::seconds after) && {
  writable().retry_after = after;
  return std::move(*this);
}

Error Error::in(std::string_view what) const {
  Error copy = *this;
  std::string text(what);
  text += ": ";
  text += message();
  copy.writable().message = std::move(text);
  return copy;
}

Error canceled(std::string message) {
  return {Reason::Canceled, std::move(message)};
}
Error internal_error(std::string message) {
  return {Reason::InternalError, std::move(message)};
}
Error bad_request(std::string message) {
  return {Reason::BadRequest, std::move(message)};
}
Error unavailable(std::string message) {
  return {Reason::Unavailable, std::move(message)};
}
Error unsupported(std::string message) {
  return {Reason::Unsupported, std::move(message)};
}

}  // namespace coracle
