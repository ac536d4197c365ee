#pragma once

#include <string_view>

#include "base/http/message.h"
#include "base/result.h"
#include "kube/apiserver/internal/request_scope.h"
#include "kube/apiserver/internal/resource.h"

namespace coracle::kube::apiserver {

enum class PatchFormat : std::uint8_t { Json, Merge, Strategic, Apply };

// The format that Content-Type names. UnsupportedMediaType in upstream's two wordings.
Result<PatchFormat> patch_format(const http::Request& request, bool custom);

// A PATCH body, read once and applied to whatever is current.
struct PatchBody {
  PatchFormat format = PatchFormat::Merge;
  Value patch;
  std::vector<std::string> findings = {};  // repeated and unknown members, as strict decoding names them
};
Result<PatchBody> read_patch_body(const http::Request& request, bool custom);

// Errors of query options that go with patches: force and fieldManager.
Result<void> check_patch_options(const http::Query& query, PatchFormat format);

// The patched object in canonical form with its defaults. Unknown fields are reported by
// ?fieldValidation=. Not for apply.
Result<Object> apply_patch_body(RequestScope& scope, const PatchBody& body, const GroupVersionKind& gvk,
                                const Schema* schema, bool custom, const Object& current);

// Canonical form and defaults of an object that was put together from parts.
Result<Object> complete_object(const Object& object, const Schema* schema, bool custom, WallTime now,
                               std::vector<std::string>* findings);
// The same for what an apply has made: a null that a custom object was given on purpose stays for validation to judge,
// where no default takes its place.
Result<Object> complete_applied(const Object& object, const Schema* schema, bool custom, WallTime now);

}  // namespace coracle::kube::apiserver
