#include <utility>

#include "kube/apiserver/internal/resource.h"

namespace coracle::kube::apiserver {

namespace {

bool is_type_or_metadata(std::string_view field) {
  return field == "metadata" || field == "status" || field == "kind" || field == "apiVersion";
}

// Is everything outside metadata and status the same?
bool same_specification(const Object& a, const Object& b) {
  std::size_t left = 0, right = 0;
  for (const Value::Member& member : b.tree().members()) right += is_type_or_metadata(member.key) ? 0 : 1;
  for (const Value::Member& member : a.tree().members()) {
    if (is_type_or_metadata(member.key)) continue;
    ++left;
    const Value* other = b.tree().find(member.key);
    if (other == nullptr || !(*other == member.value)) return false;
  }
  return left == right;
}

class StandardStrategy : public Strategy {
 public:
  explicit StandardStrategy(StandardBehaviour behaviour) : behaviour_(behaviour) {}

  Result<Object> prepare_for_create(const WriteContext&, Object object) const override {
    if (behaviour_.has_status) object = object.without("status");
    if (behaviour_.counts_generation) object = object.with_metadata("generation", 1);
    return object;
  }

  Result<Object> prepare_for_update(const WriteContext& write, Object object, const Object& old) const override {
    if (write.subresource == "status") return status_update(object, old);
    if (behaviour_.has_status) {
      const Value* status = old.tree().find("status");
      object = status == nullptr ? object.without("status") : object.with("status", *status);
    }
    if (behaviour_.counts_generation && !same_specification(object, old)) {
      object = object.with_metadata("generation", old.generation() + 1);
    }
    return object;
  }

  bool allow_create_on_update() const override { return behaviour_.create_on_update; }
  bool allow_unconditional_update() const override { return behaviour_.unconditional_update; }
  bool returns_object_on_delete() const override { return behaviour_.returns_object_on_delete; }
  bool status_resets_metadata() const override { return behaviour_.status_resets_metadata; }
  std::string_view default_propagation() const override { return "Background"; }

 private:
  // Only the status is the caller's; of metadata what the resource allows.
  Object status_update(const Object& object, const Object& old) const {
    const Value* status = object.tree().find("status");
    Object merged = status == nullptr ? old.without("status") : old.with("status", *status);
    if (behaviour_.status_resets_metadata) {
      return merged.with_metadata("managedFields", object.metadata()["managedFields"]);
    }
    return merged.with("metadata", object.metadata());
  }

  const StandardBehaviour behaviour_;
};

}  // namespace

Result<Object> Strategy::prepare_for_create(const WriteContext&, Object object) const {
  return object;
}
Result<Object> Strategy::prepare_for_update(const WriteContext&, Object object, const Object&) const {
  return object;
}
void Strategy::validate(const WriteContext&, const Object&, FieldErrors&) const {}
void Strategy::validate_update(const WriteContext&, const Object&, const Object&, FieldErrors&) const {}
std::vector<std::string> Strategy::warnings(const WriteContext&, const Object&, const Object*) const {
  return {};
}
Result<Strategy::Allocation> Strategy::begin_write(const WriteContext&, Object object, const Object*) const {
  return Allocation{std::move(object), {}, {}};
}
void Strategy::after_delete(const WriteContext&, const Object&) const {}
std::string_view Strategy::deletion_refusal(std::string_view) const {
  return "";
}
std::optional<std::int64_t> Strategy::grace_period(const WriteContext&, const Object&,
                                                   std::optional<std::int64_t>) const {
  return std::nullopt;
}
bool Strategy::holds_deletion(const Object&) const {
  return false;
}
Object Strategy::mark_deleted(const WriteContext&, Object object) const {
  return object;
}

std::unique_ptr<Strategy> make_standard_strategy(StandardBehaviour behaviour) {
  return std::make_unique<StandardStrategy>(behaviour);
}

const SubresourceDescriptor* ResourceDescriptor::find_subresource(std::string_view name) const {
  for (const SubresourceDescriptor& subresource : subresources) {
    if (subresource.name == name) return &subresource;
  }
  return nullptr;
}

}  // namespace coracle::kube::apiserver
