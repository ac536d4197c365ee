#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kube/object/object.h"

namespace coracle::kube {

// What a caller must know to build a resource's path.
struct ResourceRef {
  GroupVersionResource gvr;
  std::string kind = {};
  bool namespaced = true;

  GroupVersionKind gvk() const { return {gvr.group, gvr.version, kind}; }
  auto operator<=>(const ResourceRef&) const = default;
};

struct ListParameters {
  std::string label_selector = {};
  std::string field_selector = {};
  std::string resource_version = {};
  std::string resource_version_match = {};
  std::int64_t limit = 0;
  std::string continue_token = {};
  bool metadata_only = false;  // items are PartialObjectMetadata
  // Items lack metadata.managedFields: most of what a cache has no use for.
  bool without_managed_fields = false;
};

struct ObjectList {
  std::string resource_version = {};
  std::string continue_token = {};
  std::vector<Object> items;
};

struct WriteParameters {
  std::string field_manager = {};
  std::string field_validation = {};  // "", "Ignore", "Warn", "Strict"
  bool dry_run = false;
  bool force = false;  // of apply: take fields from other managers
};

struct DeleteParameters {
  std::string propagation = {};  // "", "Foreground", "Background", "Orphan"
  std::optional<std::int64_t> grace_period_seconds = {};
  std::string uid = {};               // precondition
  std::string resource_version = {};  // precondition
  bool dry_run = false;
};

enum class PatchType : std::uint8_t { Json, Merge, Strategic, Apply };

}  // namespace coracle::kube
