#pragma once

#include <string>

#include "base/random.h"
#include "base/result.h"

namespace coracle::charts {

// A bcrypt hash ("$2a$10$...") of a password with a salt from `random`.
Result<std::string> bcrypt_hash(const std::string& password, Random& random);

}  // namespace coracle::charts
