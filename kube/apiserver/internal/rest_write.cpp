#include <algorithm>
#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/list_chunk.h"
#include "kube/apiserver/internal/object_meta.h"
#include "kube/apiserver/internal/responses.h"
#include "kube/apiserver/internal/rest_handler.h"
#include "kube/object/status.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

// A PUT without resourceVersion means whatever is there; it runs again when somebody else was first.
constexpr unsigned kPutRetries = 64;
constexpr std::string_view kDeleteOptionsType = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";

OutputOffer write_offer(const ResourceDescriptor& resource) {
  OutputOffer offer = offer_of(resource);
  offer.metadata = true;
  return offer;
}

// Query parameters count only where there is no body.
Result<DeleteOptions> delete_options_from_query(const http::Query& query) {
  DeleteOptions options;
  if (query.has("propagationPolicy")) options.propagation = query.get("propagationPolicy");
  options.orphan_dependents = query_flag(query, "orphanDependents");
  options.preconditions.uid = if_set(query.get("uid"));
  options.preconditions.resource_version = if_set(query.get("resourceVersion"));
  if (query.has("gracePeriodSeconds")) {
    const std::string text(query.get("gracePeriodSeconds"));
    const auto seconds = parse_int(text);
    if (!seconds) return bad_request("strconv.ParseInt: parsing \"" + text + "\": invalid syntax");
    options.grace_period_seconds = *seconds;
  }
  return options;
}

Result<void> check_delete_options(const DeleteOptions& options, const Value& dry_runs) {
  FieldErrors errors;
  const std::optional<std::string>& policy = options.propagation;
  if (options.orphan_dependents && policy) {
    errors.push_back(field_error::invalid("propagationPolicy", *policy,
                                          "orphanDependents and deletionPropagation cannot be both set"));
  }
  if (policy && *policy != "Foreground" && *policy != "Background" && *policy != "Orphan") {
    constexpr std::string_view kPolicies[] = {"Foreground", "Background", "Orphan", "nil"};
    errors.push_back(field_error::not_supported("propagationPolicy", *policy, kPolicies));
  }
  check_dry_run(dry_runs, errors);
  if (errors.empty()) return {};
  return invalid({"meta.k8s.io", "v1", "DeleteOptions"}, "", errors);
}

// Pods of a job stay when nobody says what becomes of them, which is not what most people expect.
void warn_of_orphans(RequestScope& scope, const ResourceDescriptor& resource, const DeleteOptions& options) {
  if (resource.gvk.group != "batch" || resource.gvk.kind != "Job") return;
  if (options.propagation || options.orphan_dependents) return;
  scope.warnings.add(
      "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or "
      "set propagationPolicy=Orphan to suppress this warning");
}

// Asked by name: what cannot be deleted is Forbidden whether it exists or not.
Result<void> check_deletable(const ResourceDescriptor& resource, const std::string& name) {
  const std::string_view refusal = resource.strategy->deletion_refusal(name);
  if (refusal.empty()) return {};
  return forbidden(resource, name, refusal);
}

}  // namespace

DeleteOptions delete_options_of(const Value& body) {
  DeleteOptions options;
  if (const Value* grace = body.find("gracePeriodSeconds")) options.grace_period_seconds = grace->as_int();
  if (const Value* orphan = body.find("orphanDependents")) options.orphan_dependents = orphan->as_bool();
  const auto text_of = [](const Value* field) {
    return field == nullptr ? std::nullopt : std::optional<std::string>(field->as_string());
  };
  options.propagation = text_of(body.find("propagationPolicy"));
  options.preconditions.uid = text_of(body["preconditions"].find("uid"));
  options.preconditions.resource_version = text_of(body["preconditions"].find("resourceVersion"));
  return options;
}

Result<DeleteOptions> read_delete_options(RequestScope& scope, WriteRequest& write) {
  if (scope.request.body.empty()) {
    ASSIGN_OR_RETURN(DeleteOptions options, delete_options_from_query(scope.query));
    TRY(check_delete_options(options, Value()));
    return options;
  }
  // Clients send options of the group that they speak to; only the kind is certain.
  const Schema* schema = find_builtin_type(kDeleteOptionsType);
  ASSIGN_OR_RETURN(const MediaType media, input_encoding(scope.request, true));
  ASSIGN_OR_RETURN(const Decoded decoded, decode(scope.request.body, media, "", *schema));
  if (!decoded.kind.empty() && decoded.kind != "DeleteOptions") {
    return bad_request("no kind \"" + decoded.kind + "\" is registered for version \"" +
                       (decoded.api_version.empty() ? "meta.k8s.io/v1" : decoded.api_version) +
                       "\" in scheme \"k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27\"");
  }
  const Value& body = decoded.object;
  const DeleteOptions options = delete_options_of(body);
  TRY(check_delete_options(options, body["dryRun"]));
  write.dry_run = !body["dryRun"].empty();
  return options;
}

Result<http::Response> RestHandler::write_answer(const Request& request, const WriteResult& result, int code) {
  ASSIGN_OR_RETURN(const ObjectEncoder encoder,
                   encoder_for(request.scope, request.resource, write_offer(*request.resource)));
  ASSIGN_OR_RETURN(http::Bytes body, encoder.single(*result.object));
  return encoded_response(code, encoder.output(), {std::move(body)});
}

Result<http::Response> RestHandler::create(const Request& request) {
  RequestScope& scope = request.scope;
  const ResourceDescriptor& resource = *request.resource;
  TRY(negotiate_output(scope.request, write_offer(resource)));
  ASSIGN_OR_RETURN(WriteRequest write, write_request(scope, resource, "CreateOptions"));
  ASSIGN_OR_RETURN(Object object, read_named_body(scope, resource, false));
  write.name = object.name();
  ASSIGN_OR_RETURN(const WriteResult result, store_.create(write, std::move(object)));
  return write_answer(request, result, 201);
}

Result<http::Response> RestHandler::update(const Request& request) {
  RequestScope& scope = request.scope;
  const ResourceDescriptor& resource = *request.resource;
  TRY(negotiate_output(scope.request, write_offer(resource)));
  ASSIGN_OR_RETURN(const WriteRequest write, write_request(scope, resource, "UpdateOptions"));
  ASSIGN_OR_RETURN(const Object object, read_named_body(scope, resource, true));
  UpdateOptions options;
  options.create_if_missing = scope.info.subresource.empty() && resource.strategy->allow_create_on_update();
  options.authorize_create = [&] { return authorize_create(scope); };
  options.preconditions.uid = if_set(object.uid());
  options.retries = kPutRetries;
  ASSIGN_OR_RETURN(const WriteResult result,
                   store_.update(write, options, [&](const Object*) -> Result<Object> { return object; }));
  return write_answer(request, result, result.created ? 201 : 200);
}

Result<http::Response> RestHandler::finalize(const Request& request) {
  RequestScope& scope = request.scope;
  const ResourceDescriptor& resource = *request.resource;
  ASSIGN_OR_RETURN(const WriteRequest write, write_request(scope, resource, "UpdateOptions"));
  ASSIGN_OR_RETURN(const Object object, read_named_body(scope, resource, true));
  UpdateOptions options;
  options.skip_prepare = true;
  // Only spec.finalizers is the caller's; the object goes when that was the last thing to hold it.
  const auto change = [&](const Object* current) -> Result<Object> {
    if (current == nullptr) return not_found(resource, write.name);
    const Value& finalizers = object["spec"]["finalizers"];
    const Value& spec = (*current)["spec"];
    const Value next = finalizers.empty() ? spec.without("finalizers") : spec.with("finalizers", finalizers);
    Object changed = current->with("spec", next);
    const std::string_view revision = object.resource_version();
    return revision.empty() ? changed : changed.with_metadata("resourceVersion", revision);
  };
  ASSIGN_OR_RETURN(const WriteResult result, store_.update(write, options, change));
  return write_answer(request, result, 200);
}

Result<http::Response> RestHandler::remove(const Request& request) {
  RequestScope& scope = request.scope;
  const ResourceDescriptor& resource = *request.resource;
  ASSIGN_OR_RETURN(const ObjectEncoder encoder, encoder_for(scope, request.resource, write_offer(resource)));
  ASSIGN_OR_RETURN(WriteRequest write, write_request(scope, resource, "DeleteOptions"));
  ASSIGN_OR_RETURN(const DeleteOptions options, read_delete_options(scope, write));
  warn_of_orphans(scope, resource, options);
  TRY(check_deletable(resource, write.name));
  ASSIGN_OR_RETURN(const DeleteResult result, store_.remove(write, options));
  if (!result.gone || resource.strategy->returns_object_on_delete()) {
    ASSIGN_OR_RETURN(http::Bytes body, encoder.single(*result.object));
    const bool accepted = !result.gone && options.orphan_dependents && !*options.orphan_dependents;
    return encoded_response(accepted ? 202 : 200, encoder.output(), {std::move(body)});
  }
  ErrorDetails details;
  details.name = scope.info.name;
  details.group = resource.gvk.group;
  details.kind = resource.resource;
  details.uid = result.object->uid();
  return object_response(scope, 200, Object(success_status(details)));
}

Result<http::Response> RestHandler::remove_collection(const Request& request) {
  RequestScope& scope = request.scope;
  const ResourceDescriptor& resource = *request.resource;
  OutputOffer offer = offer_of(resource);
  offer.metadata_list = true;
  ASSIGN_OR_RETURN(const ObjectEncoder encoder, encoder_for(scope, request.resource, offer));
  ASSIGN_OR_RETURN(WriteRequest write, write_request(scope, resource, "DeleteOptions"));
  ASSIGN_OR_RETURN(const DeleteOptions options, read_delete_options(scope, write));
  warn_of_orphans(scope, resource, options);
  ASSIGN_OR_RETURN(const ListPlan plan, plan_list(scope.query));
  ASSIGN_OR_RETURN(const ObjectFilter filter,
                   ObjectFilter::make(resource, scope.info.namespace_, "", plan.options.label_selector,
                                      plan.options.field_selector));
  ASSIGN_OR_RETURN(const ListChunk chunk, read_list_chunk(scope.context, store_, resource, filter, plan));
  for (const StoredObjectPtr& object : chunk.objects) {
    TRY(scope.context.check());
    WriteRequest one = write;
    one.namespace_ = object->namespace_();
    one.name = object->name();
    auto gone = store_.remove(one, options);
    if (!gone.ok() && gone.error().reason() != Reason::NotFound) return gone.error();
  }
  ASSIGN_OR_RETURN(std::vector<http::Bytes> body, encoder.list(chunk.objects, chunk.meta));
  return encoded_response(200, encoder.output(), std::move(body));
}

}  // namespace coracle::kube::apiserver
