#include "kube/apply/owner_set.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"
#include "base/tls/crypto.h"
#include "kube/apply/applied_state.h"
#include "kube/apply/deletion.h"
#include "kube/apply/manifest.h"
#include "kube/apply/three_way.h"

namespace coracle::kube {
namespace {

constexpr std::string_view kIdAnnotation = "objectset.rio.cattle.io/id";
constexpr std::string_view kOwnerGvkAnnotation = "objectset.rio.cattle.io/owner-gvk";
constexpr std::string_view kOwnerNameAnnotation = "objectset.rio.cattle.io/owner-name";
constexpr std::string_view kOwnerNamespaceAnnotation = "objectset.rio.cattle.io/owner-namespace";
constexpr std::string_view kPruneLabel = "objectset.rio.cattle.io/prune";
constexpr int kMaxPasses = 3;
// For all objects of a set that are made again. Most are gone at once; one that a finalizer holds must not hold up
// others, and is made when the set is applied again.
constexpr Duration kGoneTimeout = std::chrono::seconds(2);

Object marked(const OwnerSet& set, Object object) {
  // A file that was read from a cluster may hold the record of what was applied there.
  object = object.without("status")
               .without_annotation(kAppliedAnnotation)
               .with_label(kOwnerHashLabel, set.hash())
               .with_annotation(kIdAnnotation, set.id)
               .with_annotation(kOwnerGvkAnnotation, set.owner_text())
               .with_annotation(kOwnerNameAnnotation, set.owner_key.name)
               .with_annotation(kOwnerNamespaceAnnotation, set.owner_key.namespace_);
  return object.with_annotation(kAppliedAnnotation, encode_applied(object));
}

std::string member_text(const Object& object) {
  return gvk_text(object.gvk()) + " " + object.key().text();
}

// The first of them, saying what all say.
Error joined(const std::vector<Error>& problems) {
  std::vector<std::string> texts;
  for (const Error& problem : problems) texts.push_back(problem.message());
  return {problems.front().reason(), join(texts, "; ")};
}

// What the owner applied last; an object that it takes over was never applied.
Value last_applied(const Object& live) {
  Result<Value> applied = decode_applied(live.annotation(kAppliedAnnotation));
  return applied.ok() ? std::move(*applied) : Value::object();
}

}  // namespace

std::string OwnerSet::owner_text() const {
  return gvk_text(owner);
}

std::string OwnerSet::hash() const {
  return crypto::sha1_hex(id + owner_text() + owner_key.name + owner_key.namespace_);
}

std::string gvk_text(const GroupVersionKind& gvk) {
  // The core group prints with its slash.
  return gvk.group + "/" + gvk.version + ", Kind=" + gvk.kind;
}

Result<GroupVersionKind> parse_gvk_text(std::string_view text) {
  constexpr std::string_view kMiddle = ", Kind=";
  const std::size_t slash = text.find('/');
  const std::size_t middle = text.find(kMiddle);
  if (slash == std::string_view::npos || middle == std::string_view::npos || middle < slash) {
    return Error(Reason::Corrupt, "\"" + std::string(text) + "\": expected <group>/<version>, Kind=<kind>");
  }
  return GroupVersionKind{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1, middle - slash - 1)),
                          std::string(text.substr(middle + kMiddle.size()))};
}

bool must_recreate(const Object& live, const Object& desired) {
  struct Rule {
    std::string_view group;
    std::string_view kind;
    std::string_view within;  // "spec" or ""
    std::string_view field;
  };
  constexpr Rule kRules[] = {{"", "Secret", "", "type"},
                             {"", "Service", "spec", "type"},
                             {"apps", "Deployment", "spec", "selector"},
                             {"apps", "DaemonSet", "spec", "selector"},
                             {"batch", "Job", "spec", "template"}};
  const GroupVersionKind gvk = desired.gvk();
  for (const Rule& rule : kRules) {
    if (rule.kind != gvk.kind || rule.group != gvk.group) continue;
    const auto field = [&rule](const Value& tree) -> const Value& {
      return rule.within.empty() ? tree[rule.field] : tree[rule.within][rule.field];
    };
    const Value& wanted = field(desired.tree());
    // What the author left out, the server has filled in; that is no change. Of a Job's template the
    // server fills in more, so it is compared with what was applied, whose long texts may be cut.
    if (gvk.kind != "Job") {
      const Value& have = field(live.tree());
      return !wanted.is_null() && !have.is_null() && wanted != have;
    }
    const Value applied = last_applied(live);
    const Value& had = field(applied);
    const Value cut = cut_for_record(desired.tree());
    return !wanted.is_null() && !had.is_null() && field(cut) != had && wanted != had;
  }
  return false;
}

struct OwnerSetApplier::Kind {
  GroupVersionKind gvk;
  ResourceRef resource;
  std::map<ObjectKey, Object> desired;  // by the key in the text, which may lack the namespace

  // Whether the objects hold `live`, the key of a placed one.
  bool holds(const ObjectKey& live, bool namespaced) const {
    return std::any_of(desired.begin(), desired.end(),
                       [&](const auto& entry) { return placed_for_apply(entry.second, namespaced).key() == live; });
  }
};

struct OwnerSetApplier::Pass {
  struct Replacement {
    ResourceRef resource;
    Object desired;
  };
  std::size_t created = 0;
  std::vector<Replacement> replacements;  // deleted, and not yet made again
  std::vector<Error> problems;
};

OwnerSetApplier::OwnerSetApplier(const Client& client, RestMapper& mapper, std::string field_manager, Logger log)
    : client_(client), mapper_(mapper), field_manager_(std::move(field_manager)), log_(std::move(log)) {}

Result<std::vector<OwnerSetApplier::Kind>> OwnerSetApplier::kinds_of(const Context& context,
                                                                     std::vector<Object> objects,
                                                                     const std::vector<GroupVersionKind>& known) const {
  std::vector<Kind> kinds;
  for (Object& object : objects) {
    const GroupVersionKind gvk = object.gvk();
    auto kind = std::find_if(kinds.begin(), kinds.end(), [&gvk](const Kind& other) { return other.gvk == gvk; });
    if (kind == kinds.end()) {
      kinds.push_back({gvk, {}, {}});
      kind = std::prev(kinds.end());
    }
    ObjectKey key = object.key();
    kind->desired.insert_or_assign(std::move(key), std::move(object));  // the last one counts
  }
  std::vector<GroupVersionKind> others = known;
  std::sort(others.begin(), others.end());
  for (const GroupVersionKind& gvk : others) {
    const bool there = std::any_of(kinds.begin(), kinds.end(), [&gvk](const Kind& kind) { return kind.gvk == gvk; });
    if (there) continue;
    const Result<DiscoveredResource> resource = mapper_.find(context, gvk);
    if (resource.ok()) {
      kinds.push_back({gvk, {}, {}});
    } else if (resource.error().reason() != Reason::NotFound) {
      return resource.error();
    }
    // A kind that is served no longer has no objects that could be pruned.
  }
  return kinds;
}

Result<std::vector<GroupVersionKind>> OwnerSetApplier::apply(const Context& context, const OwnerSet& set,
                                                             std::vector<Object> objects,
                                                             const std::vector<GroupVersionKind>& known) const {
  ASSIGN_OR_RETURN(std::vector<Kind> kinds, kinds_of(context, std::move(objects), known));
  // What a pass has made, a definition or a namespace, may be what others lacked.
  Pass pass;
  for (int count = 0; count < kMaxPasses; ++count) {
    pass = {};
    for (Kind& kind : kinds) {
      TRY(context.check());
      const Result<DiscoveredResource> resource = mapper_.find(context, kind.gvk);
      if (!resource.ok()) {
        pass.problems.push_back(resource.error());
        continue;
      }
      kind.resource = resource->ref;
      const Result<void> done = apply_kind(context, set, kind, kinds, pass);
      if (!done.ok()) pass.problems.push_back(done.error());
    }
    create_replacements(context, pass);
    if (pass.problems.empty() || pass.created == 0) break;
  }
  if (!pass.problems.empty()) return joined(pass.problems);
  std::vector<GroupVersionKind> applied;
  for (const Kind& kind : kinds) {
    if (!kind.desired.empty()) applied.push_back(kind.gvk);
  }
  return applied;
}

Result<void> OwnerSetApplier::apply_kind(const Context& context, const OwnerSet& set, const Kind& kind,
                                         const std::vector<Kind>& all, Pass& pass) const {
  const std::string hash = set.hash();
  ASSIGN_OR_RETURN(
      const ObjectList list,
      client_.list_all(context, kind.resource, {}, {.label_selector = std::string(kOwnerHashLabel) + "=" + hash}));
  std::map<ObjectKey, Object> existing;
  for (const Object& object : list.items) existing.emplace(object.key(), object);

  std::map<ObjectKey, Object> desired;
  for (const auto& [key, object] : kind.desired) {
    Object placed = marked(set, placed_for_apply(object, kind.resource.namespaced));
    ObjectKey placed_key = placed.key();
    desired.insert_or_assign(std::move(placed_key), std::move(placed));
  }
  for (const auto& [key, object] : desired) {
    if (existing.contains(key)) continue;
    if (Result<void> made = create(context, kind.resource, object, pass); made.ok()) {
      ++pass.created;
    } else {
      pass.problems.push_back(made.error().in(member_text(object)));
    }
  }
  for (const auto& [key, object] : desired) {
    const auto live = existing.find(key);
    if (live == existing.end()) continue;
    Result<void> updated = update(context, kind.resource, live->second, object, pass);
    if (!updated.ok()) pass.problems.push_back(updated.error().in(member_text(object)));
  }
  for (const auto& [key, live] : existing) {
    // The same object may be in the set under another version of its kind.
    const bool wanted =
        desired.contains(key) || std::any_of(all.begin(), all.end(), [&, &key = key](const Kind& other) {
          return other.gvk.group == kind.gvk.group && other.gvk.kind == kind.gvk.kind &&
                 other.gvk.version != kind.gvk.version && other.holds(key, kind.resource.namespaced);
        });
    if (wanted || live.label(kPruneLabel) == "false") continue;
    const Result<void> pruned =
        remove_in_background(context, client_, kind.resource, live.key(), std::string(live.uid()));
    if (!pruned.ok()) {
      pass.problems.push_back(pruned.error().in("delete " + member_text(live)));
    }
  }
  return {};
}

Result<void> OwnerSetApplier::create(const Context& context, const ResourceRef& resource, const Object& desired,
                                     Pass& pass) const {
  Result<Object> created = client_.create(context, resource, desired, {.field_manager = field_manager_});
  if (created.ok()) {
    if (resource.gvr.resource == "customresourcedefinitions") mapper_.invalidate();
    return {};
  }
  if (created.error().reason() != Reason::AlreadyExists) return created.error();
  ASSIGN_OR_RETURN(const Object live, client_.get(context, resource, desired.key()));
  return update(context, resource, live, desired, pass);
}

Result<void> OwnerSetApplier::update(const Context& context, const ResourceRef& resource, const Object& live,
                                     const Object& desired, Pass& pass) const {
  const WriteParameters parameters{.field_manager = field_manager_};
  if (must_recreate(live, desired)) {
    if (live.deleting()) {
      return Error(Reason::Conflict, "the object that it replaces is being deleted, will try again once it is gone");
    }
    log_.info("deleting and creating an object that cannot be patched", {{"object", member_text(desired)}});
    TRY(remove_in_background(context, client_, resource, live.key(), std::string(live.uid())));
    pass.replacements.push_back({resource, desired});
    return {};
  }
  return patch_three_way(context, client_, resource, last_applied(live), desired, live, parameters);
}

void OwnerSetApplier::create_replacements(const Context& context, Pass& pass) const {
  const Context waiting = context.with_timeout(kGoneTimeout);
  for (const auto& [resource, desired] : std::exchange(pass.replacements, {})) {
    Result<void> made = wait_until_removed(waiting, client_, resource, desired.key());
    if (made.ok()) made = create(context, resource, desired, pass);
    if (made.ok()) {
      ++pass.created;
    } else {
      pass.problems.push_back(made.error().in(member_text(desired)));
    }
  }
  // Somebody else has made them meanwhile, of the old sort again.
  for (const auto& [resource, desired] : pass.replacements) {
    pass.problems.push_back(Error(Reason::Conflict, "was made by somebody else").in(member_text(desired)));
  }
}

}  // namespace coracle::kube
