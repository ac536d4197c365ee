#pragma once

#include <cstddef>
#include <string_view>

namespace coracle::kube::apiserver {

// Walks over JSON text that is known to be well formed (it came out of our own writer) without
// building anything. Positions are offsets into the text.
class JsonScan {
 public:
  explicit JsonScan(std::string_view text) : text_(text) {}

  struct Member {
    std::string_view key;   // as written, escapes not resolved
    std::size_t begin = 0;  // of the key's quote
    std::size_t value = 0;  // where the value begins
    std::size_t end = 0;    // behind the value
  };

  // The object that begins at `at` is opened; false when there is none.
  bool open(std::size_t at);
  // The next member of the opened object; false at its end (or where the text is not JSON).
  bool next(Member& member);
  // Offset of the closing brace once next() has answered false; npos when the text was not JSON.
  std::size_t close() const { return close_; }
  // Behind the value that begins at `at`; npos when the text ends before.
  static std::size_t skip_value(std::string_view text, std::size_t at);

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t close_ = std::string_view::npos;
  bool first_ = true;
};

// The value at a dotted path ("spec.nodeName") as it is written, or empty when it is not there.
std::string_view json_at(std::string_view text, std::string_view path);

}  // namespace coracle::kube::apiserver
