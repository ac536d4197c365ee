#include "kube/apiserver/internal/scale.h"

#include <utility>
#include <vector>

#include "base/text.h"
#include "kube/apiserver/internal/computed_answers.h"
#include "kube/apiserver/internal/object_meta.h"
#include "kube/apiserver/internal/patch_body.h"
#include "kube/apiserver/internal/responses.h"
#include "kube/apiserver/internal/tables/tables.h"
#include "kube/object/selector.h"
#include "kube/patch/apply.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

const GroupVersionKind kScaleKind = {"autoscaling", "v1", "Scale"};

using PathNames = std::vector<std::string_view>;

PathNames path_names(std::string_view dotted) {
  if (dotted.starts_with('.')) dotted.remove_prefix(1);
  return split(dotted, '.');
}

struct ScalePaths {
  PathNames spec_replicas;
  PathNames status_replicas;
  PathNames selector;  // empty: spec.selector of a workload
};

ScalePaths scale_paths(const ResourceDescriptor& resource) {
  const SubresourceDescriptor& scale = *resource.find_subresource("scale");
  if (scale.spec_replicas_path.empty()) return {{"spec", "replicas"}, {"status", "replicas"}, {}};
  ScalePaths paths{path_names(scale.spec_replicas_path), path_names(scale.status_replicas_path), {}};
  if (!scale.label_selector_path.empty()) paths.selector = path_names(scale.label_selector_path);
  return paths;
}

std::string selector_text(const ResourceDescriptor& resource, const Object& parent, const ScalePaths& paths) {
  if (!paths.selector.empty()) return std::string(parent.tree().at_path(paths.selector).as_string());
  if (resource.custom) return {};
  const Value& selector = parent["spec"]["selector"];
  // A replication controller's selector is a plain map.
  if (resource.gvk.group.empty()) return LabelSelector::from_labels(selector).text();
  auto parsed = LabelSelector::from_value(selector);
  return parsed.ok() ? parsed->text() : std::string();
}

// Who owns the replicas is told to the writer of a Scale only, never in answers.
Object scale_of(const ResourceDescriptor& resource, const Object& parent, bool with_ownership) {
  const ScalePaths paths = scale_paths(resource);
  Value::ObjectBuilder metadata;
  for (std::string_view field : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
    metadata.set_nonempty(field, parent.metadata()[field]);
  }
  if (with_ownership) {
    metadata.set_nonempty("managedFields",
                          patch::scale_managed_fields(parent.metadata()["managedFields"], resource.gvk.api_version(),
                                                      paths.spec_replicas));
  }
  Value::ObjectBuilder spec, status;
  spec.set_nonempty("replicas", parent.tree().at_path(paths.spec_replicas));
  status.set("replicas", parent.tree().at_path(paths.status_replicas).as_int());
  status.set_nonempty("selector", selector_text(resource, parent, paths));
  return Object(Value::object({{"kind", kScaleKind.kind},
                               {"apiVersion", kScaleKind.api_version()},
                               {"metadata", std::move(metadata).build()},
                               {"spec", std::move(spec).build()},
                               {"status", std::move(status).build()}}));
}

Result<void> check_scale(const ResourceDescriptor& resource, const WriteRequest& write, const Object& scale,
                         const Object& parent) {
  if (scale.gvk() != kScaleKind) {
    return bad_request("wrong object passed to Scale update: " + std::string(scale.kind()));
  }
  TRY(check_name_of_url(scale, write.name));
  if (!scale.uid().empty() && scale.uid() != parent.uid()) {
    return conflict(resource, write.name,
                    "Precondition failed: UID in precondition: " + std::string(scale.uid()) +
                        ", UID in object meta: " + std::string(parent.uid()));
  }
  const std::int64_t replicas = scale["spec"]["replicas"].as_int();
  if (replicas >= 0) return {};
  return invalid(kScaleKind, write.name,
                 {field_error::invalid("spec.replicas", replicas, "must be greater than or equal to 0")});
}

const Schema* scale_schema() {
  return find_builtin_kind(kScaleKind.group, kScaleKind.version, kScaleKind.kind)->schema;
}

// How a Scale is shown, whoever's it is.
ResourcePtr scale_resource() {
  static const ResourcePtr kResource = [] {
    ResourceDescriptor scale;
    scale.gvk = scale.storage_gvk = kScaleKind;
    scale.resource = "scale";
    scale.builtin_schema = scale_schema();
    scale.table = builtin_table(kScaleKind.group, scale.resource);
    return std::make_shared<const ResourceDescriptor>(std::move(scale));
  }();
  return kResource;
}

patch::FieldManagement scale_management(const WriteRequest& write) {
  patch::FieldManagement management;
  management.gvk = kScaleKind;
  management.schema = scale_schema();
  management.manager = write.field_manager;
  management.subresource = "scale";
  management.now = write.context.clock().wall();
  return management;
}

// What the request makes of the Scale as it is, ownership included.
struct ScaleRequest {
  Object sent;     // PUT
  PatchBody body;  // PATCH
  bool patching = false;
  bool force = false;  // apply
};

Result<Object> changed_scale(RequestScope& scope, const WriteRequest& write, const ScaleRequest& request,
                             const Object& before) {
  const patch::FieldManagement management = scale_management(write);
  if (request.patching && request.body.format == PatchFormat::Apply) {
    return patch::apply(management, &before, Object(request.body.patch), request.force);
  }
  Object scale = request.sent;
  if (request.patching) {
    ASSIGN_OR_RETURN(scale, apply_patch_body(scope, request.body, kScaleKind, scale_schema(), false, before));
  }
  return patch::update_managed_fields(management, &before, scale);
}

// The parent with the scale's replicas, its ownership mapped back.
Result<Object> with_scale(const ResourceDescriptor& resource, const WriteRequest& write, const Object& parent,
                          const Object& scale) {
  TRY(check_scale(resource, write, scale, parent));
  const ScalePaths paths = scale_paths(resource);
  Value tree = parent.tree().with_path(paths.spec_replicas, scale["spec"]["replicas"].as_int());
  const Value fields =
      patch::parent_managed_fields(parent.metadata()["managedFields"], scale.metadata()["managedFields"],
                                   resource.gvk.api_version(), paths.spec_replicas);
  Object changed = Object(std::move(tree)).with_metadata("managedFields", fields);
  const std::string_view revision = scale.resource_version();
  return revision.empty() ? changed : changed.with_metadata("resourceVersion", revision);
}

}  // namespace

Result<http::Response> serve_scale(SubresourceCall& call) {
  RequestScope& scope = call.scope;
  const ResourceDescriptor& resource = call.resource;
  if (scope.info.verb == "get") {
    ASSIGN_OR_RETURN(const Object parent,
                     call.store.get(scope.context, resource, scope.info.namespace_, scope.info.name));
    return computed_object(scope, scale_resource(), scale_of(resource, parent, false));
  }
  const bool patching = scope.info.verb == "patch";
  ASSIGN_OR_RETURN(const WriteRequest write,
                   write_request(scope, resource, patching ? "PatchOptions" : "UpdateOptions"));
  ScaleRequest request;
  request.patching = patching;
  request.force = query_flag(scope.query, "force").value_or(false);
  if (patching) {
    ASSIGN_OR_RETURN(request.body, read_patch_body(scope.request, false));
    TRY(check_patch_options(scope.query, request.body.format));
  } else {
    ASSIGN_OR_RETURN(request.sent, read_body(scope, kScaleKind, scale_schema()));
  }
  UpdateOptions options;
  options.tracks_managed_fields = false;
  const auto change = [&](const Object* parent) -> Result<Object> {
    if (parent == nullptr) return not_found(resource, write.name);
    ASSIGN_OR_RETURN(const Object scale, changed_scale(scope, write, request, scale_of(resource, *parent, true)));
    return with_scale(resource, write, *parent, scale);
  };
  ASSIGN_OR_RETURN(const WriteResult result, call.store.update(write, options, change));
  ASSIGN_OR_RETURN(const Object parent, result.object->object());
  return computed_object(scope, scale_resource(), scale_of(resource, parent, false));
}

}  // namespace coracle::kube::apiserver
