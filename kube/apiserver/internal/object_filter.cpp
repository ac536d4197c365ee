#include "kube/apiserver/internal/object_filter.h"

#include <algorithm>

#include "base/json/json.h"
#include "kube/apiserver/internal/json_scan.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kNameField = "metadata.name";
constexpr std::string_view kNamespaceField = "metadata.namespace";

Error unknown_field(const ResourceDescriptor& resource, const std::string& field) {
  if (resource.gvk.group == "batch" && resource.gvk.kind == "Job") {
    return bad_request("field label \"" + field + "\" not supported for Job");
  }
  if (!resource.selectable_fields.empty()) return bad_request("field label not supported: " + field);
  return bad_request("\"" + field + "\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"");
}

bool offers_field(const ResourceDescriptor& resource, const std::string& field) {
  if (field == kNameField) return true;
  // Kinds with fields of their own know the namespace only where there is one.
  if (field == kNamespaceField) return resource.namespaced || resource.selectable_fields.empty();
  const auto& fields = resource.selectable_fields;
  return std::find(fields.begin(), fields.end(), field) != fields.end();
}

}  // namespace

Result<ObjectFilter> ObjectFilter::make(const ResourceDescriptor& resource, std::string_view ns, std::string_view name,
                                        std::string_view label_selector, std::string_view field_selector) {
  ObjectFilter filter;
  filter.namespace__ = ns;
  filter.field_value_ = resource.field_value;
  if (!name.empty()) filter.require_name(name);
  if (!label_selector.empty()) {
    ASSIGN_OR_RETURN(filter.labels_, LabelSelector::parse(label_selector));
    filter.has_selectors_ = !filter.labels_.selects_everything();
  }
  if (!field_selector.empty()) {
    ASSIGN_OR_RETURN(const FieldSelector selector, FieldSelector::parse(field_selector));
    for (const FieldSelector::Term& term : selector.terms()) TRY(filter.add_term(resource, term));
    filter.has_selectors_ = filter.has_selectors_ || !selector.empty();
  }
  return filter;
}

void ObjectFilter::require_name(std::string_view name) {
  if (!name_.empty() && name_ != name) never_ = true;
  name_ = name;
  if (name.empty()) never_ = true;
}

Result<void> ObjectFilter::add_term(const ResourceDescriptor& resource, const FieldSelector::Term& term) {
  FieldSelector::Term wanted = term;
  if (wanted.field == "spec.host" && resource.gvk.group.empty() && resource.gvk.kind == "Pod") {
    wanted.field = "spec.nodeName";
  }
  if (!offers_field(resource, wanted.field)) return unknown_field(resource, wanted.field);
  if (wanted.field == kNameField && !wanted.negated) {
    require_name(wanted.value);
  } else if (wanted.field == kNamespaceField && !wanted.negated && resource.namespaced && namespace__.empty() &&
             !wanted.value.empty()) {
    namespace__ = wanted.value;
  } else {
    fields_.push_back(std::move(wanted));
  }
  return {};
}

std::string ObjectFilter::field_of(const StoredObject& object, const std::string& field) const {
  if (field == kNameField) return std::string(object.name());
  if (field == kNamespaceField) return std::string(object.namespace_());
  const std::string_view raw = json_at(*object.json(), field);
  const bool scalar = !raw.empty() && raw.front() != '{' && raw.front() != '[' && raw != "null";
  if (scalar && raw.front() != '"') return std::string(raw);
  if (scalar) {
    auto text = json::read(raw);
    return text.ok() ? std::string(text->as_string()) : std::string();
  }
  if (!field_value_) return {};
  auto tree = object.object();
  return tree.ok() ? field_value_(*tree, field) : std::string();
}

bool ObjectFilter::matches(const StoredObject& object) const {
  if (never_) return false;
  if (!namespace__.empty() && object.namespace_() != namespace__) return false;
  if (!name_.empty() && object.name() != name_) return false;
  if (!labels_.selects_everything() && !labels_.matches(object.labels())) return false;
  return std::all_of(fields_.begin(), fields_.end(), [&](const FieldSelector::Term& term) {
    return (field_of(object, term.field) == term.value) != term.negated;
  });
}

}  // namespace coracle::kube::apiserver
