#include "store/conformance/support.h"

#include <mutex>
#include <utility>

namespace coracle::store::conformance {

namespace {
constexpr Duration kCaseDeadline = std::chrono::seconds(60);

Result<Revision> won(Result<WriteOutcome> outcome, std::string_view what, std::string_view key) {
  if (!outcome.ok()) return outcome.error();
  if (const auto* written = std::get_if<Written>(&outcome.value())) return written->revision;
  return internal_error(std::string(what) + " of " + std::string(key) + " lost");
}
}  // namespace

Bytes bytes(std::string_view text) {
  return std::make_shared<const std::string>(text);
}

std::string text(const Bytes& bytes) {
  return bytes == nullptr ? "(null)" : *bytes;
}

Context case_context(Executor& executor) {
  return Context(executor).with_timeout(kCaseDeadline);
}

Result<Revision> must_create(const Context& context, Backend& backend, std::string_view key, std::string_view value,
                             std::chrono::seconds lease) {
  return won(backend.create(context, key, bytes(value), lease), "create", key);
}

Result<Revision> must_update(const Context& context, Backend& backend, std::string_view key, std::string_view value,
                             Revision expected, std::chrono::seconds lease) {
  return won(backend.update(context, key, bytes(value), expected, lease), "update", key);
}

Result<Revision> must_remove(const Context& context, Backend& backend, std::string_view key, Revision expected) {
  return won(backend.remove(context, key, expected), "remove", key);
}

std::string describe(const std::vector<Entry>& entries) {
  std::string out;
  for (const Entry& entry : entries) {
    if (!out.empty()) out += ' ';
    out += entry.key + "=" + text(entry.value) + "@" + std::to_string(entry.mod_revision);
  }
  return out;
}

Result<std::string> list_text(const Context& context, Backend& backend, const KeyRange& range,
                              const ListOptions& options) {
  ASSIGN_OR_RETURN(const ListResult result, backend.list(context, range, options));
  return describe(result.entries);
}

Reader::Reader(Executor& executor, std::unique_ptr<Watch> watch)
    : ready_(std::make_shared<coracle::Event>(executor)), watch_(std::move(watch)) {
  watch_->on_ready([ready = ready_] { ready->set(); });
}

Result<void> Reader::drain(std::size_t limit) {
  return watch_->drain(events_, limit, progress_);
}

Result<void> Reader::wait_for(const Context& context, std::size_t count) {
  for (;;) {
    ready_->reset();
    const std::size_t had = events_.size();
    TRY(drain());
    if (events_.size() >= count) return {};
    if (events_.size() == had) TRY(ready_->wait(context));
  }
}

Result<void> Reader::wait_for_progress(const Context& context, Revision revision) {
  for (;;) {
    ready_->reset();
    const std::size_t had = events_.size();
    TRY(drain());
    if (progress_ >= revision) return {};
    if (events_.size() == had) TRY(ready_->wait(context));
  }
}

Result<void> run_together(const Context& context, std::vector<std::function<Result<void>()>> tasks) {
  struct Shared {
    std::mutex mutex;
    std::optional<Error> error;
    std::size_t running;
  };
  auto shared = std::make_shared<Shared>();
  auto done = std::make_shared<coracle::Event>(context.executor());
  shared->running = tasks.size();
  for (auto& task : tasks) {
    context.executor().post(Lane::Blocking, [shared, done, task = std::move(task)] {
      const Result<void> result = task();
      std::lock_guard lock(shared->mutex);
      if (!result.ok() && !shared->error) shared->error = result.error();
      if (--shared->running == 0) done->set();
    });
  }
  TRY(done->wait(context));
  std::lock_guard lock(shared->mutex);
  if (shared->error) return *shared->error;
  return {};
}

std::span<const Case> cases() {
  static const std::vector<Case> all = [] {
    std::vector<Case> joined;
    for (const auto part : {write_cases(), read_cases(), watch_cases(), life_cases()}) {
      joined.insert(joined.end(), part.begin(), part.end());
    }
    return joined;
  }();
  return all;
}

}  // namespace coracle::store::conformance
