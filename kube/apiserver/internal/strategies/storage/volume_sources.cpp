#include "kube/apiserver/internal/strategies/storage/volume_sources.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/apiserver/internal/strategies/volume_checks.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::size_t kMaxDriverName = 63;
constexpr std::size_t kMaxIscsiDevice = 64;
constexpr std::size_t kMaxTenant = 64;
constexpr std::string_view kHostPorts = "must be a host:port pair or multiple pairs separated by commas";

using Check = void (*)(const Value& source, std::string_view volume, const FieldPath& path, FieldErrors& errors);

// A rule of pods' volumes as well.
template <void (*check)(const FieldCheck& source)>
void shared(const Value& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
  check(FieldCheck(source, path, errors));
}

void check_local_path(const FieldCheck& source) {
  source["path"].require_no_backsteps();
}

void require(const Value& owner, std::string_view field, const FieldPath& path, FieldErrors& errors) {
  if (is_zero(owner[field])) errors.push_back(field_error::required(path.child(field).text()));
}

void check_glusterfs(const Value& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
  const Value& place = source["endpointsNamespace"];
  const FieldPath at = path.child("endpointsNamespace");
  if (place.is_null()) return;
  if (place.as_string().empty()) {
    errors.push_back(
        field_error::invalid(at.text(), place, "if the endpointnamespace is set, it must be a valid namespace name"));
  } else {
    add_name_errors(at, place, check_dns1123_label(place.as_string()), errors);
  }
}

bool is_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) return host.ends_with(']');
  return host.find_first_of(":[]") == std::string_view::npos;
}

void check_quobyte(const Value& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
  const std::string_view registry = source["registry"].as_string();
  if (registry.empty()) {
    errors.push_back(field_error::required(path.child("registry").text(), kHostPorts));
  } else if (source["tenant"].as_string().size() > kMaxTenant) {
    errors.push_back(field_error::required(path.child("tenant").text(),
                                           "must be a UUID and may not exceed a length of 64 characters"));
  } else {
    for (const std::string_view pair : split(registry, ',')) {
      if (is_host_port(pair)) continue;
      errors.push_back(field_error::invalid(path.child("registry").text(), registry, kHostPorts));
    }
  }
  require(source, "volume", path, errors);
}

// "iqn.2001-04.com.example:disk"
bool is_qualified_iscsi_name(std::string_view text) {
  constexpr std::string_view kForm = "iqn.0000-00.";
  if (text.size() < kForm.size()) return false;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] == '0' ? !is_digit(text[i]) : kForm[i] != text[i]) return false;
  }
  const std::string_view rest = text.substr(kForm.size());
  const std::size_t colon = rest.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 == rest.size()) return false;
  const std::string_view authority = rest.substr(0, colon);
  return std::all_of(authority.begin(), authority.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-' || c == '.'; }) &&
         rest.substr(colon + 1).find_first_of(",;*&$| \t\n\f\r") == std::string_view::npos;
}

bool is_iscsi_name(std::string_view text) {
  constexpr std::size_t kPrefix = 4, kEui = 16, kNaa = 32;
  if (text.starts_with("iqn")) return is_qualified_iscsi_name(text);
  const std::size_t digits = text.starts_with("eui") ? kEui : text.starts_with("naa") ? kNaa : 0;
  return digits > 0 && text.size() == kPrefix + digits &&
         std::all_of(text.begin() + kPrefix, text.end(), is_alphanumeric);
}

void check_iscsi(const Value& source, std::string_view volume, const FieldPath& path, FieldErrors& errors) {
  const Value& initiator = source["initiatorName"];
  const Value& portal = source["targetPortal"];
  if (!initiator.is_null() && volume.size() + 1 + portal.as_string().size() > kMaxIscsiDevice) {
    errors.push_back(field_error::invalid(path.child("targetportal").text(), portal,
                                          "Total length of <volume name>:<iscsi.targetPortal> must be under 64 "
                                          "characters if iscsi.initiatorName is specified."));
  }
  const std::string_view target = source["iqn"].as_string();
  if (!target.empty() && !is_iscsi_name(target)) {
    errors.push_back(field_error::invalid(path.child("iqn").text(), target, "must be valid format"));
  }
  FieldCheck(source, path, errors)["lun"].require_between(0, kHighestLun);
  const Value& secret = source["secretRef"];
  const bool authenticates = source["chapAuthDiscovery"].as_bool() || source["chapAuthSession"].as_bool();
  if (authenticates && secret.is_null()) errors.push_back(field_error::required(path.child("secretRef").text()));
  if (secret.is_object()) require(secret, "name", path.child("secretRef"), errors);
  if (!initiator.is_null() && !is_iscsi_name(initiator.as_string())) {
    errors.push_back(field_error::invalid(path.child("initiatorname").text(), initiator, "must be valid format"));
  }
}

// A reference to a secret of a namespace, of which only the presence of both names is checked.
void check_secret_names(const Value& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
  if (!source["secretRef"].is_object()) return;
  require(source["secretRef"], "name", path.child("secretRef"), errors);
  require(source["secretRef"], "namespace", path.child("secretRef"), errors);
}

void check_azure_file(const Value& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
  if (!source["secretNamespace"].is_null()) require(source, "secretNamespace", path, errors);
}

void check_storage_os(const Value& source, std::string_view volume, const FieldPath& path, FieldErrors& errors) {
  for (const char* field : {"volumeName", "volumeNamespace"}) {
    const std::string_view name = source[field].as_string();
    if (!name.empty()) add_name_errors(path.child(field), name, check_dns1123_label(name), errors);
  }
  check_secret_names(source, volume, path, errors);
}

void check_csi(const Value& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
  check_csi_driver_name(source["driver"], path.child("driver"), errors);
  require(source, "volumeHandle", path, errors);
  for (const char* field :
       {"controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef"}) {
    const Value& secret = source[field];
    if (!secret.is_object()) continue;
    for (const char* part : {"name", "namespace"}) {
      const std::string_view name = secret[part].as_string();
      const FieldPath at = path.child(field).child(part);
      if (name.empty()) {
        errors.push_back(field_error::required(at.text()));
      } else {
        const bool is_name = std::string_view(part) == "name";
        add_name_errors(at, name, is_name ? check_dns1123_subdomain(name) : check_dns1123_label(name), errors);
      }
    }
  }
}

// In the order in which they are looked at: the first is taken, others are too many.
struct VolumeSource {
  std::string_view field;
  std::string_view required[3];
  Check check = nullptr;
  std::string_view shown = {};        // what upstream calls it where it says what is wrong, if not `field`
  std::string_view shown_extra = {};  // and where it is one too many
  std::string_view deprecated = {};   // since when, and since when it does nothing
  std::string_view shown_warning = {};
};
constexpr VolumeSource kVolumeSources[] = {
    {"hostPath", {"path"}, shared<check_host_path>},
    {"gcePersistentDisk", {"pdName"}, shared<check_partition>, "persistentDisk"},
    {"awsElasticBlockStore", {"volumeID"}, shared<check_partition>},
    {"glusterfs", {"endpoints", "path"}, check_glusterfs, {}, {}, "deprecated in v1.25, non-functional in v1.26+"},
    {"flocker", {}, shared<check_flocker>},
    {"nfs", {"server", "path"}, shared<check_nfs>},
    {"rbd", {"monitors", "image"}, nullptr, {}, {}, "deprecated in v1.28, non-functional in v1.31+"},
    {"quobyte", {}, check_quobyte},
    {"cephfs", {"monitors"}, nullptr, {}, "cephFS", "deprecated in v1.28, non-functional in v1.31+"},
    {"iscsi", {"targetPortal", "iqn"}, check_iscsi},
    {"cinder", {"volumeID"}, check_secret_names},
    {"fc", {}, shared<check_fibre_channel>},
    {"flexVolume", {"driver"}, shared<check_flex>},
    {"azureFile", {"secretName", "shareName"}, check_azure_file},
    {"vsphereVolume", {"volumePath"}},
    {"photonPersistentDisk", {"pdID"}, nullptr, {}, {}, "deprecated in v1.11, non-functional in v1.16+"},
    {"portworxVolume", {"volumeID"}},
    {"azureDisk", {"diskName", "diskURI"}, shared<check_azure_disk>},
    {"scaleIO", {"gateway", "system", "volumeName"}, nullptr, {}, {}, "deprecated in v1.16, non-functional in v1.22+"},
    {"local", {"path"}, shared<check_local_path>},
    {"storageos",
     {"volumeName"},
     check_storage_os,
     {},
     {},
     "deprecated in v1.22, non-functional in v1.25+",
     "storageOS"},
    {"csi", {}, check_csi},
};

std::string_view first_given(std::string_view preferred, std::string_view otherwise) {
  return preferred.empty() ? otherwise : preferred;
}

void check_one_source(const VolumeSource& row, const Value& spec, std::string_view volume, const FieldPath& path,
                      FieldErrors& errors) {
  const Value& source = spec[row.field];
  const FieldPath at = path.child(first_given(row.shown, row.field));
  for (const std::string_view field : row.required) {
    if (!field.empty()) require(source, field, at, errors);
  }
  if (row.check != nullptr) row.check(source, volume, at, errors);
  if (row.field == "local" && !spec["nodeAffinity"].is_object()) {
    errors.push_back(field_error::required(path.child("nodeAffinity").text(), "Local volume requires node affinity"));
  }
}

}  // namespace

void check_volume_sources(const Value& spec, std::string_view volume, const FieldPath& path, FieldErrors& errors) {
  bool taken = false;
  for (const VolumeSource& row : kVolumeSources) {
    if (!spec[row.field].is_object()) continue;
    // Flex volumes stand beside any other source.
    if (taken && row.field != "flexVolume") {
      errors.push_back(field_error::forbidden(path.child(first_given(row.shown_extra, row.field)).text(),
                                              "may not specify more than 1 volume type"));
      continue;
    }
    taken = true;
    check_one_source(row, spec, volume, path, errors);
  }
  if (!taken) errors.push_back(field_error::required(path.text(), "must specify a volume type"));
}

Value volume_source_of(const Value& spec) {
  Value::ObjectBuilder source;
  for (const VolumeSource& row : kVolumeSources) {
    if (spec[row.field].is_object()) source.set(row.field, spec[row.field]);
  }
  return std::move(source).build();
}

std::vector<std::string> volume_source_warnings(const Value& spec) {
  std::vector<std::string> warnings;
  for (const VolumeSource& row : kVolumeSources) {
    if (row.deprecated.empty() || !spec[row.field].is_object()) continue;
    warnings.push_back("spec." + std::string(first_given(row.shown_warning, row.field)) + ": " +
                       std::string(row.deprecated));
  }
  return warnings;
}

void check_csi_driver_name(const Value& name, const FieldPath& path, FieldErrors& errors) {
  const std::string_view text = name.as_string();
  if (text.empty()) {
    errors.push_back(field_error::required(path.text()));
    return;
  }
  if (text.size() > kMaxDriverName) errors.push_back(field_error::too_long(path.text(), kMaxDriverName));
  add_name_errors(path, name, check_dns1123_subdomain(to_lower(text)), errors);
}

}  // namespace coracle::kube::apiserver
