#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace coracle {

// Where randomness comes from: the kernel's in production, a seeded sequence in simulation.
// Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> out) = 0;

  std::uint64_t next();
  // Uniform in [0, bound); bound must not be 0.
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, 1).
  double fraction();
  // RFC 4122 version 4, lower case.
  std::string uuid();
  // Upstream's generateName alphabet (no vowels, no easily confused characters).
  std::string suffix(std::size_t length);
  // `bytes` random bytes as lower-case hex.
  std::string hex(std::size_t bytes);
};

// The kernel's generator, fit for keys and tokens.
std::unique_ptr<Random> system_random();
// A repeatable sequence; never fit for secrets.
std::unique_ptr<Random> seeded_random(std::uint64_t seed);

}  // namespace coracle
