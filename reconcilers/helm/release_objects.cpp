#include "reconcilers/helm/release_objects.h"

#include <map>
#include <utility>

#include "base/not_found.h"
#include "base/text.h"
#include "kube/apply/deletion.h"
#include "kube/apply/health.h"
#include "kube/apply/three_way.h"
#include "kube/client/resources.h"

namespace coracle::reconcilers {
namespace {

constexpr Duration kObjectPoll = std::chrono::milliseconds(100);
constexpr Duration kDefinitionTimeout = std::chrono::seconds(60);

// ConfigMap "web" in namespace "shop", as Helm names an object in errors.
std::string named_in_error(const kube::Object& object) {
  return std::string(object.kind()) + " \"" + std::string(object.name()) + "\" in namespace \"" +
         std::string(object.namespace_()) + "\"";
}

// In helm's words.
std::string unknown_kind(const kube::Object& object, const Error& error) {
  return "resource mapping not found for name: \"" + std::string(object.name()) + "\" namespace: \"" +
         std::string(object.namespace_()) + "\" from \"\": " + error.message() + "\nensure CRDs are installed first";
}

// Objects by what they are, whatever their version.
std::map<std::string, const ReleaseObject*> by_id(const ReleaseObjects& objects) {
  std::map<std::string, const ReleaseObject*> found;
  for (const ReleaseObject& item : objects) found.emplace(kube::InventoryEntry::of(item.object).id(), &item);
  return found;
}

}  // namespace

std::vector<kube::Object> plain_objects(const ReleaseObjects& objects) {
  std::vector<kube::Object> plain;
  for (const ReleaseObject& item : objects) plain.push_back(item.object);
  return plain;
}

ReleaseApplier::ReleaseApplier(const kube::Client& client, kube::RestMapper& mapper, const Logger& log)
    : client_(client), mapper_(mapper), applier_(client, mapper, log) {}

Result<ReleaseObjects> ReleaseApplier::place(const Context& context, std::string_view manifest,
                                             std::string_view release_namespace, bool forgive_unknown) const {
  ASSIGN_OR_RETURN(const std::vector<kube::Object> objects, manifest_objects(manifest));
  ReleaseObjects placed;
  std::vector<std::string> unknown;
  for (const kube::Object& object : objects) {
    Result<kube::DiscoveredResource> resource =
        forgive_unknown ? mapper_.find_at_any_version(context, object.gvk()) : mapper_.find(context, object.gvk());
    if (!resource.ok()) {
      if (!kube::is_no_kind_match(resource.error())) return resource.error();
      if (!forgive_unknown) unknown.push_back(unknown_kind(object, resource.error()));
      continue;
    }
    Value ns;
    if (resource->ref.namespaced) ns = object.namespace_().empty() ? release_namespace : object.namespace_();
    placed.push_back({resource->ref, object.with_metadata("namespace", ns)});
  }
  if (unknown.empty()) return placed;
  const std::string all = unknown.size() == 1 ? unknown.front() : "[" + join(unknown, ", ") + "]";
  return kube::no_kind_match("unable to build kubernetes objects from release manifest: " + all);
}

Result<std::optional<kube::Object>> ReleaseApplier::live(const Context& context, const ReleaseObject& object) const {
  return if_there(client_.get(context, object.resource, object.object.key()));
}

Result<void> ReleaseApplier::check_ownership(const Context& context, const kube::ObjectKey& release,
                                             const ReleaseObjects& objects, const ReleaseObjects& before,
                                             std::string_view operation) const {
  const auto known = by_id(before);
  for (const ReleaseObject& item : objects) {
    if (known.contains(kube::InventoryEntry::of(item.object).id())) continue;
    ASSIGN_OR_RETURN(const std::optional<kube::Object> found, live(context, item));
    if (!found) continue;
    if (const std::optional<std::string> problem = ownership_problem(*found, release)) {
      return Error(Reason::Invalid, "unable to continue with " + std::string(operation) + ": " +
                                        named_in_error(item.object) +
                                        " exists and cannot be imported into the current release: " + *problem);
    }
  }
  return {};
}

Result<void> ReleaseApplier::apply(const Context& context, const kube::ObjectKey& release,
                                   const ReleaseObjects& objects, const ReleaseObjects& before,
                                   const WriteMode& mode) const {
  const auto known = by_id(before);
  for (const ReleaseObject& item : objects) {
    TRY(context.check());
    const auto earlier = known.find(kube::InventoryEntry::of(item.object).id());
    Result<void> applied = apply_one(
        context, {item.resource, owned_by_release(item.object, release)},
        earlier == known.end() ? Value::object() : owned_by_release(earlier->second->object, release).tree(), mode);
    if (!applied.ok()) return applied.error().in(named_in_error(item.object));
  }
  return {};
}

Result<void> ReleaseApplier::apply_one(const Context& context, const ReleaseObject& desired, const Value& before,
                                       const WriteMode& mode) const {
  if (!mode.server_side) return apply_on_client_side(context, desired, before);
  if (mode.take_over_fields) {
    ASSIGN_OR_RETURN(std::optional<kube::Object> found, live(context, desired));
    TRY(applier_.take_over_fields(context, desired.resource, std::move(found), {}, std::string(kHelmFieldManager)));
  }
  TRY(client_.apply(context, desired.resource, desired.object,
                    {.field_manager = std::string(kHelmFieldManager), .force = mode.force_conflicts}));
  return {};
}

Result<void> ReleaseApplier::apply_on_client_side(const Context& context, const ReleaseObject& desired,
                                                  const Value& before) const {
  const kube::WriteParameters parameters{.field_manager = std::string(kHelmFieldManager)};
  ASSIGN_OR_RETURN(const std::optional<kube::Object> found, live(context, desired));
  if (!found) {
    TRY(client_.create(context, desired.resource, desired.object, parameters));
    return {};
  }
  return kube::patch_three_way(context, client_, desired.resource, before, desired.object, *found, parameters);
}

Result<void> ReleaseApplier::remove(const Context& context, const kube::ObjectKey& release,
                                    const kube::Inventory& left) const {
  kube::Applier::PruneOptions options;
  options.owned = [&release](const kube::Object& object) {
    return !is_kept(object) && !ownership_problem(object, release);
  };
  std::optional<Error> error;
  std::vector<kube::Applied> deleted;
  applier_.prune(context, left, options, error, deleted);
  if (error) return *error;
  return {};
}

Result<void> ReleaseApplier::wait_until_gone(const Context& context, const kube::ObjectKey& release,
                                             const kube::Inventory& left) const {
  for (const kube::InventoryEntry& entry : left) {
    while (true) {
      ASSIGN_OR_RETURN(const std::optional<kube::Object> found, applier_.live(context, entry));
      if (!found || is_kept(*found) || ownership_problem(*found, release)) break;
      if (Result<void> slept = context.sleep(kObjectPoll); !slept.ok()) {
        return slept.error().in("waiting until " + entry.kind + " " + entry.key().text() + " is deleted");
      }
    }
  }
  return {};
}

Result<void> ReleaseApplier::start_deletion(const Context& context, const ReleaseObject& object) const {
  return kube::remove_in_background(context, client_, object.resource, object.object.key());
}

Result<void> ReleaseApplier::wait_until_deleted(const Context& context, const ReleaseObject& object) const {
  return kube::wait_until_removed(context, client_, object.resource, object.object.key());
}

Result<void> ReleaseApplier::create_definitions(const Context& context,
                                                const std::vector<charts::Manifest>& definitions) const {
  ReleaseObjects created;
  for (const charts::Manifest& manifest : definitions) {
    Result<ReleaseObjects> objects = place(context, manifest.text, {}, false);
    if (!objects.ok()) return objects.error().in(manifest.source);
    for (const ReleaseObject& definition : *objects) {
      Result<kube::Object> made = client_.create(context, definition.resource, definition.object,
                                                 {.field_manager = std::string(kHelmFieldManager)});
      if (made.ok()) {
        created.push_back(definition);
      } else if (made.error().reason() != Reason::AlreadyExists) {
        return made.error().in("failed to install CRD " + manifest.source);
      }
    }
  }
  const Context bounded = context.with_timeout(kDefinitionTimeout);
  for (const ReleaseObject& definition : created) TRY(wait_for_definition(bounded, definition));
  return {};
}

Result<void> ReleaseApplier::wait_for_definition(const Context& context, const ReleaseObject& definition) const {
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<kube::Object> found, live(context, definition));
    const kube::Health health = found ? kube::health_of(*found, context.clock().wall()) : kube::Health{};
    if (health.state == kube::Health::State::Current) return {};
    if (health.state == kube::Health::State::Failed) {
      return Error(Reason::Invalid, "CRD " + std::string(definition.object.name()) + ": " + health.message);
    }
    if (Result<void> slept = context.sleep(kObjectPoll); !slept.ok()) {
      return slept.error().in("CRD " + std::string(definition.object.name()) + " is not established");
    }
  }
}

Result<void> ReleaseApplier::ensure_namespace(const Context& context, std::string_view name) const {
  const kube::Object fresh(
      Value::object({{"apiVersion", "v1"},
                     {"kind", "Namespace"},
                     {"metadata", Value::object({{"name", name}, {"labels", Value::object({{"name", name}})}})}}));
  Result<kube::Object> made =
      client_.create(context, kube::resources::namespaces(), fresh, {.field_manager = std::string(kHelmFieldManager)});
  if (!made.ok() && made.error().reason() != Reason::AlreadyExists) return made.error();
  return {};
}

}  // namespace coracle::reconcilers
