#include "tests/sim/journal.h"

#include <cstdio>

namespace coracle::sim {
namespace {

// A server that is away makes every informer say so, again and again.
constexpr std::string_view kNoise = "cannot follow a resource, trying again";

class JournalSink : public LogSink {
 public:
  explicit JournalSink(Journal& journal) : journal_(journal) {}

  bool enabled(LogLevel) const override { return true; }

  void write(const LogRecord& record) override {
    if (record.message == kNoise) return;
    std::string text(record.message);
    for (const LogField& field : record.fields) text += " " + std::string(field.key) + "=" + field.value;
    journal_.note(record.component, "log", text);
    if (record.level == LogLevel::Error) journal_.fail("error-log", std::string(record.component) + ": " + text);
  }

 private:
  Journal& journal_;
};

}  // namespace

void Journal::note(std::string_view who, std::string_view what, std::string_view about) {
  constexpr std::size_t kColumns = 64;
  char columns[kColumns];
  const double seconds = std::chrono::duration<double>(clock_.monotonic() - start_).count();
  std::snprintf(columns, sizeof columns, "%10.3f  %-18.18s  %-10.10s  ", seconds, std::string(who).c_str(),
                std::string(what).c_str());
  lines_.push_back(columns + std::string(about));
  if (lines_.size() > lines_kept_) lines_.pop_front();
}

void Journal::fail(std::string_view invariant, const std::string& message) {
  note(invariant, "BROKEN", message);
  if (failure_) return;
  invariant_ = invariant;
  failure_ = invariant_ + ": " + message;
}

std::shared_ptr<LogSink> make_journal_sink(Journal& journal) {
  return std::make_shared<JournalSink>(journal);
}

}  // namespace coracle::sim
