#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kube/apply/inventory.h"
#include "kube/object/object.h"
#include "reconcilers/git/git_mirror.h"

// The pure half of the Kustomization reconciler.
namespace coracle::reconcilers {

// The first field of spec that is not built in, with what it asks for; nothing when all can be honoured.
std::optional<std::string> unsupported_kustomization_field(const kube::Object& kustomization);

// spec.path as a directory of the repository: "" for its root. Invalid when it leads out of it.
Result<std::string> source_directory(std::string_view path);

// Whether a build looks at a file: manifests, and what would have kustomize read others.
bool is_build_file(std::string_view path);

// The objects of the manifests among `files`, by path. Invalid ("BuildFailed") names the file that is no
// manifest or has an object that was there already, or says that a kustomization file needs kustomize, which is not
// built in.
Result<std::vector<kube::Object>> build_manifests(const std::vector<GitFile>& files);

// What every object of a Kustomization gets: the owner labels, spec.commonMetadata, spec.targetNamespace
// (see target_namespace.h); status and empty creationTimestamps go, stringData becomes data.
Result<std::vector<kube::Object>> prepare_objects(
    const kube::Object& kustomization, std::vector<kube::Object> objects,
    const std::function<bool(const kube::GroupVersionKind&)>& is_namespaced);

// Whether the live object carries the owner labels of this Kustomization and does not refuse pruning.
bool may_prune(const kube::Object& kustomization, const kube::Object& live);

// Everything in a namespace goes with it: one that somebody else made is marked to stay when it leaves the repository,
// unless its manifest says what becomes of it ("prune: enabled").
kube::Object with_namespace_kept(const kube::Object& kustomization, const kube::Object& desired,
                                 const kube::Object* live);

// A repository without any manifest is more often a mistake than meant. The message says how to confirm that all
// objects of the inventory are to go; nothing when that is confirmed, or only one would go.
std::optional<std::string> unconfirmed_prune(const kube::Object& kustomization, std::string_view revision,
                                             const std::vector<kube::Object>& objects,
                                             const kube::Inventory& inventory);
// The revision that the Kustomization's annotation confirms; empty without one.
std::string_view confirmed_prune(const kube::Object& kustomization);

// Whether an annotation or label of the object (source or live) tells us to leave it alone.
bool is_left_alone(const kube::Object& desired, const kube::Object* live);

// Whether the object says that other field managers keep what they own of it ("ssa: Merge").
bool leaves_managers(const kube::Object& desired, const kube::Object* live);
// Whether the object says that it may be deleted and made again where it cannot be changed ("force: Enabled").
bool may_recreate(const kube::Object& desired, const kube::Object* live);

// The source that spec.sourceRef names.
kube::ObjectKey source_key(const kube::Object& kustomization);

// A dependency that is not ready yet, in Flux's words; nothing when all are. `find` answers the live
// Kustomization, or nothing.
std::optional<std::string> unready_dependency(
    const kube::Object& kustomization, std::string_view revision,
    const std::function<std::optional<kube::Object>(const kube::ObjectKey&)>& find);

// What has to be healthy before the Kustomization is: everything that is applied and not left alone (spec.wait), or
// spec.healthChecks, without itself, which is not ready before all of them are.
kube::Inventory health_targets(const kube::Object& kustomization, const kube::Inventory& managed);
// The Jobs among `objects` that are deleted some time after they are done (spec.ttlSecondsAfterFinished): one of them
// that is not there is no failure.
kube::Inventory vanishing_jobs(const std::vector<kube::Object>& objects);

}  // namespace coracle::reconcilers
