#include "store/internal/change.h"

#include <utility>

namespace coracle::store::internal {

namespace {
constexpr int kFutureRevisionCode = 504;

HistoryRecord make_record(Event::Type type, const Change& change, const std::optional<Entry>& current, Revision next) {
  Event event;
  event.type = type;
  event.entry.key = change.key;
  event.entry.mod_revision = next;
  if (current) {
    event.previous = current->value;
    event.previous_revision = current->mod_revision;
  }
  if (type == Event::Type::Delete) {
    event.entry.value = event.previous;
  } else {
    event.entry.value = change.value;
    event.entry.create_revision = current ? current->create_revision : next;
    event.entry.lease = change.lease;
  }
  HistoryRecord record;
  record.event = std::make_shared<const Event>(std::move(event));
  if (current) {
    record.previous_create_revision = current->create_revision;
    record.previous_lease = current->lease;
  }
  return record;
}
}  // namespace

bool is_reserved_key(std::string_view key) {
  return key == kCompactionKey || key.starts_with(kGapPrefix);
}

Result<void> check_change(const Change& change) {
  if (change.key.empty()) return bad_request("store: the key is empty");
  if (change.key.size() > kMaxKeyBytes) {
    return bad_request("store: the key has " + std::to_string(change.key.size()) + " bytes, at most " +
                       std::to_string(kMaxKeyBytes) + " are allowed");
  }
  if (is_reserved_key(change.key)) return bad_request("store: the key \"" + change.key + "\" is reserved");
  if (change.kind == Change::Kind::Remove) return {};
  if (change.value == nullptr) return bad_request("store: " + change.key + " has no value");
  if (change.value->size() > kMaxValueBytes) {
    return Error(Reason::RequestEntityTooLarge, "store: the value of " + change.key + " has " +
                                                    std::to_string(change.value->size()) + " bytes, at most " +
                                                    std::to_string(kMaxValueBytes) + " are allowed");
  }
  if (change.lease.count() < 0 || change.lease > kMaxLease) {
    return bad_request("store: the lease of " + change.key + " is " + std::to_string(change.lease.count()) +
                       " s, expected 0 to " + std::to_string(kMaxLease.count()));
  }
  return {};
}

std::variant<Lost, HistoryRecord> decide(const Change& change, const std::optional<Entry>& current, Revision next) {
  const Lost lost{next - 1, current};
  switch (change.kind) {
    case Change::Kind::Create:
      if (current) return lost;
      return make_record(Event::Type::Create, change, current, next);
    case Change::Kind::Update:
      if (!current || current->mod_revision != change.expected) return lost;
      return make_record(Event::Type::Update, change, current, next);
    case Change::Kind::Remove:
      if (!current || (change.expected != 0 && current->mod_revision != change.expected)) return lost;
      return make_record(Event::Type::Delete, change, current, next);
  }
  return lost;
}

Error compacted_error(Revision revision, Revision compacted) {
  return Error(Reason::Expired, "store: revision " + std::to_string(revision) +
                                    " is no longer available, history starts at " + std::to_string(compacted));
}

Error future_error(Revision revision, Revision current) {
  return Error(Reason::Invalid, "store: revision " + std::to_string(revision) +
                                    " lies in the future, the current one is " + std::to_string(current))
      .with_code(kFutureRevisionCode);
}

Result<void> check_revision(Revision revision, Revision compacted, Revision current) {
  if (revision > current) return future_error(revision, current);
  if (revision < compacted) return compacted_error(revision, compacted);
  return {};
}

}  // namespace coracle::store::internal
