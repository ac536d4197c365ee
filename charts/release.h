#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/value.h"
#include "charts/chart.h"
#include "charts/render.h"

namespace coracle::charts {

// Helm's words for the state of a release ("deployed", "pending-upgrade", ...).
namespace release_status {
inline constexpr std::string_view kUnknown = "unknown";
inline constexpr std::string_view kDeployed = "deployed";
inline constexpr std::string_view kUninstalled = "uninstalled";
inline constexpr std::string_view kSuperseded = "superseded";
inline constexpr std::string_view kFailed = "failed";
inline constexpr std::string_view kUninstalling = "uninstalling";
inline constexpr std::string_view kPendingInstall = "pending-install";
inline constexpr std::string_view kPendingUpgrade = "pending-upgrade";
inline constexpr std::string_view kPendingRollback = "pending-rollback";
}  // namespace release_status

// The last run of a hook; phase is "Running", "Succeeded", "Failed", "Unknown" or empty.
struct HookRun {
  std::optional<WallTime> started_at;
  std::optional<WallTime> completed_at;
  std::string phase;
};

struct ReleaseHook {
  Hook hook;
  HookRun last_run;
};

// One revision of a release, as Helm stores it.
struct Release {
  std::string name;
  std::string namespace_;
  int revision = 1;
  std::optional<WallTime> first_deployed;
  std::optional<WallTime> last_deployed;
  std::optional<WallTime> deleted;
  std::string description;
  std::string status{release_status::kUnknown};
  std::string notes;
  int rollback_revision = 0;
  Chart chart;                     // without its sub-charts
  Value config = Value::object();  // the user's values
  std::string manifest;
  std::vector<ReleaseHook> hooks;
  std::string apply_method;                   // "ssa", "csa" or empty
  std::map<std::string, std::string> labels;  // of the Secret, beside Helm's own
};

// A Secret may hold 1 MiB. Above its limit, encoding leaves out what Helm can do without: the chart's
// files, then what is no manifest among its templates, then all templates.
inline constexpr std::size_t kMaxReleasePayload = 900 * 1024;
// What a stored payload may unpack to.
inline constexpr std::size_t kMaxReleaseJson = 64 * 1024 * 1024;

// What the key "release" of the Secret holds: base64 of gzip of JSON.
Result<std::string> encode_release(const Release& release, std::size_t limit = kMaxReleasePayload);
// Reads it, also the uncompressed form of old Helm versions. Numbers in values become float64.
Result<Release> decode_release(std::string_view payload);

// "sh.helm.release.v1.<name>.v<revision>".
std::string release_secret_name(std::string_view name, int revision);
// The whole Secret, with Helm's type and labels. `now` is its createdAt, or its modifiedAt when
// `update` is set.
Result<Value> release_to_secret(const Release& release, WallTime now, bool update);
// BadRequest when the Secret is no release record.
Result<Release> release_from_secret(const Value& secret);

// The record of a rendering that is about to be applied.
Release make_release(const Chart& chart, const Value& config, const Rendering& rendering,
                     const ReleaseIdentity& identity, std::string_view status, WallTime now);

}  // namespace coracle::charts
