#include "kube/apiserver/internal/strategies/devices/admin_access_strategy.h"

#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/extended_strategy.h"
#include "kube/object/field_path.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kAdminLabel = "resource.kubernetes.io/admin-access";
constexpr std::string_view kUnmarked =
    "admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing "
    "namespace";

class AdminAccessStrategy : public ExtendedStrategy {
 public:
  AdminAccessStrategy(const std::shared_ptr<const Strategy>& rules,
                      std::shared_ptr<const StrategyEnvironment> environment, std::string_view requests)
      : ExtendedStrategy(rules), rules_(rules), environment_(std::move(environment)), requests_(requests) {}

  std::vector<std::string> warnings(const WriteContext& write, const Object& object, const Object* old) const override {
    return rules_->warnings(write, object, old);
  }

  void validate(const WriteContext& write, const Object& object, FieldErrors& errors) const override {
    rules_->validate(write, object, errors);
    const Value& requests = object.tree().at_path(split(requests_, '.'));
    for (std::size_t i = 0; i < requests.size(); ++i) {
      if (!requests.at(i)["exactly"]["adminAccess"].as_bool()) continue;
      // Upstream names the place in a claim, for templates as well.
      require_mark(write, FieldPath(kRequests).index(i), errors);
      return;
    }
  }

  // Specs cannot be changed, so that only what is allocated is new.
  void validate_update(const WriteContext& write, const Object& object, const Object& old,
                       FieldErrors& errors) const override {
    rules_->validate_update(write, object, old, errors);
    if (write.subresource != "status" || granted(old) != kNothing) return;
    const std::size_t wanted = granted(object);
    if (wanted != kNothing) require_mark(write, FieldPath(kResults).index(wanted), errors);
  }

 private:
  static constexpr std::string_view kRequests = "spec.devices.requests";
  static constexpr std::string_view kResults = "status.allocation.devices.results";
  static constexpr std::size_t kNothing = static_cast<std::size_t>(-1);

  // The first device that was allocated with admin access.
  static std::size_t granted(const Object& claim) {
    const Value& results = claim.tree().at_path(split(kResults, '.'));
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (results.at(i)["adminAccess"].as_bool()) return i;
    }
    return kNothing;
  }

  // What stands against it comes before everything else, as upstream asks for it first.
  void require_mark(const WriteContext& write, const FieldPath& owner, FieldErrors& errors) const {
    const FieldPath path = owner.child("adminAccess");
    const ResourcePtr namespaces = environment_->resource("", "v1", "namespaces");
    auto found = environment_->store().find(write.context, *namespaces, "", write.namespace_);
    if (found.ok() && *found != nullptr && (*found)->labels()[kAdminLabel].as_string() == "true") return;
    Cause cause = field_error::forbidden(path.text(), kUnmarked);
    if (!found.ok()) {
      cause = {"InternalError", "Internal error: could not retrieve namespace to verify admin access", path.text()};
    }
    errors.insert(errors.begin(), std::move(cause));
  }

  const std::shared_ptr<const Strategy> rules_;
  const std::shared_ptr<const StrategyEnvironment> environment_;
  const std::string_view requests_;
};

}  // namespace

std::shared_ptr<const Strategy> make_admin_access_strategy(std::shared_ptr<const Strategy> rules,
                                                           std::shared_ptr<const StrategyEnvironment> environment,
                                                           std::string_view resource) {
  const std::string_view requests =
      resource == "resourceclaims" ? "spec.devices.requests" : "spec.spec.devices.requests";
  return std::make_shared<AdminAccessStrategy>(rules, std::move(environment), requests);
}

}  // namespace coracle::kube::apiserver
