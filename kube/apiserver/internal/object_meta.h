#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "kube/apiserver/internal/resource.h"
#include "kube/object/names.h"

namespace coracle::kube::apiserver {

// A generated name is the prefix, cut to 58 characters, and this many random ones.
inline constexpr std::size_t kGeneratedSuffix = 5;
inline constexpr std::size_t kGeneratedPrefix = 58;
inline constexpr unsigned kGenerateNameAttempts = 8;

// What every new object gets from the server: uid, creation time, namespace; what no client may set
// is taken away (rest.FillObjectMetaSystemFields and BeforeCreate).
Object fill_new_metadata(const Object& object, std::string_view ns, bool namespaced, WallTime now, Random& random);
// A name from metadata.generateName; the object unchanged when it has a name or no prefix.
Object generate_name(const Object& object, Random& random);
// What an update may not change is taken from the old object (rest.BeforeUpdate). Without
// resourceVersion: comparisons and storage do not know it.
Object keep_system_metadata(const Object& object, const Object& old);

// Finalizers of built-in kinds have a domain, but for the standard ones.
NameErrors check_finalizer_domain(std::string_view finalizer);

// Upstream's ObjectMeta validation. `check_name` replaces the DNS subdomain rule where set.
void validate_metadata(const ResourceDescriptor& resource, const Object& object, FieldErrors& errors);
void validate_metadata_update(const ResourceDescriptor& resource, const Object& object, const Object& old,
                              FieldErrors& errors);
// Exact duplicates among ownerReferences are dropped, with a warning each. `patched`: upstream looks at what a patch
// made, and says so.
Object drop_duplicate_owners(const Object& object, std::vector<std::string>* warnings, bool patched = false);

}  // namespace coracle::kube::apiserver
