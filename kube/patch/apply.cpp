#include "kube/patch/apply.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/json/json.h"
#include "kube/patch/internal/ownership.h"
#include "kube/patch/internal/plain_error.h"

namespace coracle::kube::patch {
namespace {

using internal::Change;
using internal::Comparison;
using internal::Conflict;
using internal::Manager;
using internal::Managers;
using internal::TypeRef;
using internal::Versions;

constexpr std::string_view kBeforeFirstApply = "before-first-apply";
constexpr std::string_view kKubectl = "kubectl";
constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

std::string gvk_text(const GroupVersionKind& gvk) {
  return gvk.group + "/" + gvk.version + ", Kind=" + gvk.kind;
}

// A failure without a reason, as the server reports what does not fit a schema.
Error schema_error(std::string_view what, const Object& object, const std::vector<std::string>& errors) {
  std::string text = "failed to create typed " + std::string(what) + " object (" + std::string(object.namespace_()) +
                     "/" + std::string(object.name()) + "; " + gvk_text(object.gvk()) + "): ";
  if (errors.size() == 1) {
    text += errors[0];
  } else {
    text += "errors:";
    for (const std::string& error : errors) text += "\n  " + error;
  }
  return internal::plain_error(std::move(text));
}

// Each path of each conflict, in the order in which they are reported.
struct ConflictLine {
  std::string identity, readable;
  FieldPathElements path;
};

std::vector<ConflictLine> conflict_lines(std::vector<Conflict> conflicts) {
  std::sort(conflicts.begin(), conflicts.end(),
            [](const Conflict& a, const Conflict& b) { return a.manager < b.manager; });
  std::vector<ConflictLine> lines;
  for (const Conflict& conflict : conflicts) {
    conflict.fields.for_each([&](std::span<const PathElement> path) {
      lines.push_back({conflict.manager, conflict.readable, {path.begin(), path.end()}});
    });
  }
  return lines;
}

Error conflict_error(const std::vector<ConflictLine>& lines) {
  std::string text = "Apply failed with " + std::to_string(lines.size());
  std::vector<Cause> causes;
  if (lines.size() == 1) {
    text += " conflict: conflict with " + lines[0].readable + ": " + readable_path(lines[0].path);
  } else {
    text += " conflicts: ";
    const ConflictLine* previous = nullptr;
    for (const ConflictLine& line : lines) {
      if (previous == nullptr || previous->identity != line.identity) {
        text += (previous == nullptr ? "conflicts with " : "\nconflicts with ") + line.readable + ":";
      }
      text += "\n- " + readable_path(line.path);
      previous = &line;
    }
  }
  for (const ConflictLine& line : lines) {
    causes.push_back({"FieldManagerConflict", "conflict with " + line.readable, readable_path(line.path)});
  }
  return Error(Reason::Conflict, std::move(text)).with_causes(std::move(causes));
}

// What one apply works on.
class Application {
 public:
  Application(const FieldManagement& management, const Value& live, const Object& applied, Managers managers)
      : management_(management),
        type_(TypeRef::declared(management.schema)),
        live_(live),
        applied_(applied.tree()),
        managers_(std::move(managers)) {
    self_.name = management.manager.empty() ? "unknown" : management.manager;
    self_.applied = true;
    self_.api_version = management.gvk.api_version();
    self_.subresource = management.subresource;
  }

  // Merges, prunes and takes ownership; the conflicts that are in the way, or none.
  std::vector<Conflict> run();

  const Value& merged() const { return merged_; }
  Managers& managers() { return managers_; }
  const Manager& self() const { return self_; }

 private:
  Value prune(const Manager& last);
  Value add_back_owned(const std::string& version, const Value& merged, const Value& pruned);
  template <class Edit>
  Value in_version(const std::string& version, const Value& merged, const Value& pruned, Edit edit);

  const FieldManagement& management_;
  TypeRef type_;
  const Value& live_;
  const Value& applied_;
  Managers managers_;
  Manager self_;
  Value merged_;
};

std::vector<Conflict> Application::run() {
  merged_ = internal::merge_typed(type_, live_, applied_);
  FieldSet fields = internal::to_field_set(type_, applied_);
  if (management_.reset_fields != nullptr) fields = std::move(fields).recursive_difference(*management_.reset_fields);
  std::optional<Manager> last;
  Manager* own = internal::find_manager(managers_, self_);
  if (own != nullptr) {
    last = *own;
  } else {
    managers_.push_back(self_);
    own = &managers_.back();
  }
  own->api_version = self_.api_version;
  own->set_fields(std::move(fields));
  // Whoever applies all that he applied before has nothing to prune.
  const bool dropped = last && (last->api_version != own->api_version || !last->fields.difference(own->fields).empty());
  if (dropped) merged_ = prune(*last);
  Change change(management_, live_, merged_);
  std::vector<Conflict> conflicts = internal::take_changed(change, managers_, &self_);
  own = internal::find_manager(managers_, self_);
  own->set_fields(own->fields.difference(internal::unowned_fields()));
  // An unchanged set keeps the bytes that are stored.
  if (last && last->fields == own->fields && last->api_version == own->api_version) own->written = last->written;
  internal::drop_empty(managers_);
  return conflicts;
}

// Calls `edit` with the trees in the given version and brings its answer back to the request's
// version. A version that is not served changes nothing.
template <class Edit>
Value Application::in_version(const std::string& version, const Value& merged, const Value& pruned, Edit edit) {
  if (version == self_.api_version) return edit(type_, merged, pruned);
  if (!management_.convert) return pruned;
  Result<VersionedTree> merged_there = management_.convert(merged, version);
  Result<VersionedTree> pruned_there = management_.convert(pruned, version);
  if (!merged_there.ok() || !pruned_there.ok()) return pruned;
  const TypeRef type = TypeRef::declared(merged_there->schema);
  Result<VersionedTree> back =
      management_.convert(edit(type, merged_there->tree, pruned_there->tree), self_.api_version);
  return back.ok() ? std::move(back->tree) : pruned;
}

// Puts back what somebody owns at one version.
Value Application::add_back_owned(const std::string& version, const Value& merged, const Value& pruned) {
  FieldSet owned;
  for (const Manager& manager : managers_) {
    if (manager.api_version == version) owned = owned.united(manager.fields);
  }
  return in_version(version, merged, pruned, [&](const TypeRef& type, const Value& whole, const Value& rest) {
    const FieldSet all = internal::with_named_parents(type, internal::to_field_set(type, whole));
    const FieldSet left = internal::with_named_parents(type, internal::to_field_set(type, rest));
    const FieldSet kept = left.united(internal::with_named_parents(type, owned));
    return internal::remove_items(type, whole, all.difference(kept));
  });
}

// Removes what this manager applied last time and does not apply now, unless somebody else owns it.
Value Application::prune(const Manager& last) {
  Value pruned =
      in_version(last.api_version, merged_, merged_, [&](const TypeRef& type, const Value& whole, const Value&) {
        return internal::remove_items(type, whole, internal::with_named_parents(type, last.fields));
      });
  std::vector<std::string> versions{last.api_version};
  for (const Manager& manager : managers_) {
    if (std::find(versions.begin(), versions.end(), manager.api_version) == versions.end()) {
      versions.push_back(manager.api_version);
    }
  }
  for (const std::string& version : versions) pruned = add_back_owned(version, merged_, pruned);
  // What nobody owns, or only updaters, is not this manager's to remove.
  return in_version(last.api_version, merged_, pruned, [&](const TypeRef& type, const Value& whole, const Value& rest) {
    const FieldSet all = internal::with_named_parents(type, internal::to_field_set(type, whole));
    const FieldSet left = internal::with_named_parents(type, internal::to_field_set(type, rest));
    const FieldSet own = internal::with_named_parents(type, last.fields);
    return internal::remove_items(type, whole, all.difference(left).intersection(own));
  });
}

// kubectl's client-side apply wrote what it owned into an annotation: fields that still have the value
// from there belong to kubectl, so that moving to server-side apply meets no conflict.
std::optional<FieldSet> owned_by_last_applied(const FieldManagement& management, const Object& live) {
  const std::string_view text = live.annotation(kLastApplied);
  if (text.empty()) return std::nullopt;
  Result<Value> last = json::read(text);
  if (!last.ok() || (*last)["apiVersion"].as_string() != management.gvk.api_version()) return std::nullopt;
  const TypeRef type = TypeRef::declared(management.schema);
  if (!internal::check_typed(type, *last, false).empty()) return std::nullopt;
  const Value live_tree = internal::without_managed_fields(live.tree());
  const Comparison changed = internal::compare(type, &*last, &live_tree);
  return internal::to_field_set(type, *last)
      .difference(changed.modified)
      .difference(changed.added)
      .difference(changed.removed);
}

// The conflicts that stand in the way of kubectl.
std::vector<ConflictLine> without_last_applied(const FieldManagement& management, const Object& live,
                                               std::vector<ConflictLine> lines) {
  const auto allowed = owned_by_last_applied(management, live);
  if (!allowed) return lines;
  lines.erase(std::remove_if(lines.begin(), lines.end(),
                             [&](const ConflictLine& line) { return allowed->contains(line.path); }),
              lines.end());
  return lines;
}

Object with_last_applied(const Object& object, const Object& applied) {
  if (object.annotation(kLastApplied).empty()) return object;
  Object written = applied;
  if (applied.has_annotation(kLastApplied)) {
    written = applied.with_metadata("annotations", applied.metadata()["annotations"].without(kLastApplied));
  }
  return object.with_annotation(kLastApplied, json::write_sorted(written.tree()) + "\n");
}

Result<void> check_applied(const FieldManagement& management, const Object& applied) {
  if (applied.gvk() != management.gvk) return bad_request("invalid object type: " + gvk_text(applied.gvk()));
  if (!applied.metadata()["managedFields"].is_null()) return bad_request("metadata.managedFields must be nil");
  const auto errors = internal::check_typed(TypeRef::declared(management.schema), applied.tree(), false);
  if (!errors.empty()) return schema_error("patch", applied, errors);
  return {};
}

// What exists in the store before anything is applied: type and version only.
Value empty_object(const Object& applied) {
  return Value::object({{"apiVersion", applied["apiVersion"]}, {"kind", applied["kind"]}});
}

}  // namespace

Result<Object> apply(const FieldManagement& management, const Object* live, const Object& applied, bool force) {
  TRY(check_applied(management, applied));
  const Object current = live != nullptr ? *live : Object(empty_object(applied));
  Result<Managers> read = internal::read_managers(current.metadata()["managedFields"]);
  if (!read.ok()) {
    return internal::plain_error("failed to decode managed fields: " + read.error().message());
  }
  Managers managers = std::move(*read);
  const Value before = internal::without_managed_fields(current.tree());
  if (managers.empty()) {
    internal::record_update(management, kBeforeFirstApply, internal::blank_object(management), before, managers);
  }

  Application application(management, before, applied, std::move(managers));
  std::vector<Conflict> conflicts = application.run();
  if (!force && !conflicts.empty()) {
    std::vector<ConflictLine> lines = conflict_lines(std::move(conflicts));
    if (management.manager == kKubectl) lines = without_last_applied(management, current, std::move(lines));
    if (!lines.empty()) return conflict_error(lines);
  }

  const bool unchanged = application.merged() == before;
  Value tree = before;
  if (!unchanged) {
    // Custom objects keep the nulls that they were given: their schema says where it wants a default or an error.
    tree = management.custom ? application.merged()
                             : internal::without_nulls(TypeRef::declared(management.schema), application.merged());
    if (Manager* own = internal::find_manager(application.managers(), application.self())) {
      own->time = format_time(management.now);
    }
  }
  Object made = internal::with_managers(tree, std::move(application.managers()));
  return management.manager == kKubectl ? with_last_applied(made, applied) : made;
}

}  // namespace coracle::kube::patch
