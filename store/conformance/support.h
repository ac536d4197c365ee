#pragma once

#include <string>
#include <vector>

#include "base/sync.h"
#include "store/conformance/conformance.h"

// Returns from the case with the place and the text of an expectation that does not hold.
#define EXPECT(condition)                                                                     \
  do {                                                                                        \
    if (!(condition)) {                                                                       \
      return coracle::internal_error(std::string(__FILE__) + ":" + std::to_string(__LINE__) + \
                                     ": expected " #condition);                               \
    }                                                                                         \
  } while (false)

namespace coracle::store::conformance {

inline constexpr std::size_t kHistoryRows = 4096;

Bytes bytes(std::string_view text);
std::string text(const Bytes& bytes);
// The context of a case: a deadline that no healthy backend reaches.
Context case_context(Executor& executor);

// A write that must win; the result is its revision.
Result<Revision> must_create(const Context& context, Backend& backend, std::string_view key, std::string_view value,
                             std::chrono::seconds lease = std::chrono::seconds(0));
Result<Revision> must_update(const Context& context, Backend& backend, std::string_view key, std::string_view value,
                             Revision expected, std::chrono::seconds lease = std::chrono::seconds(0));
Result<Revision> must_remove(const Context& context, Backend& backend, std::string_view key, Revision expected = 0);

// "key=value@mod_revision" of each entry, joined with a space.
std::string describe(const std::vector<Entry>& entries);
Result<std::string> list_text(const Context& context, Backend& backend, const KeyRange& range,
                              const ListOptions& options = {});

// Reads a watch as its owner would: drains, waits to be woken, drains.
class Reader {
 public:
  Reader(Executor& executor, std::unique_ptr<Watch> watch);
  // Waits until `count` events have come altogether.
  Result<void> wait_for(const Context& context, std::size_t count);
  Result<void> wait_for_progress(const Context& context, Revision revision);
  Result<void> drain(std::size_t limit = 100);

  const std::vector<EventPtr>& events() const { return events_; }
  Revision progress() const { return progress_; }

 private:
  std::shared_ptr<coracle::Event> ready_;
  std::unique_ptr<Watch> watch_;
  std::vector<EventPtr> events_;
  Revision progress_ = 0;
};

// Runs each task on a thread of its own (the Blocking lane: Worker tasks may share one) and waits for all;
// the first error counts.
Result<void> run_together(const Context& context, std::vector<std::function<Result<void>()>> tasks);

// The cases of each file.
std::span<const Case> write_cases();
std::span<const Case> read_cases();
std::span<const Case> watch_cases();
std::span<const Case> life_cases();

}  // namespace coracle::store::conformance
