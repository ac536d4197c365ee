#include "kube/apiserver/internal/strategies/pods/pod_volumes.h"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <string>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/pods/container_environment.h"
#include "kube/apiserver/internal/strategies/pods/pod_volume_files.h"
#include "kube/apiserver/internal/strategies/storage/volume_validation.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/apiserver/internal/strategies/volume_checks.h"
#include "kube/object/quantity.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kOneType = "may not specify more than 1 volume type";

// "2020-01.com.example:disk"
bool is_qualified_initiator(std::string_view text) {
  constexpr std::string_view kDate = "dddd-dd.";
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon <= kDate.size() || colon + 1 == text.size()) return false;
  for (std::size_t i = 0; i < kDate.size(); ++i) {
    if (kDate[i] == 'd' ? !is_digit(text[i]) : text[i] != kDate[i]) return false;
  }
  const std::string_view domain = text.substr(kDate.size(), colon - kDate.size());
  return std::all_of(domain.begin(), domain.end(), [](char c) { return is_alphanumeric(c) || c == '.' || c == '-'; }) &&
         text.find_first_of(",;*&$| \t\n\v\f\r", colon) == std::string_view::npos;
}

// A kind, and what identifies it: "iqn.2020-01.com.example:disk", "eui.02004567A425678D".
bool is_initiator_name(std::string_view name) {
  constexpr std::size_t kPrefix = 4;
  constexpr std::size_t kEuiDigits = 16;
  constexpr std::size_t kNaaDigits = 32;
  if (name.size() <= kPrefix) return false;
  const std::string_view rest = name.substr(kPrefix);
  if (name.starts_with("iqn")) return name[kPrefix - 1] == '.' && is_qualified_initiator(rest);
  return rest.size() == (name.starts_with("eui") ? kEuiDigits : kNaaDigits) &&
         std::all_of(rest.begin(), rest.end(), is_alphanumeric);
}

void check_initiator(const FieldCheck& name) {
  const std::string_view kind = name.text().substr(0, 3);
  if (kind != "iqn" && kind != "eui" && kind != "naa") {
    name.invalid("must be valid format starting with iqn, eui, or naa");
  } else if (!is_initiator_name(name.text())) {
    name.invalid("must be valid format");
  }
}

void check_iscsi(const FieldCheck& source) {
  if (!source["iqn"].is_empty()) check_initiator(source["iqn"]);
  source["lun"].require_between(0, kHighestLun);
  if ((source["chapAuthDiscovery"].value().as_bool() || source["chapAuthSession"].value().as_bool()) &&
      !source["secretRef"].is_set()) {
    source["secretRef"].required();
  }
  if (source["initiatorName"].is_set()) {
    check_initiator(source["initiatorname"].with(source["initiatorName"].value()));
  }
}

void check_secret_ref(const FieldCheck& source) {
  if (source["secretRef"].is_set()) source["secretRef"]["name"].require();
}

void check_quobyte(const FieldCheck& source) {
  constexpr std::string_view kPairs = "must be a host:port pair or multiple pairs separated by commas";
  constexpr std::size_t kMaxTenant = 64;
  const FieldCheck registry = source["registry"];
  if (registry.is_empty()) {
    registry.required(kPairs);
  } else if (source["tenant"].text().size() > kMaxTenant) {
    source["tenant"].required("must be a UUID and may not exceed a length of 64 characters");
  } else {
    for (const std::string_view pair : split(registry.text(), ',')) {
      if (pair.find(':') == std::string_view::npos) registry.invalid(kPairs);
    }
  }
  source["volume"].require();
}

void check_storage_os(const FieldCheck& source) {
  for (const std::string_view field : {"volumeName", "volumeNamespace"}) {
    const FieldCheck name = source[field];
    if (!name.is_empty()) name.invalid(check_dns1123_label(name.text()));
  }
  check_secret_ref(source);
}

void check_csi(const FieldCheck& source) {
  const FieldCheck driver = source["driver"];
  if (!driver.is_empty()) {
    if (driver.text().size() > kMaxDns1123Label) driver.too_long(kMaxDns1123Label);
    driver.invalid(check_dns1123_subdomain(to_lower(driver.text())));
  }
  const FieldCheck secret = source["nodePublishSecretRef"];
  if (!secret.is_set() || !secret["name"].require()) return;
  const FieldCheck name = source["name"].with(secret["name"].value());
  name.invalid(check_dns1123_subdomain(name.text()));
}

void check_claim_source(const FieldCheck& source) {
  if (!source.is_set()) return;
  source["name"].require();
  source["kind"].require();
  const FieldCheck group = source["apiGroup"];
  if (!group.is_empty()) {
    group.invalid(check_dns1123_subdomain(group.text()));
  } else if (source["kind"].text() != "PersistentVolumeClaim") {
    source.invalid(source["kind"].text(), "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
  }
}

void check_ephemeral_claim(const FieldCheck& source) {
  const FieldCheck claim = source["volumeClaimTemplate"];
  if (!claim.is_set()) return claim.required();
  const FieldCheck metadata = claim["metadata"];
  check_labels(metadata["labels"].value(), metadata["labels"].path(), source.errors());
  for (const Value::Member& annotation : metadata["annotations"].value().members()) {
    for (const std::string& finding : check_qualified_name(to_lower(annotation.key))) {
      metadata["annotations"].invalid(annotation.key, finding);
    }
  }
  const FieldCheck spec = claim["spec"];
  check_access_modes(spec["accessModes"].value(), kMissingAccessMode, spec["accessModes"].path(), source.errors());
  if (spec["selector"].is_set()) {
    check_label_selector(spec["selector"].value(), spec["selector"].path(), source.errors());
  }
  check_claim_amount(spec["resources"].value(), spec["resources"].path(), source.errors());
  check_class_name(spec["storageClassName"].value(), spec["storageClassName"].path(), source.errors());
  check_volume_mode(spec["volumeMode"].value(), spec["volumeMode"].path(), source.errors());
  check_claim_source(spec["dataSource"]);
  check_claim_source(spec["dataSourceRef"]);
}

void check_image(const FieldCheck& source) {
  constexpr std::string_view kPolicies[] = {"Always", "IfNotPresent", "Never"};
  if (source["pullPolicy"].require()) source["pullPolicy"].require_one_of(kPolicies);
}

// A kind of volume: what of it must be given, and its own rules. Upstream's order, which decides which of two kinds
// in one volume is called the second, and upstream's names where they are not those of the field.
struct VolumeKind {
  std::string_view field;
  std::initializer_list<std::string_view> required;
  void (*check)(const FieldCheck& source) = nullptr;
  std::string_view path = {};
  std::string_view path_of_second = {};
};
const VolumeKind kVolumeKinds[] = {
    {"hostPath", {"path"}, check_host_path},
    {"gitRepo", {"repository"}, [](const FieldCheck& source) { check_descending_path(source["directory"]); }},
    {"gcePersistentDisk", {"pdName"}, check_partition, "persistentDisk"},
    {"awsElasticBlockStore", {"volumeID"}, check_partition},
    {"secret", {"secretName"}, check_key_files},
    {"nfs", {"server", "path"}, check_nfs},
    {"iscsi", {"targetPortal", "iqn"}, check_iscsi},
    {"glusterfs", {"endpoints", "path"}},
    {"flocker", {}, check_flocker},
    {"persistentVolumeClaim", {"claimName"}},
    {"rbd", {"monitors", "image"}},
    {"cinder", {"volumeID"}, check_secret_ref},
    {"cephfs", {"monitors"}, nullptr, "cephfs", "cephFS"},
    {"quobyte", {}, check_quobyte},
    {"downwardAPI", {}, check_downward_files, "downwardAPI", "downwarAPI"},
    {"fc", {}, check_fibre_channel},
    {"flexVolume", {"driver"}, check_flex},
    {"configMap", {"name"}, check_key_files},
    {"azureFile", {"secretName", "shareName"}},
    {"vsphereVolume", {"volumePath"}},
    {"photonPersistentDisk", {"pdID"}},
    {"portworxVolume", {"volumeID"}},
    {"azureDisk", {"diskName", "diskURI"}, check_azure_disk},
    {"storageos", {"volumeName"}, check_storage_os},
    {"projected", {}, check_projected_files},
    {"scaleIO", {"gateway", "system", "volumeName"}},
    {"csi", {"driver"}, check_csi},
    {"ephemeral", {}, check_ephemeral_claim},
    {"image", {}, check_image},
};

void check_sources(const FieldCheck& volume, const PodSpecOptions& options) {
  constexpr std::size_t kMaxIscsiText = 64;
  int sources = 0;
  const Value& directory = volume["emptyDir"].value();
  if (directory.is_object()) {
    ++sources;
    const auto limit = Quantity::from_value(directory["sizeLimit"]);
    if (limit.ok() && limit->sign() < 0) {
      volume["emptyDir"]["sizeLimit"].forbidden("SizeLimit field must be a valid resource quantity");
    }
  }
  const std::string_view name = volume["name"].text();
  for (const VolumeKind& kind : kVolumeKinds) {
    const Value& given = volume.value()[kind.field];
    if (!given.is_object()) continue;
    if (++sources > 1) {
      volume[kind.path_of_second.empty() ? kind.field : kind.path_of_second].forbidden(kOneType);
    } else {
      const FieldCheck source = volume[kind.path.empty() ? kind.field : kind.path].with(given);
      if (kind.field == "image" && options.pod_metadata != nullptr) source["reference"].require();
      for (const std::string_view field : kind.required) source[field].require();
      if (kind.check != nullptr) kind.check(source);
    }
    if (kind.field == "iscsi" && given.contains("initiatorName") &&
        name.size() + 1 + given["targetPortal"].as_string().size() > kMaxIscsiText) {
      volume["name"].invalid(
          "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is "
          "specified.");
    }
  }
  if (sources == 0) volume.required("must specify a volume type");
}

// The claim that is made for a volume is named after the pod and the volume.
std::string claim_name(const PodSpecOptions& options, std::string_view volume) {
  if (options.pod_metadata == nullptr || volume.empty()) return {};
  const std::string_view pod = (*options.pod_metadata)["name"].as_string();
  return pod.empty() ? std::string() : std::string(pod) + "-" + std::string(volume);
}

}  // namespace

PodVolumes check_volumes(const FieldCheck& volumes, const PodSpecOptions& options) {
  PodVolumes known;
  std::set<std::string> made_claims;
  for (const Value& volume : volumes.value().items()) {
    if (volume["ephemeral"].is_object()) made_claims.insert(claim_name(options, volume["name"].as_string()));
  }
  made_claims.erase("");
  volumes.each([&](const FieldCheck& volume) {
    const std::size_t before = volume.errors().size();
    const FieldCheck name = volume["name"];
    check_sources(volume, options);
    const std::string made = volume["ephemeral"].is_set() ? claim_name(options, name.text()) : std::string();
    if (!made.empty()) {
      for (const std::string& finding : check_dns1123_subdomain(made)) {
        name.invalid("PVC name \"" + made + "\": " + finding);
      }
    }
    if (name.require()) name.invalid(check_dns1123_label(name.text()));
    if (known.contains(name.text())) name.duplicate();
    if (volume.errors().size() == before) known.emplace(name.text(), &volume.value());
    const FieldCheck claim = volume["persistentVolumeClaim"];
    if (claim.is_set() && made_claims.contains(std::string(claim["claimName"].text()))) {
      claim["claimName"].invalid("must not reference a PVC that gets created for an ephemeral volume");
    }
  });
  return known;
}

}  // namespace coracle::kube::apiserver
