#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "kube/controller/manager.h"

namespace coracle::reconcilers {

// Keep what is in use from being deleted: a finalizer stays on the object until nobody needs it any more. Upstream's
// three controllers of the same names.

// Claims, while a pod that has been scheduled refers to them.
std::unique_ptr<kube::ManagedController> make_claim_protection(const kube::ControllerDeps& deps);
// Volumes, while they are bound.
std::unique_ptr<kube::ManagedController> make_volume_protection(const kube::ControllerDeps& deps);
// VolumeAttributesClasses, while a claim or a volume names them.
std::unique_ptr<kube::ManagedController> make_attributes_class_protection(const kube::ControllerDeps& deps);

// The object with the finalizer added or taken away; empty when it is as it should be. Pure.
std::optional<kube::Object> plan_protection(const kube::Object& object, std::string_view finalizer, bool in_use);

bool pod_uses_claim(const kube::Object& pod, const kube::Object& claim);
bool claim_uses_attributes_class(const kube::Object& claim, std::string_view name);
bool volume_uses_attributes_class(const kube::Object& volume, std::string_view name);

}  // namespace coracle::reconcilers
