#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/http/message.h"
#include "kube/apiserver/internal/request_scope.h"
#include "kube/apiserver/internal/resource_store.h"
#include "kube/object/object.h"

namespace coracle::kube::apiserver {

// The error as a Status in the media type that the request accepts (JSON when none fits).
http::Response error_response(const http::Request& request, const Error& error);
// A Status, a review or anything else that has a built-in kind, in the accepted media type.
Result<http::Response> object_response(const RequestScope& scope, int code, const Object& object);

// The request's body as an object of `gvk` (JSON, YAML or protobuf), defaulted. Missing apiVersion
// and kind are filled in. Unknown and repeated fields are errors or warnings by ?fieldValidation=.
Result<Object> read_body(RequestScope& scope, const GroupVersionKind& gvk, const Schema* schema, bool custom = false);
// What ?fieldValidation= makes of unknown and repeated fields: an error, warnings or nothing.
Result<void> report_findings(RequestScope& scope, const GroupVersionKind& gvk,
                             const std::vector<std::string>& findings);

// The object names another namespace than the path.
Error namespace_mismatch();
// Whether the object carries the name that the URL gives it, in upstream's words.
Result<void> check_name_of_url(const Object& object, std::string_view name);
// The path is served, but not for this method.
Error method_not_allowed();
// What answers no other method than GET.
Result<void> only_gets(const RequestScope& scope);
// The plain page of a path that nobody answers.
http::Response page_not_found();

// "no kind "Foo" is registered for version "v1" in scheme ...", as upstream's decoders say.
std::string unregistered_kind(const GroupVersionKind& gvk);

// What dryRun may list.
void check_dry_run(const Value& values, FieldErrors& errors);

// The write that a request asks for: manager, dry run and warnings from its query and headers.
// Invalid for options that contradict each other.
Result<WriteRequest> write_request(RequestScope& scope, const ResourceDescriptor& resource,
                                   std::string_view options_kind);

}  // namespace coracle::kube::apiserver
