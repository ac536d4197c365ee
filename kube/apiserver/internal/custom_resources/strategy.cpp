#include <algorithm>
#include <utility>

#include "kube/apiserver/internal/custom_resources/definition.h"
#include "kube/schema/crd_schema.h"

namespace coracle::kube::apiserver {

namespace {

// The storage version belongs to those in which objects may be stored.
Object with_stored_version(const Object& definition) {
  const std::string_view version = storage_version_of(definition);
  const Value& stored = definition["status"]["storedVersions"];
  const auto items = stored.items();
  const bool known =
      std::any_of(items.begin(), items.end(), [&](const Value& item) { return item.as_string() == version; });
  if (version.empty() || known) return definition;
  std::vector<Value> next(items.begin(), items.end());
  next.emplace_back(version);
  return definition.with("status", definition["status"].with("storedVersions", Value::array(std::move(next))));
}

// Expressions are kept as they are written; nobody may believe that they are checked.
bool has_rules(const Object& definition) {
  const auto versions = definition["spec"]["versions"].items();
  return std::any_of(versions.begin(), versions.end(), [](const Value& version) {
    return schema_mentions(version["schema"]["openAPIV3Schema"], "x-kubernetes-validations");
  });
}

std::vector<std::string> unknown_formats_of(const Object& definition) {
  std::vector<std::string> formats;
  for (const Value& version : definition["spec"]["versions"].items()) {
    for (std::string& format : unknown_formats(version["schema"]["openAPIV3Schema"])) {
      if (std::find(formats.begin(), formats.end(), format) == formats.end()) formats.push_back(std::move(format));
    }
  }
  return formats;
}

class DefinitionStrategy : public Strategy {
 public:
  Result<Object> prepare_for_create(const WriteContext&, Object object) const override {
    const Value status = Value::object({{"conditions", Value::array()},
                                        {"acceptedNames", Value::object({{"plural", ""}, {"kind", ""}})},
                                        {"storedVersions", Value::array()}});
    return with_stored_version(object.with("status", status).with_metadata("generation", 1));
  }

  Result<Object> prepare_for_update(const WriteContext& write, Object object, const Object& old) const override {
    if (write.subresource == "status") {
      return old.with("status", object["status"]).with_metadata("managedFields", object.metadata()["managedFields"]);
    }
    object = object.with("status", old["status"]);
    if (!(object["spec"] == old["spec"])) object = object.with_metadata("generation", old.generation() + 1);
    return with_stored_version(object);
  }

  void validate(const WriteContext&, const Object& object, FieldErrors& errors) const override {
    validate_definition(object, nullptr, errors);
  }
  void validate_update(const WriteContext& write, const Object& object, const Object& old,
                       FieldErrors& errors) const override {
    write.subresource == "status" ? validate_definition_status(object, old, errors)
                                  : validate_definition(object, &old, errors);
  }

  std::vector<std::string> warnings(const WriteContext& write, const Object& object, const Object* old) const override {
    if (write.subresource == "status" || (old != nullptr && (*old)["spec"] == object["spec"])) return {};
    std::vector<std::string> warnings;
    std::vector<std::string> known;
    if (old != nullptr) known = unknown_formats_of(*old);
    for (const std::string& format : unknown_formats_of(object)) {
      if (std::find(known.begin(), known.end(), format) == known.end()) {
        warnings.push_back("unrecognized format \"" + format + "\"");
      }
    }
    if (has_rules(object)) {
      warnings.push_back("x-kubernetes-validations of " + std::string(object.name()) +
                         " are stored, but this server does not evaluate them");
    }
    return warnings;
  }

  // A definition is marked first; it goes with the last of its objects.
  bool holds_deletion(const Object& object) const override { return !object.deleting(); }
  Object mark_deleted(const WriteContext& write, Object object) const override {
    const Condition terminating{
        "Terminating", "True", "InstanceDeletionPending",
        "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"};
    const Value& status = object["status"];
    if (condition_is_true(status["conditions"], "Terminating")) return object;
    object =
        object.with("status", status.with("conditions", with_condition(status["conditions"], terminating, write.now)));
    return object.with_finalizer(kInstanceCleanup);
  }

  bool allow_unconditional_update() const override { return false; }
  bool status_resets_metadata() const override { return true; }
  std::string_view default_propagation() const override { return "Background"; }
};

}  // namespace

std::shared_ptr<const Strategy> make_definition_strategy() {
  return std::make_shared<DefinitionStrategy>();
}

Result<Object> definition_to_v1(const Object& definition, const GroupVersionKind& to) {
  if (definition.gvk() == to) return definition;
  const Value& spec = definition["spec"];
  Value::ObjectBuilder out;
  for (const char* field : {"group", "names", "scope", "preserveUnknownFields"}) out.set_nonempty(field, spec[field]);
  // The older form keeps what all versions share at the top, and may name a single version there.
  std::vector<Value> versions(spec["versions"].items().begin(), spec["versions"].items().end());
  if (versions.empty()) {
    versions.push_back(Value::object({{"name", spec["version"]}, {"served", true}, {"storage", true}}));
  }
  for (Value& version : versions) {
    if (!version.contains("schema") && spec.contains("validation")) {
      version = version.with("schema", spec["validation"]);
    }
    for (const char* field : {"subresources", "selectableFields"}) {
      if (!version.contains(field) && spec.contains(field)) version = version.with(field, spec[field]);
    }
    if (!version.contains("additionalPrinterColumns")) {
      version = version.with("additionalPrinterColumns", spec["additionalPrinterColumns"]);
    }
    std::vector<Value> columns;
    for (const Value& column : version["additionalPrinterColumns"].items()) {
      columns.push_back(column.contains("JSONPath") ? column.with("jsonPath", column["JSONPath"]).without("JSONPath")
                                                    : column);
    }
    version = columns.empty() ? version.without("additionalPrinterColumns")
                              : version.with("additionalPrinterColumns", Value::array(std::move(columns)));
  }
  out.set("versions", Value::array(std::move(versions)));
  const Value& conversion = spec["conversion"];
  if (conversion["strategy"].as_string() == "Webhook") {
    out.set("conversion",
            Value::object(
                {{"strategy", "Webhook"},
                 {"webhook", Value::object({{"clientConfig", conversion["webhookClientConfig"]},
                                            {"conversionReviewVersions", conversion["conversionReviewVersions"]}})}}));
  } else {
    out.set("conversion", Value::object({{"strategy", "None"}}));
  }
  return definition.with("apiVersion", to.api_version()).with("kind", to.kind).with("spec", std::move(out).build());
}

}  // namespace coracle::kube::apiserver
