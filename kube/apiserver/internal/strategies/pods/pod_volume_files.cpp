#include "kube/apiserver/internal/strategies/pods/pod_volume_files.h"

#include <set>
#include <string_view>

#include "kube/apiserver/internal/strategies/pods/container_environment.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::int64_t kHighestMode = 0777;
constexpr std::int64_t kShortestToken = 600;
constexpr std::int64_t kLongestToken = std::int64_t{1} << 32;

// Paths that the sources of one projected volume have taken.
using Paths = std::set<std::string_view>;

void check_mode(const FieldCheck& mode) {
  if (!mode.is_set() || (mode.number() >= 0 && mode.number() <= kHighestMode)) return;
  mode.invalid("must be a number between 0 and 0777 (octal), both inclusive");
}

// The kubelet keeps names that begin with two dots for itself.
void check_file_path(const FieldCheck& path) {
  check_descending_path(path);
  if (path.text().starts_with("..") && !path.text().starts_with("../")) path.invalid("must not start with '..'");
}

void check_key_file(const FieldCheck& file) {
  file["key"].require();
  file["path"].require();
  check_file_path(file["path"]);
  check_mode(file["mode"]);
}

// Upstream names the list of files in what it says about one of them.
void check_downward_file(const FieldCheck& file, const FieldCheck& owner) {
  const FieldCheck at = owner.with(file.value());
  at["path"].require();
  check_file_path(at["path"]);
  const FieldCheck field = at["fieldRef"];
  const FieldCheck resource = at["resourceFieldRef"];
  if (field.is_set()) {
    check_volume_field_ref(field);
    if (resource.is_set()) {
      at.invalid("resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
    }
  } else if (resource.is_set()) {
    check_volume_resource_ref(resource);
  } else {
    at.required("one of fieldRef and resourceFieldRef is required");
  }
  check_mode(at["mode"]);
}

void take_path(const FieldCheck& volume, std::string_view path, const Value& owner, Paths& taken) {
  if (path.empty() || taken.insert(path).second) return;
  volume.invalid(owner, "conflicting duplicate paths");
}

void check_token_file(const FieldCheck& token, const FieldCheck& volume) {
  const FieldCheck lifetime = token["expirationSeconds"];
  if (lifetime.number() < kShortestToken) {
    lifetime.invalid(lifetime.number(), "may not specify a duration less than 10 minutes");
  }
  if (lifetime.number() > kLongestToken) lifetime.invalid("may not specify a duration larger than 2^32 seconds");
  const FieldCheck path = volume["path"].with(token["path"].value());
  if (path.require()) check_file_path(path);
}

void check_projection(const FieldCheck& source, const FieldCheck& volume, Paths& taken) {
  int sources = 0;
  for (const std::string_view kind : {"secret", "configMap"}) {
    const FieldCheck from = source[kind];
    if (!from.is_set()) continue;
    ++sources;
    from["name"].require();
    const Value name(from["name"].text());
    from["items"].each([&](const FieldCheck& file) {
      check_key_file(file);
      take_path(volume, file["path"].text(), name, taken);
    });
  }
  const FieldCheck downward = source["downwardAPI"];
  if (downward.is_set()) {
    ++sources;
    downward["items"].each([&](const FieldCheck& file) {
      check_downward_file(file, downward);
      take_path(volume, file["path"].text(), file["path"].value(), taken);
    });
  }
  const FieldCheck token = source["serviceAccountToken"];
  if (token.is_set()) {
    ++sources;
    check_token_file(token, volume);
  }
  if (sources > 1) source.forbidden("may not specify more than 1 volume type per source");
}

}  // namespace

void check_key_files(const FieldCheck& source) {
  check_mode(source["defaultMode"]);
  source["items"].each(check_key_file);
}

void check_downward_files(const FieldCheck& source) {
  check_mode(source["defaultMode"]);
  source["items"].each([&](const FieldCheck& file) { check_downward_file(file, source); });
}

void check_projected_files(const FieldCheck& source) {
  check_mode(source["defaultMode"]);
  Paths taken;
  source["sources"].each([&](const FieldCheck& one) { check_projection(one, source, taken); });
}

}  // namespace coracle::kube::apiserver
