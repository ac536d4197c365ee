#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/http/message.h"
#include "base/result.h"

namespace coracle::kube::apiserver {

// One way to find out who asks. Thread-safe.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // Nothing: the request carries no credential of this kind. Unauthorized: it carries one, and it is
  // bad, so that the request cannot be anonymous; another kind of credential may still be good.
  virtual Result<std::optional<Identity>> authenticate(const Context& context, const http::Request& request) = 0;
};

inline constexpr std::string_view kAnonymousUser = "system:anonymous";
inline constexpr std::string_view kAuthenticatedGroup = "system:authenticated";
inline constexpr std::string_view kUnauthenticatedGroup = "system:unauthenticated";
inline constexpr std::string_view kMastersGroup = "system:masters";

// Keys of Identity::extra that authenticators fill in.
inline constexpr const char* kExtraCredentialId = "authentication.kubernetes.io/credential-id";
inline constexpr const char* kExtraNodeName = "authentication.kubernetes.io/node-name";
inline constexpr const char* kExtraNodeUid = "authentication.kubernetes.io/node-uid";
inline constexpr const char* kExtraPodName = "authentication.kubernetes.io/pod-name";
inline constexpr const char* kExtraPodUid = "authentication.kubernetes.io/pod-uid";

// Asks each in order; the first answer wins. Adds system:authenticated, or answers the anonymous
// identity when no credential was shown. Unauthorized ("Unauthorized") when only bad ones were.
std::unique_ptr<Authenticator> make_authenticator_chain(std::vector<std::unique_ptr<Authenticator>> authenticators);

}  // namespace coracle::kube::apiserver
