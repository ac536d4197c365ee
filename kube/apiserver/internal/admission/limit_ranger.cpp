#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/admission/common.h"
#include "kube/apiserver/internal/admission/plugins.h"
#include "kube/object/resource_amounts.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kLimitRangerAnnotation = "kubernetes.io/limit-ranger";

// Adds what the list lacks; `added` names it.
Value with_default_amounts(const Value& list, const Value& defaults, std::vector<std::string>& added) {
  Value result = list;
  for (const Value::Member& member : defaults.members()) {
    if (list.contains(member.key)) continue;
    result = result.with(member.key, member.value);
    added.push_back(member.key);
  }
  std::sort(added.begin(), added.end());
  return result;
}

struct ContainerDefaults {
  Value requests = Value::object();
  Value limits = Value::object();
};

ContainerDefaults container_defaults(const Object& limit_range) {
  ContainerDefaults defaults;
  for (const Value& limit : limit_range["spec"]["limits"].items()) {
    if (limit["type"].as_string() != "Container") continue;
    for (const Value::Member& m : limit["defaultRequest"].members()) {
      defaults.requests = defaults.requests.with(m.key, m.value);
    }
    for (const Value::Member& m : limit["default"].members()) defaults.limits = defaults.limits.with(m.key, m.value);
  }
  return defaults;
}

Value with_container_defaults(const Value& containers, const ContainerDefaults& defaults, std::string_view what,
                              std::vector<std::string>& notes) {
  Value::ArrayBuilder builder;
  for (const Value& container : containers.items()) {
    std::string suffix = " for " + std::string(what) + " " + std::string(container["name"].as_string());
    std::vector<std::string> requests;
    std::vector<std::string> limits;
    Value resources = container["resources"];
    Value new_limits = with_default_amounts(resources["limits"], defaults.limits, limits);
    Value new_requests = with_default_amounts(resources["requests"], defaults.requests, requests);
    if (!limits.empty()) resources = resources.with("limits", std::move(new_limits));
    if (!requests.empty()) resources = resources.with("requests", std::move(new_requests));
    if (!requests.empty()) notes.push_back(join(requests, ", ") + " request" + suffix);
    if (!limits.empty()) notes.push_back(join(limits, ", ") + " limit" + suffix);
    builder.add(requests.empty() && limits.empty() ? container : container.with("resources", std::move(resources)));
  }
  return std::move(builder).build();
}

void set_pod_defaults(const Object& limit_range, Object& pod) {
  ContainerDefaults defaults = container_defaults(limit_range);
  if (defaults.requests.empty() && defaults.limits.empty()) return;
  std::vector<std::string> notes;
  const Value& spec = pod["spec"];
  Value changed = spec.with("containers", with_container_defaults(spec["containers"], defaults, "container", notes));
  if (!spec["initContainers"].empty()) {
    changed = changed.with("initContainers",
                           with_container_defaults(spec["initContainers"], defaults, "init container", notes));
  }
  if (notes.empty()) return;
  pod = pod.with("spec", std::move(changed));
  pod = pod.with_annotation(kLimitRangerAnnotation, "LimitRanger plugin set: " + join(notes, "; "));
}

// Checks what one thing (a container, a pod) uses against one entry of a LimitRange.
class LimitCheck {
 public:
  LimitCheck(std::string type, ResourceAmounts requests, ResourceAmounts limits, std::vector<std::string>& errors)
      : type_(std::move(type)), requests_(std::move(requests)), limits_(std::move(limits)), errors_(errors) {}

  void minimum(const ResourceAmounts& bounds) const {
    for (const auto& [name, bound] : bounds) {
      std::string start = "minimum " + name + " usage per " + type_ + " is " + bound.text();
      const Quantity* request = find(requests_, name);
      const Quantity* limit = find(limits_, name);
      if (request == nullptr) {
        errors_.push_back(start + ".  No request is specified");
      } else if (*request < bound) {
        errors_.push_back(start + ", but request is " + request->text());
      } else if (limit != nullptr && *limit < bound) {
        errors_.push_back(start + ", but limit is " + limit->text());
      }
    }
  }
  void maximum(const ResourceAmounts& bounds) const {
    for (const auto& [name, bound] : bounds) {
      std::string start = "maximum " + name + " usage per " + type_ + " is " + bound.text();
      const Quantity* request = find(requests_, name);
      const Quantity* limit = find(limits_, name);
      if (limit == nullptr) {
        errors_.push_back(start + ".  No limit is specified");
      } else if (*limit > bound) {
        errors_.push_back(start + ", but limit is " + limit->text());
      } else if (request != nullptr && *request > bound) {
        errors_.push_back(start + ", but request is " + request->text());
      }
    }
  }
  void maximum_request(const ResourceAmounts& bounds) const {
    for (const auto& [name, bound] : bounds) {
      std::string start = "maximum " + name + " usage per " + type_ + " is " + bound.text();
      const Quantity* request = find(requests_, name);
      if (request == nullptr) {
        errors_.push_back(start + ".  No request is specified");
      } else if (*request > bound) {
        errors_.push_back(start + ", but request is " + request->text());
      }
    }
  }
  void ratio(const ResourceAmounts& bounds) const {
    for (const auto& [name, bound] : bounds) {
      std::string start = name + " max limit to request ratio per " + type_ + " is " + bound.text() + ", but ";
      const Quantity* request = find(requests_, name);
      const Quantity* limit = find(limits_, name);
      if (request == nullptr || request->is_zero()) {
        errors_.push_back(start + "no request is specified or request is 0");
      } else if (limit == nullptr || limit->is_zero()) {
        errors_.push_back(start + "no limit is specified or limit is 0");
      } else if (double provided = limit->as_double() / request->as_double(); provided > bound.as_double()) {
        char text[64];
        std::snprintf(text, sizeof text, "%f", provided);
        errors_.push_back(start + "provided ratio is " + text);
      }
    }
  }

 private:
  static const Quantity* find(const ResourceAmounts& amounts, const std::string& name) {
    auto found = amounts.find(name);
    return found == amounts.end() ? nullptr : &found->second;
  }

  std::string type_;
  ResourceAmounts requests_;
  ResourceAmounts limits_;
  std::vector<std::string>& errors_;
};

void check_limits_of(const LimitCheck& check, const Value& limit) {
  check.minimum(read_amounts(limit["min"]));
  check.maximum(read_amounts(limit["max"]));
  check.ratio(read_amounts(limit["maxLimitRequestRatio"]));
}

void check_pod_limits(const Object& limit_range, const Value& spec, std::vector<std::string>& errors) {
  for (const Value& limit : limit_range["spec"]["limits"].items()) {
    std::string_view type = limit["type"].as_string();
    if (type == "Pod") {
      check_limits_of(LimitCheck("Pod", pod_amounts(spec, "requests"), pod_amounts(spec, "limits"), errors), limit);
    }
    if (type != "Container") continue;
    for (std::string_view list : {"containers", "initContainers"}) {
      for (const Value& container : spec[list].items()) {
        const Value& resources = container["resources"];
        check_limits_of(
            LimitCheck("Container", read_amounts(resources["requests"]), read_amounts(resources["limits"]), errors),
            limit);
      }
    }
  }
}

void check_claim_limits(const Object& limit_range, const Value& spec, std::vector<std::string>& errors) {
  for (const Value& limit : limit_range["spec"]["limits"].items()) {
    if (limit["type"].as_string() != "PersistentVolumeClaim") continue;
    LimitCheck check("PersistentVolumeClaim", read_amounts(spec["resources"]["requests"]), {}, errors);
    check.minimum(read_amounts(limit["min"]));
    check.maximum_request(read_amounts(limit["max"]));
  }
}

class LimitRanger : public AdmissionPlugin {
 public:
  explicit LimitRanger(const ObjectReader& objects) : objects_(objects) {}
  std::string_view name() const override { return "LimitRanger"; }

  Result<void> admit(const Context& context, const AdmissionAttributes& attributes, Object* object,
                     std::vector<std::string>&) override {
    bool creates = attributes.operation == Operation::Create && object != nullptr;
    if (!creates || !concerns(attributes, "", "pods")) return {};
    ASSIGN_OR_RETURN(std::vector<Object> ranges,
                     objects_.list(context, KnownResource::LimitRanges, attributes.namespace_));
    for (const Object& range : ranges) set_pod_defaults(range, *object);
    return {};
  }

  Result<void> validate(const Context& context, const AdmissionAttributes& attributes, const Object* object,
                        std::vector<std::string>&) override {
    if (object == nullptr) return {};
    bool creates = attributes.operation == Operation::Create;
    bool writes = creates || attributes.operation == Operation::Update;
    bool pod = creates && concerns(attributes, "", "pods");
    bool claim = writes && concerns(attributes, "", "persistentvolumeclaims");
    if (!pod && !claim) return {};
    // Finalizers of a claim that is going away must be removable whatever its size.
    if (attributes.old != nullptr && object->deleting()) return {};
    ASSIGN_OR_RETURN(std::vector<Object> ranges,
                     objects_.list(context, KnownResource::LimitRanges, attributes.namespace_));
    for (const Object& range : ranges) {
      std::vector<std::string> errors;
      if (pod) check_pod_limits(range, (*object)["spec"], errors);
      if (claim) check_claim_limits(range, (*object)["spec"], errors);
      if (!errors.empty()) return admission_forbidden(attributes, object, aggregate_text(errors));
    }
    return {};
  }

 private:
  const ObjectReader& objects_;
};

}  // namespace

AdmissionPluginPtr make_limit_ranger(const ObjectReader& objects) {
  return std::make_unique<LimitRanger>(objects);
}

}  // namespace coracle::kube::apiserver
