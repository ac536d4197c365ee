#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "base/text.h"
#include "kube/apiserver/internal/custom_resources/definition.h"
#include "kube/object/field_path.h"
#include "kube/object/json_path.h"
#include "kube/object/names.h"
#include "kube/schema/crd_schema.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::size_t kMaximumSelectableFields = 8;
constexpr std::array<std::string_view, 5> kColumnTypes = {"boolean", "date", "integer", "number", "string"};
constexpr std::array<std::string_view, 9> kColumnFormats = {"byte",  "date",  "date-time", "double",  "float",
                                                            "int32", "int64", "name",      "password"};
constexpr std::array<std::string_view, 2> kScopes = {"Cluster", "Namespaced"};
constexpr std::array<std::string_view, 2> kConversions = {"None", "Webhook"};

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& allowed) {
  return std::find(allowed.begin(), allowed.end(), text) != allowed.end();
}

class DefinitionRules {
 public:
  DefinitionRules(const Object& definition, const Object* old, FieldErrors& errors)
      : definition_(definition), spec_(definition["spec"]), old_(old), errors_(errors) {}

  void check() {
    check_name();
    check_group();
    check_names();
    check_scope();
    check_versions();
    check_conversion();
    if (spec_["preserveUnknownFields"].as_bool() &&
        !(old_ != nullptr && (*old_)["spec"]["preserveUnknownFields"].as_bool())) {
      add(field_error::invalid("spec.preserveUnknownFields", true,
                               "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
                               "spec.versions[*].schema instead"));
    }
    check_stored_versions();
    if (old_ != nullptr) check_immutable();
  }

 private:
  // One problem a field is enough; the schema may have told of it already.
  void add(Cause cause) {
    const bool told = std::any_of(errors_.begin(), errors_.end(), [&](const Cause& known) {
      return known.field == cause.field && known.reason == cause.reason;
    });
    if (!told) errors_.push_back(std::move(cause));
  }

  bool require(std::string_view path, const Value& value, std::string_view detail = {}) {
    if (!value.as_string().empty()) return true;
    add(field_error::required(path, detail));
    return false;
  }

  void check_text(const std::string& path, std::string_view text, const NameErrors& problems) {
    for (const std::string& problem : problems) add(field_error::invalid(path, text, problem));
  }

  void check_name() {
    const std::string wanted =
        std::string(spec_["names"]["plural"].as_string()) + "." + std::string(spec_["group"].as_string());
    if (definition_.name() != wanted) {
      add(field_error::invalid("metadata.name", definition_.name(), "must be spec.names.plural+\".\"+spec.group"));
    }
  }

  void check_group() {
    const std::string_view group = spec_["group"].as_string();
    if (!require("spec.group", spec_["group"])) return;
    const NameErrors problems = check_dns1123_subdomain(group);
    check_text("spec.group", group, problems);
    if (problems.empty() && group.find('.') == std::string_view::npos) {
      add(field_error::invalid("spec.group", group, "should be a domain with at least one dot"));
    }
    if (!is_protected_group(group)) return;
    const std::string_view approval = definition_.annotation(kApprovalAnnotation);
    const std::string path = FieldPath("metadata.annotations").key(kApprovalAnnotation).text();
    constexpr std::string_view kText =
        "protected groups must have approval annotation \"api-approved.kubernetes.io\", see "
        "https://github.com/kubernetes/enhancements/pull/1111";
    if (approval.empty()) {
      add(field_error::required(path, kText));
    } else if (!approval.starts_with("http") && !approval.starts_with("unapproved")) {
      add(field_error::invalid(path, approval, kText));
    }
  }

  void check_scope() {
    const std::string_view scope = spec_["scope"].as_string();
    if (!require("spec.scope", spec_["scope"])) return;
    if (!is_one_of(scope, kScopes)) add(field_error::not_supported("spec.scope", scope, kScopes));
  }

  void check_names() {
    const Value& names = spec_["names"];
    for (const char* field : {"plural", "singular", "kind", "listKind"}) {
      const std::string path = std::string("spec.names.") + field;
      if (!require(path, names[field])) continue;
      const std::string_view text = names[field].as_string();
      const bool kind = std::string_view(field).ends_with("ind");
      for (const std::string& problem : check_dns1035_label(kind ? to_lower(text) : std::string(text))) {
        add(field_error::invalid(path, text,
                                 kind ? "may have mixed case, but should otherwise match: " + problem : problem));
      }
    }
    if (!names["kind"].as_string().empty() && names["kind"] == names["listKind"]) {
      add(field_error::invalid("spec.names.listKind", names["listKind"], "kind and listKind may not be the same"));
    }
    for (const char* field : {"shortNames", "categories"}) {
      std::size_t index = 0;
      for (const Value& name : names[field].items()) {
        const std::string path = FieldPath(std::string("spec.names.") + field).index(index++).text();
        check_text(path, name.as_string(), check_dns1035_label(name.as_string()));
      }
    }
  }

  void check_versions() {
    const Value& versions = spec_["versions"];
    std::set<std::string_view> seen;
    std::size_t stored = 0, index = 0;
    for (const Value& version : versions.items()) {
      const std::string path = FieldPath("spec.versions").index(index++).text();
      const std::string_view name = version["name"].as_string();
      check_text(path + ".name", name, check_dns1035_label(name));
      if (!seen.insert(name).second) {
        add(field_error::invalid("spec.versions", versions, "must contain unique version names"));
      }
      if (version["storage"].as_bool()) ++stored;
      check_version(version, path);
    }
    if (stored != 1) {
      add(field_error::invalid("spec.versions", versions, "must have exactly one version marked as storage version"));
    }
  }

  // Upstream keeps what all versions share at the top level, and its errors name that place.
  bool shared(std::string_view field) const {
    const auto versions = spec_["versions"].items();
    return std::all_of(versions.begin(), versions.end(),
                       [&](const Value& version) { return version[field] == versions.front()[field]; });
  }

  const Value& old_version(std::string_view name) const {
    static const Value kNothing;
    if (old_ == nullptr) return kNothing;
    for (const Value& version : (*old_)["spec"]["versions"].items()) {
      if (version["name"].as_string() == name) return version;
    }
    return kNothing;
  }

  void check_version(const Value& version, const std::string& path) {
    const Value& schema = version["schema"]["openAPIV3Schema"];
    const std::string schema_path =
        shared("schema") ? std::string("spec.validation.openAPIV3Schema") : path + ".schema.openAPIV3Schema";
    const Value& before = old_version(version["name"].as_string());
    if (!schema.is_object()) {
      add(field_error::required(path + ".schema.openAPIV3Schema", "schemas are required"));
    } else if (before.is_null() || before["schema"] != version["schema"] ||
               before["subresources"] != version["subresources"]) {
      // What was accepted once and has not changed since is not judged again.
      for (Cause& cause : validate_crd_schema(schema, schema_path, version["subresources"].contains("status"))) {
        add(std::move(cause));
      }
    }
    if (version.contains("deprecationWarning") && !version["deprecated"].as_bool()) {
      add(field_error::invalid(path + ".deprecationWarning", version["deprecationWarning"],
                               "can only be set for deprecated versions"));
    }
    check_scale(version["subresources"]["scale"],
                (shared("subresources") ? std::string("spec.subresources") : path + ".subresources") + ".scale");
    check_columns(version["additionalPrinterColumns"], shared("additionalPrinterColumns")
                                                           ? std::string("spec.additionalPrinterColumns")
                                                           : path + ".additionalPrinterColumns");
    check_selectable(version,
                     shared("selectableFields") ? std::string("spec.selectableFields") : path + ".selectableFields");
  }

  void check_scale(const Value& scale, const std::string& path) {
    if (!scale.is_object()) return;
    const auto check_path = [&](const char* field, bool required, bool in_spec, bool in_status) {
      const std::string_view text = scale[field].as_string();
      const std::string field_path = path + "." + field;
      if (text.empty()) {
        if (required) add(field_error::required(field_path));
        return;
      }
      auto parsed = JsonPath::parse(text);
      std::vector<std::string> fields;
      const bool good = text.starts_with('.') && parsed.ok() && parsed->plain_fields(fields) && fields.size() > 1 &&
                        ((in_spec && fields.front() == "spec") || (in_status && fields.front() == "status"));
      if (good) return;
      const char* where = in_spec && in_status ? "either .spec or .status" : (in_spec ? ".spec" : ".status");
      add(field_error::invalid(field_path, text, "should be a json path under " + std::string(where)));
    };
    check_path("specReplicasPath", true, true, false);
    check_path("statusReplicasPath", true, false, true);
    check_path("labelSelectorPath", false, true, true);
  }

  void check_columns(const Value& columns, const std::string& path) {
    std::size_t index = 0;
    for (const Value& column : columns.items()) {
      const std::string at = FieldPath(path).index(index++).text();
      require(at + ".name", column["name"]);
      const std::string_view type = column["type"].as_string();
      if (require(at + ".type", column["type"]) && !is_one_of(type, kColumnTypes)) {
        add(field_error::invalid(at + ".type", type, "must be one of boolean,date,integer,number,string"));
      }
      const std::string_view format = column["format"].as_string();
      if (!format.empty() && !is_one_of(format, kColumnFormats)) {
        add(field_error::invalid(at + ".format", format,
                                 "must be one of byte,date,date-time,double,float,int32,int64,name,password"));
      }
      if (!require(at + ".jsonPath", column["jsonPath"])) continue;
      const auto parsed = JsonPath::parse(column["jsonPath"].as_string());
      if (!parsed.ok()) {
        add(field_error::invalid(at + ".jsonPath", column["jsonPath"],
                                 "is an invalid JSONPath: " + parsed.error().message()));
      }
    }
  }

  // The schema of a plain path, or null.
  static const Value& schema_at(const Value& schema, const std::vector<std::string>& fields) {
    const Value* at = &schema;
    for (const std::string& field : fields) at = &(*at)["properties"][field];
    return *at;
  }

  void check_selectable(const Value& version, const std::string& path) {
    const Value& selectable = version["selectableFields"];
    if (selectable.size() > kMaximumSelectableFields) {
      add(field_error::too_many(path, static_cast<std::int64_t>(selectable.size()), kMaximumSelectableFields));
    }
    std::set<std::string_view> seen;
    std::size_t index = 0;
    for (const Value& field : selectable.items()) {
      const std::string at = FieldPath(path).index(index++).text() + ".jsonPath";
      const std::string_view text = field["jsonPath"].as_string();
      if (!require(at, field["jsonPath"])) continue;
      auto parsed = JsonPath::parse(text);
      std::vector<std::string> fields;
      if (!parsed.ok() || !parsed->plain_fields(fields) || fields.empty()) {
        add(field_error::invalid(at, text, "is an invalid path: must be a field path without array notation"));
        continue;
      }
      if (fields.front() == "metadata") {
        add(field_error::invalid(at, text, "must not point to fields in metadata"));
        continue;
      }
      if (!seen.insert(text).second) add(field_error::duplicate(at, text));
      const std::string_view type = schema_at(version["schema"]["openAPIV3Schema"], fields)["type"].as_string();
      if (type != "string" && type != "boolean" && type != "integer") {
        add(field_error::invalid(at, text,
                                 "must point to a field of type string, boolean or integer. Enum string fields and "
                                 "strings with formats are allowed."));
      }
    }
  }

  void check_conversion() {
    const Value& conversion = spec_["conversion"];
    if (!conversion.is_object()) return;
    const std::string_view strategy = conversion["strategy"].as_string();
    if (!require("spec.conversion.strategy", conversion["strategy"])) return;
    if (!is_one_of(strategy, kConversions)) {
      add(field_error::not_supported("spec.conversion.strategy", strategy, kConversions));
    }
    const Value& webhook = conversion["webhook"];
    if (strategy != "Webhook") {
      if (webhook.is_object()) {
        add(field_error::forbidden("spec.conversion.webhook", "should not be set when strategy is not set to Webhook"));
      }
      return;
    }
    if (!webhook["clientConfig"].is_object())
      add(field_error::required("spec.conversion.webhook.clientConfig", "required when strategy is set to Webhook"));
    if (webhook["conversionReviewVersions"].empty()) {
      add(field_error::required("spec.conversion.webhook.conversionReviewVersions"));
    }
  }

  bool has_version(std::string_view name) const {
    const auto versions = spec_["versions"].items();
    return std::any_of(versions.begin(), versions.end(),
                       [&](const Value& version) { return version["name"].as_string() == name; });
  }

  void check_stored_versions() {
    const Value& stored = definition_["status"]["storedVersions"];
    std::size_t index = 0;
    bool has_storage = stored.empty();
    for (const Value& version : stored.items()) {
      const std::string_view name = version.as_string();
      has_storage = has_storage || name == storage_version_of(definition_);
      if (!has_version(name)) {
        const std::string text(name);
        add(field_error::invalid(FieldPath("status.storedVersions").index(index).text(), name,
                                 "missing from spec.versions; " + text +
                                     " was previously a storage version, and must remain in spec.versions until a "
                                     "storage migration ensures no data remains persisted in " +
                                     text + " and removes " + text + " from status.storedVersions"));
      }
      ++index;
    }
    if (!has_storage) {
      add(field_error::invalid("status.storedVersions", stored,
                               "must have the storage version " + std::string(storage_version_of(definition_))));
    }
  }

  void check_immutable() {
    if (!condition_is_true((*old_)["status"]["conditions"], "Established")) return;
    const Value& before = (*old_)["spec"];
    const auto same = [&](const std::string& path, const Value& now, const Value& then) {
      if (!(now == then)) add(field_error::invalid(path, now, "field is immutable"));
    };
    same("spec.group", spec_["group"], before["group"]);
    same("spec.scope", spec_["scope"], before["scope"]);
    same("spec.names.kind", spec_["names"]["kind"], before["names"]["kind"]);
    same("spec.names.plural", spec_["names"]["plural"], before["names"]["plural"]);
  }

  const Object& definition_;
  const Value& spec_;
  const Object* const old_;
  FieldErrors& errors_;
};

}  // namespace

void validate_definition(const Object& definition, const Object* old, FieldErrors& errors) {
  DefinitionRules(definition, old, errors).check();
}

}  // namespace coracle::kube::apiserver
