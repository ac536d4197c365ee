#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kube/object/object.h"
#include "store/backend.h"
#include "tests/sim/faults.h"
#include "tests/sim/journal.h"
#include "tests/sim/observed_store.h"
#include "tests/sim/sources.h"

namespace coracle::sim {

// Names of invariants, as failures and planted bugs call them.
namespace invariant {
inline constexpr std::string_view kRevisionsGrow = "revisions-grow";
inline constexpr std::string_view kWatchNeverGoesBack = "watch-never-goes-back";
inline constexpr std::string_view kStoredObjectsDecode = "stored-objects-decode";
inline constexpr std::string_view kIdentityStays = "identity-stays";
inline constexpr std::string_view kFinalizersKept = "finalizers-kept";
inline constexpr std::string_view kOwnedObjectsLive = "owned-objects-live";
inline constexpr std::string_view kPruneInsideOwnerSet = "prune-inside-owner-set";
inline constexpr std::string_view kKeptWhileInSource = "kept-while-in-source";
inline constexpr std::string_view kPodsGoFirst = "pods-go-first";
inline constexpr std::string_view kNamespaceEmptyAtEnd = "namespace-empty-at-end";
inline constexpr std::string_view kBoundedWrites = "bounded-writes";
inline constexpr std::string_view kConverges = "converges";
inline constexpr std::string_view kQueuesIdle = "queues-idle";
inline constexpr std::string_view kNoErrorLog = "error-log";
}  // namespace invariant

// Follows the whole store and checks every change against what must always hold.
class Invariants {
 public:
  Invariants(const Context& context, ObservedStore& store, Journal& journal, const Sources& sources);
  ~Invariants();

  // Follows the store from its first revision.
  Result<void> start();
  // Takes in what the store has told; also called whenever the store tells something.
  void drain();
  void check_event(const store::Event& event);

  // For one API watch: its lines must go forward only.
  static WatchObserver watch_observer(Journal& journal, std::string name);

  // Begins to count writes anew.
  void begin_quiet_time() { writes_.clear(); }
  // More writes to one object than `limit` since then is a hot loop.
  void check_quiet_time(std::uint64_t limit);

  // The present content, by storage key.
  const std::map<std::string, kube::Object>& objects() const { return objects_; }
  const kube::Object* find(std::string_view kind, std::string_view ns, std::string_view name) const;
  const kube::Object* find_uid(const std::string& uid) const;

 private:
  struct Change {
    std::string key;
    store::Revision revision;
    Writer writer;
    const kube::Object* before;  // null for new objects
    const kube::Object* after;   // null for deleted ones

    bool removes() const { return after == nullptr; }
    // The object begins to go, or goes at once.
    bool begins_deletion() const;
    std::string text() const;
  };

  void check(const Change& change);
  void check_identity(const Change& change);
  void check_finalizers(const Change& change);
  void check_owners(const Change& change);
  void check_prune(const Change& change);
  void check_namespace(const Change& change);
  bool owner_lives(const kube::OwnerReference& owner) const;
  void count_write(const Change& change);

  const Context context_;
  ObservedStore& store_;
  Journal& journal_;
  const Sources& sources_;
  store::Revision last_ = 0;
  std::map<std::string, kube::Object> objects_;
  std::map<std::string, std::string> keys_by_uid_;
  // Objects that want their dependents to go, or wanted that once while they were going.
  std::set<std::string> foreground_;
  std::map<std::string, std::uint64_t> writes_;
  std::map<std::string, std::uint64_t> total_writes_;
  std::unique_ptr<store::Watch> watch_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace coracle::sim
