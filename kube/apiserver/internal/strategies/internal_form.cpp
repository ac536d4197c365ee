#include "kube/apiserver/internal/strategies/internal_form.h"

#include <algorithm>
#include <utility>

#include "base/json/json.h"
#include "kube/object/resource_amounts.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kText = kNoText;
constexpr std::string_view kNumber = kNoNumber;
constexpr std::string_view kNo = "false";
constexpr std::string_view kNull = "null";
constexpr std::string_view kStruct = "{}";

constexpr InternalField kSecret[] = {{"name", "Name", kText}, {"namespace", "Namespace", kText}};
constexpr InternalField kObject[] = {
    {"kind", "Kind", kText},
    {"namespace", "Namespace", kText},
    {"name", "Name", kText},
    {"uid", "UID", kText},
    {"apiVersion", "APIVersion", kText},
    {"resourceVersion", "ResourceVersion", kText},
    {"fieldPath", "FieldPath", kText},
};
constexpr InternalField kDisk[] = {{"pdName", "PDName", kText},
                                   {"fsType", "FSType", kText},
                                   {"partition", "Partition", kNumber},
                                   {"readOnly", "ReadOnly", kNo}};
constexpr InternalField kBlockStore[] = {{"volumeID", "VolumeID", kText},
                                         {"fsType", "FSType", kText},
                                         {"partition", "Partition", kNumber},
                                         {"readOnly", "ReadOnly", kNo}};
constexpr InternalField kHostPath[] = {{"path", "Path", kText}, {"type", "Type"}};
constexpr InternalField kGlusterfs[] = {{"endpoints", "EndpointsName", kText},
                                        {"path", "Path", kText},
                                        {"readOnly", "ReadOnly", kNo},
                                        {"endpointsNamespace", "EndpointsNamespace"}};
constexpr InternalField kNfs[] = {{"server", "Server", kText}, {"path", "Path", kText}, {"readOnly", "ReadOnly", kNo}};
constexpr InternalField kRbd[] = {{"monitors", "CephMonitors"},
                                  {"image", "RBDImage", kText},
                                  {"fsType", "FSType", kText},
                                  {"pool", "RBDPool", kText},
                                  {"user", "RadosUser", kText},
                                  {"keyring", "Keyring", kText},
                                  {"secretRef", "SecretRef", kNull, kSecret},
                                  {"readOnly", "ReadOnly", kNo}};
constexpr InternalField kQuobyte[] = {{"registry", "Registry", kText}, {"volume", "Volume", kText},
                                      {"readOnly", "ReadOnly", kNo},   {"user", "User", kText},
                                      {"group", "Group", kText},       {"tenant", "Tenant", kText}};
constexpr InternalField kIscsi[] = {{"targetPortal", "TargetPortal", kText},
                                    {"iqn", "IQN", kText},
                                    {"lun", "Lun", kNumber},
                                    {"iscsiInterface", "ISCSIInterface", kText},
                                    {"fsType", "FSType", kText},
                                    {"readOnly", "ReadOnly", kNo},
                                    {"portals", "Portals"},
                                    {"chapAuthDiscovery", "DiscoveryCHAPAuth", kNo},
                                    {"chapAuthSession", "SessionCHAPAuth", kNo},
                                    {"secretRef", "SecretRef", kNull, kSecret},
                                    {"initiatorName", "InitiatorName"}};
constexpr InternalField kFlexVolume[] = {{"driver", "Driver", kText},
                                         {"fsType", "FSType", kText},
                                         {"secretRef", "SecretRef", kNull, kSecret},
                                         {"readOnly", "ReadOnly", kNo},
                                         {"options", "Options"}};
constexpr InternalField kCinder[] = {{"volumeID", "VolumeID", kText},
                                     {"fsType", "FSType", kText},
                                     {"readOnly", "ReadOnly", kNo},
                                     {"secretRef", "SecretRef", kNull, kSecret}};
constexpr InternalField kCephfs[] = {{"monitors", "Monitors"},
                                     {"path", "Path", kText},
                                     {"user", "User", kText},
                                     {"secretFile", "SecretFile", kText},
                                     {"secretRef", "SecretRef", kNull, kSecret},
                                     {"readOnly", "ReadOnly", kNo}};
constexpr InternalField kFibreChannel[] = {{"targetWWNs", "TargetWWNs"},
                                           {"lun", "Lun"},
                                           {"fsType", "FSType", kText},
                                           {"readOnly", "ReadOnly", kNo},
                                           {"wwids", "WWIDs"}};
constexpr InternalField kFlocker[] = {{"datasetName", "DatasetName", kText}, {"datasetUUID", "DatasetUUID", kText}};
constexpr InternalField kAzureFile[] = {{"secretName", "SecretName", kText},
                                        {"shareName", "ShareName", kText},
                                        {"readOnly", "ReadOnly", kNo},
                                        {"secretNamespace", "SecretNamespace"}};
constexpr InternalField kVsphere[] = {{"volumePath", "VolumePath", kText},
                                      {"fsType", "FSType", kText},
                                      {"storagePolicyName", "StoragePolicyName", kText},
                                      {"storagePolicyID", "StoragePolicyID", kText}};
constexpr InternalField kAzureDisk[] = {{"diskName", "DiskName", kText}, {"diskURI", "DataDiskURI", kText},
                                        {"cachingMode", "CachingMode"},  {"fsType", "FSType"},
                                        {"readOnly", "ReadOnly"},        {"kind", "Kind"}};
constexpr InternalField kPhoton[] = {{"pdID", "PdID", kText}, {"fsType", "FSType", kText}};
constexpr InternalField kPortworx[] = {
    {"volumeID", "VolumeID", kText}, {"fsType", "FSType", kText}, {"readOnly", "ReadOnly", kNo}};
constexpr InternalField kScaleIo[] = {{"gateway", "Gateway", kText},
                                      {"system", "System", kText},
                                      {"secretRef", "SecretRef", kNull, kSecret},
                                      {"sslEnabled", "SSLEnabled", kNo},
                                      {"protectionDomain", "ProtectionDomain", kText},
                                      {"storagePool", "StoragePool", kText},
                                      {"storageMode", "StorageMode", kText},
                                      {"volumeName", "VolumeName", kText},
                                      {"fsType", "FSType", kText},
                                      {"readOnly", "ReadOnly", kNo}};
constexpr InternalField kLocal[] = {{"path", "Path", kText}, {"fsType", "FSType"}};
constexpr InternalField kStorageOs[] = {{"volumeName", "VolumeName", kText},
                                        {"volumeNamespace", "VolumeNamespace", kText},
                                        {"fsType", "FSType", kText},
                                        {"readOnly", "ReadOnly", kNo},
                                        {"secretRef", "SecretRef", kNull, kObject}};
constexpr InternalField kCsi[] = {{"driver", "Driver", kText},
                                  {"volumeHandle", "VolumeHandle", kText},
                                  {"readOnly", "ReadOnly", kNo},
                                  {"fsType", "FSType", kText},
                                  {"volumeAttributes", "VolumeAttributes"},
                                  {"controllerPublishSecretRef", "ControllerPublishSecretRef", kNull, kSecret},
                                  {"nodeStageSecretRef", "NodeStageSecretRef", kNull, kSecret},
                                  {"nodePublishSecretRef", "NodePublishSecretRef", kNull, kSecret},
                                  {"controllerExpandSecretRef", "ControllerExpandSecretRef", kNull, kSecret},
                                  {"nodeExpandSecretRef", "NodeExpandSecretRef", kNull, kSecret}};
constexpr InternalField kVolumeSource[] = {
    {"gcePersistentDisk", "GCEPersistentDisk", kNull, kDisk},
    {"awsElasticBlockStore", "AWSElasticBlockStore", kNull, kBlockStore},
    {"hostPath", "HostPath", kNull, kHostPath},
    {"glusterfs", "Glusterfs", kNull, kGlusterfs},
    {"nfs", "NFS", kNull, kNfs},
    {"rbd", "RBD", kNull, kRbd},
    {"quobyte", "Quobyte", kNull, kQuobyte},
    {"iscsi", "ISCSI", kNull, kIscsi},
    {"flexVolume", "FlexVolume", kNull, kFlexVolume},
    {"cinder", "Cinder", kNull, kCinder},
    {"cephfs", "CephFS", kNull, kCephfs},
    {"fc", "FC", kNull, kFibreChannel},
    {"flocker", "Flocker", kNull, kFlocker},
    {"azureFile", "AzureFile", kNull, kAzureFile},
    {"vsphereVolume", "VsphereVolume", kNull, kVsphere},
    {"azureDisk", "AzureDisk", kNull, kAzureDisk},
    {"photonPersistentDisk", "PhotonPersistentDisk", kNull, kPhoton},
    {"portworxVolume", "PortworxVolume", kNull, kPortworx},
    {"scaleIO", "ScaleIO", kNull, kScaleIo},
    {"local", "Local", kNull, kLocal},
    {"storageos", "StorageOS", kNull, kStorageOs},
    {"csi", "CSI", kNull, kCsi},
};

constexpr InternalField kRequirement[] = {
    {"key", "key", kText}, {"operator", "operator", kText}, {"values", "values", ""}};
constexpr InternalField kSelector[] = {{"matchLabels", "matchLabels", ""},
                                       {"matchExpressions", "matchExpressions", "", kRequirement}};
constexpr InternalField kResources[] = {{"limits", "Limits"}, {"requests", "Requests"}};
constexpr InternalField kSource[] = {{"apiGroup", "APIGroup"}, {"kind", "Kind", kText}, {"name", "Name", kText}};
constexpr InternalField kReference[] = {
    {"apiGroup", "APIGroup"}, {"kind", "Kind", kText}, {"name", "Name", kText}, {"namespace", "Namespace"}};
constexpr InternalField kClaim[] = {
    {"accessModes", "AccessModes"},
    {"selector", "Selector", kNull, kSelector},
    {"resources", "Resources", kStruct, kResources},
    {"volumeName", "VolumeName", kText},
    {"storageClassName", "StorageClassName"},
    {"volumeMode", "VolumeMode"},
    {"dataSource", "DataSource", kNull, kSource},
    {"dataSourceRef", "DataSourceRef", kNull, kReference},
    {"volumeAttributesClassName", "VolumeAttributesClassName"},
};

constexpr InternalField kAttachmentSource[] = {{"persistentVolumeName", "PersistentVolumeName"},
                                               {"inlineVolumeSpec", "InlineVolumeSpec"}};
constexpr InternalField kAttachment[] = {
    {"attacher", "Attacher", kText}, {"source", "Source", kStruct, kAttachmentSource}, {"nodeName", "NodeName", kText}};

constexpr InternalField kCel[] = {{"expression", "Expression", kText}};
constexpr InternalField kDeviceSelector[] = {{"cel", "CEL", kNull, kCel}};
constexpr InternalField kToleration[] = {{"key", "Key", kText},
                                         {"operator", "Operator", kText},
                                         {"value", "Value", kText},
                                         {"effect", "Effect", kText},
                                         {"tolerationSeconds", "TolerationSeconds"}};
constexpr InternalField kCapacity[] = {{"requests", "Requests"}};
constexpr InternalField kExactly[] = {{"deviceClassName", "DeviceClassName", kText},
                                      {"selectors", "Selectors", kNull, kDeviceSelector},
                                      {"allocationMode", "AllocationMode", kText},
                                      {"count", "Count", kNumber},
                                      {"adminAccess", "AdminAccess"},
                                      {"tolerations", "Tolerations", kNull, kToleration},
                                      {"capacity", "Capacity", kNull, kCapacity}};
constexpr InternalField kAlternative[] = {{"name", "Name", kText},
                                          {"deviceClassName", "DeviceClassName", kText},
                                          {"selectors", "Selectors", kNull, kDeviceSelector},
                                          {"allocationMode", "AllocationMode", kText},
                                          {"count", "Count", kNumber},
                                          {"tolerations", "Tolerations", kNull, kToleration},
                                          {"capacity", "Capacity", kNull, kCapacity}};
constexpr InternalField kRequest[] = {{"name", "Name", kText},
                                      {"exactly", "Exactly", kNull, kExactly},
                                      {"firstAvailable", "FirstAvailable", kNull, kAlternative}};
constexpr InternalField kConstraint[] = {
    {"requests", "Requests"}, {"matchAttribute", "MatchAttribute"}, {"distinctAttribute", "DistinctAttribute"}};
constexpr InternalField kOpaque[] = {{"driver", "Driver", kText}, {"parameters", "Parameters"}};
constexpr InternalField kConfiguration[] = {{"requests", "Requests"}, {"opaque", "Opaque", kNull, kOpaque}};
constexpr InternalField kDevices[] = {{"requests", "Requests", kNull, kRequest},
                                      {"constraints", "Constraints", kNull, kConstraint},
                                      {"config", "Config", kNull, kConfiguration}};
constexpr InternalField kDeviceClaim[] = {{"devices", "Devices", kStruct, kDevices}};

constexpr InternalField kNodeRequirement[] = {
    {"key", "Key", kText}, {"operator", "Operator", kText}, {"values", "Values"}};
constexpr InternalField kNodeTerm[] = {{"matchExpressions", "MatchExpressions", kNull, kNodeRequirement},
                                       {"matchFields", "MatchFields", kNull, kNodeRequirement}};
constexpr InternalField kNodeSelector[] = {{"nodeSelectorTerms", "NodeSelectorTerms", kNull, kNodeTerm}};
constexpr InternalField kNodeAffinity[] = {{"required", "Required", kNull, kNodeSelector}};
constexpr InternalField kAllocatable[] = {{"count", "Count"}};
constexpr InternalField kNodeDriver[] = {{"name", "Name", kText},
                                         {"nodeID", "NodeID", kText},
                                         {"topologyKeys", "TopologyKeys"},
                                         {"allocatable", "Allocatable", kNull, kAllocatable}};
constexpr InternalField kTaint[] = {
    {"key", "Key", kText}, {"value", "Value", kText}, {"effect", "Effect", kText}, {"timeAdded", "TimeAdded"}};
constexpr InternalField kScope[] = {
    {"scopeName", "ScopeName", kText}, {"operator", "Operator", kText}, {"values", "Values"}};
constexpr InternalField kScopeSelector[] = {{"matchExpressions", "MatchExpressions", kNull, kScope}};

// Maps have no order of their own; Go prints them sorted.
Value sorted_map(const Value& map) {
  std::vector<Value::Member> members(map.members().begin(), map.members().end());
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return Value::object(std::move(members));
}

Value form_of(const Value& value, std::span<const InternalField> inner) {
  if (value.is_object()) return inner.empty() ? sorted_map(value) : internal_form(value, inner);
  if (!value.is_array() || inner.empty()) return value;
  Value::ArrayBuilder items;
  for (const Value& item : value.items()) items.add(form_of(item, inner));
  return std::move(items).build();
}

}  // namespace

Value internal_form(const Value& value, std::span<const InternalField> fields) {
  Value::ObjectBuilder form;
  for (const InternalField& field : fields) {
    const Value& given = value[field.json];
    if (!given.is_null()) {
      form.append(std::string(field.name), form_of(given, field.inner));
    } else if (!field.absent.empty()) {
      const auto absent = json::read(field.absent);
      form.append(std::string(field.name), form_of(absent.ok() ? *absent : Value(), field.inner));
    }
  }
  return std::move(form).build();
}

Value internal_amounts(const Value& amounts) {
  return amounts.is_null() ? amounts : write_amounts(read_amounts(amounts));
}

std::span<const InternalField> label_selector_form() {
  return kSelector;
}
std::span<const InternalField> claim_form() {
  return kClaim;
}
std::span<const InternalField> volume_source_form() {
  return kVolumeSource;
}
std::span<const InternalField> attachment_form() {
  return kAttachment;
}
std::span<const InternalField> device_claim_form() {
  return kDeviceClaim;
}
std::span<const InternalField> node_affinity_form() {
  return kNodeAffinity;
}
std::span<const InternalField> node_selector_form() {
  return kNodeSelector;
}
std::span<const InternalField> node_driver_form() {
  return kNodeDriver;
}
std::span<const InternalField> toleration_form() {
  return kToleration;
}
std::span<const InternalField> taint_form() {
  return kTaint;
}
std::span<const InternalField> scope_selector_form() {
  return kScopeSelector;
}

}  // namespace coracle::kube::apiserver
