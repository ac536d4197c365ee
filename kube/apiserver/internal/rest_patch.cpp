#include <utility>

#include "kube/apiserver/internal/managed_fields.h"
#include "kube/apiserver/internal/patch_body.h"
#include "kube/apiserver/internal/responses.h"
#include "kube/apiserver/internal/rest_handler.h"

namespace coracle::kube::apiserver {

namespace {

constexpr unsigned kPatchRetries = 5;

// What an apply request may send at all.
Result<void> check_applied(const RequestScope& scope, const ResourceDescriptor& resource, const Object& applied) {
  const GroupVersionKind gvk = applied.gvk();
  if (gvk != resource.gvk) {
    return bad_request("invalid object type: " + gvk.group + "/" + gvk.version + ", Kind=" + gvk.kind);
  }
  const std::string& name = scope.info.name;
  if (!applied.name().empty() && applied.name() != name) {
    return bad_request("the name of the object (" + std::string(applied.name()) +
                       ") does not match the name on the URL (" + name + ")");
  }
  if (!applied.namespace_().empty() && applied.namespace_() != scope.info.namespace_) {
    return namespace_mismatch();
  }
  if (!applied.metadata()["managedFields"].is_null()) return bad_request("metadata.managedFields must be nil");
  return {};
}

Error uid_mismatch(const ResourceDescriptor& resource, const Object& applied, const std::string& name) {
  return conflict(resource, name,
                  "uid mismatch: the provided object specified uid " + std::string(applied.uid()) +
                      ", and no existing object was found");
}

}  // namespace

Result<http::Response> RestHandler::patch(const Request& request) {
  RequestScope& scope = request.scope;
  const ResourceDescriptor& resource = *request.resource;
  ASSIGN_OR_RETURN(const PatchFormat format, patch_format(scope.request, resource.custom));
  TRY(check_patch_options(scope.query, format));
  ASSIGN_OR_RETURN(const WriteRequest write, write_request(scope, resource, "PatchOptions"));
  if (format == PatchFormat::Apply) return apply_patch(request, write);
  ASSIGN_OR_RETURN(const PatchBody body, read_patch_body(scope.request, resource.custom));
  UpdateOptions options;
  options.retries = kPatchRetries;
  const auto change = [&](const Object* current) -> Result<Object> {
    if (current == nullptr) return not_found(resource, write.name);
    return apply_patch_body(scope, body, resource.gvk, resource.schema(), resource.custom, *current);
  };
  ASSIGN_OR_RETURN(const WriteResult result, store_.update(write, options, change));
  return write_answer(request, result, 200);
}

Result<http::Response> RestHandler::apply_patch(const Request& request, const WriteRequest& write) {
  RequestScope& scope = request.scope;
  const ResourceDescriptor& resource = *request.resource;
  ASSIGN_OR_RETURN(const PatchBody body, read_patch_body(scope.request, resource.custom));
  const Object applied{body.patch};
  TRY(check_applied(scope, resource, applied));
  const bool force = query_flag(scope.query, "force").value_or(false);
  UpdateOptions options;
  options.retries = kPatchRetries;
  options.create_if_missing = scope.info.subresource.empty();
  options.tracks_managed_fields = false;
  const auto change = [&](const Object* current) -> Result<Object> {
    const WallTime now = scope.context.clock().wall();
    if (current == nullptr && applied.name().empty()) {
      return bad_request("the name of the object (" + write.name +
                         " based on URL) was undeterminable: name must be provided");
    }
    if (current == nullptr && !applied.uid().empty()) return uid_mismatch(resource, applied, write.name);
    ASSIGN_OR_RETURN(const Object merged, apply_managed_fields({resource, write.field_manager, write.subresource, now},
                                                               current, applied, force));
    ASSIGN_OR_RETURN(Object object, complete_applied(merged, resource.schema(), resource.custom, now));
    if (current == nullptr && resource.namespaced) object = object.with_metadata("namespace", write.namespace_);
    return object;
  };
  ASSIGN_OR_RETURN(const WriteResult result, store_.update(write, options, change));
  return write_answer(request, result, result.created ? 201 : 200);
}

}  // namespace coracle::kube::apiserver
