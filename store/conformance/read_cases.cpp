#include <map>

#include "base/random.h"
#include "store/conformance/support.h"

namespace coracle::store::conformance {

namespace {

Result<void> list_is_ordered_and_edged(const Environment& environment) {
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  const Revision start = backend->current_revision();
  for (const char* key : {"/p/b", "/p/a", "/p", "/p/", "/p0", "/pa", "/p/a/x", "/o/z", "/p/\xc3\xa9"}) {
    TRY(must_create(context, *backend, key, "v"));
  }
  const auto at = [&](int offset) { return "=v@" + std::to_string(start + offset); };
  ASSIGN_OR_RETURN(const std::string inside, list_text(context, *backend, KeyRange::prefix("/p/")));
  EXPECT(inside == "/p/" + at(4) + " /p/a" + at(2) + " /p/a/x" + at(7) + " /p/b" + at(1) + " /p/\xc3\xa9" + at(9));
  ASSIGN_OR_RETURN(const std::string single, list_text(context, *backend, KeyRange::single("/p")));
  EXPECT(single == "/p" + at(3));
  ASSIGN_OR_RETURN(const std::string missing, list_text(context, *backend, KeyRange::single("/q")));
  EXPECT(missing.empty());
  ASSIGN_OR_RETURN(const std::string half_open, list_text(context, *backend, KeyRange{"/p/a", "/p/b"}));
  EXPECT(half_open == "/p/a" + at(2) + " /p/a/x" + at(7));
  ASSIGN_OR_RETURN(const std::string reversed, list_text(context, *backend, KeyRange{"/p/b", "/p/a"}));
  EXPECT(reversed.empty());
  ASSIGN_OR_RETURN(const std::size_t everything, backend->count(context, KeyRange::prefix("")));
  EXPECT(everything == 9);
  ASSIGN_OR_RETURN(const std::size_t counted, backend->count(context, KeyRange::prefix("/p/")));
  EXPECT(counted == 5);
  return {};
}

Result<void> list_pages(const Environment& environment) {
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  for (int number = 10; number < 35; ++number) {
    TRY(must_create(context, *backend, "/n/" + std::to_string(number), std::to_string(number)));
  }
  const Revision frozen = backend->current_revision();
  KeyRange range = KeyRange::prefix("/n/");
  std::vector<Entry> collected;
  std::vector<std::size_t> remaining;
  for (int page = 0; page < 4; ++page) {
    ListOptions options{7, page == 0 ? 0 : frozen, false};
    ASSIGN_OR_RETURN(ListResult result, backend->list(context, range, options));
    EXPECT(result.revision == frozen);
    remaining.push_back(result.remaining);
    collected.insert(collected.end(), result.entries.begin(), result.entries.end());
    range.start = result.entries.back().key + std::string(1, '\0');
    // What happens between the pages must not show.
    TRY(must_remove(context, *backend, "/n/" + std::to_string(34 - page)));
    TRY(must_create(context, *backend, "/n/19" + std::to_string(page), "new"));
  }
  EXPECT((remaining == std::vector<std::size_t>{18, 11, 4, 0}));
  EXPECT(collected.size() == 25);
  for (std::size_t index = 0; index < collected.size(); ++index) {
    EXPECT(collected[index].key == "/n/" + std::to_string(index + 10));
    EXPECT(text(collected[index].value) == std::to_string(index + 10));
  }
  ASSIGN_OR_RETURN(const ListResult keys, backend->list(context, KeyRange::prefix("/n/"), {3, 0, true}));
  EXPECT(keys.entries.size() == 3 && keys.entries[0].value == nullptr && keys.entries[0].mod_revision > 0);
  return {};
}

Result<void> list_at_a_revision(const Environment& environment) {
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  const KeyRange all = KeyRange::prefix("/");
  ASSIGN_OR_RETURN(const Revision a, must_create(context, *backend, "/a", "1"));
  ASSIGN_OR_RETURN(const Revision b, must_create(context, *backend, "/b", "1"));
  ASSIGN_OR_RETURN(const Revision a2, must_update(context, *backend, "/a", "2", a));
  ASSIGN_OR_RETURN(const Revision gone, must_remove(context, *backend, "/b"));
  ASSIGN_OR_RETURN(const Revision c, must_create(context, *backend, "/c", "1"));
  const auto name = [](const char* what, Revision revision) { return what + ("@" + std::to_string(revision)); };
  const std::vector<std::pair<Revision, std::string>> expected = {
      {a, name("/a=1", a)},
      {b, name("/a=1", a) + " " + name("/b=1", b)},
      {a2, name("/a=2", a2) + " " + name("/b=1", b)},
      {gone, name("/a=2", a2)},
      {c, name("/a=2", a2) + " " + name("/c=1", c)},
  };
  for (const auto& [revision, entries] : expected) {
    ASSIGN_OR_RETURN(const ListResult result, backend->list(context, all, {0, revision, false}));
    EXPECT(describe(result.entries) == entries && result.revision == revision);
  }
  const auto future = backend->list(context, all, {0, c + 1, false});
  EXPECT(!future.ok() && future.error().reason() == Reason::Invalid && future.error().code() == 504);
  return {};
}

// Random changes against a model that remembers every revision.
Result<void> history_matches_a_model(const Environment& environment) {
  constexpr int kChanges = 400;
  const Context context = case_context(environment.executor);
  // Fewer rows in memory than changes: the older revisions come from wherever the backend keeps them.
  const auto backend = environment.make(kChanges / 4);
  const auto random = seeded_random(7);
  std::map<std::string, Entry> state;
  std::map<Revision, std::string> history;
  const auto snapshot = [&] {
    std::vector<Entry> entries;
    for (const auto& [key, entry] : state) entries.push_back(entry);
    return describe(entries);
  };
  for (int change = 0; change < kChanges; ++change) {
    const std::string key = "/m/" + std::to_string(random->below(12));
    const std::string value = std::to_string(change);
    const auto found = state.find(key);
    Revision revision = 0;
    if (found == state.end()) {
      ASSIGN_OR_RETURN(revision, must_create(context, *backend, key, value));
      state[key] = {key, bytes(value), revision, revision, {}};
    } else if (random->below(3) == 0) {
      ASSIGN_OR_RETURN(revision, must_remove(context, *backend, key, found->second.mod_revision));
      state.erase(found);
    } else {
      ASSIGN_OR_RETURN(revision, must_update(context, *backend, key, value, found->second.mod_revision));
      found->second.mod_revision = revision;
      found->second.value = bytes(value);
    }
    history[revision] = snapshot();
  }
  std::size_t readable = 0;
  for (const auto& [revision, expected] : history) {
    const auto listed = list_text(context, *backend, KeyRange::prefix("/m/"), {0, revision, false});
    if (!listed.ok()) {
      EXPECT(listed.error().reason() == Reason::Expired && revision < backend->compacted_revision());
      continue;
    }
    ++readable;
    EXPECT(*listed == expected);
  }
  EXPECT(readable >= 50);
  return {};
}

Result<void> compaction_expires_the_past(const Environment& environment) {
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  const KeyRange all = KeyRange::prefix("/");
  ASSIGN_OR_RETURN(const Revision first, must_create(context, *backend, "/a", "1"));
  ASSIGN_OR_RETURN(const Revision second, must_update(context, *backend, "/a", "2", first));
  TRY(must_create(context, *backend, "/b", "1"));
  ASSIGN_OR_RETURN(const Revision removed, must_remove(context, *backend, "/b"));
  TRY(backend->compact(context, second));
  EXPECT(backend->compacted_revision() == second);
  const auto expired = backend->list(context, all, {0, first, false});
  EXPECT(!expired.ok() && expired.error().reason() == Reason::Expired);
  const auto no_watch = backend->watch(context, all, first);
  EXPECT(!no_watch.ok() && no_watch.error().reason() == Reason::Expired);
  ASSIGN_OR_RETURN(const std::string still, list_text(context, *backend, all, {0, second, false}));
  EXPECT(still == "/a=2@" + std::to_string(second));
  ASSIGN_OR_RETURN(auto watch, backend->watch(context, all, second));
  Reader reader(environment.executor, std::move(watch));
  TRY(reader.wait_for(context, 2));

  TRY(backend->compact(context, backend->current_revision()));
  ASSIGN_OR_RETURN(const std::string now, list_text(context, *backend, all));
  EXPECT(now == "/a=2@" + std::to_string(second));
  EXPECT(backend->current_revision() == removed);
  TRY(must_create(context, *backend, "/b", "2"));
  TRY(must_update(context, *backend, "/a", "3", second));
  TRY(backend->compact(context, first));
  const auto future = backend->compact(context, backend->current_revision() + 1);
  EXPECT(!future.ok() && future.error().code() == 504);
  ASSIGN_OR_RETURN(const std::int64_t size, backend->size(context));
  EXPECT(size > 0);
  return {};
}

constexpr Case kReadCases[] = {
    {"list is ordered and edged", list_is_ordered_and_edged},
    {"list pages", list_pages},
    {"list at a revision", list_at_a_revision},
    {"history matches a model", history_matches_a_model},
    {"compaction expires the past", compaction_expires_the_past},
};

}  // namespace

std::span<const Case> read_cases() {
  return kReadCases;
}

}  // namespace coracle::store::conformance
