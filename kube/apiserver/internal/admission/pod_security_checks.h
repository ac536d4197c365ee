#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

// The Pod Security Standards: what a pod may ask for at each level.
// https://kubernetes.io/docs/concepts/security/pod-security-standards/
namespace coracle::kube::apiserver {

enum class SecurityLevel : std::uint8_t { Privileged, Baseline, Restricted };

// "latest", or the minor number of "v1.N".
struct SecurityVersion {
  static constexpr int kLatest = 1 << 20;
  int minor = kLatest;
  std::string text() const { return minor == kLatest ? "latest" : "v1." + std::to_string(minor); }
};

struct SecurityPolicy {
  SecurityLevel level = SecurityLevel::Privileged;
  SecurityVersion version;
  // "restricted:latest"
  std::string text() const;
};

std::optional<SecurityLevel> read_security_level(std::string_view text);
std::optional<SecurityVersion> read_security_version(std::string_view text);

struct SecurityViolation {
  std::string reason;  // "host namespaces"
  std::string detail;  // "hostNetwork=true"
};

// What the pod violates, in upstream's order and words.
std::vector<SecurityViolation> check_pod_security(const SecurityPolicy& policy, const Value& pod_metadata,
                                                  const Value& pod_spec);
// "host namespaces (hostNetwork=true), privileged (...)", and the reasons alone.
std::string security_details(const std::vector<SecurityViolation>& violations);
std::string security_reasons(const std::vector<SecurityViolation>& violations);

}  // namespace coracle::kube::apiserver
