#pragma once

#include <git2.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace coracle::reconcilers::git {

struct Free {
  void operator()(git_repository* handle) const { git_repository_free(handle); }
  void operator()(git_remote* handle) const { git_remote_free(handle); }
  void operator()(git_commit* handle) const { git_commit_free(handle); }
  void operator()(git_tree* handle) const { git_tree_free(handle); }
  void operator()(git_tree_entry* handle) const { git_tree_entry_free(handle); }
  void operator()(git_blob* handle) const { git_blob_free(handle); }
};
template <class T>
using Handle = std::unique_ptr<T, Free>;

// What libgit2 says of the last failed call on this thread, as an error about `what`.
Error last_error(int code, std::string_view what);

}  // namespace coracle::reconcilers::git
