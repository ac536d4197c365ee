#pragma once

#include <functional>
#include <string>

namespace coracle::testing {

// Standard error goes into a file of its own while this lives.
class StandardErrorCapture {
 public:
  StandardErrorCapture();
  ~StandardErrorCapture();
  StandardErrorCapture(const StandardErrorCapture&) = delete;
  StandardErrorCapture& operator=(const StandardErrorCapture&) = delete;

  std::string text() const;

 private:
  std::string path_;
  int saved_;
};

// What `body` prints on standard error before it ends a forked process with abort(); empty when it
// returns or ends otherwise. No other thread may run.
std::string output_of_abort(const std::function<void()>& body);

}  // namespace coracle::testing
