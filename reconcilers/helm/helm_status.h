#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/value.h"

namespace coracle::reconcilers {

// How an attempt at a HelmChart ended.
struct HelmOutcome {
  bool failed = false;
  std::string message;                   // the whole error text, or what is deployed
  std::string reason = "ReleaseFailed";  // of the condition Failed while it is true
  static HelmOutcome failure(const Error& error);
};

// Failed for want of a kind that a definition may bring, perhaps one of another chart.
bool waits_for_definition(const Value& conditions);

// status.conditions while something is waited for: "fetching the chart from charts.example.com". Pure.
Value plan_helm_progress(const Value& conditions, std::string_view doing, WallTime now);

// status.conditions after an outcome. Scripts wait for JobCreated, so it is there although no Job is; its
// message names the fields that have no effect. Pure.
Value plan_helm_conditions(const Value& conditions, const HelmOutcome& outcome,
                           const std::vector<std::string>& without_effect, WallTime now);

}  // namespace coracle::reconcilers
