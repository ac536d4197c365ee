#include "kube/apiserver/internal/managed_fields.h"

#include "kube/apiserver/internal/generic_store.h"
#include "kube/patch/apply.h"

namespace coracle::kube::apiserver {

namespace {

// What this endpoint never writes, so that nobody owns it through it.
patch::FieldSet reset_fields_of(const ResourceDescriptor& resource, std::string_view subresource) {
  if (subresource.empty() && resource.gvk.kind == "CertificateSigningRequest") {
    return patch::FieldSet::of_fields({"spec", "status"});
  }
  if (subresource.empty()) {
    return resource.find_subresource("status") == nullptr ? patch::FieldSet() : patch::FieldSet::of_fields({"status"});
  }
  if (subresource != "status") return {};
  const bool core = resource.gvk.group.empty();
  if (resource.custom || resource.strategy->status_resets_metadata()) {
    return patch::FieldSet::of_fields({"metadata", "spec"});
  }
  if (resource.gvk.kind == "Deployment") return patch::FieldSet::of_fields({"metadata.labels", "spec"});
  if (core && resource.gvk.kind == "Pod") {
    return patch::FieldSet::of_fields({"metadata.deletionTimestamp", "metadata.ownerReferences", "spec"});
  }
  return patch::FieldSet::of_fields({"spec"});
}

const Schema* schema_of(const ResourceDescriptor& resource, const GroupVersionKind& gvk) {
  if (resource.schema_of_version) return resource.schema_of_version(gvk.api_version());
  const KindSchema* kind = find_builtin_kind(gvk.group, gvk.version, gvk.kind);
  return kind == nullptr ? nullptr : kind->schema;
}

patch::FieldManagement management_of(const FieldOwner& owner, const patch::FieldSet& reset) {
  const ResourceDescriptor& resource = owner.resource;
  patch::FieldManagement management;
  management.gvk = resource.gvk;
  management.schema = resource.schema();
  management.manager = owner.manager;
  management.subresource = owner.subresource;
  management.now = owner.now;
  management.reset_fields = &reset;
  management.custom = resource.custom;
  management.convert = [&resource](const Value& tree, std::string_view api_version) -> Result<patch::VersionedTree> {
    const GroupVersionKind to = GroupVersionKind::parse(api_version, resource.gvk.kind);
    const Schema* schema = schema_of(resource, to);
    if (schema == nullptr) return Error(Reason::NotFound, "version " + std::string(api_version) + " is not served");
    const Object object{tree};
    if (object.gvk() == to) return patch::VersionedTree{tree, schema};
    if (!resource.convert) return patch::VersionedTree{tree.with("apiVersion", to.api_version()), schema};
    ASSIGN_OR_RETURN(const Object converted, resource.convert(object, to));
    return patch::VersionedTree{converted.tree(), schema};
  };
  return management;
}

// What upstream keeps elsewhere and shows as an annotation belongs to whoever writes the object without it.
Object with_shown_fields(const FieldOwner& owner, const Object& object) {
  constexpr std::string_view kTemplateGeneration = "deprecated.daemonset.template.generation";
  const bool shown = owner.resource.gvk.group == "apps" && owner.resource.gvk.kind == "DaemonSet";
  return shown && !object.has_annotation(kTemplateGeneration) ? object.with_annotation(kTemplateGeneration, "0")
                                                              : object;
}

}  // namespace

Object track_managed_fields(const FieldOwner& owner, const Object* live, const Object& object) {
  const patch::FieldSet reset = reset_fields_of(owner.resource, owner.subresource);
  Object tracked = patch::update_managed_fields(management_of(owner, reset), live, with_shown_fields(owner, object));
  return live == nullptr ? tracked : patch::without_timestamp_changes(*live, tracked);
}

Result<Object> apply_managed_fields(const FieldOwner& owner, const Object* live, const Object& applied, bool force) {
  const patch::FieldSet reset = reset_fields_of(owner.resource, owner.subresource);
  return patch::apply(management_of(owner, reset), live, applied, force);
}

}  // namespace coracle::kube::apiserver
