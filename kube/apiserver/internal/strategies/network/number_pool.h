#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "base/random.h"

namespace coracle::kube::apiserver {

// Numbers from 0 to size - 1, each taken or free. The first ones are a band that is left to those who
// ask for a certain number, as long as there are others. Not thread-safe.
class NumberPool {
 public:
  NumberPool(std::size_t size, std::size_t band) : used_(size), band_(std::min(band, size)) {}

  // The size of the band: a fraction of the pool within bounds; none for pools smaller than that.
  static std::size_t band_size(std::size_t size, std::size_t fraction, std::size_t minimum, std::size_t maximum) {
    return size < minimum ? 0 : std::clamp(size / fraction, minimum, maximum);
  }

  std::size_t size() const { return used_.size(); }
  // False when it is taken already. `number` must be within the pool.
  bool take(std::size_t number) {
    if (used_[number]) return false;
    used_[number] = true;
    return true;
  }
  void release(std::size_t number) { used_[number] = false; }

  // Some free number; from the band, but never below `first`, only when all others are taken.
  std::optional<std::size_t> take_any(Random& random, std::size_t first = 0) {
    if (const auto found = find_free(random, std::max(first, band_), used_.size())) return claim(*found);
    if (const auto found = find_free(random, first, band_)) return claim(*found);
    return std::nullopt;
  }

 private:
  std::optional<std::size_t> find_free(Random& random, std::size_t begin, std::size_t end) const {
    if (begin >= end) return std::nullopt;
    const std::size_t count = end - begin;
    const std::size_t start = random.below(count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t number = begin + (start + i) % count;
      if (!used_[number]) return number;
    }
    return std::nullopt;
  }
  std::size_t claim(std::size_t number) {
    used_[number] = true;
    return number;
  }

  std::vector<bool> used_;
  std::size_t band_;
};

}  // namespace coracle::kube::apiserver
