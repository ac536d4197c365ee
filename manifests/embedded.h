#pragma once

#include <span>
#include <string_view>

namespace coracle::manifests {

struct EmbeddedFile {
  std::string_view path;  // "crds/k3s.cattle.io_addons.yaml", relative to this folder
  std::string_view text;
};

// Every YAML file of this folder, sorted by path; written into the binary by the build.
std::span<const EmbeddedFile> embedded_files();

}  // namespace coracle::manifests
