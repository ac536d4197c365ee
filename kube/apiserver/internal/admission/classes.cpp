#include <optional>
#include <utility>

#include "kube/apiserver/internal/admission/common.h"
#include "kube/apiserver/internal/admission/plugins.h"
#include "kube/object/quantity.h"

// Plug-ins that check an object against a class it names: priority, runtime and storage classes.
namespace coracle::kube::apiserver {
namespace {

class PriorityAdmission : public AdmissionPlugin {
 public:
  explicit PriorityAdmission(const ObjectReader& objects) : objects_(objects) {}
  std::string_view name() const override { return "Priority"; }

  Result<void> admit(const Context& context, const AdmissionAttributes& attributes, Object* object,
                     std::vector<std::string>&) override {
    if (object == nullptr || !concerns(attributes, "", "pods")) return {};
    if (attributes.operation == Operation::Update) return keep_priority(attributes, *object);
    if (attributes.operation != Operation::Create) return {};
    std::string class_name((*object)["spec"]["priorityClassName"].as_string());
    std::optional<Object> priority_class;
    if (class_name.empty()) {
      ASSIGN_OR_RETURN(priority_class, global_default(context));
    } else {
      ASSIGN_OR_RETURN(priority_class, objects_.find(context, KnownResource::PriorityClasses, {}, class_name));
      if (!priority_class) {
        return admission_forbidden(attributes, object, "no PriorityClass with name " + class_name + " was found");
      }
    }
    return set_priority(attributes, *object, priority_class);
  }

  Result<void> validate(const Context& context, const AdmissionAttributes& attributes, const Object* object,
                        std::vector<std::string>&) override {
    bool write = attributes.operation == Operation::Create || attributes.operation == Operation::Update;
    if (!write || object == nullptr || !concerns(attributes, "scheduling.k8s.io", "priorityclasses")) return {};
    if (!(*object)["globalDefault"].as_bool()) return {};
    ASSIGN_OR_RETURN(std::optional<Object> other, global_default(context));
    if (!other || other->name() == object->name()) return {};
    return admission_forbidden(
        attributes, object,
        "PriorityClass " + std::string(other->name()) + " is already marked as default. Only one default can exist");
  }

 private:
  // A pod's priority is settled when it is created.
  static Result<void> keep_priority(const AdmissionAttributes& attributes, Object& pod) {
    if (attributes.old == nullptr) return {};
    for (std::string_view field : {"priority", "preemptionPolicy"}) {
      const Value& old = (*attributes.old)["spec"][field];
      if (pod["spec"][field].is_null() && !old.is_null()) pod = with_spec(pod, field, old);
    }
    return {};
  }

  static Result<void> set_priority(const AdmissionAttributes& attributes, Object& pod,
                                   const std::optional<Object>& priority_class) {
    std::int64_t computed = priority_class ? (*priority_class)["value"].as_int() : 0;
    const Value& given = pod["spec"]["priority"];
    if (given.is_int() && given.as_int() != computed) {
      return admission_forbidden(attributes, &pod,
                                 "the integer value of priority (" + std::to_string(given.as_int()) +
                                     ") must not be provided in pod spec; priority admission controller computed " +
                                     std::to_string(computed) + " from the given PriorityClass name");
    }
    std::string_view policy = "PreemptLowerPriority";
    if (priority_class) {
      std::string_view named = (*priority_class)["preemptionPolicy"].as_string();
      if (!named.empty()) policy = named;
      pod = with_spec(pod, "priorityClassName", priority_class->name());
    }
    std::string_view wanted = pod["spec"]["preemptionPolicy"].as_string();
    if (!wanted.empty() && wanted != policy) {
      return admission_forbidden(attributes, &pod,
                                 "the string value of PreemptionPolicy (" + std::string(wanted) +
                                     ") must not be provided in pod spec; priority admission controller computed " +
                                     std::string(policy) + " from the given PriorityClass name");
    }
    pod = with_spec(pod, "priority", computed);
    pod = with_spec(pod, "preemptionPolicy", policy);
    return {};
  }

  // Of several, the one with the lowest value.
  Result<std::optional<Object>> global_default(const Context& context) const {
    ASSIGN_OR_RETURN(std::vector<Object> classes, objects_.list(context, KnownResource::PriorityClasses, {}));
    std::optional<Object> lowest;
    for (const Object& one : classes) {
      if (!one["globalDefault"].as_bool()) continue;
      if (!lowest || one["value"].as_int() < (*lowest)["value"].as_int()) lowest = one;
    }
    return lowest;
  }

  const ObjectReader& objects_;
};

bool same_resources(const Value& a, const Value& b) {
  if (a.size() != b.size()) return false;
  for (const Value::Member& member : a.members()) {
    Result<Quantity> left = Quantity::from_value(member.value);
    Result<Quantity> right = Quantity::from_value(b[member.key]);
    if (!left.ok() || !right.ok() || !b.contains(member.key) || !(*left == *right)) return false;
  }
  return true;
}

class RuntimeClassAdmission : public AdmissionPlugin {
 public:
  explicit RuntimeClassAdmission(const ObjectReader& objects) : objects_(objects) {}
  std::string_view name() const override { return "RuntimeClass"; }

  Result<void> admit(const Context& context, const AdmissionAttributes& attributes, Object* object,
                     std::vector<std::string>&) override {
    if (!creates_pod(attributes, object)) return {};
    ASSIGN_OR_RETURN(std::optional<Object> runtime, runtime_class(context, attributes, *object));
    if (!runtime) return {};
    const Value& overhead = (*runtime)["overhead"]["podFixed"];
    if (!overhead.empty()) {
      const Value& given = (*object)["spec"]["overhead"];
      if (!given.empty() && !same_resources(given, overhead)) {
        return admission_forbidden(attributes, object,
                                   "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
      }
      *object = with_spec(*object, "overhead", overhead);
    }
    return set_scheduling(attributes, *object, (*runtime)["scheduling"]);
  }

  Result<void> validate(const Context& context, const AdmissionAttributes& attributes, const Object* object,
                        std::vector<std::string>&) override {
    if (!creates_pod(attributes, object)) return {};
    ASSIGN_OR_RETURN(std::optional<Object> runtime, runtime_class(context, attributes, *object));
    const Value& overhead = (*object)["spec"]["overhead"];
    if (!overhead.empty() && runtime && (*runtime)["overhead"]["podFixed"].empty()) {
      return admission_forbidden(attributes, object,
                                 "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
    }
    if (!overhead.empty() && !runtime) {
      return admission_forbidden(attributes, object,
                                 "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
    }
    return {};
  }

 private:
  static bool creates_pod(const AdmissionAttributes& attributes, const Object* object) {
    return attributes.operation == Operation::Create && object != nullptr && concerns(attributes, "", "pods");
  }

  Result<std::optional<Object>> runtime_class(const Context& context, const AdmissionAttributes& attributes,
                                              const Object& pod) const {
    std::string name(pod["spec"]["runtimeClassName"].as_string());
    if (name.empty()) return std::optional<Object>();
    ASSIGN_OR_RETURN(std::optional<Object> found, objects_.find(context, KnownResource::RuntimeClasses, {}, name));
    if (found) return found;
    return admission_forbidden(attributes, &pod, "pod rejected: RuntimeClass \"" + name + "\" not found");
  }

  static Result<void> set_scheduling(const AdmissionAttributes& attributes, Object& pod, const Value& scheduling) {
    Value selector = pod["spec"]["nodeSelector"];
    for (const Value::Member& member : scheduling["nodeSelector"].members()) {
      const Value* given = selector.find(member.key);
      if (given != nullptr && !(*given == member.value)) {
        std::string wanted(member.value.as_string());
        return admission_forbidden(attributes, &pod,
                                   "conflict: runtimeClass.scheduling.nodeSelector[" + member.key + "] = " + wanted +
                                       "; pod.spec.nodeSelector[" + member.key +
                                       "] = " + std::string(given->as_string()));
      }
      selector = selector.with(member.key, member.value);
    }
    if (!selector.empty()) pod = with_spec(pod, "nodeSelector", std::move(selector));
    Value tolerations = pod["spec"]["tolerations"];
    for (const Value& toleration : scheduling["tolerations"].items()) {
      bool has = false;
      for (const Value& given : tolerations.items()) has = has || given == toleration;
      if (!has) tolerations = list_with(tolerations, toleration);
    }
    if (!tolerations.empty()) pod = with_spec(pod, "tolerations", std::move(tolerations));
    return {};
  }

  const ObjectReader& objects_;
};

class ClaimResize : public AdmissionPlugin {
 public:
  explicit ClaimResize(const ObjectReader& objects) : objects_(objects) {}
  std::string_view name() const override { return "PersistentVolumeClaimResize"; }

  Result<void> validate(const Context& context, const AdmissionAttributes& attributes, const Object* object,
                        std::vector<std::string>&) override {
    bool update = attributes.operation == Operation::Update && object != nullptr && attributes.old != nullptr;
    if (!update || !concerns(attributes, "", "persistentvolumeclaims")) return {};
    Result<Quantity> now = Quantity::from_value((*object)["spec"]["resources"]["requests"]["storage"]);
    Result<Quantity> before = Quantity::from_value((*attributes.old)["spec"]["resources"]["requests"]["storage"]);
    if (!now.ok() || !before.ok() || *now <= *before) return {};
    if ((*attributes.old)["status"]["phase"].as_string() != "Bound") {
      return admission_forbidden(attributes, object, "Only bound persistent volume claims can be expanded");
    }
    std::string class_name((*object)["spec"]["storageClassName"].as_string());
    std::optional<Object> storage_class;
    if (!class_name.empty()) {
      ASSIGN_OR_RETURN(storage_class, objects_.find(context, KnownResource::StorageClasses, {}, class_name));
    }
    if (storage_class && (*storage_class)["allowVolumeExpansion"].as_bool()) return {};
    return admission_forbidden(attributes, object,
                               "only dynamically provisioned pvc can be resized and the storageclass that provisions "
                               "the pvc must support resize");
  }

 private:
  const ObjectReader& objects_;
};

}  // namespace

AdmissionPluginPtr make_priority_admission(const ObjectReader& objects) {
  return std::make_unique<PriorityAdmission>(objects);
}
AdmissionPluginPtr make_runtime_class_admission(const ObjectReader& objects) {
  return std::make_unique<RuntimeClassAdmission>(objects);
}
AdmissionPluginPtr make_claim_resize(const ObjectReader& objects) {
  return std::make_unique<ClaimResize>(objects);
}

}  // namespace coracle::kube::apiserver
