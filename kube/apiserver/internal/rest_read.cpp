#include <algorithm>
#include <utility>

#include "base/executor.h"
#include "base/http/websocket.h"
#include "kube/apiserver/internal/identity/authentication_token.h"
#include "kube/apiserver/internal/list_chunk.h"
#include "kube/apiserver/internal/list_options.h"
#include "kube/apiserver/internal/list_stream.h"
#include "kube/apiserver/internal/object_filter.h"
#include "kube/apiserver/internal/responses.h"
#include "kube/apiserver/internal/rest_handler.h"
#include "kube/apiserver/internal/watch_stream.h"
#include "kube/object/selector.h"
#include "kube/object/status.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::int64_t kMinimumWatchSeconds = 1800;

// The state did not survive compaction. Whoever reads chunks may go on with what is there now.
Result<http::Response> too_old(const RequestScope& scope, const ListPlan& plan, const Error& error) {
  if (!plan.continued) return error;
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

// To a watch no subprotocol means anything, but browsers end a connection that takes none of those that they offer.
// One that carries a token is not for sending back.
std::string_view watch_protocol(const http::Request& request) {
  for (const std::string_view protocol : http::websocket::offered_protocols(request)) {
    if (!is_token_protocol(protocol)) return protocol;
  }
  return {};
}

http::Response watch_response(const http::Request& request, const OutputType& output,
                              std::unique_ptr<WatchStream> stream) {
  if (!http::websocket::is_requested(request)) {
    http::Response response;
    response.headers.set("Content-Type", output.stream_content_type());
    response.source = std::move(stream);
    return response;
  }
  http::Response response = http::websocket::accept(request, watch_protocol(request));
  if (response.status != 101) return response;
  const bool binary = output.encoding == MediaType::Protobuf;
  response.duplex = http::websocket::make_message_stream(
      std::move(stream), binary ? http::websocket::Opcode::Binary : http::websocket::Opcode::Text);
  return response;
}

// The name of the request is what was authorized: a field selector may say other things only if it repeats the name.
Result<void> check_selected_name(std::string_view name, std::string_view field_selector) {
  if (name.empty() || field_selector.empty()) return {};
  ASSIGN_OR_RETURN(const FieldSelector selector, FieldSelector::parse(field_selector));
  if (selector.empty() || selector.required_value("metadata.name") == name) return {};
  return bad_request("fieldSelector metadata.name doesn't match requested name");
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
                   ObjectFilter::make(resource, scope.info.namespace_, scope.info.name, plan.options.label_selector,
                                      plan.options.field_selector));
  TRY(check_selected_name(scope.info.name, plan.options.field_selector));
  Result<ListChunk> found = read_list_chunk(scope.context, store_, resource, filter, plan);
  if (!found.ok() && found.error().reason() == Reason::Expired) return too_old(scope, plan, found.error());
  ASSIGN_OR_RETURN(ListChunk chunk, std::move(found));
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
  ASSIGN_OR_RETURN(ObjectFilter filter, ObjectFilter::make(resource, scope.info.namespace_, scope.info.name,
                                                           options.label_selector, options.field_selector));
  TRY(check_selected_name(scope.info.name, options.field_selector));
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
  // Asked once the watcher is in the cache, whose end it would share otherwise.
  if (feed->watches_end()) start.deadline = scope.context.clock().monotonic();
  if (http::websocket::is_requested(scope.request)) encoder.send_messages();
  const OutputType output = encoder.output();
  return watch_response(
      scope.request, output,
      std::make_unique<WatchStream>(feed, std::move(cache), std::move(watcher), std::move(encoder), std::move(start)));
}

}  // namespace coracle::kube::apiserver
