#include "kube/apiserver/internal/authentication.h"

#include <algorithm>
#include <utility>

namespace coracle::kube::apiserver {
namespace {

class AuthenticatorChain : public Authenticator {
 public:
  explicit AuthenticatorChain(std::vector<std::unique_ptr<Authenticator>> authenticators)
      : authenticators_(std::move(authenticators)) {}

  Result<std::optional<Identity>> authenticate(const Context& context, const http::Request& request) override {
    bool bad_credential = false;
    for (const std::unique_ptr<Authenticator>& authenticator : authenticators_) {
      Result<std::optional<Identity>> answer = authenticator->authenticate(context, request);
      if (!answer.ok()) {
        bad_credential = true;
      } else if (*answer) {
        add_authenticated_group(**answer);
        return answer;
      }
    }
    // Why a credential is bad is not told to whoever shows it.
    if (bad_credential) return Error(Reason::Unauthorized, "Unauthorized");
    Identity anonymous;
    anonymous.user = kAnonymousUser;
    anonymous.groups.emplace_back(kUnauthenticatedGroup);
    return std::optional<Identity>(std::move(anonymous));
  }

 private:
  static void add_authenticated_group(Identity& who) {
    if (who.user == kAnonymousUser) return;
    auto known = [](const std::string& group) {
      return group == kAuthenticatedGroup || group == kUnauthenticatedGroup;
    };
    if (std::none_of(who.groups.begin(), who.groups.end(), known)) who.groups.emplace_back(kAuthenticatedGroup);
  }

  std::vector<std::unique_ptr<Authenticator>> authenticators_;
};

}  // namespace

std::unique_ptr<Authenticator> make_authenticator_chain(std::vector<std::unique_ptr<Authenticator>> authenticators) {
  return std::make_unique<AuthenticatorChain>(std::move(authenticators));
}

}  // namespace coracle::kube::apiserver
