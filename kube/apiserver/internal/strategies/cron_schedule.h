#pragma once

#include <string>
#include <string_view>

namespace coracle::kube::apiserver {

// What is wrong with a cron schedule of five fields or a descriptor ("@daily", "@every 1h"); empty
// when nothing is. https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
std::string cron_schedule_fault(std::string_view schedule);

}  // namespace coracle::kube::apiserver
