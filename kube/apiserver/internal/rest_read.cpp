#include <algorithm>
#include <utility>

#include "base/executor.h"
#include "kube/apiserver/internal/list_options.h"
#include "kube/apiserver/internal/list_stream.h"
#include "kube/apiserver/internal/object_filter.h"
#include "kube/apiserver/internal/responses.h"
#include "kube/apiserver/internal/rest_handler.h"
#include "kube/apiserver/internal/watch_stream.h"
#include "kube/object/status.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::int64_t kMinimumWatchSeconds = 1800;
constexpr std::string_view kListTooOld = "The resourceVersion for the provided list is too old.";
constexpr std::string_view kContinueTooOld =
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list.";

// What a list request asks for, decided.
struct ListPlan {
  ListOptions options;
  std::string start;          // first key, relative to the prefix
  store::Revision exact = 0;  // the state at this revision; 0: the newest
  store::Revision not_older = 0;
  bool linearizable = false;  // everything that was acknowledged before
  std::int64_t limit = 0;
  bool continued = false;
};

Result<ListPlan> plan_list(const http::Query& query) {
  ListPlan plan;
  ASSIGN_OR_RETURN(plan.options, read_list_options(query, false));
  const ListOptions& options = plan.options;
  plan.limit = options.limit;
  if (!options.continue_token.empty()) {
    if (!options.resource_version.empty() && options.resource_version != "0") {
      return bad_request("specifying resource version is not allowed when using continue");
    }
    ASSIGN_OR_RETURN(const ContinueToken token, decode_continue(options.continue_token));
    plan.start = token.start;
    plan.continued = true;
    plan.exact = std::max<store::Revision>(token.revision, 0);
    plan.linearizable = token.revision < 0;
    return plan;
  }
  auto parsed = parse_resource_version(options.resource_version);
  if (!parsed.ok()) return parsed.error().in("invalid resource version");
  const store::Revision revision = *parsed;
  if (options.resource_version.empty()) {
    plan.linearizable = true;
  } else if (revision == 0) {
    plan.limit = 0;  // any state will do, and the cache hands out all of it
  } else if (options.resource_version_match == "Exact" ||
             (options.limit > 0 && options.resource_version_match.empty())) {
    plan.exact = revision;
  } else {
    plan.not_older = revision;
  }
  return plan;
}

// Objects of the chunk and what is told about the rest.
struct Chunk {
  std::vector<StoredObjectPtr> objects;
  ListMeta meta;
};

Chunk cut_chunk(std::span<const StoredObjectPtr> range, const ObjectFilter& filter, const ListPlan& plan,
                store::Revision revision) {
  Chunk chunk;
  chunk.meta.revision = revision;
  const bool everything = !filter.selects();
  const auto limit = static_cast<std::size_t>(plan.limit);
  if (everything && (limit == 0 || range.size() <= limit)) {
    chunk.objects.assign(range.begin(), range.end());
    return chunk;
  }
  std::size_t seen = 0;
  for (; seen < range.size(); ++seen) {
    if (limit > 0 && chunk.objects.size() >= limit) break;
    if (filter.matches(*range[seen])) chunk.objects.push_back(range[seen]);
  }
  if (seen == range.size()) return chunk;
  const StoredObject& last = *range[seen - 1];
  ContinueToken token;
  token.revision = revision;
  if (filter.namespace_().empty() && !last.namespace_().empty()) token.start = std::string(last.namespace_()) + "/";
  token.start += std::string(last.name()) + std::string(1, '\0');
  chunk.meta.continue_token = encode_continue(token);
  if (!filter.has_selectors()) chunk.meta.remaining = static_cast<std::int64_t>(range.size() - seen);
  return chunk;
}

// The key in a token is relative to what was listed: a namespace, or everything.
std::string cache_start(const ListPlan& plan, const std::string& ns) {
  if (plan.start.empty() || ns.empty()) return plan.start;
  return ns + "/" + plan.start;
}

// The state did not survive compaction. Whoever reads chunks may go on with what is there now.
Result<http::Response> too_old(const RequestScope& scope, const ListPlan& plan) {
  if (!plan.continued) return Error(Reason::Expired, std::string(kListTooOld));
  const Error error(Reason::Expired, std::string(kContinueTooOld));
  ContinueToken token;
  token.revision = -1;
  token.start = plan.start;
  Value status = to_status(error);
  status = status.with("metadata", Value::object({{"continue", encode_continue(token)}}));
  return object_response(scope, error.code(), Object(std::move(status)));
}

// Lists call it a bad request, everything else an error without reason.
Error unreadable_revision(const Error& error) {
  return Error(Reason::Unknown, error.message()).with_code(500);
}

Duration watch_duration(const Context& context, const ListOptions& options) {
  if (options.timeout_seconds > 0) return std::chrono::seconds(options.timeout_seconds);
  const auto random = static_cast<std::int64_t>(context.executor().random().below(kMinimumWatchSeconds));
  return std::chrono::seconds(kMinimumWatchSeconds + random);
}

}  // namespace

Result<http::Response> RestHandler::get(const Request& request) {
  const RequestScope& scope = request.scope;
  OutputOffer offer = offer_of(*request.resource);
  offer.metadata = true;
  ASSIGN_OR_RETURN(const ObjectEncoder encoder, encoder_for(scope, request.resource, offer));
  const auto revision = parse_resource_version(scope.query.get("resourceVersion"));
  if (!revision.ok()) return unreadable_revision(revision.error());
  if (*revision > 0) TRY(store_.feed()->catch_up(scope.context, *revision));
  ASSIGN_OR_RETURN(const StoredObjectPtr found,
                   store_.find(scope.context, *request.resource, scope.info.namespace_, scope.info.name));
  if (found == nullptr) return not_found(*request.resource, scope.info.name);
  ASSIGN_OR_RETURN(http::Bytes body, encoder.single(*found));
  return encoded_response(200, encoder.output(), {std::move(body)});
}

Result<http::Response> RestHandler::list(const Request& request) {
  const RequestScope& scope = request.scope;
  const ResourceDescriptor& resource = *request.resource;
  OutputOffer offer = offer_of(resource);
  offer.metadata_list = true;
  ASSIGN_OR_RETURN(const ObjectEncoder encoder, encoder_for(scope, request.resource, offer));
  ASSIGN_OR_RETURN(const ListPlan plan, plan_list(scope.query));
  ASSIGN_OR_RETURN(const ObjectFilter filter,
                   ObjectFilter::make(resource, scope.info.namespace_, "", plan.options.label_selector,
                                      plan.options.field_selector));
  if (plan.linearizable) TRY(store_.feed()->catch_up(scope.context));
  const store::Revision needed = std::max(plan.exact, plan.not_older);
  if (needed > 0) TRY(store_.feed()->catch_up(scope.context, needed));
  ASSIGN_OR_RETURN(const auto cache, store_.cache(scope.context, resource));

  // The rule decides, not the luck that nothing has changed since: clients must be able to count on it.
  if (plan.exact != 0 && plan.exact < store_.feed()->backend().compacted_revision()) return too_old(scope, plan);
  const CacheSnapshot snapshot = cache->snapshot(store_.feed()->progress());
  Chunk chunk;
  // The cache knows the newest state only, which is also that of every revision since its last change.
  if (plan.exact == 0 || snapshot.last_change <= plan.exact) {
    const store::Revision revision = plan.exact == 0 ? snapshot.revision : plan.exact;
    chunk =
        cut_chunk(snapshot.range(filter.namespace_(), cache_start(plan, filter.namespace_())), filter, plan, revision);
  } else {
    auto old = store_.snapshot_at(scope.context, resource, filter.namespace_(), plan.exact);
    if (!old.ok() && old.error().reason() == Reason::Expired) return too_old(scope, plan);
    TRY(old);
    chunk =
        cut_chunk(old->range(filter.namespace_(), cache_start(plan, filter.namespace_())), filter, plan, plan.exact);
  }
  if (encoder.copies() && ListStream::fits(chunk.objects)) {
    http::Response response = encoded_response(200, encoder.output(), {});
    response.source = std::make_unique<ListStream>(encoder, std::move(chunk.objects), std::move(chunk.meta));
    return response;
  }
  ASSIGN_OR_RETURN(std::vector<http::Bytes> body, encoder.list(chunk.objects, chunk.meta));
  return encoded_response(200, encoder.output(), std::move(body));
}

Result<http::Response> RestHandler::watch(const Request& request) {
  const RequestScope& scope = request.scope;
  const ResourceDescriptor& resource = *request.resource;
  OutputOffer offer = offer_of(resource);
  offer.metadata = true;
  offer.metadata_list = true;
  offer.yaml = false;
  ASSIGN_OR_RETURN(ObjectEncoder encoder, encoder_for(scope, request.resource, offer));
  ASSIGN_OR_RETURN(const ListOptions options, read_list_options(scope.query, true));
  const std::string path_name = scope.info.field_selector.empty() ? scope.info.name : "";
  const std::string selected = name_in_field_selector(options.field_selector);
  if (!selected.empty() && selected != scope.info.name) {
    return bad_request("fieldSelector metadata.name doesn't match requested name");
  }
  ASSIGN_OR_RETURN(ObjectFilter filter, ObjectFilter::make(resource, scope.info.namespace_, path_name,
                                                           options.label_selector, options.field_selector));
  auto revision = parse_resource_version(options.resource_version);
  if (!revision.ok()) return unreadable_revision(revision.error());
  const auto& feed = store_.feed();
  WatchStart start;
  start.bookmarks = options.allow_watch_bookmarks;
  start.deadline = scope.context.clock().monotonic() + watch_duration(scope.context, options);
  const bool initial = options.send_initial_events.value_or(*revision == 0);
  if (initial && (options.resource_version.empty() || *revision > 0)) {
    auto caught_up = *revision > 0 ? feed->catch_up(scope.context, *revision) : feed->catch_up(scope.context);
    if (!caught_up.ok()) start.error = caught_up.error();
  }
  ASSIGN_OR_RETURN(auto cache, store_.cache(scope.context, resource));
  auto watcher = std::make_shared<Watcher>(std::move(filter));
  const store::Revision after = initial ? 0 : *revision;
  start.initial = cache->add_watcher(watcher, feed->progress(), after);
  start.tell_initial = initial;
  start.mark_initial_end = initial && options.send_initial_events.value_or(false) && start.bookmarks;
  // History is needed only when something has changed since the asked revision.
  if (!initial && *revision > 0 && *revision < start.initial.last_change && !start.error) {
    const std::string prefix = storage_key(resource, watcher->filter().namespace_(), "");
    auto backlog = feed->backend().watch(scope.context, store::KeyRange::prefix(prefix), *revision);
    if (backlog.ok()) {
      start.backlog = std::move(backlog).value();
      start.backlog_end = start.initial.revision;
    } else if (backlog.error().reason() == Reason::Expired) {
      start.error = Error(Reason::Expired, "too old resource version: " + std::to_string(*revision) + " (" +
                                               std::to_string(feed->backend().compacted_revision()) + ")");
    } else {
      start.error = backlog.error();
    }
  }
  http::Response response;
  response.headers.set("Content-Type", encoder.output().stream_content_type());
  response.source =
      std::make_unique<WatchStream>(feed, std::move(cache), std::move(watcher), std::move(encoder), std::move(start));
  return response;
}

}  // namespace coracle::kube::apiserver
