#include "daemon/bundled_definitions.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "kube/apply/manifest.h"
#include "manifests/embedded.h"

namespace coracle::daemon {

Result<void> apply_definitions(const Context& context, const kube::Applier& applier,
                               std::span<const std::string_view> prefixes) {
  std::vector<kube::Object> definitions;
  for (const manifests::EmbeddedFile& file : manifests::embedded_files()) {
    const bool wanted = std::any_of(prefixes.begin(), prefixes.end(),
                                    [&](std::string_view prefix) { return file.path.starts_with(prefix); });
    if (!wanted) continue;
    Result<std::vector<kube::Object>> objects = kube::parse_manifest(file.text);
    if (!objects.ok()) return objects.error().in(file.path);
    definitions.insert(definitions.end(), objects->begin(), objects->end());
  }
  std::vector<kube::Applied> applied;
  return applier.apply_all(context, std::move(definitions), {.field_manager = "coracle"}, applied);
}

}  // namespace coracle::daemon
