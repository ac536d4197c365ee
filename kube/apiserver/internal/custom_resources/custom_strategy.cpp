#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/custom_resources/resources.h"
#include "kube/schema/field_error.h"
#include "kube/schema/pruning.h"
#include "kube/schema/validation.h"

namespace coracle::kube::apiserver {

namespace {

const Value& at_dotted_path(const Value& tree, std::string_view path) {
  if (path.starts_with('.')) path.remove_prefix(1);
  return tree.at_path(split(path, '.'));
}

class CustomStrategy : public Strategy {
 public:
  explicit CustomStrategy(CustomBehaviour behaviour) : behaviour_(std::move(behaviour)) {}

  Result<Object> prepare_for_create(const WriteContext&, Object object) const override {
    if (behaviour_.state->terminating.load()) {
      ErrorDetails details;
      details.name = object.name();
      details.group = behaviour_.gvk.group;
      details.kind = behaviour_.resource;
      return Error(Reason::Forbidden,
                   behaviour_.resource + "." + behaviour_.gvk.group + " \"" + std::string(object.name()) +
                       "\" is forbidden: create not allowed while custom resource definition is terminating")
          .with_details(std::move(details));
    }
    if (behaviour_.has_status) object = object.without("status");
    return object.with_metadata("generation", 1);
  }

  Result<Object> prepare_for_update(const WriteContext& write, Object object, const Object& old) const override {
    if (write.subresource == "status") {
      const Value* status = object.tree().find("status");
      const Object merged = status == nullptr ? old.without("status") : old.with("status", *status);
      return merged.with_metadata("managedFields", object.metadata()["managedFields"]);
    }
    if (behaviour_.has_status) {
      const Value* status = old.tree().find("status");
      object = status == nullptr ? object.without("status") : object.with("status", *status);
    }
    // Everything outside metadata counts, but a status that has an endpoint of its own.
    if (!(compared(object) == compared(as_written(old)))) {
      object = object.with_metadata("generation", old.generation() + 1);
    }
    return object;
  }

  void validate(const WriteContext&, const Object& object, FieldErrors& errors) const override {
    check(object, nullptr, errors);
  }
  void validate_update(const WriteContext&, const Object& object, const Object& old,
                       FieldErrors& errors) const override {
    check(object, &old, errors);
  }

  bool allow_unconditional_update() const override { return false; }
  bool status_resets_metadata() const override { return true; }
  std::string_view default_propagation() const override { return "Background"; }

 private:
  // What is stored, as far as the version of the request knows it.
  Object as_written(const Object& stored) const {
    if (!behaviour_.validates) return stored;
    return Object(prune(stored.tree(), *behaviour_.schemas->find(behaviour_.gvk.api_version())));
  }

  Value compared(const Object& object) const {
    Value tree = object.tree().without("metadata").without("apiVersion");
    return behaviour_.has_status ? tree.without("status") : tree;
  }

  void check(const Object& object, const Object* old, FieldErrors& errors) const {
    if (behaviour_.validates) {
      const Value* before = old == nullptr ? nullptr : &old->tree();
      for (Cause& problem :
           kube::validate(object.tree(), *behaviour_.schemas->find(behaviour_.gvk.api_version()), "", before)) {
        errors.push_back(std::move(problem));
      }
    }
    for (const std::string& path : {behaviour_.replicas_path, behaviour_.status_replicas_path}) {
      if (path.empty()) continue;
      const Value& replicas = at_dotted_path(object.tree(), path);
      if (replicas.is_int() && replicas.as_int() < 0) {
        errors.push_back(field_error::invalid(path, replicas, "should be a non-negative integer"));
      }
    }
  }

  const CustomBehaviour behaviour_;
};

}  // namespace

std::shared_ptr<const Strategy> make_custom_strategy(CustomBehaviour behaviour) {
  return std::make_shared<CustomStrategy>(std::move(behaviour));
}

}  // namespace coracle::kube::apiserver
