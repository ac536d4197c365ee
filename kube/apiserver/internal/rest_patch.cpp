#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/managed_fields.h"
#include "kube/apiserver/internal/patch_body.h"
#include "kube/apiserver/internal/responses.h"
#include "kube/apiserver/internal/rest_handler.h"

namespace coracle::kube::apiserver {

namespace {

// What an apply request may send at all.
Result<void> check_applied(const RequestScope& scope, const ResourceDescriptor& resource, const Object& applied) {
  const GroupVersionKind gvk = applied.gvk();
  if (gvk != resource.gvk) {
    return bad_request("invalid object type: " + gvk.group + "/" + gvk.version + ", Kind=" + gvk.kind);
  }
  if (!applied.name().empty()) TRY(check_name_of_url(applied, scope.info.name));
  if (!applied.namespace_().empty() && applied.namespace_() != scope.info.namespace_) {
    return namespace_mismatch();
  }
  if (!applied.metadata()["managedFields"].is_null()) return bad_request("metadata.managedFields must be nil");
  return {};
}

// Repeated keys in an applied patch.
Result<void> report_applied(RequestScope& scope, const std::vector<std::string>& findings) {
  const std::string_view validation = scope.query.get("fieldValidation");
  for (const std::string& finding : findings) {
    if (validation == "Strict") {
      return bad_request("error strict decoding YAML: error converting YAML to JSON: " + finding);
    }
    if (validation == "Ignore") continue;
    // The heading, then one problem a line.
    const std::vector<std::string_view> lines = split(finding, '\n');
    for (std::size_t i = 1; i < lines.size(); ++i) scope.warnings.add(std::string(trim(lines[i])));
  }
  return {};
}

// What has the right shape, but not a value that the type can hold.
Error unconvertible(const ResourceDescriptor& resource, const Object& applied, const Error& why) {
  if (why.reason() != Reason::BadRequest) return why;
  const std::string type = resource.gvk.api_version() + ", Kind=" + resource.gvk.kind;
  const std::string shown = (resource.gvk.group.empty() ? "/" : "") + type;
  constexpr std::string_view kField = " into Go struct field ", kType = " of type ";
  std::string message = why.message();
  const std::size_t field = message.find(kField), at = message.rfind(kType);
  if (field != std::string::npos && at != std::string::npos) {
    message = message.substr(0, field) + " into Go value" + message.substr(at);
  }
  return Error(Reason::Unknown, "failed to convert new object (" + std::string(applied.namespace_()) + "/" +
                                    std::string(applied.name()) + "; " + shown +
                                    ") to proper version: unable to convert unstructured object to " + shown + ": " +
                                    message)
      .with_code(500);
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
  auto read = read_patch_body(scope.request, resource.custom);
  if (!read.ok()) {
    // Whether there is anything to patch is the first question.
    ASSIGN_OR_RETURN(const StoredObjectPtr there, store_.find(scope.context, resource, write.namespace_, write.name));
    return there == nullptr ? not_found(resource, write.name) : read.error();
  }
  const PatchBody body = std::move(read).value();
  UpdateOptions options;
  options.patched = true;
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
  TRY(report_applied(scope, body.findings));
  const Object applied{body.patch};
  TRY(check_applied(scope, resource, applied));
  const bool force = query_flag(scope.query, "force").value_or(false);
  UpdateOptions options;
  options.patched = true;
  options.create_if_missing = scope.info.subresource.empty();
  options.authorize_create = [&] { return authorize_create(scope); };
  options.tracks_managed_fields = false;
  const auto change = [&](const Object* current) -> Result<Object> {
    const WallTime now = scope.context.clock().wall();
    if (current == nullptr) TRY(check_name_of_url(applied, write.name));
    if (current == nullptr && !applied.uid().empty()) return uid_mismatch(resource, applied, write.name);
    ASSIGN_OR_RETURN(const Object merged, apply_managed_fields({resource, write.field_manager, write.subresource, now},
                                                               current, applied, force));
    auto completed = complete_applied(merged, resource.schema(), resource.custom, now);
    if (!completed.ok()) {
      return resource.custom ? completed.error() : unconvertible(resource, applied, completed.error());
    }
    Object object = std::move(completed).value();
    if (current == nullptr && resource.namespaced) object = object.with_metadata("namespace", write.namespace_);
    return object;
  };
  ASSIGN_OR_RETURN(const WriteResult result, store_.update(write, options, change));
  return write_answer(request, result, result.created ? 201 : 200);
}

}  // namespace coracle::kube::apiserver
