#pragma once

#include <string>
#include <utility>

#include "base/error.h"

namespace coracle::kube::patch::internal {

// A failure that the API server reports with code 500 and without a reason.
inline Error plain_error(std::string text) {
  constexpr int kServerErrorCode = 500;
  return Error(Reason::Unknown, std::move(text)).with_code(kServerErrorCode);
}

}  // namespace coracle::kube::patch::internal
