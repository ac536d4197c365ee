#include "kube/apiserver/internal/custom_resources/controller.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/json/json.h"
#include "kube/apiserver/internal/custom_resources/definition.h"
#include "kube/object/conditions.h"

namespace coracle::kube::apiserver {

namespace {

// Everything that the served resources depend on: the generation counts changes of the spec.
Value shape_of(const Object& head) {
  return Value::object(
      {{"uid", head.uid()}, {"generation", head.generation()}, {"names", head["status"]["acceptedNames"]}});
}

// Does the definition hold its names, by its status or because nobody else wants them?
bool may_be_served(const Object& definition, const NameVerdict& verdict) {
  if (condition_is_true(definition["status"]["conditions"], "Established")) return true;
  return std::any_of(verdict.conditions.begin(), verdict.conditions.end(), [](const Condition& condition) {
    return condition.type == "Established" && condition.status == "True";
  });
}

Value with_verdict(const Value& status, const NameVerdict& verdict, WallTime now) {
  Value conditions = status["conditions"];
  for (const Condition& condition : verdict.conditions) {
    const Value& before = find_condition(conditions, condition.type);
    const bool same = before["status"].as_string() == condition.status &&
                      before["reason"].as_string() == condition.reason &&
                      before["message"].as_string() == condition.message;
    if (!same) conditions = with_condition(conditions, condition, now);
  }
  return status.with("conditions", conditions).with("acceptedNames", verdict.accepted);
}

WriteRequest status_write(const Context& context, const ResourceDescriptor& resource, const Object& definition) {
  WriteRequest write{context, resource, "", std::string(definition.name()), "status", std::string(kOwnManager)};
  write.admission = false;
  return write;
}

}  // namespace

CustomResourceController::CustomResourceController(Executor& executor, Registry& registry, GenericStore& store,
                                                   Logger log)
    : executor_(executor),
      registry_(registry),
      store_(store),
      follower_(
          executor, store.feed()->backend(), [this](const Context& context) { return advance(context); },
          std::move(log)) {}

ResourcePtr CustomResourceController::definition_resource() const {
  return registry_.table()->find(kDefinitionGroup, "v1", kDefinitionResource);
}

Result<CustomResourceController::Definitions> CustomResourceController::definitions(const Context& context) {
  ASSIGN_OR_RETURN(const auto cache, store_.fresh_cache(context, *definition_resource()));
  const CacheSnapshot snapshot = cache->snapshot(store_.feed()->progress());
  Definitions all;
  all.revision = snapshot.last_change;
  all.stored = *snapshot.objects;
  all.heads.reserve(all.stored.size());
  std::map<std::string, Object, std::less<>> heads;
  std::lock_guard lock(heads_mutex_);
  for (const StoredObjectPtr& stored : all.stored) {
    ASSIGN_OR_RETURN(Object head, head_of(stored));
    heads.emplace(stored->name(), head);
    all.heads.push_back(std::move(head));
  }
  heads_ = std::move(heads);
  return all;
}

Result<Object> CustomResourceController::head_of(const StoredObjectPtr& stored) {
  const auto known = heads_.find(stored->name());
  const std::string revision = std::to_string(stored->revision());
  if (known != heads_.end() && known->second.resource_version() == revision) return known->second;
  json::ReadOptions options;
  options.omit = "spec.versions";
  ASSIGN_OR_RETURN(Value tree, json::read(*stored->json(), options));
  return Object(std::move(tree)).with_metadata("resourceVersion", revision);
}

Result<void> CustomResourceController::start(const Context& context) {
  TRY(refresh(context));
  return follower_.start(context, definition_resource()->storage_prefix);
}

Result<void> CustomResourceController::refresh(const Context& context) {
  ASSIGN_OR_RETURN(const store::Revision newest, store_.last_change(context, *definition_resource()));
  {
    std::lock_guard lock(serve_mutex_);
    if (newest <= served_revision_) return {};
  }
  ASSIGN_OR_RETURN(const Definitions all, definitions(context));
  return serve(all);
}

Result<void> CustomResourceController::serve(const Definitions& definitions) {
  std::lock_guard lock(serve_mutex_);
  if (definitions.revision <= served_revision_) return {};
  std::set<std::string, std::less<>> present;
  // Who comes first has the names: later ones are judged against what earlier ones got.
  std::vector<Object> judged = definitions.heads;
  for (std::size_t i = 0; i < judged.size(); ++i) {
    Object& head = judged[i];
    const NameVerdict verdict = judge_names(head, judged);
    head = head.with("status", with_verdict(head["status"], verdict, WallTime()));
    if (!may_be_served(head, verdict)) continue;
    present.emplace(head.name());
    TRY(serve_one(head, definitions.stored[i]));
  }
  std::vector<std::string> gone;
  for (const auto& [name, served] : served_) {
    if (present.count(name) == 0) gone.push_back(name);
  }
  for (const std::string& name : gone) withdraw(name);
  served_revision_ = definitions.revision;
  return {};
}

Result<void> CustomResourceController::serve_one(const Object& head, const StoredObjectPtr& stored) {
  Served& served = served_[std::string(head.name())];
  if (served.state == nullptr) served.state = std::make_shared<CustomState>();
  served.state->terminating = head.deleting();
  Value shape = shape_of(head);
  if (shape == served.shape) {
    served.schemas->set_source(stored);
    return {};
  }
  ASSIGN_OR_RETURN(Object definition, stored->object());
  definition = definition.with("status", head["status"]);
  served.shape = std::move(shape);
  served.group = definition["spec"]["group"].as_string();
  served.plural = definition["spec"]["names"]["plural"].as_string();
  served.schemas = std::make_shared<DefinitionSchemas>(definition, stored);
  served.resources = custom_resources_of(definition, served.schemas, served.state);
  registry_.set_custom(served.group, served.plural, served.resources);
  return {};
}

void CustomResourceController::withdraw(const std::string& name) {
  const auto found = served_.find(name);
  registry_.set_custom(found->second.group, found->second.plural, {});
  served_.erase(found);
}

// True when something is left to be done that no event will tell of.
Result<bool> CustomResourceController::advance(const Context& context) {
  TRY(refresh(context));
  ASSIGN_OR_RETURN(Definitions all, definitions(context));
  bool unfinished = false;
  for (Object& definition : all.heads) {
    if (definition.deleting()) {
      ASSIGN_OR_RETURN(const bool left, clean_up(context, definition));
      unfinished = unfinished || left;
      continue;
    }
    const NameVerdict verdict = judge_names(definition, all.heads);
    auto written = write_status(context, definition, verdict);
    definition = definition.with("status", with_verdict(definition["status"], verdict, executor_.clock().wall()));
    if (written.ok() || written.error().reason() == Reason::NotFound) continue;
    if (written.error().reason() != Reason::Conflict) return written.error();
    unfinished = true;
  }
  return unfinished;
}

Result<void> CustomResourceController::write_status(const Context& context, const Object& definition,
                                                    const NameVerdict& verdict) {
  const WallTime now = executor_.clock().wall();
  if (with_verdict(definition["status"], verdict, now) == definition["status"]) return {};
  const ResourcePtr resource = definition_resource();
  const auto change = [&](const Object* current) -> Result<Object> {
    if (current == nullptr) return not_found(*resource, definition.name());
    return current->with("status", with_verdict((*current)["status"], verdict, now))
        .with_metadata("resourceVersion", definition.resource_version());
  };
  TRY(store_.update(status_write(context, *resource, definition), {}, change));
  return {};
}

ResourcePtr CustomResourceController::instances_of(const Object& definition) {
  std::lock_guard lock(serve_mutex_);
  const auto found = served_.find(definition.name());
  return found == served_.end() || found->second.resources.empty() ? nullptr : found->second.resources.front();
}

// Deletes the objects of a deleted definition, then lets it go. True while some objects stay.
Result<bool> CustomResourceController::clean_up(const Context& context, const Object& definition) {
  if (!definition.has_finalizer(kInstanceCleanup)) return false;
  if (const ResourcePtr resource = instances_of(definition)) {
    ASSIGN_OR_RETURN(const auto objects, store_.list(context, *resource, ""));
    for (const StoredObjectPtr& object : objects) {
      WriteRequest write{context, *resource, std::string(object->namespace_()), std::string(object->name()), ""};
      write.admission = false;
      auto removed = store_.remove(write, {});
      if (!removed.ok() && removed.error().reason() != Reason::NotFound) return removed.error();
    }
    ASSIGN_OR_RETURN(const auto left, store_.list(context, *resource, ""));
    if (!left.empty()) return true;
  }
  const ResourcePtr resource = definition_resource();
  WriteRequest write = status_write(context, *resource, definition);
  write.subresource.clear();
  UpdateOptions options;
  options.skip_prepare = true;
  const auto change = [&](const Object* current) -> Result<Object> {
    if (current == nullptr) return not_found(*resource, definition.name());
    return current->without_finalizer(kInstanceCleanup);
  };
  auto written = store_.update(write, options, change);
  if (!written.ok() && written.error().reason() != Reason::NotFound) return written.error();
  return false;
}

}  // namespace coracle::kube::apiserver
