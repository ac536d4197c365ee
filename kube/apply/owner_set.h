#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/log.h"
#include "base/result.h"
#include "kube/client/client.h"
#include "kube/client/discovery.h"

namespace coracle::kube {

// A set of objects that belong to one owner, marked as k3s's libraries mark them (labels and
// annotations "objectset.rio.cattle.io/..."), so that a cluster that k3s has written is adopted.
struct OwnerSet {
  std::string id;
  GroupVersionKind owner;
  ObjectKey owner_key;

  // SHA-1 of id, kind, name and namespace of the owner: the value of the hash label.
  std::string hash() const;
  // "k3s.cattle.io/v1, Kind=Addon"
  std::string owner_text() const;
};

inline constexpr std::string_view kOwnerHashLabel = "objectset.rio.cattle.io/hash";

// "apps/v1, Kind=Deployment", as annotations list kinds; and back.
std::string gvk_text(const GroupVersionKind& gvk);
Result<GroupVersionKind> parse_gvk_text(std::string_view text);

// True when `live` cannot become `desired` by a patch and is deleted and made again: another type of
// Secret or Service, another selector of a Deployment or DaemonSet, another template of a Job.
bool must_recreate(const Object& live, const Object& desired);

// Brings a set to what `objects` says: creates, patches (three-way between what was applied last,
// desired and live) and deletes what is in the set but no longer desired. Objects labelled
// objectset.rio.cattle.io/prune=false stay. An object that is deleted and made again but
// does not go at once fails the apply, and the next one makes it. Thread-safe.
class OwnerSetApplier {
 public:
  OwnerSetApplier(const Client& client, RestMapper& mapper, std::string field_manager, Logger log);

  // `known` are kinds of earlier applies, whose objects must be looked at, too. Kinds go in the order
  // of their first object, then the known ones. Answers all kinds of the set. What fails does not hold up the
  // rest; the error names each object that failed.
  Result<std::vector<GroupVersionKind>> apply(const Context& context, const OwnerSet& set, std::vector<Object> objects,
                                              const std::vector<GroupVersionKind>& known) const;

 private:
  struct Kind;
  struct Pass;
  Result<std::vector<Kind>> kinds_of(const Context& context, std::vector<Object> objects,
                                     const std::vector<GroupVersionKind>& known) const;
  Result<void> apply_kind(const Context& context, const OwnerSet& set, const Kind& kind, const std::vector<Kind>& all,
                          Pass& pass) const;
  Result<void> create(const Context& context, const ResourceRef& resource, const Object& desired, Pass& pass) const;
  Result<void> update(const Context& context, const ResourceRef& resource, const Object& live, const Object& desired,
                      Pass& pass) const;
  void create_replacements(const Context& context, Pass& pass) const;

  const Client& client_;
  RestMapper& mapper_;
  const std::string field_manager_;
  Logger log_;
};

}  // namespace coracle::kube
