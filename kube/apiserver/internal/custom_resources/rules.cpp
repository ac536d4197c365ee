#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "base/text.h"
#include "kube/apiserver/internal/custom_resources/definition.h"
#include "kube/apiserver/internal/strategies/admission/admission_matching.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/object/field_path.h"
#include "kube/object/names.h"
#include "kube/schema/crd_schema.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::size_t kMaxSelectableFields = 8;
constexpr std::array<std::string_view, 5> kColumnTypes = {"boolean", "date", "integer", "number", "string"};
constexpr std::array<std::string_view, 8> kColumnFormats = {"byte",  "date",  "date-time", "double",
                                                            "float", "int32", "int64",     "password"};
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
    check_scope();
    check_schemas_given();
    check_versions();
    check_names(spec_["names"], "spec.names", true);
    check_shared();
    check_conversion();
    if (old_ != nullptr) check_immutable();
    check_status();
    check_stored_versions();
    check_approval();
    if (spec_["preserveUnknownFields"].as_bool() &&
        !(old_ != nullptr && (*old_)["spec"]["preserveUnknownFields"].as_bool())) {
      add(field_error::invalid("spec.preserveUnknownFields", true,
                               "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
                               "spec.versions[*].schema instead"));
    }
  }

  void check_status() { check_names(definition_["status"]["acceptedNames"], "status.acceptedNames", false); }

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

  // All problems of a name in one message.
  void check_text(const std::string& path, std::string_view text, const NameErrors& problems,
                  std::string_view prefix = {}) {
    if (!problems.empty()) add(field_error::invalid(path, text, std::string(prefix) + join(problems, ",")));
  }

  void check_name() {
    const std::string wanted =
        std::string(spec_["names"]["plural"].as_string()) + "." + std::string(spec_["group"].as_string());
    if (old_ != nullptr || definition_.name().empty() || definition_.name() == wanted) return;
    errors_.push_back(
        field_error::invalid("metadata.name", definition_.name(), "must be spec.names.plural+\".\"+spec.group"));
  }

  void check_group() {
    const std::string_view group = spec_["group"].as_string();
    if (!require("spec.group", spec_["group"])) return;
    const NameErrors problems = check_dns1123_subdomain(group);
    check_text("spec.group", group, problems);
    if (problems.empty() && group.find('.') == std::string_view::npos) {
      add(field_error::invalid("spec.group", group, "should be a domain with at least one dot"));
    }
  }

  // Whoever defines something in a group of the Kubernetes project says who has approved it, or that nobody has.
  void check_approval() {
    if (!is_protected_group(spec_["group"].as_string())) return;
    const std::string_view annotation = definition_.annotation(kApprovalAnnotation);
    const Approval approval = approval_of(annotation);
    if (old_ != nullptr && approval.state == approval_of(old_->annotation(kApprovalAnnotation)).state) return;
    const std::string path = FieldPath("metadata.annotations").key(kApprovalAnnotation).text();
    if (approval.state == Approval::State::Missing) add(field_error::required(path, approval.reason));
    if (approval.state == Approval::State::Invalid) add(field_error::invalid(path, annotation, approval.reason));
  }

  void check_scope() {
    const std::string_view scope = spec_["scope"].as_string();
    if (!require("spec.scope", spec_["scope"])) return;
    if (!is_one_of(scope, kScopes)) add(field_error::not_supported("spec.scope", scope, kScopes));
  }

  // Names of the spec must be there; accepted ones may be missing.
  void check_names(const Value& names, const std::string& path, bool required) {
    constexpr std::array kNames = {"plural", "singular", "kind", "listKind"};
    if (required) {
      for (const char* field : kNames) require(path + "." + field, names[field]);
    }
    for (const char* field : kNames) {
      const std::string_view text = names[field].as_string();
      if (text.empty()) continue;
      const bool kind = std::string_view(field).ends_with("ind");
      check_text(path + "." + field, text, check_dns1035_label(kind ? to_lower(text) : std::string(text)),
                 kind ? "may have mixed case, but should otherwise match: " : "");
    }
    check_labels(names["shortNames"], FieldPath(path).child("shortNames"));
    if (!names["kind"].as_string().empty() && names["kind"] == names["listKind"]) {
      errors_.push_back(
          field_error::invalid(path + ".listKind", names["listKind"], "kind and listKind may not be the same"));
    }
    check_labels(names["categories"], FieldPath(path).child("categories"));
  }

  void check_labels(const Value& labels, const FieldPath& path) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::string_view text = labels.at(i).as_string();
      check_text(path.index(i).text(), text, check_dns1035_label(text));
    }
  }

  void check_schemas_given() {
    std::size_t index = 0;
    for (const Value& version : spec_["versions"].items()) {
      const FieldPath path = FieldPath("spec.versions").index(index++);
      if (!version["schema"]["openAPIV3Schema"].is_object()) {
        add(field_error::required(path.text() + ".schema.openAPIV3Schema"));
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
      seen.insert(name);
      if (version["storage"].as_bool()) ++stored;
      check_version(version, path);
    }
    // An empty list may be empty.
    retract(errors_, "spec.versions");
    if (seen.size() != versions.size()) {
      errors_.push_back(field_error::invalid("spec.versions", versions, "must contain unique version names"));
    }
    if (stored != 1) {
      errors_.push_back(
          field_error::invalid("spec.versions", versions, "must have exactly one version marked as storage version"));
    }
    // Upstream's own form names the first version once more.
    const std::string_view first = versions.at(0)["name"].as_string();
    if (!first.empty()) check_text("spec.version", first, check_dns1035_label(first));
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
    check_deprecation(version, path + ".deprecationWarning");
    if (!shared("schema")) check_schema(version, path + ".schema.openAPIV3Schema", has_status(version));
    if (!shared("subresources")) check_scale(version["subresources"]["scale"], path + ".subresources.scale");
    if (!shared("additionalPrinterColumns")) {
      check_columns(version["additionalPrinterColumns"], path + ".additionalPrinterColumns");
    }
    if (!shared("selectableFields")) check_selectable(version, path + ".selectableFields");
  }

  // What all versions have in common.
  void check_shared() {
    const Value& version = spec_["versions"].at(0);
    if (version.is_null()) return;
    const auto versions = spec_["versions"].items();
    if (shared("schema")) {
      check_schema(version, "spec.validation.openAPIV3Schema",
                   std::any_of(versions.begin(), versions.end(), has_status));
    }
    if (shared("subresources")) check_scale(version["subresources"]["scale"], "spec.subresources.scale");
    if (shared("additionalPrinterColumns")) {
      check_columns(version["additionalPrinterColumns"], "spec.additionalPrinterColumns");
    }
    if (shared("selectableFields")) check_selectable(version, "spec.selectableFields");
  }

  static bool has_status(const Value& version) { return version["subresources"].contains("status"); }

  void check_schema(const Value& version, const std::string& path, bool status) {
    const Value& schema = version["schema"]["openAPIV3Schema"];
    const Value& before = old_version(version["name"].as_string());
    // What was accepted once and has not changed since is not judged again.
    const bool changed =
        before.is_null() || before["schema"] != version["schema"] || before["subresources"] != version["subresources"];
    if (!schema.is_object() || !changed) return;
    for (Cause& cause : validate_crd_schema(schema, path, status)) add(std::move(cause));
  }

  void check_deprecation(const Value& version, const std::string& path) {
    const Value& warning = version["deprecationWarning"];
    if (!warning.is_string()) return;
    const std::string_view text = warning.as_string();
    const auto refuse = [&](const std::string& detail) {
      errors_.push_back(field_error::invalid(path, warning, detail));
    };
    if (!version["deprecated"].as_bool()) return refuse("can only be set for deprecated versions");
    constexpr std::size_t kLongest = 256;
    if (text.size() > kLongest) refuse("must be <= 256 characters long");
    if (text.empty()) refuse("must not be an empty string");
    const auto control = std::find_if(text.begin(), text.end(), is_control);
    if (control != text.end()) {
      refuse("must only contain printable UTF-8 characters; non-printable character found at index " +
             std::to_string(control - text.begin()));
    }
  }

  // Of a path no more is asked than that it begins with a dot.
  bool check_simple_path(const std::string& path, const Value& value) {
    if (value.as_string().starts_with('.')) return true;
    add(field_error::invalid(path, value, "must be a simple json path starting with ."));
    return false;
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
      if (!check_simple_path(field_path, scale[field])) return;
      if ((in_spec && text.starts_with(".spec.")) || (in_status && text.starts_with(".status."))) return;
      const char* where = in_spec && in_status ? "either .spec or .status" : (in_spec ? ".spec" : ".status");
      add(field_error::invalid(field_path, text, "should be a json path under " + std::string(where)));
    };
    check_path("specReplicasPath", true, true, false);
    check_path("statusReplicasPath", true, false, true);
    check_path("labelSelectorPath", false, true, true);
  }

  // A path that cannot be evaluated is no error: the table then has the columns of a definition without any.
  void check_columns(const Value& columns, const std::string& path) {
    std::size_t index = 0;
    for (const Value& column : columns.items()) {
      const std::string at = FieldPath(path).index(index++).text();
      require(at + ".name", column["name"]);
      const std::string_view type = column["type"].as_string();
      constexpr std::string_view kTypes = "must be one of boolean,date,integer,number,string";
      if (require(at + ".type", column["type"], kTypes) && !is_one_of(type, kColumnTypes)) {
        add(field_error::invalid(at + ".type", type, kTypes));
      }
      const std::string_view format = column["format"].as_string();
      if (!format.empty() && !is_one_of(format, kColumnFormats)) {
        add(field_error::invalid(at + ".format", format,
                                 "must be one of byte,date,date-time,double,float,int32,int64,password"));
      }
      if (require(at + ".JSONPath", column["jsonPath"])) check_simple_path(at + ".JSONPath", column["jsonPath"]);
    }
  }

  // The schema of the field that a path leads to, or what is wrong with the path. Only dots lead on.
  static Result<Value> schema_at(const Value& schema, std::string_view path) {
    Value at = schema;
    while (!path.empty()) {
      if (path.front() == '[') return bad_request("array notation is not allowed");
      if (path.front() != '.') {
        return bad_request("expected [ or . but got: " + std::string(path.substr(0, path.find_first_of(".[]"))));
      }
      path.remove_prefix(1);
      if (path.empty()) return bad_request("unexpected end of JSON path");
      // A delimiter where a name should stand is the name.
      const std::size_t end = std::max<std::size_t>(1, std::min(path.find_first_of(".[]"), path.size()));
      const std::string_view name = path.substr(0, end);
      path.remove_prefix(end);
      const Value& properties = at["properties"];
      const Value* next = properties.is_object() ? properties.find(name) : at.find("additionalProperties");
      if (next == nullptr || !next->is_object()) return bad_request("does not refer to a valid field");
      at = Value(*next);
    }
    return at;
  }

  void check_selectable(const Value& version, const std::string& path) {
    const Value& selectable = version["selectableFields"];
    std::set<std::string_view> seen;
    std::size_t index = 0;
    for (const Value& field : selectable.items()) {
      const std::string at = FieldPath(path).index(index++).text() + ".jsonPath";
      const std::string_view text = field["jsonPath"].as_string();
      if (!require(at, field["jsonPath"])) continue;
      const Result<Value> found = schema_at(version["schema"]["openAPIV3Schema"], text);
      if (!found.ok()) {
        add(field_error::invalid(at, text, "is an invalid path: " + found.error().message()));
        continue;
      }
      if (text == ".metadata" || text.starts_with(".metadata.")) {
        errors_.push_back(field_error::invalid(at, text, "must not point to fields in metadata"));
      }
      const std::string_view type = (*found)["type"].as_string();
      if (type != "string" && type != "boolean" && type != "integer") {
        errors_.push_back(
            field_error::invalid(at, text,
                                 "must point to a field of type string, boolean or integer. Enum string fields and "
                                 "strings with formats are allowed."));
      }
      if (!seen.insert(text).second) add(field_error::duplicate(at, text));
    }
    const bool kept = selectable == old_version(version["name"].as_string())["selectableFields"];
    if (seen.size() > kMaxSelectableFields && !kept) {
      add(field_error::too_many(path, static_cast<std::int64_t>(seen.size()), kMaxSelectableFields));
    }
  }

  void check_conversion() {
    const Value& conversion = spec_["conversion"];
    if (!conversion.is_object()) return;
    // What the schema requires below is named here as upstream's own form has it.
    retract_below(errors_, "spec.conversion.webhook");
    const std::string_view strategy = conversion["strategy"].as_string();
    if (require("spec.conversion.strategy", conversion["strategy"]) && !is_one_of(strategy, kConversions)) {
      add(field_error::not_supported("spec.conversion.strategy", strategy, kConversions));
    }
    const Value& webhook = conversion["webhook"];
    const FieldPath client_path("spec.conversion.webhookClientConfig");
    const FieldPath versions_path("spec.conversion.conversionReviewVersions");
    if (strategy != "Webhook") {
      constexpr std::string_view kUnused = "should not be set when strategy is not set to Webhook";
      if (webhook["clientConfig"].is_object()) add(field_error::forbidden(client_path.text(), kUnused));
      if (!webhook["conversionReviewVersions"].empty()) add(field_error::forbidden(versions_path.text(), kUnused));
      return;
    }
    if (!webhook["clientConfig"].is_object()) {
      add(field_error::required(client_path.text(), "required when strategy is set to Webhook"));
    } else {
      check_webhook_client(webhook["clientConfig"], client_path, errors_);
    }
    const Value& versions = webhook["conversionReviewVersions"];
    if (versions.empty()) return add(field_error::required(versions_path.text()));
    const Value before =
        old_ == nullptr ? Value() : (*old_)["spec"]["conversion"]["webhook"]["conversionReviewVersions"];
    check_review_versions(versions, !before.empty() && !speaks_known_version(before), versions_path, errors_);
  }

  bool has_version(std::string_view name) const {
    const auto versions = spec_["versions"].items();
    return std::any_of(versions.begin(), versions.end(),
                       [&](const Value& version) { return version["name"].as_string() == name; });
  }

  void check_stored_versions() {
    const Value& stored = definition_["status"]["storedVersions"];
    if (stored.empty()) {
      add(field_error::invalid("status.storedVersions", Value(), "must have at least one stored version"));
      return;
    }
    const std::string storage(storage_version_of(definition_));
    if (!storage.empty() && !contains_text(stored, storage)) {
      add(field_error::invalid("status.storedVersions", stored, "must have the storage version " + storage));
    }
    for (std::size_t i = 0; i < stored.size(); ++i) {
      const std::string text(stored.at(i).as_string());
      if (has_version(text)) continue;
      add(field_error::invalid(FieldPath("status.storedVersions").index(i).text(), text,
                               "missing from spec.versions; " + text +
                                   " was previously a storage version, and must remain in spec.versions until a "
                                   "storage migration ensures no data remains persisted in " +
                                   text + " and removes " + text + " from status.storedVersions"));
    }
  }

  // Group and plural are part of the name, which never changes; the rest is where objects are stored.
  void check_immutable() {
    const Value& before = (*old_)["spec"];
    const auto same = [&](const std::string& path, const Value& now, const Value& then) {
      if (!(now == then)) errors_.push_back(field_error::invalid(path, now, kImmutableField));
    };
    if (condition_is_true((*old_)["status"]["conditions"], "Established")) {
      same("spec.scope", spec_["scope"], before["scope"]);
      same("spec.names.kind", spec_["names"]["kind"], before["names"]["kind"]);
    }
    same("spec.group", spec_["group"], before["group"]);
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

void validate_definition_status(const Object& definition, const Object& old, FieldErrors& errors) {
  DefinitionRules(definition, &old, errors).check_status();
}

}  // namespace coracle::kube::apiserver
