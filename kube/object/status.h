#pragma once

#include <string_view>

#include "base/error.h"
#include "base/value.h"

// metav1.Status, the body of every error answer.
// https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
namespace coracle::kube {

Value to_status(const Error& error);
// The error that a Status body stands for; a body that is no Status becomes an Unknown error with `http_code`.
Error error_from_status(const Value& status, int http_code = 0);
// {"status": "Success"} with details of what was done (DELETE).
Value success_status(const ErrorDetails& details = {});
bool is_status(const Value& value);

}  // namespace coracle::kube
