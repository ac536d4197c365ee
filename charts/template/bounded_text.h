#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace coracle::charts {

// What one call may answer; templates could otherwise double a text or a list until memory ends.
inline constexpr std::size_t kMaxText = 64 * 1024 * 1024;
inline constexpr std::size_t kMaxItems = 2'000'000;

inline Error result_too_large() {
  return bad_request("the result is too large");
}

// A text that a function puts together. It ends at kMaxText, before memory does.
class BoundedText {
 public:
  Result<void> append(std::string_view part) {
    if (part.size() > kMaxText - text_.size()) return result_too_large();
    text_ += part;
    return {};
  }
  // The part and, before every part but the first, the separator.
  Result<void> append_after(std::string_view separator, std::string_view part) {
    if (!std::exchange(begun_, true)) return append(part);
    TRY(append(separator));
    return append(part);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  bool begun_ = false;
};

}  // namespace coracle::charts
