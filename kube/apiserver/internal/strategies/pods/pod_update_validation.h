#pragma once

#include <string_view>

#include "kube/apiserver/internal/resource.h"

namespace coracle::kube::apiserver {

// The lists of containers whose fields a subresource or an update may change.
inline constexpr std::string_view kPodContainerLists[] = {"containers", "initContainers"};

// What may become of a pod beside what holds for every pod. Each for one way to change it.
void check_pod_update(const Object& pod, const Object& old, FieldErrors& errors);
void check_ephemeral_update(const Object& pod, const Object& old, FieldErrors& errors);
void check_pod_resize(const Object& pod, const Object& old, FieldErrors& errors);
void check_pod_status(const Object& pod, const Object& old, FieldErrors& errors);

// The annotations that stay as they are.
void check_pod_annotation_changes(const Object& pod, const Object& old, FieldErrors& errors);

// Is one part of a pod as good as the other? Empty lists and maps in it are as good as none.
bool mean_the_same(const Value& one, const Value& other);

}  // namespace coracle::kube::apiserver
