#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"

namespace coracle::reconcilers {

// One file of the manifests folder that may be applied.
struct ManifestFile {
  std::string path;
  WallTime modified;
  std::uint64_t size = 0;
  bool below_link = false;  // reached through a linked directory: never unlinked

  // "metrics" for "/x/metrics.v1.yaml": the Addon's name.
  std::string addon_name() const;
};

struct FolderScan {
  std::vector<ManifestFile> files;      // sorted by path
  std::vector<std::string> others;      // paths of what else is in directories below, none behind a link
  std::set<std::string> skipped_names;  // base names that have a "<name>.skip" somewhere in the tree
  bool has_links = false;               // what a link leads to may change without an event in the folder
};

// Walks the whole tree: .yaml, .yml and .json (in any case), no dot files; directories linked from the
// top level are followed once.
Result<FolderScan> scan_manifests(FileSystem& files, const std::string& folder);

// Whether --disable switches a file off: by its base name without extension, or by the path from the folder
// ("outer", "outer/inner") of a directory that it is in.
bool is_disabled(std::string_view folder, std::string_view path, const std::vector<std::string>& disabled);

}  // namespace coracle::reconcilers
