#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kube/apiserver/internal/resource.h"
#include "kube/object/field_path.h"

namespace coracle::kube::apiserver {

// The spec of a job or of a cron job's template, but for its selector.
void check_job_spec(const Value& spec, const FieldPath& path, FieldErrors& errors);

// The policies of a job as upstream's messages show them.
Value internal_failure_policy(const Value& policy);
Value internal_success_policy(const Value& policy);

// A list of pod indexes below `completions`, "0,3-5".
struct JobIndexes {
  std::vector<std::pair<std::int64_t, std::int64_t>> intervals;  // those that can be read, both ends included
  std::int64_t count = 0;
  std::string fault;  // the first; empty for a good list
};
JobIndexes read_job_indexes(std::string_view list, std::int64_t completions);

// What a controller may write into the status of a job: only what has changed is looked at.
void check_job_status(const Object& object, const Object& old, FieldErrors& errors);

}  // namespace coracle::kube::apiserver
