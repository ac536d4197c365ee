#include <atomic>
#include <map>

#include "store/conformance/support.h"

namespace coracle::store::conformance {

namespace {

std::string describe_event(const store::Event& event) {
  const char* type = event.type == store::Event::Type::Create   ? "create"
                     : event.type == store::Event::Type::Update ? "update"
                                                                : "delete";
  return std::string(type) + " " + event.entry.key + "=" + text(event.entry.value) + " was " + text(event.previous);
}

Result<void> watch_delivers_past_and_future(const Environment& environment) {
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  const Revision start = backend->current_revision();
  ASSIGN_OR_RETURN(const Revision created, must_create(context, *backend, "/w/a", "1"));
  TRY(must_create(context, *backend, "/other", "1"));
  ASSIGN_OR_RETURN(auto made, backend->watch(context, KeyRange::prefix("/w/"), start));
  Reader reader(environment.executor, std::move(made));
  TRY(reader.wait_for(context, 1));
  ASSIGN_OR_RETURN(const Revision updated, must_update(context, *backend, "/w/a", "2", created));
  ASSIGN_OR_RETURN(const Revision removed, must_remove(context, *backend, "/w/a"));
  TRY(reader.wait_for(context, 3));
  EXPECT(reader.events().size() == 3);
  EXPECT(describe_event(*reader.events()[0]) == "create /w/a=1 was (null)");
  EXPECT(describe_event(*reader.events()[1]) == "update /w/a=2 was 1");
  EXPECT(describe_event(*reader.events()[2]) == "delete /w/a=2 was 2");
  EXPECT(reader.events()[0]->entry.create_revision == created && reader.events()[0]->previous_revision == 0);
  EXPECT(reader.events()[1]->entry.create_revision == created && reader.events()[1]->previous_revision == created);
  EXPECT(reader.events()[2]->entry.mod_revision == removed && reader.events()[2]->previous_revision == updated);

  ASSIGN_OR_RETURN(auto late, backend->watch(context, KeyRange::single("/w/a"), created));
  Reader second(environment.executor, std::move(late));
  TRY(second.wait_for(context, 2));
  EXPECT(second.events()[0]->entry.mod_revision == updated);

  const auto future = backend->watch(context, KeyRange::single("/w/a"), removed + 1);
  EXPECT(!future.ok() && future.error().code() == 504);
  return {};
}

Result<void> watch_reports_progress(const Environment& environment) {
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  ASSIGN_OR_RETURN(auto made, backend->watch(context, KeyRange::prefix("/quiet/"), backend->current_revision()));
  Reader reader(environment.executor, std::move(made));
  ASSIGN_OR_RETURN(Revision revision, must_create(context, *backend, "/loud/a", "1"));
  TRY(reader.drain());
  EXPECT(reader.events().empty() && reader.progress() == revision);
  // Nobody drains on a guess: the wake-up comes although nothing of the range happened.
  ASSIGN_OR_RETURN(revision, must_create(context, *backend, "/loud/b", "1"));
  TRY(reader.wait_for_progress(context, revision));
  EXPECT(reader.events().empty());

  for (int number = 0; number < 5; ++number) {
    TRY(must_create(context, *backend, "/quiet/" + std::to_string(number), "1"));
  }
  TRY(reader.drain(2));
  EXPECT(reader.events().size() == 2 && reader.progress() < backend->current_revision());
  EXPECT(reader.progress() >= reader.events()[1]->entry.mod_revision);
  TRY(reader.drain(3));
  EXPECT(reader.events().size() == 5 && reader.progress() == backend->current_revision());
  return {};
}

Result<void> watch_reaches_behind_memory(const Environment& environment) {
  constexpr std::size_t kRows = 32;
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kRows);
  const Revision start = backend->current_revision();
  Revision last = 0;
  for (std::size_t number = 0; number < kRows * 4; ++number) {
    ASSIGN_OR_RETURN(last, must_create(context, *backend, "/h/" + std::to_string(number), "1"));
    TRY(must_create(context, *backend, "/noise/" + std::to_string(number), "1"));
  }
  auto made = backend->watch(context, KeyRange::prefix("/h/"), start);
  if (!made.ok()) {
    // A backend without a table may forget, but then it says so.
    EXPECT(made.error().reason() == Reason::Expired && start < backend->compacted_revision());
    return {};
  }
  Reader reader(environment.executor, std::move(made).value());
  ASSIGN_OR_RETURN(last, must_create(context, *backend, "/h/last", "1"));
  TRY(reader.wait_for(context, kRows * 4 + 1));
  EXPECT(reader.events().size() == kRows * 4 + 1 && reader.events().back()->entry.mod_revision == last);
  for (std::size_t number = 0; number < kRows * 4; ++number) {
    EXPECT(reader.events()[number]->entry.key == "/h/" + std::to_string(number));
  }
  return {};
}

Result<void> slow_watch_expires(const Environment& environment) {
  constexpr std::size_t kRows = 32;
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kRows);
  ASSIGN_OR_RETURN(auto slow, backend->watch(context, KeyRange::prefix("/busy/"), backend->current_revision()));
  ASSIGN_OR_RETURN(auto quiet, backend->watch(context, KeyRange::prefix("/quiet/"), backend->current_revision()));
  Reader slow_reader(environment.executor, std::move(slow));
  Reader quiet_reader(environment.executor, std::move(quiet));
  for (std::size_t number = 0; number < kRows * 3; ++number) {
    TRY(must_create(context, *backend, "/busy/" + std::to_string(number), "1"));
  }
  const auto drained = slow_reader.drain();
  EXPECT(!drained.ok() && drained.error().reason() == Reason::Expired);
  const auto again = slow_reader.drain();
  EXPECT(!again.ok() && again.error().reason() == Reason::Expired);
  // A watch of which nothing is missing is not slow.
  TRY(quiet_reader.drain());
  TRY(must_create(context, *backend, "/quiet/a", "1"));
  TRY(quiet_reader.wait_for(context, 1));
  return {};
}

Result<void> watch_loses_nothing_under_load(const Environment& environment) {
  constexpr int kTasks = 8;
  constexpr int kRounds = 40;
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  const Revision start = backend->current_revision();
  std::vector<std::unique_ptr<Reader>> readers;
  for (int reader = 0; reader < 2; ++reader) {
    ASSIGN_OR_RETURN(auto made, backend->watch(context, KeyRange::prefix("/load/"), start));
    readers.push_back(std::make_unique<Reader>(environment.executor, std::move(made)));
  }
  std::vector<std::function<Result<void>()>> tasks;
  for (int task = 0; task < kTasks; ++task) {
    tasks.emplace_back([&, task]() -> Result<void> {
      for (int round = 0; round < kRounds; ++round) {
        const std::string key = "/load/" + std::to_string(task) + "/" + std::to_string(round % 5);
        ASSIGN_OR_RETURN(const Revision created, must_create(context, *backend, key, "1"));
        ASSIGN_OR_RETURN(const Revision updated, must_update(context, *backend, key, "2", created));
        TRY(must_remove(context, *backend, key, updated));
      }
      return {};
    });
  }
  constexpr std::size_t kEvents = std::size_t{3} * kTasks * kRounds;
  for (auto& reader : readers) {
    tasks.emplace_back([&]() -> Result<void> { return reader->wait_for(context, kEvents); });
  }
  // Watches that start in the middle see a tail without a hole.
  tasks.emplace_back([&]() -> Result<void> {
    for (int attempt = 0; attempt < 10; ++attempt) {
      const Revision after = backend->current_revision();
      ASSIGN_OR_RETURN(auto made, backend->watch(context, KeyRange::prefix("/load/"), after));
      Reader reader(environment.executor, std::move(made));
      if (after < start + static_cast<Revision>(kEvents)) TRY(reader.wait_for(context, 1));
      for (std::size_t index = 0; index < reader.events().size(); ++index) {
        EXPECT(reader.events()[index]->entry.mod_revision == after + static_cast<Revision>(index) + 1);
      }
    }
    return {};
  });
  TRY(run_together(context, std::move(tasks)));
  for (const auto& reader : readers) {
    EXPECT(reader->events().size() == kEvents);
    for (std::size_t index = 0; index < kEvents; ++index) {
      EXPECT(reader->events()[index]->entry.mod_revision == start + static_cast<Revision>(index) + 1);
    }
  }
  return {};
}

Result<void> watches_share_events(const Environment& environment) {
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  const Revision start = backend->current_revision();
  ASSIGN_OR_RETURN(auto first, backend->watch(context, KeyRange::prefix("/"), start));
  ASSIGN_OR_RETURN(auto second, backend->watch(context, KeyRange::single("/a"), start));
  Reader one(environment.executor, std::move(first));
  Reader two(environment.executor, std::move(second));
  TRY(must_create(context, *backend, "/a", "1"));
  TRY(one.wait_for(context, 1));
  TRY(two.wait_for(context, 1));
  EXPECT(one.events()[0] == two.events()[0]);
  return {};
}

Result<void> a_destroyed_watch_is_never_woken(const Environment& environment) {
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  std::atomic<int> woken = 0;
  ASSIGN_OR_RETURN(auto watch, backend->watch(context, KeyRange::prefix("/"), backend->current_revision()));
  watch->on_ready([&] { ++woken; });
  TRY(must_create(context, *backend, "/a", "1"));
  watch.reset();
  const int before = woken;
  TRY(must_create(context, *backend, "/b", "1"));
  EXPECT(woken == before);
  return {};
}

constexpr Case kWatchCases[] = {
    {"watch delivers past and future", watch_delivers_past_and_future},
    {"watch reports progress", watch_reports_progress},
    {"watch reaches behind memory", watch_reaches_behind_memory},
    {"a slow watch expires", slow_watch_expires},
    {"watch loses nothing under load", watch_loses_nothing_under_load},
    {"watches share events", watches_share_events},
    {"a destroyed watch is never woken", a_destroyed_watch_is_never_woken},
};

}  // namespace

std::span<const Case> watch_cases() {
  return kWatchCases;
}

}  // namespace coracle::store::conformance
