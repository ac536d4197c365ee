#pragma once

#include <string_view>

#include "kube/schema/schema.h"

namespace coracle::kube::apiserver {

// Whether reading a custom resource's stored text along its schema would change nothing: it has no field that the
// schema lacks, no null that stands for nothing, and complete metadata. One pass over the text that builds nothing, so
// that what was written under this very schema (nearly everything) need not be parsed. Says no where it is in doubt.
bool fits_schema(std::string_view json, const Schema& schema);

}  // namespace coracle::kube::apiserver
