#include "kube/apiserver/internal/list_chunk.h"

#include <algorithm>
#include <span>
#include <utility>

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kListTooOld = "The resourceVersion for the provided list is too old.";
constexpr std::string_view kContinueTooOld =
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list.";

ListChunk cut_chunk(std::span<const StoredObjectPtr> range, const ObjectFilter& filter, const ListPlan& plan,
                    store::Revision revision) {
  ListChunk chunk;
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

Error too_old(const ListPlan& plan) {
  return Error(Reason::Expired, std::string(plan.continued ? kContinueTooOld : kListTooOld));
}

}  // namespace

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

Result<ListChunk> read_list_chunk(const Context& context, GenericStore& store, const ResourceDescriptor& resource,
                                  const ObjectFilter& filter, const ListPlan& plan) {
  if (plan.linearizable) TRY(store.feed()->catch_up(context));
  const store::Revision needed = std::max(plan.exact, plan.not_older);
  if (needed > 0) TRY(store.feed()->catch_up(context, needed));
  ASSIGN_OR_RETURN(const auto cache, store.cache(context, resource));

  // The rule decides, not the luck that nothing has changed since: clients must be able to count on it.
  if (plan.exact != 0 && plan.exact < store.feed()->backend().compacted_revision()) return too_old(plan);
  const CacheSnapshot snapshot = cache->snapshot(store.feed()->progress());
  const std::string start = cache_start(plan, filter.namespace_());
  // The cache knows the newest state only, which is also that of every revision since its last change.
  if (plan.exact == 0 || snapshot.last_change <= plan.exact) {
    const store::Revision revision = plan.exact == 0 ? snapshot.revision : plan.exact;
    return cut_chunk(snapshot.range(filter.namespace_(), start), filter, plan, revision);
  }
  const auto old = store.snapshot_at(context, resource, filter.namespace_(), plan.exact);
  if (!old.ok() && old.error().reason() == Reason::Expired) return too_old(plan);
  TRY(old);
  return cut_chunk(old->range(filter.namespace_(), start), filter, plan, plan.exact);
}

}  // namespace coracle::kube::apiserver
