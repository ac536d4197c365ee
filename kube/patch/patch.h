#pragma once

#include "base/result.h"
#include "base/value.h"
#include "kube/schema/schema.h"

// The three patch formats besides server-side apply (apply.h), and how to make such patches.
namespace coracle::kube::patch {

inline constexpr std::size_t kMaxJsonPatchOperations = 10'000;
// What "copy" operations may add in all, in bytes of JSON.
inline constexpr std::size_t kMaxJsonPatchCopiedBytes = 3 * 1024 * 1024;

// RFC 6902. RequestEntityTooLarge beyond the limit, BadRequest for a document that is no patch, and
// Invalid for every operation that fails ("test" included), in the API server's words.
Result<Value> apply_json_patch(const Value& document, const Value& patch);

// RFC 7386.
Value apply_merge_patch(const Value& document, const Value& patch);

// Strategic merge patch with its directives ($patch, $retainKeys, $setElementOrder/,
// $deleteFromPrimitiveList/). Merge keys and strategies come from the schema.
// https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
Result<Value> apply_strategic_patch(const Value& document, const Value& patch, const Schema& schema);

// The patch that takes `live` to `desired` without touching what others added: changes and additions
// come from live and desired, deletions from what `last_applied` had and `desired` has not. An empty
// object when there is nothing to do.
Value three_way_merge_patch(const Value& last_applied, const Value& desired, const Value& live);
Result<Value> three_way_strategic_patch(const Value& last_applied, const Value& desired, const Value& live,
                                        const Schema& schema);

}  // namespace coracle::kube::patch
