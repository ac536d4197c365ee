#pragma once

#include <optional>
#include <string>
#include <variant>

#include "store/backend.h"

namespace coracle::store::internal {

// What every backend refuses.
inline constexpr std::size_t kMaxKeyBytes = 4096;
inline constexpr std::size_t kMaxValueBytes = std::size_t{16} << 20U;
inline constexpr std::chrono::seconds kMaxLease = std::chrono::hours(24 * 365 * 50);

// kine keeps its compaction mark in a row of this name and fills gaps in the revisions with rows of
// that prefix; neither is ever a key.
inline constexpr std::string_view kCompactionKey = "compact_rev_key";
inline constexpr std::string_view kGapPrefix = "gap-";

bool is_reserved_key(std::string_view key);

struct Change {
  enum class Kind : std::uint8_t { Create, Update, Remove };
  Kind kind;
  std::string key;
  Bytes value;
  Revision expected = 0;
  std::chrono::seconds lease{0};
};

// An event and what is needed to undo it.
struct HistoryRecord {
  EventPtr event;
  Revision previous_create_revision = 0;
  std::chrono::seconds previous_lease{0};
};

// BadRequest or RequestEntityTooLarge for a change that no backend takes.
Result<void> check_change(const Change& change);

// What `change` does to `current` as revision `next`: it loses, or becomes an event. `current` must
// carry its value.
std::variant<Lost, HistoryRecord> decide(const Change& change, const std::optional<Entry>& current, Revision next);

Error compacted_error(Revision revision, Revision compacted);
Error future_error(Revision revision, Revision current);
// For reads and compactions at `revision`.
Result<void> check_revision(Revision revision, Revision compacted, Revision current);

}  // namespace coracle::store::internal
