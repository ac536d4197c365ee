#include "kube/apiserver/internal/strategies/volume_checks.h"

#include <string>

#include "base/text.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::int64_t kHighestPartition = 255;

}  // namespace

void check_host_path(const FieldCheck& source) {
  constexpr std::string_view kTypes[] = {"",     "BlockDevice",  "CharDevice", "Directory", "DirectoryOrCreate",
                                         "File", "FileOrCreate", "Socket"};
  if (source["path"].is_empty()) return;
  source["path"].require_no_backsteps();
  source["type"].require_one_of(kTypes);
}

void check_partition(const FieldCheck& source) {
  const std::int64_t partition = source["partition"].number();
  if (partition < 0 || partition > kHighestPartition) {
    source["partition"].invalid("must be between 1 and 255, inclusive");
  }
}

void check_nfs(const FieldCheck& source) {
  if (!source["path"].text().starts_with('/')) source["path"].invalid("must be an absolute path");
}

void check_flocker(const FieldCheck& source) {
  const bool named = !source["datasetName"].is_empty();
  const bool by_id = !source["datasetUUID"].is_empty();
  if (!named && !by_id) source.required("one of datasetName and datasetUUID is required");
  if (named && by_id) source.invalid("resource", "datasetName and datasetUUID can not be specified simultaneously");
  if (source["datasetName"].text().find('/') != std::string_view::npos) {
    source["datasetName"].invalid("must not contain '/'");
  }
}

void check_fibre_channel(const FieldCheck& source) {
  const FieldCheck names = source["targetWWNs"];
  const bool by_id = !source["wwids"].is_empty();
  if (names.is_empty() && !by_id) names.required("must specify either targetWWNs or wwids, but not both");
  if (names.is_empty()) return;
  if (by_id) names.invalid("targetWWNs and wwids can not be specified simultaneously");
  const FieldCheck unit = source["lun"];
  if (!unit.is_set()) unit.required("lun is required if targetWWNs is specified");
  unit.require_between(0, kHighestLun);
}

void check_flex(const FieldCheck& source) {
  for (const Value::Member& option : source["options"].value().members()) {
    const std::string owner = "." + to_lower(split(option.key, '/').front());
    if (!owner.ends_with(".kubernetes.io") && !owner.ends_with(".k8s.io")) continue;
    source["options"].entry(option.key).invalid(option.key, "kubernetes.io and k8s.io namespaces are reserved");
  }
}

void check_azure_disk(const FieldCheck& source) {
  constexpr std::string_view kCachingModes[] = {"None", "ReadOnly", "ReadWrite"};
  constexpr std::string_view kDiskKinds[] = {"Dedicated", "Managed", "Shared"};
  constexpr std::string_view kManagedForm[] = {
      "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"};
  constexpr std::string_view kBlobForm[] = {
      "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"};
  const FieldCheck kind = source["kind"];
  const FieldCheck address = source["diskURI"];
  if (source["cachingMode"].is_set()) source["cachingMode"].require_one_of(kCachingModes);
  if (!kind.is_set()) return;
  kind.require_one_of(kDiskKinds);
  if (kind.text() == "Managed") {
    if (!address.text().starts_with("/subscriptions/")) address.not_supported(kManagedForm);
  } else if (!address.text().starts_with("https://")) {
    address.not_supported(kBlobForm);
  }
}

}  // namespace coracle::kube::apiserver
