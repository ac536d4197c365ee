#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coracle::kube::apiserver {

// What is wrong with a cron schedule of five fields or a descriptor ("@daily", "@every 1h"); empty
// when nothing is. https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
std::string cron_schedule_fault(std::string_view schedule);

// What is wrong with the name of a time zone, by the machine's zoneinfo files; without any, every name that could be
// one is good.
std::vector<std::string> time_zone_faults(std::string_view zone);

}  // namespace coracle::kube::apiserver
