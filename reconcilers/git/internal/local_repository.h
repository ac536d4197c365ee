#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace coracle::reconcilers::git {

// Whether a repository lies below one of these folders with everything that it is made of. It may belong to whoever
// pushes to it, and what its .git file, its links and its alternates point to would be read with our rights.
// BadRequest when it does not; what is no repository is left to whoever opens it. libgit2 is initialised.
Result<void> check_local_repository(const std::string& path, const std::vector<std::string>& roots);

}  // namespace coracle::reconcilers::git
