#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/executor.h"
#include "base/result.h"

namespace coracle {

// A watch on files; ends when destroyed. Destruction waits for a callback that runs on another
// thread, so afterwards none runs. Destroy it before its executor.
class FileWatch {
 public:
  virtual ~FileWatch() = default;
};

// Calls `on_change` on the Delivery lane after anything below `directory` changed: files written,
// made, removed, renamed, their attributes changed, in directories made later as well. Changes that come
// close together make one call. The call does not tell what changed: look at the directory again.
// Lost events, too deep trees and a lack of kernel watches make more calls, never fewer; the
// directory itself may go and come back. Links to directories are not followed.
Result<std::unique_ptr<FileWatch>> watch_tree(Executor& executor, const std::string& directory,
                                              std::function<void()> on_change);

}  // namespace coracle
