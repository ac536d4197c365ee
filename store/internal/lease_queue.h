#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "store/internal/change.h"

namespace coracle::store::internal {

// Which keys die when. Not thread-safe.
class LeaseQueue {
 public:
  // Follows a committed change: a lease starts anew, or ends.
  void follow(const Event& event, MonotonicTime now);
  // As if `entry` had been written at `now`.
  void restart(const Entry& entry, MonotonicTime now);
  void end(const std::string& key);

  std::optional<MonotonicTime> next() const;
  // Removals of the keys that are due, at most `limit`. They stay queued until follow() sees them
  // committed.
  std::vector<Change> due(MonotonicTime now, std::size_t limit) const;
  // Tries the due keys again at `time`, after a removal that failed.
  void postpone(MonotonicTime now, MonotonicTime time);

 private:
  struct Lease {
    MonotonicTime deadline;
    Revision revision;
  };

  std::map<std::string, Lease> by_key_;
  std::set<std::pair<MonotonicTime, std::string>> by_time_;
};

}  // namespace coracle::store::internal
