#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "kube/object/object.h"

// The annotation that remembers what was applied last, as k3s's libraries write it: later passes find in it the fields
// and items that have left the file.
namespace coracle::kube {

inline constexpr std::string_view kAppliedAnnotation = "objectset.rio.cattle.io/applied";

// Long texts are cut, so that large objects fit into the annotation: which fields there were is what counts. The keys
// of lists' items stay whole.
Value cut_for_record(const Value& tree);

// The value of the annotation: cut, JSON, gzip, base64 without padding.
std::string encode_applied(const Object& object);
// Takes plain JSON and padded base64 as well.
Result<Value> decode_applied(std::string_view annotation);

}  // namespace coracle::kube
