#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "kube/apiserver/internal/resource.h"

namespace coracle::kube::apiserver {

// The standard strategy of a resource, or other rules for it, as the ground on which special rules stand: what is not
// overridden does what those say.
class ExtendedStrategy : public Strategy {
 public:
  explicit ExtendedStrategy(const StandardBehaviour& behaviour) : standard_(make_standard_strategy(behaviour)) {}
  explicit ExtendedStrategy(std::shared_ptr<const Strategy> standard) : standard_(std::move(standard)) {}

  Result<Object> prepare_for_create(const WriteContext& write, Object object) const override {
    return standard_->prepare_for_create(write, std::move(object));
  }
  Result<Object> prepare_for_update(const WriteContext& write, Object object, const Object& old) const override {
    return standard_->prepare_for_update(write, std::move(object), old);
  }
  std::string_view default_propagation() const override { return standard_->default_propagation(); }
  std::string_view deletion_refusal(std::string_view name) const override { return standard_->deletion_refusal(name); }
  bool allow_create_on_update() const override { return standard_->allow_create_on_update(); }
  bool allow_unconditional_update() const override { return standard_->allow_unconditional_update(); }
  bool returns_object_on_delete() const override { return standard_->returns_object_on_delete(); }
  bool status_resets_metadata() const override { return standard_->status_resets_metadata(); }

 private:
  const std::shared_ptr<const Strategy> standard_;
};

}  // namespace coracle::kube::apiserver
