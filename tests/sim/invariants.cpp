#include "tests/sim/invariants.h"

#include <algorithm>
#include <vector>

#include "base/json/json.h"
#include "base/text.h"
#include "kube/apply/owner_set.h"

namespace coracle::sim {
namespace {

constexpr std::size_t kDrainBatch = 256;
constexpr std::string_view kStoreRoot = "/registry/";
// An owner may act on what it read this long ago: delays, restarts and back-off lie between.
constexpr Duration kLongestReaction = std::chrono::minutes(5);
// Writes to one object in a whole run, faults and all.
constexpr std::uint64_t kMostWrites = 600;

// Who may take a finalizer away.
struct FinalizerOwner {
  std::string_view finalizer;
  std::string_view actor;
};
constexpr FinalizerOwner kFinalizerOwners[] = {
    {"foregroundDeletion", "garbage-collector"},
    {"orphan", "garbage-collector"},
    {"finalizers.fluxcd.io", "git"},
    {"wrangler.cattle.io/on-helm-chart-remove", "helm"},
    {"customresourcecleanup.apiextensions.k8s.io", "apiserver"},
    {"kubernetes", "namespace"},
    {"kubernetes.io/pvc-protection", "storage-protection"},
    {"kubernetes.io/pv-protection", "storage-protection"},
    {"kubernetes.io/vac-protection", "storage-protection"},
};

bool may_remove(std::string_view finalizer, const Writer& writer) {
  // A DELETE with another policy changes these two (rest.BeforeDelete), whoever sends it.
  if (writer.method == "DELETE" && (finalizer == "foregroundDeletion" || finalizer == "orphan")) return true;
  for (const FinalizerOwner& owner : kFinalizerOwners) {
    if (owner.finalizer == finalizer) return owner.actor == writer.actor;
  }
  return writer.actor == "user";
}

std::vector<std::string> finalizers_of(const kube::Object* object) {
  std::vector<std::string> finalizers;
  if (object == nullptr) return finalizers;
  for (const Value& finalizer : object->metadata()["finalizers"].items())
    finalizers.emplace_back(finalizer.as_string());
  if (object->kind() == "Namespace") {
    for (const Value& finalizer : (*object)["spec"]["finalizers"].items()) {
      finalizers.emplace_back(finalizer.as_string());
    }
  }
  return finalizers;
}

// The owner whose source decides about this object, when `actor` deletes by sources; "" when the object is not the
// actor's at all.
struct SourceActor {
  std::string_view actor;
  std::string (*owner)(const kube::Object& object);
};

std::string manifests_owner(const kube::Object& object) {
  if (!object.has_label(kube::kOwnerHashLabel)) return {};
  return "manifests/" + std::string(object.annotation("objectset.rio.cattle.io/owner-name"));
}

std::string git_owner(const kube::Object& object) {
  const std::string_view name = object.label("kustomize.toolkit.fluxcd.io/name");
  if (name.empty()) return {};
  return "git/" + std::string(object.label("kustomize.toolkit.fluxcd.io/namespace")) + "/" + std::string(name);
}

std::string helm_owner(const kube::Object& object) {
  // Records of releases are the reconciler's own.
  if (object["type"].as_string() == "helm.sh/release.v1") return "helm-record";
  const std::string_view name = object.annotation("meta.helm.sh/release-name");
  if (name.empty()) return {};
  return "helm/" + std::string(object.annotation("meta.helm.sh/release-namespace")) + "/" + std::string(name);
}

constexpr SourceActor kSourceActors[] = {{"manifests", manifests_owner}, {"git", git_owner}, {"helm", helm_owner}};

std::int64_t version_of(const kube::Object& object) {
  return parse_int<std::int64_t>(object.resource_version()).value_or(0);
}

}  // namespace

bool Invariants::Change::begins_deletion() const {
  if (before == nullptr || before->deleting()) return false;
  return removes() || after->deleting();
}

std::string Invariants::Change::text() const {
  return writer.actor + " " + writer.method + " " + key + " at revision " + std::to_string(revision);
}

Invariants::Invariants(const Context& context, ObservedStore& store, Journal& journal, const Sources& sources)
    : context_(context), store_(store), journal_(journal), sources_(sources) {}

Invariants::~Invariants() {
  *alive_ = false;
}

Result<void> Invariants::start() {
  ASSIGN_OR_RETURN(watch_, store_.watch(context_, store::KeyRange::prefix(kStoreRoot), store_.current_revision()));
  // The callback may not call back into the store, so a task of its own does.
  watch_->on_ready([this, alive = alive_] {
    context_.executor().post(Lane::Delivery, [this, alive] {
      if (*alive) drain();
    });
  });
  drain();
  return {};
}

void Invariants::drain() {
  std::vector<store::EventPtr> events;
  do {
    events.clear();
    store::Revision progress = 0;
    Result<void> drained = watch_->drain(events, kDrainBatch, progress);
    if (!drained.ok()) {
      journal_.fail(invariant::kRevisionsGrow, "the watch of the whole store ended: " + drained.error().message());
      return;
    }
    for (const store::EventPtr& event : events) check_event(*event);
  } while (!events.empty());
}

void Invariants::check_event(const store::Event& event) {
  const std::string& key = event.entry.key;
  const store::Revision revision = event.entry.mod_revision;
  const Writer writer = store_.writer_of(revision);
  const bool removed = event.type == store::Event::Type::Delete;
  journal_.note(writer.actor,
                removed                 ? "removed"
                : writer.method.empty() ? "WRITE"
                                        : writer.method,
                key + " r" + std::to_string(revision));
  if (revision <= last_) {
    journal_.fail(invariant::kRevisionsGrow,
                  key + " has revision " + std::to_string(revision) + " after " + std::to_string(last_));
  }
  last_ = std::max(last_, revision);

  const auto known = objects_.find(key);
  std::optional<kube::Object> before;
  if (known != objects_.end()) before = known->second;
  std::optional<kube::Object> after;
  if (!removed) {
    Result<Value> tree = json::read(*event.entry.value);
    if (!tree.ok()) {
      journal_.fail(invariant::kStoredObjectsDecode, key + ": " + tree.error().message());
      return;
    }
    after = kube::Object(std::move(*tree));
  }
  check({key, revision, writer, before ? &*before : nullptr, after ? &*after : nullptr});
  if (before) keys_by_uid_.erase(std::string(before->uid()));
  if (after) {
    if (after->deleting() && after->has_finalizer("foregroundDeletion")) foreground_.emplace(after->uid());
    keys_by_uid_.insert_or_assign(std::string(after->uid()), key);
    objects_.insert_or_assign(key, *after);
  } else {
    objects_.erase(key);
  }
}

void Invariants::check(const Change& change) {
  count_write(change);
  check_identity(change);
  check_finalizers(change);
  check_owners(change);
  check_prune(change);
  check_namespace(change);
}

void Invariants::count_write(const Change& change) {
  if (change.writer.actor == "lease") return;
  // The API server's own heartbeat is meant to be written for ever.
  if (change.key.starts_with("/registry/leases/kube-system/")) return;
  ++writes_[change.key];
  if (++total_writes_[change.key] == kMostWrites) {
    journal_.fail(invariant::kBoundedWrites, change.key + " was written " + std::to_string(kMostWrites) + " times");
  }
}

void Invariants::check_quiet_time(std::uint64_t limit) {
  for (const auto& [key, count] : writes_) {
    if (count <= limit) continue;
    journal_.fail(invariant::kBoundedWrites,
                  key + " was written " + std::to_string(count) + " times although nothing was left to do");
  }
}

void Invariants::check_identity(const Change& change) {
  if (change.removes()) return;
  const kube::Object& after = *change.after;
  const bool whole = !after.kind().empty() && !after.api_version().empty() && !after.uid().empty() &&
                     change.key.ends_with("/" + std::string(after.name()));
  if (!whole) journal_.fail(invariant::kStoredObjectsDecode, change.text() + ": not the object that its key names");
  if (change.before == nullptr) return;
  const kube::Object& before = *change.before;
  const bool same = before.uid() == after.uid() && before.creation_timestamp() == after.creation_timestamp() &&
                    before.kind() == after.kind() && before.generation() <= after.generation() &&
                    (!before.deleting() || after.deleting());
  if (!same) {
    journal_.fail(invariant::kIdentityStays,
                  change.text() + ": uid, creation, kind or deletion changed, or the generation fell");
  }
}

void Invariants::check_finalizers(const Change& change) {
  const std::vector<std::string> left = finalizers_of(change.after);
  for (const std::string& finalizer : finalizers_of(change.before)) {
    if (std::find(left.begin(), left.end(), finalizer) != left.end()) continue;
    if (may_remove(finalizer, change.writer)) continue;
    journal_.fail(invariant::kFinalizersKept, change.text() + ": took away " + finalizer);
  }
}

bool Invariants::owner_lives(const kube::OwnerReference& owner) const {
  return keys_by_uid_.contains(owner.uid) && !foreground_.contains(owner.uid);
}

void Invariants::check_owners(const Change& change) {
  if (change.writer.actor != "garbage-collector" || !change.begins_deletion()) return;
  const std::vector<kube::OwnerReference> owners = change.before->owner_references();
  if (owners.empty()) {
    journal_.fail(invariant::kOwnedObjectsLive, change.text() + ": deleted although nobody owns it");
    return;
  }
  for (const kube::OwnerReference& owner : owners) {
    if (!owner_lives(owner)) continue;
    journal_.fail(invariant::kOwnedObjectsLive,
                  change.text() + ": deleted although its owner " + owner.kind + " " + owner.name + " lives");
  }
}

void Invariants::check_prune(const Change& change) {
  if (!change.begins_deletion()) return;
  for (const SourceActor& by_source : kSourceActors) {
    if (change.writer.actor != by_source.actor || change.writer.method != "DELETE") continue;
    const std::string owner = by_source.owner(*change.before);
    if (owner.empty()) {
      journal_.fail(invariant::kPruneInsideOwnerSet, change.text() + ": deleted although it is in no set of its own");
      continue;
    }
    const std::optional<Duration> contained = sources_.contained_for(owner, object_id(*change.before));
    if (!contained || *contained < kLongestReaction) continue;
    journal_.fail(invariant::kKeptWhileInSource, change.text() + ": deleted although " + owner +
                                                     " has asked for it for " + format_duration(*contained));
  }
}

void Invariants::check_namespace(const Change& change) {
  if (change.removes() && change.before != nullptr && change.before->kind() == "Namespace") {
    for (const auto& [key, object] : objects_) {
      if (object.namespace_() != change.before->name()) continue;
      journal_.fail(invariant::kNamespaceEmptyAtEnd, change.text() + ": " + key + " is still there");
      return;
    }
  }
  if (change.writer.actor != "namespace" || !change.begins_deletion() || change.before->kind() == "Pod") return;
  for (const auto& [key, object] : objects_) {
    if (object.kind() != "Pod" || object.namespace_() != change.before->namespace_()) continue;
    journal_.fail(invariant::kPodsGoFirst, change.text() + ": deleted while " + key + " is there");
    return;
  }
}

WatchObserver Invariants::watch_observer(Journal& journal, std::string name) {
  return [&journal, name = std::move(name), last = std::int64_t{0}](std::string_view line) mutable {
    const Result<Value> event = json::read(line);
    if (!event.ok()) {
      journal.fail(invariant::kStoredObjectsDecode, name + ": " + event.error().message());
      return;
    }
    if ((*event)["type"].as_string() == "ERROR") return;
    const std::int64_t version = version_of(kube::Object((*event)["object"]));
    if (version < last) {
      journal.fail(invariant::kWatchNeverGoesBack,
                   name + ": revision " + std::to_string(version) + " after " + std::to_string(last));
    }
    last = std::max(last, version);
  };
}

const kube::Object* Invariants::find(std::string_view kind, std::string_view ns, std::string_view name) const {
  for (const auto& [key, object] : objects_) {
    if (object.kind() == kind && object.namespace_() == ns && object.name() == name) return &object;
  }
  return nullptr;
}

const kube::Object* Invariants::find_uid(const std::string& uid) const {
  const auto key = keys_by_uid_.find(uid);
  return key == keys_by_uid_.end() ? nullptr : &objects_.at(key->second);
}

}  // namespace coracle::sim
