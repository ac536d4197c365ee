#include "kube/apiserver/internal/object_meta.h"

#include <algorithm>
#include <utility>

#include "base/json/json.h"
#include "base/text.h"
#include "kube/object/field_path.h"
#include "kube/object/names.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::size_t kMaxAnnotationBytes = 262144;
constexpr std::string_view kImmutable = "field is immutable";
// Names in the standard finalizer namespace need no domain.
constexpr std::string_view kPlainFinalizers[] = {"kubernetes", "orphan", "foregroundDeletion"};

void validate_name(const ResourceDescriptor& resource, const Value& metadata, FieldErrors& errors) {
  const auto check = resource.check_name != nullptr ? resource.check_name : check_dns1123_subdomain;
  const std::string_view name = metadata["name"].as_string();
  const std::string_view prefix = metadata["generateName"].as_string();
  if (!prefix.empty()) {
    // A prefix may end where a name may not; upstream looks away from the character before the dash too.
    std::string sample(prefix);
    if (sample.size() > 1 && sample.back() == '-') sample.replace(sample.size() - 2, 2, "a");
    for (const std::string& problem : check(sample)) {
      errors.push_back(field_error::invalid("metadata.generateName", prefix, problem));
    }
  }
  if (name.empty()) {
    errors.push_back(field_error::required("metadata.name", "name or generateName is required"));
    return;
  }
  for (const std::string& problem : check(name)) errors.push_back(field_error::invalid("metadata.name", name, problem));
}

void validate_namespace(const ResourceDescriptor& resource, const Value& metadata, FieldErrors& errors) {
  const std::string_view ns = metadata["namespace"].as_string();
  if (!resource.namespaced) {
    if (!ns.empty()) errors.push_back(field_error::forbidden("metadata.namespace", "not allowed on this type"));
    return;
  }
  if (ns.empty()) {
    errors.push_back(field_error::required("metadata.namespace", ""));
    return;
  }
  for (const std::string& problem : check_dns1123_label(ns)) {
    errors.push_back(field_error::invalid("metadata.namespace", ns, problem));
  }
}

void validate_labels(const Value& labels, FieldErrors& errors) {
  for (const Value::Member& label : labels.members()) {
    for (const std::string& problem : check_qualified_name(label.key)) {
      errors.push_back(field_error::invalid("metadata.labels", label.key, problem));
    }
    for (const std::string& problem : check_label_value(label.value.as_string())) {
      errors.push_back(field_error::invalid("metadata.labels", label.value, problem));
    }
  }
}

void validate_annotations(const Value& annotations, FieldErrors& errors) {
  std::size_t total = 0;
  for (const Value::Member& annotation : annotations.members()) {
    for (const std::string& problem : check_qualified_name(to_lower(annotation.key))) {
      errors.push_back(field_error::invalid("metadata.annotations", annotation.key, problem));
    }
    total += annotation.key.size() + annotation.value.as_string().size();
  }
  if (total > kMaxAnnotationBytes) {
    errors.push_back(field_error::too_long("metadata.annotations", kMaxAnnotationBytes));
  }
}

// "v1" or "apps/v1".
bool has_version(std::string_view api_version) {
  const std::size_t slash = api_version.find('/');
  if (slash == std::string_view::npos) return !api_version.empty();
  return slash + 1 < api_version.size() && api_version.find('/', slash + 1) == std::string_view::npos;
}

void validate_owners(const Value& owners, FieldErrors& errors) {
  const FieldPath list = FieldPath("metadata").child("ownerReferences");
  std::string controller;
  for (const Value& owner : owners.items()) {
    const auto need = [&](std::string_view field) {
      if (!owner[field].as_string().empty()) return;
      errors.push_back(field_error::invalid(list.child(field).text(), owner[field].as_string(), "must not be empty"));
    };
    const std::string_view api_version = owner["apiVersion"].as_string();
    if (!has_version(api_version)) {
      errors.push_back(field_error::invalid(list.child("apiVersion").text(), api_version, "version must not be empty"));
    }
    for (std::string_view field : {"kind", "name", "uid"}) need(field);
    // An event names what it is about; were it an owner, it would be the other way round.
    if (api_version == "v1" && owner["kind"].as_string() == "Event") {
      errors.push_back(field_error::invalid(list.text(), owner, "/v1, Kind=Event is disallowed from being an owner"));
    }
    if (!owner["controller"].as_bool()) continue;
    const std::string text = std::string(owner["kind"].as_string()) + "/" + std::string(owner["name"].as_string());
    if (!controller.empty()) {
      errors.push_back(field_error::invalid(list.text(), owners,
                                            "Only one reference can have Controller set to true. Found \"true\" in "
                                            "references for " +
                                                controller + " and " + text));
    }
    controller = text;
  }
}

// Groups that upstream checks as it checks custom resources.
constexpr std::string_view kGenericGroups[] = {"admissionregistration.k8s.io", "apiextensions.k8s.io",
                                               "apiregistration.k8s.io", "node.k8s.io"};

// Names without a domain are the built-in kinds' own; custom resources may use any.
bool needs_domains(const ResourceDescriptor& resource) {
  const auto end = std::end(kGenericGroups);
  return !resource.custom && resource.gvk.kind != "Event" &&
         std::find(std::begin(kGenericGroups), end, resource.gvk.group) == end;
}

void validate_finalizers(const ResourceDescriptor& resource, const Value& finalizers, FieldErrors& errors) {
  bool orphan = false, foreground = false;
  for (std::size_t i = 0; i < finalizers.size(); ++i) {
    const std::string_view finalizer = finalizers.at(i).as_string();
    const std::string field = FieldPath("metadata").child("finalizers").index(i).text();
    for (const std::string& problem : check_qualified_name(finalizer)) {
      errors.push_back(field_error::invalid("metadata.finalizers", finalizer, problem));
    }
    for (const std::string& problem : needs_domains(resource) ? check_finalizer_domain(finalizer) : NameErrors()) {
      errors.push_back(field_error::invalid(field, finalizer, problem));
    }
    orphan = orphan || finalizer == "orphan";
    foreground = foreground || finalizer == "foregroundDeletion";
  }
  if (orphan && foreground) {
    errors.push_back(field_error::invalid("metadata.finalizers", finalizers,
                                          "finalizer orphan and foregroundDeletion cannot be both set"));
  }
}

// Go's %#v of a string slice, as the message about new finalizers prints it.
std::string go_strings(const std::vector<std::string>& texts) {
  std::string out = "[]string{";
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out += ", ";
    json::write_string(out, texts[i]);
  }
  return out + "}";
}

void forbid_new_finalizers(const Value& now, const Value& before, FieldErrors& errors) {
  std::vector<std::string> added;
  for (const Value& finalizer : now.items()) {
    const auto old = before.items();
    if (std::find(old.begin(), old.end(), finalizer) == old.end()) added.emplace_back(finalizer.as_string());
  }
  if (added.empty()) return;
  std::sort(added.begin(), added.end());
  errors.push_back(field_error::forbidden("metadata.finalizers",
                                          "no new finalizers can be added if the object is being deleted, found new "
                                          "finalizers " +
                                              go_strings(added)));
}

}  // namespace

NameErrors check_finalizer_domain(std::string_view finalizer) {
  const auto end = std::end(kPlainFinalizers);
  const bool plain = std::find(std::begin(kPlainFinalizers), end, finalizer) != end;
  if (plain || finalizer.find('/') != std::string_view::npos) return {};
  return {"name is neither a standard finalizer name nor is it fully qualified"};
}

Object fill_new_metadata(const Object& object, std::string_view ns, bool namespaced, WallTime now, Random& random) {
  Value::ObjectBuilder metadata(object.metadata());
  for (std::string_view field : {"selfLink", "resourceVersion", "generation"}) metadata.remove(field);
  if (namespaced) metadata.set("namespace", ns);
  metadata.set("uid", random.uuid()).set("creationTimestamp", format_time(now));
  return object.with("metadata", std::move(metadata).build());
}

Object generate_name(const Object& object, Random& random) {
  if (!object.name().empty() || object.generate_name().empty()) return object;
  std::string name(object.generate_name().substr(0, kGeneratedPrefix));
  return object.with_metadata("name", name + random.suffix(kGeneratedSuffix));
}

Object keep_system_metadata(const Object& object, const Object& old) {
  Value::ObjectBuilder metadata(object.metadata());
  metadata.remove("resourceVersion").remove("selfLink");
  const auto keep = [&](std::string_view field) {
    const Value* before = old.metadata().find(field);
    if (before == nullptr) {
      metadata.remove(field);
    } else {
      metadata.set(field, *before);
    }
  };
  keep("generation");
  keep("creationTimestamp");
  const auto fill = [&](std::string_view field) {
    const Value* now = metadata.find(field);
    if (now == nullptr || is_zero(*now)) keep(field);
  };
  fill("uid");
  fill("name");
  fill("namespace");
  fill("deletionTimestamp");
  if (metadata.find("deletionGracePeriodSeconds") == nullptr) keep("deletionGracePeriodSeconds");
  return object.with("metadata", std::move(metadata).build());
}

void validate_metadata(const ResourceDescriptor& resource, const Object& object, FieldErrors& errors) {
  const Value& metadata = object.metadata();
  validate_name(resource, metadata, errors);
  validate_namespace(resource, metadata, errors);
  validate_labels(metadata["labels"], errors);
  validate_annotations(metadata["annotations"], errors);
  validate_owners(metadata["ownerReferences"], errors);
  validate_finalizers(resource, metadata["finalizers"], errors);
}

void validate_metadata_update(const ResourceDescriptor& resource, const Object& object, const Object& old,
                              FieldErrors& errors) {
  const Value& now = object.metadata();
  const Value& before = old.metadata();
  for (std::string_view field :
       {"name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"}) {
    if (now[field] == before[field]) continue;
    errors.push_back(field_error::invalid("metadata." + std::string(field), now[field], kImmutable));
  }
  validate_labels(now["labels"], errors);
  validate_annotations(now["annotations"], errors);
  validate_owners(now["ownerReferences"], errors);
  validate_finalizers(resource, now["finalizers"], errors);
  if (old.deleting()) forbid_new_finalizers(now["finalizers"], before["finalizers"], errors);
}

Object drop_duplicate_owners(const Object& object, std::vector<std::string>* warnings, bool patched) {
  const auto owners = object.metadata()["ownerReferences"].items();
  std::vector<Value> kept;
  std::vector<std::string> repeated;
  for (const Value& owner : owners) {
    if (std::find(kept.begin(), kept.end(), owner) == kept.end()) {
      kept.push_back(owner);
    } else {
      repeated.emplace_back(owner["uid"].as_string());
    }
  }
  if (repeated.empty()) return object;
  if (warnings != nullptr) {
    warnings->push_back(std::string(".metadata.ownerReferences contains duplicate entries") +
                        (patched ? " after mutating admission happens" : "") +
                        "; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; "
                        "please fix your requests; duplicate UID(s) observed: " +
                        join(repeated, ", "));
  }
  return object.with_metadata("ownerReferences", Value::array(std::move(kept)));
}

}  // namespace coracle::kube::apiserver
