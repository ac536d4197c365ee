#include "reconcilers/git/kustomization_status.h"

#include <utility>

#include "base/json/json.h"
#include "base/tls/crypto.h"

namespace coracle::reconcilers {
namespace {

constexpr std::size_t kMaxHistory = 5;

}  // namespace

Value plan_kustomization_status(const kube::Object& kustomization, const Attempt& attempt, WallTime now) {
  const Value& before = kustomization["status"];
  const std::int64_t generation = kustomization.generation();
  Value::ObjectBuilder status(before);
  Value conditions = plan_flux_conditions(before["conditions"], attempt.outcome, generation, now);
  if (attempt.health) {
    const HealthVerdict& health = *attempt.health;
    conditions = with_flux_condition(conditions, health.asked,
                                     {"Healthy", health.status, health.reason, health.message}, generation, now);
  }
  status.set("conditions", conditions);
  if (is_final(attempt.outcome)) status.set("observedGeneration", generation);
  set_handled_request(status, kustomization);
  if (!attempt.revision.empty()) status.set("lastAttemptedRevision", attempt.revision);
  if (attempt.applied) status.set("lastAppliedRevision", attempt.revision);
  if (attempt.inventory) status.set("inventory", kube::inventory_value(*attempt.inventory));
  Value planned = std::move(status).build();
  if (!attempt.snapshot) return planned;
  const Value& latest = before["history"].at(0);
  const bool known = latest["digest"].as_string() == attempt.snapshot->digest &&
                     latest["lastReconciledStatus"].as_string() == attempt.outcome.reason;
  // A round that finds everything as it was is not counted: to count it would be a write at every interval.
  if (known && planned == before) return planned;
  return planned.with(
      "history", plan_history(before["history"], *attempt.snapshot, attempt.revision, attempt.outcome.reason, now));
}

Value plan_history(const Value& history, const Snapshot& snapshot, const std::string& revision,
                   const std::string& reason, WallTime now) {
  const std::string time = format_time(now);
  std::string first = time;
  std::int64_t total = 1;
  std::vector<Value> entries(1);
  for (const Value& entry : history.items()) {
    const bool same =
        entry["digest"].as_string() == snapshot.digest && entry["lastReconciledStatus"].as_string() == reason;
    if (same) {
      first = entry["firstReconciled"].as_string();
      total += entry["totalReconciliations"].as_int();
    } else if (entries.size() < kMaxHistory) {
      entries.push_back(entry);
    }
  }
  entries.front() = Value::object({{"digest", snapshot.digest},
                                   {"firstReconciled", first},
                                   {"lastReconciled", time},
                                   {"lastReconciledDuration", format_duration(snapshot.took)},
                                   {"lastReconciledStatus", reason},
                                   {"metadata", Value::object({{"revision", revision}})},
                                   {"totalReconciliations", total}});
  return Value::array(std::move(entries));
}

std::string digest_of(const std::vector<kube::Object>& objects) {
  std::string text;
  for (const kube::Object& object : objects) text += json::write_sorted(object.tree()) + "\n";
  return "sha256:" + crypto::sha256_hex(text);
}

}  // namespace coracle::reconcilers
