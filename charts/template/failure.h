#pragma once

#include <string>

#include "base/error.h"

namespace coracle::charts {

// The error of `fail` and `required`: Helm shows only the chart's own message and the place.
inline Error chart_failure(std::string message) {
  Error error = bad_request(message);
  return std::move(error).with_cause({"ChartFailure", std::move(message), ""});
}

inline const Cause* find_chart_failure(const Error& error) {
  for (const Cause& cause : error.causes()) {
    if (cause.reason == "ChartFailure") return &cause;
  }
  return nullptr;
}

}  // namespace coracle::charts
