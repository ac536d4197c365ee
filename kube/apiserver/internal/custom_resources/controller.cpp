#include "kube/apiserver/internal/custom_resources/controller.h"

#include <algorithm>
#include <set>
#include <utility>

#include "kube/apiserver/internal/custom_resources/definition.h"
#include "kube/object/conditions.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kManager = "kube-apiserver";

// Everything that the served resources depend on.
Value shape_of(const Object& definition) {
  return Value::object(
      {{"uid", definition.uid()}, {"spec", definition["spec"]}, {"names", definition["status"]["acceptedNames"]}});
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
  WriteRequest write{context, resource, "", std::string(definition.name()), "status", std::string(kManager)};
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

Result<std::vector<Object>> CustomResourceController::definitions(const Context& context, store::Revision& revision) {
  ASSIGN_OR_RETURN(const auto cache, store_.fresh_cache(context, *definition_resource()));
  const CacheSnapshot snapshot = cache->snapshot(store_.feed()->progress());
  revision = snapshot.last_change;
  std::vector<Object> objects;
  objects.reserve(snapshot.objects->size());
  for (const StoredObjectPtr& stored : *snapshot.objects) {
    ASSIGN_OR_RETURN(Object object, stored->object());
    objects.push_back(std::move(object));
  }
  return objects;
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
  store::Revision revision = 0;
  ASSIGN_OR_RETURN(const std::vector<Object> objects, definitions(context, revision));
  serve(objects, revision);
  return {};
}

void CustomResourceController::serve(const std::vector<Object>& definitions, store::Revision revision) {
  std::lock_guard lock(serve_mutex_);
  if (revision <= served_revision_) return;
  std::set<std::string, std::less<>> present;
  // Who comes first has the names: later ones are judged against what earlier ones got.
  std::vector<Object> judged = definitions;
  for (Object& definition : judged) {
    const NameVerdict verdict = judge_names(definition, judged);
    definition = definition.with("status", with_verdict(definition["status"], verdict, WallTime()));
    if (!may_be_served(definition, verdict)) continue;
    present.emplace(definition.name());
    serve_one(definition);
  }
  std::vector<std::string> gone;
  for (const auto& [name, served] : served_) {
    if (present.count(name) == 0) gone.push_back(name);
  }
  for (const std::string& name : gone) withdraw(name);
  served_revision_ = revision;
}

void CustomResourceController::serve_one(const Object& definition) {
  Served& served = served_[std::string(definition.name())];
  if (served.state == nullptr) served.state = std::make_shared<CustomState>();
  served.state->terminating = definition.deleting();
  Value shape = shape_of(definition);
  if (shape == served.shape) return;
  served.shape = std::move(shape);
  served.group = definition["spec"]["group"].as_string();
  served.plural = definition["spec"]["names"]["plural"].as_string();
  served.resources = custom_resources_of(definition, served.state);
  registry_.set_custom(served.group, served.plural, served.resources);
}

void CustomResourceController::withdraw(const std::string& name) {
  const auto found = served_.find(name);
  registry_.set_custom(found->second.group, found->second.plural, {});
  served_.erase(found);
}

// True when something is left to be done that no event will tell of.
Result<bool> CustomResourceController::advance(const Context& context) {
  TRY(refresh(context));
  store::Revision revision = 0;
  ASSIGN_OR_RETURN(std::vector<Object> all, definitions(context, revision));
  bool unfinished = false;
  for (Object& definition : all) {
    if (definition.deleting()) {
      ASSIGN_OR_RETURN(const bool left, clean_up(context, definition));
      unfinished = unfinished || left;
      continue;
    }
    const NameVerdict verdict = judge_names(definition, all);
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
