#include <atomic>

#include "store/conformance/support.h"

namespace coracle::store::conformance {

namespace {

Result<void> create_and_get(const Environment& environment) {
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  const Revision start = backend->current_revision();
  ASSIGN_OR_RETURN(const GetResult nothing, backend->get(context, "/a"));
  EXPECT(!nothing.entry && nothing.revision == start);

  ASSIGN_OR_RETURN(const Revision revision, must_create(context, *backend, "/a", "one"));
  EXPECT(revision == start + 1 && backend->current_revision() == revision);
  ASSIGN_OR_RETURN(const GetResult found, backend->get(context, "/a"));
  EXPECT(found.entry && found.entry->key == "/a" && text(found.entry->value) == "one");
  EXPECT(found.entry->create_revision == revision && found.entry->mod_revision == revision);
  EXPECT(found.revision == revision);
  return {};
}

Result<void> create_of_an_existing_key_loses(const Environment& environment) {
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  ASSIGN_OR_RETURN(const Revision revision, must_create(context, *backend, "/a", "one"));
  ASSIGN_OR_RETURN(const WriteOutcome outcome, backend->create(context, "/a", bytes("two")));
  const auto* lost = std::get_if<Lost>(&outcome);
  EXPECT(lost != nullptr && lost->entry && text(lost->entry->value) == "one");
  EXPECT(lost->entry->mod_revision == revision && lost->revision == revision);
  EXPECT(backend->current_revision() == revision);
  return {};
}

Result<void> update_compares_the_revision(const Environment& environment) {
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  ASSIGN_OR_RETURN(const Revision first, must_create(context, *backend, "/a", "one"));
  ASSIGN_OR_RETURN(const Revision second, must_update(context, *backend, "/a", "two", first));
  EXPECT(second > first);
  ASSIGN_OR_RETURN(const WriteOutcome outcome, backend->update(context, "/a", bytes("three"), first));
  const auto* lost = std::get_if<Lost>(&outcome);
  EXPECT(lost != nullptr && lost->entry && text(lost->entry->value) == "two");
  EXPECT(lost->entry->create_revision == first && lost->entry->mod_revision == second);
  ASSIGN_OR_RETURN(const GetResult found, backend->get(context, "/a"));
  EXPECT(found.entry && found.entry->create_revision == first && found.entry->mod_revision == second);
  return {};
}

Result<void> update_of_a_missing_key_loses(const Environment& environment) {
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  ASSIGN_OR_RETURN(const WriteOutcome outcome, backend->update(context, "/a", bytes("x"), 7));
  EXPECT(std::holds_alternative<Lost>(outcome) && !std::get<Lost>(outcome).entry);
  ASSIGN_OR_RETURN(const WriteOutcome zero, backend->update(context, "/a", bytes("x"), 0));
  EXPECT(std::holds_alternative<Lost>(zero) && !std::get<Lost>(zero).entry);
  return {};
}

Result<void> remove_compares_only_when_asked(const Environment& environment) {
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  ASSIGN_OR_RETURN(const Revision first, must_create(context, *backend, "/a", "one"));
  ASSIGN_OR_RETURN(const WriteOutcome wrong, backend->remove(context, "/a", first + 1));
  EXPECT(std::holds_alternative<Lost>(wrong) && text(std::get<Lost>(wrong).entry->value) == "one");
  ASSIGN_OR_RETURN(const Revision removed, must_remove(context, *backend, "/a", first));
  EXPECT(removed == first + 1);
  ASSIGN_OR_RETURN(const GetResult gone, backend->get(context, "/a"));
  EXPECT(!gone.entry);
  ASSIGN_OR_RETURN(const WriteOutcome again, backend->remove(context, "/a", 0));
  EXPECT(std::holds_alternative<Lost>(again) && !std::get<Lost>(again).entry);
  TRY(must_create(context, *backend, "/a", "two"));
  TRY(must_remove(context, *backend, "/a"));
  return {};
}

Result<void> a_key_can_come_back(const Environment& environment) {
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  for (int round = 0; round < 5; ++round) {
    ASSIGN_OR_RETURN(const Revision created, must_create(context, *backend, "/a", "new"));
    ASSIGN_OR_RETURN(const Revision updated, must_update(context, *backend, "/a", "newer", created));
    ASSIGN_OR_RETURN(const GetResult found, backend->get(context, "/a"));
    EXPECT(found.entry && found.entry->create_revision == created && found.entry->mod_revision == updated);
    TRY(must_remove(context, *backend, "/a", updated));
    if (round == 2) TRY(backend->compact(context, backend->current_revision()));
  }
  return {};
}

Result<void> values_of_all_sizes(const Environment& environment) {
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  ASSIGN_OR_RETURN(auto made, backend->watch(context, KeyRange::prefix("/v/"), backend->current_revision()));
  Reader reader(environment.executor, std::move(made));
  const std::vector<std::size_t> sizes = {0, 1, 4096, 70'000, 1'500'000, 3'000'000};
  for (const std::size_t size : sizes) {
    const std::string key = "/v/" + std::to_string(size);
    std::string value(size, '\0');
    for (std::size_t at = 0; at < size; ++at) value[at] = static_cast<char>(at * 31);
    ASSIGN_OR_RETURN(const Revision created, must_create(context, *backend, key, value));
    ASSIGN_OR_RETURN(const GetResult found, backend->get(context, key));
    EXPECT(found.entry && text(found.entry->value) == value);
    TRY(must_update(context, *backend, key, value + "x", created));
    ASSIGN_OR_RETURN(const ListResult past, backend->list(context, KeyRange::single(key), {0, created, false}));
    EXPECT(past.entries.size() == 1 && text(past.entries[0].value) == value);
    TRY(reader.drain());
    EXPECT(!reader.events().empty() && text(reader.events().back()->previous) == value);
    ASSIGN_OR_RETURN(const WriteOutcome outcome, backend->create(context, key, bytes("other")));
    EXPECT(std::holds_alternative<Lost>(outcome));
    EXPECT(text(std::get<Lost>(outcome).entry->value) == value + "x");
  }
  ASSIGN_OR_RETURN(const ListResult all, backend->list(context, KeyRange::prefix("/v/")));
  EXPECT(all.entries.size() == sizes.size());
  for (const Entry& entry : all.entries) {
    EXPECT(std::to_string(text(entry.value).size() - 1) == entry.key.substr(3));
  }
  const auto too_big = backend->create(context, "/v/big", std::make_shared<const std::string>(64U << 20U, 'x'));
  EXPECT(!too_big.ok() && too_big.error().reason() == Reason::RequestEntityTooLarge);
  return {};
}

Result<void> keys_that_no_backend_takes(const Environment& environment) {
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  for (const std::string& key :
       {std::string(), std::string("compact_rev_key"), std::string("gap-17"), std::string(100'000, 'k')}) {
    const auto outcome = backend->create(context, key, bytes("x"));
    EXPECT(!outcome.ok() && outcome.error().reason() == Reason::BadRequest);
  }
  return {};
}

Result<void> a_caller_that_gave_up_writes_nothing(const Environment& environment) {
  const auto backend = environment.make(kHistoryRows);
  std::stop_source source;
  source.request_stop();
  const Context stopped = Context(environment.executor).with_stop(source.get_token());
  const auto outcome = backend->create(stopped, "/a", bytes("x"));
  EXPECT(!outcome.ok() && outcome.error().reason() == Reason::Canceled);
  ASSIGN_OR_RETURN(const GetResult found, backend->get(case_context(environment.executor), "/a"));
  EXPECT(!found.entry);
  return {};
}

// Increments one counter by compare-and-swap from several tasks: no increment may get lost.
Result<void> compare_and_swap_under_contention(const Environment& environment) {
  constexpr int kTasks = 8;
  constexpr int kIncrements = 25;
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  TRY(must_create(context, *backend, "/counter", "0"));
  std::vector<std::function<Result<void>()>> tasks;
  for (int task = 0; task < kTasks; ++task) {
    tasks.emplace_back([&]() -> Result<void> {
      for (int done = 0; done < kIncrements;) {
        ASSIGN_OR_RETURN(const GetResult found, backend->get(context, "/counter"));
        EXPECT(found.entry.has_value());
        const std::string next = std::to_string(std::stoi(*found.entry->value) + 1);
        ASSIGN_OR_RETURN(const WriteOutcome outcome,
                         backend->update(context, "/counter", bytes(next), found.entry->mod_revision));
        if (std::holds_alternative<Written>(outcome)) ++done;
      }
      return {};
    });
  }
  TRY(run_together(context, std::move(tasks)));
  ASSIGN_OR_RETURN(const GetResult found, backend->get(context, "/counter"));
  EXPECT(found.entry && text(found.entry->value) == std::to_string(kTasks * kIncrements));
  return {};
}

// Of several creates of one key exactly one wins, and the others are told who.
Result<void> one_create_wins(const Environment& environment) {
  constexpr int kTasks = 8;
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  for (int round = 0; round < 20; ++round) {
    const std::string key = "/race/" + std::to_string(round);
    std::atomic<int> winners = 0;
    std::vector<std::function<Result<void>()>> tasks;
    for (int task = 0; task < kTasks; ++task) {
      tasks.emplace_back([&, task]() -> Result<void> {
        ASSIGN_OR_RETURN(const WriteOutcome outcome, backend->create(context, key, bytes(std::to_string(task))));
        if (std::holds_alternative<Written>(outcome)) {
          ++winners;
        } else {
          EXPECT(std::get<Lost>(outcome).entry && std::get<Lost>(outcome).entry->value != nullptr);
        }
        return {};
      });
    }
    TRY(run_together(context, std::move(tasks)));
    EXPECT(winners == 1);
  }
  return {};
}

constexpr Case kWriteCases[] = {
    {"create and get", create_and_get},
    {"create of an existing key loses", create_of_an_existing_key_loses},
    {"update compares the revision", update_compares_the_revision},
    {"update of a missing key loses", update_of_a_missing_key_loses},
    {"remove compares only when asked", remove_compares_only_when_asked},
    {"a key can come back", a_key_can_come_back},
    {"values of all sizes", values_of_all_sizes},
    {"keys that no backend takes", keys_that_no_backend_takes},
    {"a caller that gave up writes nothing", a_caller_that_gave_up_writes_nothing},
    {"compare-and-swap under contention", compare_and_swap_under_contention},
    {"one create wins", one_create_wins},
};

}  // namespace

std::span<const Case> write_cases() {
  return kWriteCases;
}

}  // namespace coracle::store::conformance
