#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/admission/common.h"
#include "kube/apiserver/internal/admission/plugins.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kContainerProfile = "container.apparmor.security.beta.kubernetes.io/";
constexpr std::string_view kLocalProfile = "localhost/";
constexpr std::size_t kMaxLocalProfile = 4095;

// The field that says what an annotation does; nothing for one that cannot be said that way.
std::optional<Value> profile_of_annotation(std::string_view text) {
  if (text == "unconfined") return Value::object({{"type", "Unconfined"}});
  if (text == "runtime/default") return Value::object({{"type", "RuntimeDefault"}});
  if (!text.starts_with(kLocalProfile)) return std::nullopt;
  text.remove_prefix(kLocalProfile.size());
  if (text.empty() || trim(text) != text || text.size() > kMaxLocalProfile) return std::nullopt;
  return Value::object({{"type", "Localhost"}, {"localhostProfile", text}});
}

// Nodes read the field alone: without it a profile that is asked for in the old way would not be applied.
class AppArmorFields : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "AppArmorFields"; }

  Result<void> admit(const Context&, const AdmissionAttributes& attributes, Object* object,
                     std::vector<std::string>& warnings) override {
    bool creates = attributes.operation == Operation::Create && object != nullptr;
    if (!creates || !concerns(attributes, "", "pods")) return {};
    const Value annotations = object->metadata()["annotations"];
    if (annotations.empty() || (*object)["spec"]["os"]["name"].as_string() == "windows") return {};
    for (std::string_view list : {"initContainers", "containers"}) {
      if (std::optional<Value> changed = with_profiles((*object)["spec"], list, annotations, warnings)) {
        *object = with_spec(*object, list, std::move(*changed));
      }
    }
    return {};
  }

 private:
  // The containers of a list with their profiles; nothing when that changes none.
  static std::optional<Value> with_profiles(const Value& spec, std::string_view list, const Value& annotations,
                                            std::vector<std::string>& warnings) {
    const Value& of_pod = spec["securityContext"]["appArmorProfile"];
    bool changed = false;
    Value::ArrayBuilder containers;
    for (const Value& container : spec[list].items()) {
      Value next = container;
      const std::string key = std::string(kContainerProfile).append(container["name"].as_string());
      const Value& context = container["securityContext"];
      if (annotations.contains(key) && !context["appArmorProfile"].is_object()) {
        std::optional<Value> profile = profile_of_annotation(annotations[key].as_string());
        const bool differs = profile && !(*profile == of_pod);
        if (differs) next = container.with("securityContext", context.with("appArmorProfile", std::move(*profile)));
        if (differs || !profile) {
          warnings.push_back("metadata.annotations[" + key +
                             "]: deprecated since v1.30; use the \"appArmorProfile\" field instead");
        }
        changed = changed || differs;
      }
      containers.add(std::move(next));
    }
    if (!changed) return std::nullopt;
    return std::move(containers).build();
  }
};

}  // namespace

AdmissionPluginPtr make_app_armor_fields() {
  return std::make_unique<AppArmorFields>();
}

}  // namespace coracle::kube::apiserver
