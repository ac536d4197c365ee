#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"

namespace coracle::sim {

// What happened in one run: the last events, one line each, and the first thing that went wrong.
class Journal {
 public:
  Journal(const Clock& clock, std::size_t lines_kept)
      : clock_(clock), start_(clock.monotonic()), lines_kept_(lines_kept) {}

  // One line in fixed columns: seconds of virtual time, who, what, about what.
  void note(std::string_view who, std::string_view what, std::string_view about);
  // The first call decides what the run is known for; later ones are lines only.
  void fail(std::string_view invariant, const std::string& message);

  bool failed() const { return failure_.has_value(); }
  // "<invariant>: <message>", or nothing.
  const std::optional<std::string>& failure() const { return failure_; }
  const std::string& broken_invariant() const { return invariant_; }
  const std::deque<std::string>& lines() const { return lines_; }
  MonotonicTime now() const { return clock_.monotonic(); }

 private:
  const Clock& clock_;
  const MonotonicTime start_;
  const std::size_t lines_kept_;
  std::deque<std::string> lines_;
  std::string invariant_;
  std::optional<std::string> failure_;
};

// Log lines become lines of the journal; one of level Error fails the run.
std::shared_ptr<LogSink> make_journal_sink(Journal& journal);

}  // namespace coracle::sim
