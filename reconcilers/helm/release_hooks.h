#pragma once

#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "charts/release.h"
#include "reconcilers/helm/chart_turns.h"
#include "reconcilers/helm/release_objects.h"

namespace coracle::reconcilers {

// The hooks of an event in the order in which they run: by weight, then by name.
std::vector<charts::ReleaseHook*> hooks_of_event(std::vector<charts::ReleaseHook>& hooks, std::string_view event);

// Whether a hook's object is deleted at that moment ("before-hook-creation", "hook-succeeded",
// "hook-failed"). Definitions never are, since their objects would go with them.
bool deletes_hook(const charts::Hook& hook, std::string_view moment);

struct HookSettings {
  std::string namespace_;  // of the release
  WriteMode mode;
  Duration timeout;  // for each hook
  ChartTurns::Turn& turn;
};

// Runs the hooks of an event one after another, each until it has ended, and notes the runs in `hooks`.
// The first failure ends it. Objects go as their policies say, those of succeeded hooks when the event is over, in
// whatever way: after a success backwards. Jobs and Pods are waited for, everything else succeeds when it is applied.
// Canceled when the turn is outdated meanwhile.
Result<void> run_hooks(const Context& context, const ReleaseApplier& applier, const HookSettings& settings,
                       std::vector<charts::ReleaseHook>& hooks, std::string_view event);

}  // namespace coracle::reconcilers
