#include "reconcilers/git/target_namespace.h"

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include "kube/apply/inventory.h"

namespace coracle::reconcilers {
namespace {

constexpr std::string_view kDefault = "default";

struct Moved {
  std::string kind;  // "ServiceAccount" or "Service"
  std::string name;
  std::string from;
};

// Where objects refer to what was moved; "*" is every item of a list.
struct Reference {
  std::string_view holder;
  std::string_view kind;
  std::span<const std::string_view> path;
};

constexpr std::array<std::string_view, 2> kSubjects = {"subjects", "*"};
constexpr std::array<std::string_view, 4> kWebhooks = {"webhooks", "*", "clientConfig", "service"};
constexpr std::array<std::string_view, 2> kApiService = {"spec", "service"};
constexpr std::array<std::string_view, 5> kConversion = {"spec", "conversion", "webhook", "clientConfig", "service"};
constexpr std::array kReferences = {
    Reference{"RoleBinding", "ServiceAccount", kSubjects},
    Reference{"ClusterRoleBinding", "ServiceAccount", kSubjects},
    Reference{"ValidatingWebhookConfiguration", "Service", kWebhooks},
    Reference{"MutatingWebhookConfiguration", "Service", kWebhooks},
    Reference{"APIService", "Service", kApiService},
    Reference{"CustomResourceDefinition", "Service", kConversion},
};

std::string_view or_default(std::string_view ns) {
  return ns.empty() ? kDefault : ns;
}

// A reference without a namespace is to the only one of that name.
bool refers_to_moved(const Value& reference, std::string_view kind, const std::vector<Moved>& moved) {
  const std::string_view ns = reference["namespace"].as_string();
  const auto matches = [&](const Moved& each) {
    return each.kind == kind && each.name == reference["name"].as_string() && (ns.empty() || each.from == ns);
  };
  const auto count = std::count_if(moved.begin(), moved.end(), matches);
  return ns.empty() ? count == 1 : count > 0;
}

Value follow(const Value& value, std::span<const std::string_view> path, const Reference& reference,
             std::string_view target, const std::vector<Moved>& moved) {
  if (path.empty()) {
    const bool account = reference.kind == "ServiceAccount";
    if (account && value["kind"].as_string() != reference.kind) return value;
    const bool follows =
        (account && value["name"].as_string() == kDefault) || refers_to_moved(value, reference.kind, moved);
    return follows ? value.with("namespace", target) : value;
  }
  if (path.front() != "*") {
    const Value* below = value.find(path.front());
    return below == nullptr ? value
                            : value.with(path.front(), follow(*below, path.subspan(1), reference, target, moved));
  }
  if (!value.is_array()) return value;
  Value::ArrayBuilder items;
  for (const Value& item : value.items()) items.add(follow(item, path.subspan(1), reference, target, moved));
  return std::move(items).build();
}

kube::Object with_references(kube::Object object, std::string_view target, const std::vector<Moved>& moved) {
  for (const Reference& reference : kReferences) {
    if (object.kind() != reference.holder) continue;
    object = kube::Object(follow(object.tree(), reference.path, reference, target, moved));
  }
  return object;
}

}  // namespace

Result<std::vector<kube::Object>> move_to_namespace(
    std::vector<kube::Object> objects, std::string_view target,
    const std::function<bool(const kube::GroupVersionKind&)>& is_namespaced) {
  std::vector<Moved> moved;
  for (kube::Object& object : objects) {
    if (is_namespaced(object.gvk())) {
      moved.push_back(
          {std::string(object.kind()), std::string(object.name()), std::string(or_default(object.namespace_()))});
      object = object.with_metadata("namespace", target);
    } else if (object.api_version() == "v1" && object.kind() == "Namespace") {
      object = object.with_metadata("name", target);
    }
  }
  std::set<std::tuple<std::string, std::string, kube::ObjectKey>> known;
  for (kube::Object& object : objects) {
    object = with_references(std::move(object), target, moved);
    if (!known.emplace(object.api_version(), object.kind(), object.key()).second) {
      return Error(Reason::Invalid, "spec.targetNamespace: namespace transformation produces ID conflict: " +
                                        kube::InventoryEntry::of(object).subject());
    }
  }
  return objects;
}

}  // namespace coracle::reconcilers
