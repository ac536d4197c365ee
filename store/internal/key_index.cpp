#include "store/internal/key_index.h"

#include <utility>

namespace coracle::store::internal {

bool KeyIndex::keeps(std::size_t bytes) const {
  return bytes <= limits_.value_bytes && kept_bytes_ + bytes <= limits_.total_bytes;
}

void KeyIndex::drop_value(Slot& slot) {
  if (slot.value == nullptr) return;
  kept_bytes_ -= slot.value->size();
  slot.value = nullptr;
}

void KeyIndex::put(const Entry& entry) {
  Slot& slot = slots_[entry.key];
  drop_value(slot);
  if (entry.value != nullptr && keeps(entry.value->size())) {
    slot.value = entry.value;
    kept_bytes_ += entry.value->size();
    slot.shared.reset();
  } else {
    slot.shared = entry.value;
  }
  slot.create_revision = entry.create_revision;
  slot.mod_revision = entry.mod_revision;
  slot.lease = entry.lease;
}

void KeyIndex::erase(std::string_view key) {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return;
  drop_value(found->second);
  slots_.erase(found);
}

Entry KeyIndex::entry(Iterator at, bool with_value) {
  const Slot& slot = at->second;
  Entry entry;
  entry.key = at->first;
  if (with_value) entry.value = slot.value != nullptr ? slot.value : slot.shared.lock();
  entry.create_revision = slot.create_revision;
  entry.mod_revision = slot.mod_revision;
  entry.lease = slot.lease;
  return entry;
}

std::optional<Entry> KeyIndex::find(std::string_view key) const {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return std::nullopt;
  return entry(found, true);
}

std::pair<KeyIndex::Iterator, KeyIndex::Iterator> KeyIndex::slice(const KeyRange& range) const {
  if (range.end.empty()) return slots_.equal_range(range.start);
  if (range.end <= range.start) return {slots_.end(), slots_.end()};
  return {slots_.lower_bound(range.start), slots_.lower_bound(range.end)};
}

}  // namespace coracle::store::internal
