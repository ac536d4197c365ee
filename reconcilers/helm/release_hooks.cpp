#include "reconcilers/helm/release_hooks.h"

#include <algorithm>

#include "kube/object/conditions.h"

namespace coracle::reconcilers {
namespace {

constexpr Duration kHookPoll = std::chrono::milliseconds(250);
constexpr std::string_view kBeforeCreation = "before-hook-creation";
constexpr std::string_view kSucceeded = "hook-succeeded";
constexpr std::string_view kFailed = "hook-failed";

bool has_item(const std::vector<std::string>& items, std::string_view wanted) {
  return std::find(items.begin(), items.end(), wanted) != items.end();
}

std::string named(const ReleaseObject& object) {
  return std::string(object.object.kind()) + " " + object.object.key().text();
}

// Nothing while it runs.
std::optional<Result<void>> hook_outcome(const kube::Object& object) {
  const Value& status = object["status"];
  const std::string name = std::string(object.kind()) + " " + object.key().text();
  if (object.kind() == "Job") {
    if (kube::condition_is_true(status["conditions"], "Complete")) return Result<void>();
    if (!kube::condition_is_true(status["conditions"], "Failed")) return std::nullopt;
    return Error(
        Reason::Invalid,
        name + " failed: " + std::string(kube::find_condition(status["conditions"], "Failed")["reason"].as_string()));
  }
  if (object.kind() == "Pod") {
    const std::string_view phase = status["phase"].as_string();
    if (phase == "Succeeded") return Result<void>();
    if (phase != "Failed") return std::nullopt;
    return Error(Reason::Invalid, name + " failed: " + std::string(status["message"].as_string()));
  }
  return Result<void>();
}

Result<void> poll_hook(const Context& context, const ReleaseApplier& applier, const ReleaseObject& object) {
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<kube::Object> found, applier.live(context, object));
    if (!found) return Error(Reason::NotFound, named(object) + " went away before it had ended");
    if (std::optional<Result<void>> outcome = hook_outcome(*found)) return *outcome;
    TRY(context.sleep(kHookPoll));
  }
}

Result<void> wait_for_hook(const Context& context, const ReleaseApplier& applier, const HookSettings& settings,
                           const ReleaseObject& object) {
  Result<void> ended = settings.turn.wait(context, [&](const Context& waiting) {
    return poll_hook(waiting.with_timeout(settings.timeout), applier, object);
  });
  if (ended.ok()) return ended;
  if (ended.error().reason() == Reason::Timeout) {
    return ended.error().in(named(object) + " has not ended within " + format_duration(settings.timeout));
  }
  if (ended.error().reason() == Reason::Canceled && settings.turn.outdated()) {
    return canceled("the HelmChart has changed before " + named(object) + " had ended");
  }
  return ended;
}

// One that does not go, for its finalizers, must not keep the chart for ever.
Result<void> delete_and_wait(const Context& context, const ReleaseApplier& applier, const HookSettings& settings,
                             const ReleaseObject& object) {
  TRY(applier.start_deletion(context, object));
  return settings.turn.wait(context, [&](const Context& waiting) {
    return applier.wait_until_deleted(waiting.with_timeout(settings.timeout), object);
  });
}

Result<void> run_hook(const Context& context, const ReleaseApplier& applier, const HookSettings& settings,
                      charts::ReleaseHook& entry, const ReleaseObjects& objects) {
  for (const ReleaseObject& object : objects) {
    if (deletes_hook(entry.hook, kBeforeCreation)) TRY(delete_and_wait(context, applier, settings, object));
    TRY(applier.apply_one(context, object, Value::object(), settings.mode));
  }
  for (const ReleaseObject& object : objects) TRY(wait_for_hook(context, applier, settings, object));
  return {};
}

Result<void> delete_hook(const Context& context, const ReleaseApplier& applier, const HookSettings& settings,
                         const charts::Hook& hook, std::string_view moment) {
  if (!deletes_hook(hook, moment)) return {};
  ASSIGN_OR_RETURN(const ReleaseObjects objects, applier.place(context, hook.text, settings.namespace_, true));
  for (const ReleaseObject& object : objects) TRY(delete_and_wait(context, applier, settings, object));
  return {};
}

}  // namespace

std::vector<charts::ReleaseHook*> hooks_of_event(std::vector<charts::ReleaseHook>& hooks, std::string_view event) {
  std::vector<charts::ReleaseHook*> selected;
  for (charts::ReleaseHook& entry : hooks) {
    if (has_item(entry.hook.events, event)) selected.push_back(&entry);
  }
  std::stable_sort(selected.begin(), selected.end(), [](const auto* left, const auto* right) {
    return std::tie(left->hook.weight, left->hook.name) < std::tie(right->hook.weight, right->hook.name);
  });
  return selected;
}

bool deletes_hook(const charts::Hook& hook, std::string_view moment) {
  if (hook.kind == "CustomResourceDefinition") return false;
  if (hook.delete_policies.empty()) return moment == kBeforeCreation;
  return has_item(hook.delete_policies, moment);
}

Result<void> run_hooks(const Context& context, const ReleaseApplier& applier, const HookSettings& settings,
                       std::vector<charts::ReleaseHook>& hooks, std::string_view event) {
  const std::vector<charts::ReleaseHook*> selected = hooks_of_event(hooks, event);
  std::vector<const charts::Hook*> succeeded;
  for (charts::ReleaseHook* entry : selected) {
    ASSIGN_OR_RETURN(const ReleaseObjects objects,
                     applier.place(context, entry->hook.text, settings.namespace_, false));
    entry->last_run = {context.clock().wall(), std::nullopt, "Running"};
    const Result<void> done = run_hook(context, applier, settings, *entry, objects);
    entry->last_run.completed_at = context.clock().wall();
    entry->last_run.phase = done.ok() ? "Succeeded" : "Failed";
    if (done.ok()) {
      succeeded.push_back(&entry->hook);
      continue;
    }
    const auto clean_up = [&](const charts::Hook& hook, std::string_view moment) {
      Result<void> deleted = delete_hook(context, applier, settings, hook, moment);
      deleted.ignore("the failure itself is what must be told");
    };
    clean_up(entry->hook, kFailed);
    for (const charts::Hook* hook : succeeded) clean_up(*hook, kSucceeded);
    return done.error().in(std::string(event) + " hooks failed: hook " + entry->hook.source);
  }
  // What came last may need what came first until it is gone.
  for (auto hook = succeeded.rbegin(); hook != succeeded.rend(); ++hook) {
    TRY(delete_hook(context, applier, settings, **hook, kSucceeded));
  }
  return {};
}

}  // namespace coracle::reconcilers
