#pragma once

#include <map>
#include <optional>
#include <string>

#include "store/backend.h"

namespace coracle::store::internal {

// Which values stay in memory. The others are read back from the table, except while somebody else
// still holds the same bytes.
struct ValueLimits {
  std::size_t value_bytes;  // the largest value that is kept
  std::size_t total_bytes;  // of all that are kept
};

// The newest entry of every key, ordered by key. Not thread-safe.
class KeyIndex {
 public:
  struct Slot {
    Bytes value;                              // null: not kept
    std::weak_ptr<const std::string> shared;  // finds a value that is not kept
    Revision create_revision = 0;
    Revision mod_revision = 0;
    std::chrono::seconds lease{0};
  };
  using Map = std::map<std::string, Slot, std::less<>>;
  using Iterator = Map::const_iterator;

  explicit KeyIndex(ValueLimits limits) : limits_(limits) {}

  void put(const Entry& entry);
  void erase(std::string_view key);

  // An entry whose value is not at hand has a null value.
  std::optional<Entry> find(std::string_view key) const;
  // The slots of the range: [first, second).
  std::pair<Iterator, Iterator> slice(const KeyRange& range) const;
  static Entry entry(Iterator at, bool with_value);

  // Whether put() would keep a value of that size.
  bool keeps(std::size_t bytes) const;
  std::size_t size() const { return slots_.size(); }
  std::size_t kept_bytes() const { return kept_bytes_; }

 private:
  void drop_value(Slot& slot);

  const ValueLimits limits_;
  Map slots_;
  std::size_t kept_bytes_ = 0;
};

}  // namespace coracle::store::internal
