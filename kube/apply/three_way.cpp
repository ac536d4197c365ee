#include "kube/apply/three_way.h"

#include "kube/patch/patch.h"
#include "kube/schema/schema.h"

namespace coracle::kube {

Result<void> patch_three_way(const Context& context, const Client& client, const ResourceRef& resource,
                             const Value& last_applied, const Object& desired, const Object& live,
                             const WriteParameters& parameters) {
  const KindSchema* schema = find_builtin_kind(resource.gvr.group, resource.gvr.version, resource.kind);
  const PatchType type = schema != nullptr ? PatchType::Strategic : PatchType::Merge;
  Value patch;
  if (schema != nullptr) {
    ASSIGN_OR_RETURN(patch,
                     patch::three_way_strategic_patch(last_applied, desired.tree(), live.tree(), *schema->schema));
  } else {
    patch = patch::three_way_merge_patch(last_applied, desired.tree(), live.tree());
  }
  if (patch.empty()) return {};
  TRY(client.patch(context, resource, desired.key(), type, patch, parameters));
  return {};
}

}  // namespace coracle::kube
