#include "kube/apiserver/internal/strategies/pods/container_mounts.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "kube/apiserver/internal/strategies/pods/container_environment.h"

namespace coracle::kube::apiserver {

namespace {

bool has_item_with(const Value& list, std::string_view field, std::string_view text) {
  const auto items = list.items();
  return std::any_of(items.begin(), items.end(), [&](const Value& one) { return one[field].as_string() == text; });
}

void check_propagation(const FieldCheck& propagation, bool privileged) {
  constexpr std::string_view kModes[] = {"Bidirectional", "HostToContainer", "None"};
  if (!propagation.is_set()) return;
  propagation.require_one_of(kModes);
  if (propagation.text() == "Bidirectional" && !privileged) {
    propagation.forbidden("Bidirectional mount propagation is available only to privileged containers");
  }
}

void check_recursive_read_only(const FieldCheck& recursive, const Value& mount) {
  constexpr std::string_view kModes[] = {"Disabled", "Enabled", "IfPossible"};
  if (!recursive.is_set() || !recursive.require_one_of(kModes) || recursive.text() == "Disabled") return;
  if (!mount["readOnly"].as_bool()) recursive.forbidden("may only be specified when readOnly is true");
  if (mount["mountPropagation"].as_string("None") != "None") {
    recursive.forbidden("may only be specified when mountPropagation is None or not specified");
  }
}

// Upstream names the list in what it says about these fields of one mount.
void check_mount_options(const FieldCheck& mounts, const FieldCheck& mount, bool privileged) {
  const auto of_list = [&](std::string_view field) { return mounts[field].with(mount[field].value()); };
  check_descending_path(of_list("subPath"));
  const FieldCheck expression = mount["subPathExpr"];
  if (!expression.is_empty() && !mount["subPath"].is_empty()) {
    expression.invalid("subPathExpr and subPath are mutually exclusive");
  }
  check_descending_path(of_list("subPathExpr"));
  check_propagation(of_list("mountPropagation"), privileged);
  check_recursive_read_only(of_list("recursiveReadOnly"), mount.value());
}

void check_devices(const FieldCheck& devices, const Value& mounts, const PodVolumes& volumes) {
  std::set<std::string_view> names;
  std::set<std::string_view> paths;
  devices.each([&](const FieldCheck& device) {
    const FieldCheck name = device["name"];
    const FieldCheck path = device["devicePath"];
    const auto volume = volumes.find(name.text());
    name.require();
    if (names.contains(name.text())) name.invalid("must be unique");
    if (volume == volumes.end()) {
      name.not_found();
    } else if (!volume->second->contains("persistentVolumeClaim") && !volume->second->contains("ephemeral")) {
      name.invalid("can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
    }
    path.require();
    if (paths.contains(path.text())) path.invalid("must be unique");
    if (has_backsteps(path.text())) {
      path.invalid("can not contain backsteps ('..')");
    } else {
      paths.insert(path.text());
    }
    if (has_item_with(mounts, "name", name.text())) name.invalid("must not already exist in volumeMounts");
    if (has_item_with(mounts, "mountPath", path.text()))
      path.invalid("must not already exist as a path in volumeMounts");
    if (!name.is_empty()) names.insert(name.text());
  });
}

}  // namespace

void check_mounts(const FieldCheck& container, const PodVolumes& volumes) {
  const FieldCheck mounts = container["volumeMounts"];
  const FieldCheck devices = container["volumeDevices"];
  const bool privileged = container["securityContext"]["privileged"].value().as_bool();
  std::set<std::string_view> paths;
  mounts.each([&](const FieldCheck& mount) {
    const FieldCheck name = mount["name"];
    const FieldCheck path = mount["mountPath"];
    name.require();
    if (!volumes.contains(name.text())) name.not_found();
    path.require();
    if (!paths.insert(path.text()).second) path.invalid("must be unique");
    if (has_item_with(devices.value(), "name", name.text())) name.invalid("must not already exist in volumeDevices");
    if (has_item_with(devices.value(), "devicePath", path.text())) {
      path.invalid("must not already exist as a path in volumeDevices");
    }
    check_mount_options(mounts, mount, privileged);
  });
  check_devices(devices, mounts.value(), volumes);
}

}  // namespace coracle::kube::apiserver
