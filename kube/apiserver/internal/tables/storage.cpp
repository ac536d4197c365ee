#include <set>

#include "base/text.h"
#include "kube/apiserver/internal/tables/cells.h"
#include "kube/object/conditions.h"

namespace coracle::kube::apiserver::tables {

namespace {

constexpr std::string_view kDefaultStorageClass = "storageclass.kubernetes.io/is-default-class";
constexpr std::string_view kBetaDefaultStorageClass = "storageclass.beta.kubernetes.io/is-default-class";
constexpr std::string_view kBetaStorageClass = "volume.beta.kubernetes.io/storage-class";
constexpr std::string_view kRolePrefix = "node-role.kubernetes.io/";
constexpr std::string_view kRoleLabel = "kubernetes.io/role";

struct AccessMode {
  std::string_view name, shown;
};
constexpr AccessMode kAccessModes[] = {
    {"ReadWriteOnce", "RWO"}, {"ReadOnlyMany", "ROX"}, {"ReadWriteMany", "RWX"}, {"ReadWriteOncePod", "RWOP"}};

// Short forms in a fixed order, each once.
std::string access_modes(const Value& modes) {
  std::vector<std::string> shown;
  for (const AccessMode& mode : kAccessModes) {
    for (const Value& item : modes.items()) {
      if (item.as_string() != mode.name) continue;
      shown.emplace_back(mode.shown);
      break;
    }
  }
  return join(shown, ",");
}

std::string class_of(const Object& object) {
  const std::string_view beta = object.annotation(kBetaStorageClass);
  return std::string(beta.empty() ? object["spec"]["storageClassName"].as_string() : beta);
}

std::string phase_of(const Object& object) {
  return object.deleting() ? "Terminating" : std::string(object["status"]["phase"].as_string());
}

Cells volume_cells(const Object& volume, WallTime now) {
  const Value& spec = volume["spec"];
  const Value& claim = spec["claimRef"];
  std::string claimed;
  if (claim.is_object())
    claimed = std::string(claim["namespace"].as_string()) + "/" + std::string(claim["name"].as_string());
  return {volume.name(),
          spec["capacity"]["storage"].as_string(),
          access_modes(spec["accessModes"]),
          spec["persistentVolumeReclaimPolicy"].as_string(),
          phase_of(volume),
          claimed,
          class_of(volume),
          text_or(spec["volumeAttributesClassName"], kUnset),
          volume["status"]["reason"].as_string(),
          age(volume, now),
          text_or(spec["volumeMode"], kUnset)};
}

Cells claim_cells(const Object& claim, WallTime now) {
  const Value& spec = claim["spec"];
  const bool bound = !spec["volumeName"].as_string().empty();
  return {claim.name(),
          phase_of(claim),
          spec["volumeName"].as_string(),
          bound ? claim["status"]["capacity"]["storage"].as_string() : std::string_view(),
          bound ? access_modes(claim["status"]["accessModes"]) : std::string(),
          class_of(claim),
          text_or(spec["volumeAttributesClassName"], kUnset),
          age(claim, now),
          text_or(spec["volumeMode"], kUnset)};
}

Cells storage_class_cells(const Object& object, WallTime now) {
  std::string name(object.name());
  if (object.annotation(kDefaultStorageClass) == "true" || object.annotation(kBetaDefaultStorageClass) == "true") {
    name += " (default)";
  }
  return {name,
          object["provisioner"].as_string(),
          text_or(object["reclaimPolicy"], "Delete"),
          text_or(object["volumeBindingMode"], "Immediate"),
          object["allowVolumeExpansion"].as_bool(),
          age(object, now)};
}

Cells attributes_class_cells(const Object& object, WallTime now) {
  return {object.name(), object["driverName"].as_string(), age(object, now)};
}

Cells driver_cells(const Object& driver, WallTime now) {
  const Value& spec = driver["spec"];
  const std::vector<std::string> modes = string_items(spec["volumeLifecycleModes"]);
  std::vector<std::string> audiences;
  for (const Value& request : spec["tokenRequests"].items()) audiences.emplace_back(request["audience"].as_string());
  return {driver.name(),
          spec["attachRequired"].as_bool(true),
          spec["podInfoOnMount"].as_bool(),
          spec["storageCapacity"].as_bool(),
          audiences.empty() ? std::string(kUnset) : join(audiences, ","),
          spec["requiresRepublish"].as_bool(),
          joined_or_none(modes),
          age(driver, now)};
}

Cells csi_node_cells(const Object& node, WallTime now) {
  return {node.name(), static_cast<std::int64_t>(node["spec"]["drivers"].size()), age(node, now)};
}

Cells attachment_cells(const Object& object, WallTime now) {
  const Value& spec = object["spec"];
  return {object.name(),
          spec["attacher"].as_string(),
          spec["source"]["persistentVolumeName"].as_string(),
          spec["nodeName"].as_string(),
          object["status"]["attached"].as_bool(),
          age(object, now)};
}

std::string node_status(const Object& node) {
  const std::string_view ready = find_condition(node["status"]["conditions"], "Ready")["status"].as_string();
  std::string status = ready.empty() ? "Unknown" : (ready == "True" ? "Ready" : "NotReady");
  if (node["spec"]["unschedulable"].as_bool()) status += ",SchedulingDisabled";
  return status;
}

std::string node_roles(const Object& node) {
  std::set<std::string> roles;
  for (const Value::Member& label : node.metadata()["labels"].members()) {
    const std::string_view key = label.key;
    if (key.starts_with(kRolePrefix)) {
      if (key.size() > kRolePrefix.size()) roles.emplace(key.substr(kRolePrefix.size()));
    } else if (key == kRoleLabel && !label.value.as_string().empty()) {
      roles.emplace(label.value.as_string());
    }
  }
  return joined_or_none({roles.begin(), roles.end()});
}

std::string node_address(const Object& node, std::string_view type) {
  for (const Value& address : node["status"]["addresses"].items()) {
    if (address["type"].as_string() == type) return std::string(address["address"].as_string());
  }
  return std::string(kNone);
}

Cells node_cells(const Object& node, WallTime now) {
  const Value& info = node["status"]["nodeInfo"];
  std::string kernel = text_or(info["kernelVersion"], kUnknown);
  const std::string_view machine = info["architecture"].as_string();
  if (kernel != kUnknown && !machine.empty()) kernel += " (" + std::string(machine) + ")";
  return {node.name(),
          node_status(node),
          node_roles(node),
          age(node, now),
          info["kubeletVersion"].as_string(),
          node_address(node, "InternalIP"),
          node_address(node, "ExternalIP"),
          text_or(info["osImage"], kUnknown),
          kernel,
          text_or(info["containerRuntimeVersion"], kUnknown)};
}

constexpr std::string_view kStorageGroup = "storage.k8s.io";

constexpr Entry kStorageEntries[] = {
    {"", "persistentvolumes",
     "Name:n,Capacity,Access Modes,Reclaim Policy,Status,Claim,StorageClass,VolumeAttributesClass,Reason,Age,"
     "VolumeMode*",
     volume_cells},
    {"", "persistentvolumeclaims",
     "Name:n,Status,Volume,Capacity,Access Modes,StorageClass,VolumeAttributesClass,Age,VolumeMode*", claim_cells},
    {kStorageGroup, "storageclasses", "Name:n,Provisioner,ReclaimPolicy,VolumeBindingMode,AllowVolumeExpansion,Age",
     storage_class_cells},
    {kStorageGroup, "volumeattributesclasses", "Name:n,DriverName,Age", attributes_class_cells},
    {kStorageGroup, "csidrivers",
     "Name:n,AttachRequired:b,PodInfoOnMount:b,StorageCapacity:b,TokenRequests,RequiresRepublish:b,Modes,Age",
     driver_cells},
    {kStorageGroup, "csinodes", "Name:n,Drivers:i,Age", csi_node_cells},
    {kStorageGroup, "volumeattachments", "Name:n,Attacher:n,PV,Node,Attached:b,Age", attachment_cells},
};

constexpr Entry kNodeEntries[] = {
    {"", "nodes",
     "Name:n,Status,Roles,Age,Version,Internal-IP*,External-IP*,OS-Image*,Kernel-Version*,Container-Runtime*",
     node_cells},
};

}  // namespace

std::span<const Entry> storage_tables() {
  return kStorageEntries;
}
std::span<const Entry> node_tables() {
  return kNodeEntries;
}

}  // namespace coracle::kube::apiserver::tables
