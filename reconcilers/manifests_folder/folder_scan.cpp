#include "reconcilers/manifests_folder/folder_scan.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace coracle::reconcilers {
namespace {

constexpr std::size_t kMaxFiles = 10'000;
constexpr unsigned kMaxDepth = 32;
constexpr std::string_view kSkipSuffix = ".skip";

bool is_manifest(std::string_view name) {
  const std::string lower = to_lower(name);
  constexpr std::array<std::string_view, 3> kSuffixes = {".yaml", ".yml", ".json"};
  return std::any_of(kSuffixes.begin(), kSuffixes.end(), [&lower](auto suffix) { return lower.ends_with(suffix); });
}

class Walk {
 public:
  Walk(FileSystem& files, FolderScan& scan) : files_(files), scan_(scan) {}

  Result<void> directory(const std::string& path, unsigned depth, bool below_link) {
    if (depth > kMaxDepth) return bad_request(path + ": more than " + std::to_string(kMaxDepth) + " levels deep");
    ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> entries, files_.list_directory(path));
    for (const DirectoryEntry& entry : entries) {
      const std::string child = join_path(path, entry.name);
      if (entry.name.starts_with('.')) {
        if (entry.kind != FileKind::Directory) other(child, depth, below_link);
        continue;
      }
      // A link to a directory counts as one at the top level only; what it leads to may not exist.
      const Result<FileInfo> info = files_.file_info(child);
      if (!info.ok()) continue;
      const bool link = entry.kind == FileKind::Symlink;
      if (info->kind == FileKind::Directory) {
        if (link && depth > 0) continue;
        scan_.has_links = scan_.has_links || link;
        TRY(directory(child, depth + 1, below_link || link));
      } else if (info->kind == FileKind::Regular) {
        scan_.has_links = scan_.has_links || link;
        TRY(file(child, entry.name, *info, depth, below_link));
      }
    }
    return {};
  }

 private:
  Result<void> file(const std::string& path, std::string_view name, const FileInfo& info, unsigned depth,
                    bool below_link) {
    if (name.ends_with(kSkipSuffix)) {
      name.remove_suffix(kSkipSuffix.size());
      scan_.skipped_names.emplace(name);
      other(path, depth, below_link);
      return {};
    }
    if (!is_manifest(name)) {
      other(path, depth, below_link);
      return {};
    }
    if (scan_.files.size() >= kMaxFiles) return bad_request("more than " + std::to_string(kMaxFiles) + " files");
    scan_.files.push_back({path, info.modified, info.size, below_link});
    return {};
  }

  // Only what --disable may take away counts: files in a directory of the folder itself.
  void other(const std::string& path, unsigned depth, bool below_link) {
    if (depth > 0 && !below_link) scan_.others.push_back(path);
  }

  FileSystem& files_;
  FolderScan& scan_;
};

}  // namespace

std::string ManifestFile::addon_name() const {
  const std::string_view name = file_name(path);
  return std::string(name.substr(0, name.find('.')));
}

Result<FolderScan> scan_manifests(FileSystem& files, const std::string& folder) {
  FolderScan scan;
  TRY(Walk(files, scan).directory(folder, 0, false));
  std::sort(scan.files.begin(), scan.files.end(),
            [](const ManifestFile& left, const ManifestFile& right) { return left.path < right.path; });
  return scan;
}

bool is_disabled(std::string_view folder, std::string_view path, const std::vector<std::string>& disabled) {
  if (!path.starts_with(folder)) return false;
  path.remove_prefix(folder.size());
  while (path.starts_with('/')) path.remove_prefix(1);
  const auto listed = [&disabled](std::string_view name) {
    return std::find(disabled.begin(), disabled.end(), name) != disabled.end();
  };
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    if (listed(path.substr(0, slash))) return true;
  }
  if (!is_manifest(path)) return false;
  const std::string_view name = file_name(path);
  return listed(name.substr(0, name.rfind('.')));
}

}  // namespace coracle::reconcilers
