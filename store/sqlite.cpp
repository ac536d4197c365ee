#include "store/sqlite.h"

#include <utility>

#include "store/internal/file_lock.h"
#include "store/internal/reader_pool.h"
#include "store/internal/sqlite_writer.h"

namespace coracle::store {

namespace {
using internal::Change;
using internal::CommittedState;

// A read that finds the row of an entry gone was overtaken by a write and a compaction.
constexpr int kMaxReadAttempts = 5;

class SqliteBackend final : public Backend {
 public:
  SqliteBackend(const SqliteOptions& options, Executor& executor, FileDescriptor lock,
                std::shared_ptr<CommittedState> state, internal::KineWriter table, internal::LeaseQueue leases,
                const Logger& log)
      : lock_(std::move(lock)),
        state_(std::move(state)),
        writer_(executor, state_, std::move(table), {options.history_age, options.history_rows}, std::move(leases),
                options.path, log),
        readers_(executor, options.path) {}
  ~SqliteBackend() override { state_->close(); }

  Result<GetResult> get(const Context& context, std::string_view key) override {
    TRY(context.check());
    for (int attempt = 0; attempt < kMaxReadAttempts; ++attempt) {
      GetResult result = state_->get(key);
      if (!result.entry || result.entry->value != nullptr) return result;
      std::vector<Entry> entries = {std::move(*result.entry)};
      ASSIGN_OR_RETURN(const bool complete, complete_values(context, entries));
      result.entry = std::move(entries.front());
      if (complete) return result;
    }
    return overtaken();
  }

  Result<ListResult> list(const Context& context, const KeyRange& range, const ListOptions& options) override {
    TRY(context.check());
    for (int attempt = 0; attempt < kMaxReadAttempts; ++attempt) {
      ASSIGN_OR_RETURN(std::optional<ListResult> result, state_->list(range, options));
      if (!result) return list_from_table(context, range, options);
      if (options.keys_only) return std::move(*result);
      ASSIGN_OR_RETURN(const bool complete, complete_values(context, result->entries));
      if (complete) return std::move(*result);
    }
    return overtaken();
  }

  Result<std::size_t> count(const Context& context, const KeyRange& range) override {
    TRY(context.check());
    return state_->count(range);
  }

  Result<WriteOutcome> create(const Context& context, std::string_view key, Bytes value,
                              std::chrono::seconds lease) override {
    return writer_.write(context, {Change::Kind::Create, std::string(key), std::move(value), 0, lease});
  }

  Result<WriteOutcome> update(const Context& context, std::string_view key, Bytes value, Revision expected,
                              std::chrono::seconds lease) override {
    return writer_.write(context, {Change::Kind::Update, std::string(key), std::move(value), expected, lease});
  }

  Result<WriteOutcome> remove(const Context& context, std::string_view key, Revision expected) override {
    return writer_.write(context, {Change::Kind::Remove, std::string(key), nullptr, expected});
  }

  Result<std::unique_ptr<Watch>> watch(const Context& context, const KeyRange& range, Revision after) override {
    TRY(context.check());
    TRY(internal::check_revision(after, state_->compacted(), state_->current()));
    Revision joined = 0;
    const internal::WatcherPtr watcher = state_->join(range, after, joined);
    auto watch = state_->make_watch(watcher);
    if (joined != 0) {
      TRY(readers_.read<void>(context, [range, after, joined, watcher](internal::KineReader& reader) {
        return reader.events(range, after, joined, watcher->backlog);
      }));
    }
    // Rows may have gone while they were read.
    TRY(internal::check_revision(after, state_->compacted(), state_->current()));
    return watch;
  }

  Revision current_revision() const override { return state_->current(); }
  Revision compacted_revision() const override { return state_->compacted(); }

  Result<void> compact(const Context& context, Revision revision) override {
    TRY(context.check());
    if (revision > state_->current()) return internal::future_error(revision, state_->current());
    state_->compact(revision);
    writer_.compact(revision);
    return {};
  }

  Result<std::int64_t> size(const Context& context) override {
    return readers_.read<std::int64_t>(context, [](internal::KineReader& reader) { return reader.size(); });
  }

 private:
  static Error overtaken() {
    return unavailable("store: writes and compactions have overtaken this read again and again");
  }

  // Reads the values that are not at hand; false when one has gone meanwhile.
  Result<bool> complete_values(const Context& context, std::vector<Entry>& entries) {
    std::vector<Revision> missing;
    for (const Entry& entry : entries) {
      if (entry.value == nullptr) missing.push_back(entry.mod_revision);
    }
    if (missing.empty()) return true;
    ASSIGN_OR_RETURN(const std::vector<Bytes> values,
                     readers_.read<std::vector<Bytes>>(
                         context, [missing](internal::KineReader& reader) { return read_values(reader, missing); }));
    if (values.size() < missing.size()) return false;
    auto value = values.begin();
    for (Entry& entry : entries) {
      if (entry.value == nullptr) entry.value = *value++;
    }
    return true;
  }

  // Up to the first that has gone.
  static Result<std::vector<Bytes>> read_values(internal::KineReader& reader, const std::vector<Revision>& revisions) {
    std::vector<Bytes> values;
    values.reserve(revisions.size());
    for (const Revision revision : revisions) {
      ASSIGN_OR_RETURN(std::optional<Bytes> value, reader.value(revision));
      if (!value) break;
      values.push_back(std::move(*value));
    }
    return values;
  }

  Result<ListResult> list_from_table(const Context& context, const KeyRange& range, const ListOptions& options) {
    ASSIGN_OR_RETURN(ListResult result,
                     readers_.read<ListResult>(context, [range, options](internal::KineReader& reader) {
                       return reader.list(range, options);
                     }));
    // The state compacts before the table does: had rows been missing, it would say so now.
    TRY(internal::check_revision(options.at, state_->compacted(), state_->current()));
    return result;
  }

  const FileDescriptor lock_;  // goes last
  const std::shared_ptr<CommittedState> state_;
  internal::SqliteWriter writer_;
  internal::ReaderPool readers_;
};
}  // namespace

Result<std::unique_ptr<Backend>> make_sqlite_backend(const SqliteOptions& options, Executor& executor,
                                                     const Logger& log) {
  ASSIGN_OR_RETURN(FileDescriptor lock, internal::lock_file(options.path));
  auto opened = internal::KineWriter::open(options.path, options.max_bytes);
  if (!opened.ok()) return opened.error().in(options.path);
  internal::KineWriter table = std::move(opened).value();
  auto state =
      std::make_shared<CommittedState>(executor, internal::ValueLimits{options.value_bytes, options.values_total_bytes},
                                       internal::RingLimits{options.ring_rows, options.ring_bytes});
  internal::LeaseQueue leases;
  const MonotonicTime now = executor.clock().monotonic();
  const Result<void> loaded = table.load(options.value_bytes, [&](const Entry& entry) {
    state->load(entry);
    leases.restart(entry, now);
  });
  if (!loaded.ok()) return loaded.error().in(options.path);
  const auto revisions = table.revisions();
  state->start(revisions.current, revisions.compacted, revisions.current);
  return std::make_unique<SqliteBackend>(options, executor, std::move(lock), std::move(state), std::move(table),
                                         std::move(leases), log);
}

}  // namespace coracle::store
