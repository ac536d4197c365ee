#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kube/object/object.h"

// What HelmChart and HelmChartConfig (helm.cattle.io/v1) ask for. https://docs.k3s.io/add-ons/helm
namespace coracle::reconcilers {

inline constexpr std::string_view kHelmFinalizer = "wrangler.cattle.io/on-helm-chart-remove";
inline constexpr std::string_view kHelmManagedBy = "helmcharts.cattle.io/managed-by";
inline constexpr std::string_view kHelmUnmanaged = "helmcharts.helm.cattle.io/unmanaged";
inline constexpr std::string_view kHelmController = "helm-controller";
// Stands for the API server's host and port in spec.chart and spec.repo.
inline constexpr std::string_view kApiAddressVariable = "%{KUBERNETES_API}%";

// Helm's own limits.
inline constexpr std::size_t kMaxReleaseName = 53;
inline constexpr Duration kDefaultReleaseTimeout = std::chrono::seconds(300);

enum class FailurePolicy : std::uint8_t { Retry, Reinstall, Abort };
enum class ApplyMode : std::uint8_t { Auto, Server, Client };
enum class ReleaseDriver : std::uint8_t { Secret, ConfigMap };

struct HelmSpec {
  kube::ObjectKey release;    // target namespace and release name
  std::string chart;          // a name in `repository`, or a URL; variables are filled in
  std::string chart_content;  // base64 of the .tgz; wins over the others
  std::string version;
  std::string repository;     // empty for a URL
  bool from_own_api = false;  // the location names this cluster's own API server
  bool create_namespace = false;
  bool take_ownership = false;
  bool force_conflicts = false;
  ApplyMode apply_mode = ApplyMode::Auto;
  ReleaseDriver driver = ReleaseDriver::Secret;
  FailurePolicy failure_policy = FailurePolicy::Retry;
  Duration timeout{};
};

// `api_address` is this cluster's API server ("127.0.0.1:6443"). A failure policy that is not spelled out
// is Retry: k3s's own default would uninstall data after a failure. BadRequest names the field.
Result<HelmSpec> read_helm_spec(const kube::Object& chart, const std::optional<kube::Object>& config,
                                std::string_view api_address);

// The same without what only an installation needs: what can always be told of a release.
struct ReleaseLocation {
  kube::ObjectKey release;
  ReleaseDriver driver = ReleaseDriver::Secret;
};
ReleaseLocation release_location(const kube::Object& chart);

// Whether spec.helmVersion is one that is served.
bool supports_helm_version(std::string_view version);

// Fields of spec that are set but shape only the Job that k3s would make, or oci:// downloads.
std::vector<std::string> fields_without_effect(const kube::Object& chart);

// Names of the Secrets whose change matters to the owner, a HelmChart or HelmChartConfig.
std::vector<std::string> watched_secrets(const kube::Object& owner);

}  // namespace coracle::reconcilers
