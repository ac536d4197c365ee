#include "charts/internal/password_hash.h"

#include <crypt.h>

#include <array>
#include <cstddef>

namespace coracle::charts {

Result<std::string> bcrypt_hash(const std::string& password, Random& random) {
  constexpr unsigned long kCost = 10;
  // What bcrypt reads; Go refuses longer passwords as well.
  constexpr std::size_t kMaxPassword = 72;
  if (password.size() > kMaxPassword) return bad_request("bcrypt: password length exceeds 72 bytes");
  std::array<std::byte, 16> entropy;
  random.fill(entropy);
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  if (crypt_gensalt_rn("$2a$", kCost, reinterpret_cast<const char*>(entropy.data()), static_cast<int>(entropy.size()),
                       setting.data(), static_cast<int>(setting.size())) == nullptr) {
    return unsupported("this system's libcrypt has no bcrypt");
  }
  auto data = std::make_unique<crypt_data>();
  const char* hash = crypt_r(password.c_str(), setting.data(), data.get());
  if (hash == nullptr || hash[0] != '$') return unsupported("this system's libcrypt has no bcrypt");
  return std::string(hash);
}

}  // namespace coracle::charts
