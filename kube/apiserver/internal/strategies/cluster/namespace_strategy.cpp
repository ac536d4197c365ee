#include "kube/apiserver/internal/strategies/cluster/namespace_strategy.h"

#include <algorithm>
#include <utility>

#include "kube/apiserver/internal/object_meta.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kNameLabel = "kubernetes.io/metadata.name";
constexpr std::string_view kFinalizers = "spec.finalizers";
constexpr std::string_view kContentFinalizer = "kubernetes";

void check_finalizer(const Value& finalizer, const FieldPath& path, FieldErrors& errors) {
  add_name_errors(path, finalizer, check_qualified_name(finalizer.as_string()), errors);
  add_name_errors(path, finalizer, check_finalizer_domain(finalizer.as_string()), errors);
}

Object with_name_label(const Object& object) {
  return object.name().empty() || object.label(kNameLabel) == object.name()
             ? object
             : object.with_label(kNameLabel, object.name());
}

class NamespaceStrategy : public Strategy {
 public:
  Result<Object> prepare_for_create(const WriteContext&, Object object) const override {
    const Value& given = object["spec"]["finalizers"];
    std::vector<Value> finalizers(given.items().begin(), given.items().end());
    if (std::find(finalizers.begin(), finalizers.end(), Value(kContentFinalizer)) == finalizers.end()) {
      finalizers.emplace_back(kContentFinalizer);
    }
    object = object.with("spec", object["spec"].with("finalizers", Value::array(std::move(finalizers))));
    object = object.with("status", Value::object({{"phase", "Active"}}));
    return with_name_label(object);
  }

  Result<Object> prepare_for_update(const WriteContext& write, Object object, const Object& old) const override {
    object = with_part_of(std::move(object), old, "spec");
    if (write.subresource != "status") object = with_part_of(std::move(object), old, "status");
    return with_name_label(object);
  }

  void validate(const WriteContext&, const Object& object, FieldErrors& errors) const override {
    const Value& finalizers = object["spec"]["finalizers"];
    for (const Value& finalizer : finalizers.items()) check_finalizer(finalizer, FieldPath(kFinalizers), errors);
  }

  void validate_update(const WriteContext& write, const Object& object, const Object&,
                       FieldErrors& errors) const override {
    const Value& finalizers = object["spec"]["finalizers"];
    for (std::size_t i = 0; write.subresource == "finalize" && i < finalizers.size(); ++i) {
      check_finalizer(finalizers.at(i), FieldPath(kFinalizers).index(i), errors);
    }
    if (write.subresource != "status") return;
    const Value& phase = object["status"]["phase"];
    retract(errors, "status.phase");
    if (object.deleting() && phase.as_string() != "Terminating") {
      errors.push_back(
          field_error::invalid("status.Phase", phase, "may only be 'Terminating' if `deletionTimestamp` is not empty"));
    } else if (!object.deleting() && phase.as_string() != "Active") {
      errors.push_back(
          field_error::invalid("status.Phase", phase, "may only be 'Active' if `deletionTimestamp` is empty"));
    }
  }

  bool holds_deletion(const Object& object) const override { return !object["spec"]["finalizers"].empty(); }
  Object mark_deleted(const WriteContext&, Object object) const override {
    return object.with("status", object["status"].with("phase", "Terminating"));
  }
  bool returns_object_on_delete() const override { return true; }
  std::string_view default_propagation() const override { return "Background"; }

 private:
  static Object with_part_of(Object object, const Object& old, std::string_view field) {
    const Value* part = old.tree().find(field);
    return part == nullptr ? object.without(field) : object.with(field, *part);
  }
};

}  // namespace

std::shared_ptr<const Strategy> make_namespace_strategy() {
  return std::make_shared<NamespaceStrategy>();
}

}  // namespace coracle::kube::apiserver
