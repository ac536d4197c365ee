#include "store/conformance/support.h"

namespace coracle::store::conformance {

namespace {
using std::chrono::seconds;

Result<void> a_lease_ends_the_key(const Environment& environment) {
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  ASSIGN_OR_RETURN(auto made, backend->watch(context, KeyRange::prefix("/"), backend->current_revision()));
  Reader reader(environment.executor, std::move(made));
  const MonotonicTime start = context.clock().monotonic();
  TRY(must_create(context, *backend, "/forever", "1"));
  TRY(must_create(context, *backend, "/short", "1", seconds(1)));
  ASSIGN_OR_RETURN(const Revision kept, must_create(context, *backend, "/kept", "1", seconds(1)));
  TRY(must_create(context, *backend, "/removed", "1", seconds(1)));
  TRY(must_create(context, *backend, "/longer", "1", seconds(3600)));
  // A write without a lease ends the lease; a removal too.
  TRY(must_update(context, *backend, "/kept", "2", kept));
  TRY(must_remove(context, *backend, "/removed"));
  ASSIGN_OR_RETURN(const GetResult found, backend->get(context, "/short"));
  EXPECT(found.entry && found.entry->lease == seconds(1));

  TRY(reader.wait_for(context, 8));
  EXPECT(context.clock().monotonic() - start >= seconds(1));
  EXPECT(reader.events().size() == 8);
  EXPECT(reader.events()[7]->type == store::Event::Type::Delete && reader.events()[7]->entry.key == "/short");
  EXPECT(text(reader.events()[7]->previous) == "1");
  ASSIGN_OR_RETURN(const ListResult rest, backend->list(context, KeyRange::prefix("/")));
  EXPECT(rest.entries.size() == 3);
  return {};
}

Result<void> a_write_renews_the_lease(const Environment& environment) {
  const Context context = case_context(environment.executor);
  const auto backend = environment.make(kHistoryRows);
  ASSIGN_OR_RETURN(Revision revision, must_create(context, *backend, "/a", "0", seconds(1)));
  MonotonicTime renewed{};
  for (int round = 1; round < 4; ++round) {
    TRY(context.sleep(std::chrono::milliseconds(400)));
    renewed = context.clock().monotonic();
    ASSIGN_OR_RETURN(revision, must_update(context, *backend, "/a", std::to_string(round), revision, seconds(1)));
  }
  ASSIGN_OR_RETURN(auto made, backend->watch(context, KeyRange::single("/a"), revision));
  Reader reader(environment.executor, std::move(made));
  TRY(reader.wait_for(context, 1));
  EXPECT(reader.events()[0]->type == store::Event::Type::Delete);
  EXPECT(context.clock().monotonic() - renewed >= seconds(1));
  return {};
}

Result<void> watches_end_with_the_backend(const Environment& environment) {
  const Context context = case_context(environment.executor);
  auto backend = environment.make(kHistoryRows);
  ASSIGN_OR_RETURN(auto watch, backend->watch(context, KeyRange::prefix("/"), backend->current_revision()));
  auto ready = std::make_shared<coracle::Event>(environment.executor);
  watch->on_ready([ready] { ready->set(); });
  backend.reset();
  TRY(ready->wait(context));
  std::vector<EventPtr> events;
  Revision progress = 0;
  const auto drained = watch->drain(events, 10, progress);
  EXPECT(!drained.ok() && drained.error().reason() == Reason::Canceled);
  return {};
}

constexpr Case kLifeCases[] = {
    {"a lease ends the key", a_lease_ends_the_key, true},
    {"a write renews the lease", a_write_renews_the_lease, true},
    {"watches end with the backend", watches_end_with_the_backend},
};

}  // namespace

std::span<const Case> life_cases() {
  return kLifeCases;
}

}  // namespace coracle::store::conformance
