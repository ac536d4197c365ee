#include "kube/apiserver/internal/identity/authentication_bootstrap_token.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "base/text.h"
#include "base/tls/crypto.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::size_t kTokenIdLength = 6;
constexpr std::size_t kTokenSecretLength = 16;
constexpr std::string_view kBootstrapGroup = "system:bootstrappers";

bool lower_alphanumeric(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

bool bootstrap_token_form(std::string_view token) {
  return token.size() == kTokenIdLength + 1 + kTokenSecretLength && token[kTokenIdLength] == '.' &&
         lower_alphanumeric(token.substr(0, kTokenIdLength)) && lower_alphanumeric(token.substr(kTokenIdLength + 1));
}

// A text of the Secret's data; empty when it is missing or no base64.
std::string secret_text(const Object& secret, std::string_view key) {
  Result<std::string> text = base64_decode(secret["data"][key].as_string());
  return text.ok() ? *text : std::string();
}

// Groups may only lie below system:bootstrappers:, or a Secret could make its bearer anything.
bool bootstrap_group_form(std::string_view group) {
  std::string prefix = std::string(kBootstrapGroup) + ":";
  if (group.substr(0, prefix.size()) != prefix || group.size() == prefix.size()) return false;
  std::string_view rest = group.substr(prefix.size());
  constexpr std::size_t kMaxGroupLength = 256;
  bool characters = std::all_of(rest.begin(), rest.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == ':' || c == '-';
  });
  return characters && rest.size() <= kMaxGroupLength && rest.back() != ':' && rest.back() != '-';
}

class BootstrapTokens : public TokenAuthenticator {
 public:
  BootstrapTokens(const ObjectReader& objects, std::vector<std::string> api_audiences)
      : objects_(objects), api_audiences_(std::move(api_audiences)) {}

  Result<std::optional<TokenAnswer>> authenticate_token(const Context& context, std::string_view token,
                                                        std::span<const std::string> audiences) override {
    if (!bootstrap_token_form(token)) return std::optional<TokenAnswer>();
    std::string_view id = token.substr(0, kTokenIdLength);
    std::string name = std::string("bootstrap-token-").append(id);
    ASSIGN_OR_RETURN(std::optional<Object> secret, objects_.find(context, KnownResource::Secrets, "kube-system", name));
    if (!secret || !valid(*secret, token, context.clock().wall())) return std::optional<TokenAnswer>();
    TokenAnswer answer;
    answer.who.user = std::string("system:bootstrap:").append(id);
    answer.who.groups.emplace_back(kBootstrapGroup);
    if (!add_extra_groups(*secret, answer.who.groups)) return std::optional<TokenAnswer>();
    answer.audiences = wanted_audiences(api_audiences_, audiences);
    if (answer.audiences.empty()) return std::optional<TokenAnswer>();
    return std::optional<TokenAnswer>(std::move(answer));
  }

 private:
  static bool valid(const Object& secret, std::string_view token, WallTime now) {
    if (secret["type"].as_string() != "bootstrap.kubernetes.io/token" || secret.deleting()) return false;
    std::string kept = secret_text(secret, "token-secret");
    if (!crypto::constant_time_equal(kept, token.substr(kTokenIdLength + 1))) return false;
    if (secret_text(secret, "token-id") != token.substr(0, kTokenIdLength)) return false;
    if (secret_text(secret, "usage-bootstrap-authentication") != "true") return false;
    std::string expiration = secret_text(secret, "expiration");
    if (expiration.empty()) return true;
    Result<WallTime> end = parse_time(expiration);
    return end.ok() && now < *end;
  }

  static bool add_extra_groups(const Object& secret, std::vector<std::string>& groups) {
    std::string text = secret_text(secret, "auth-extra-groups");
    if (text.empty()) return true;
    for (std::string_view group : split(text, ',')) {
      if (!bootstrap_group_form(group)) return false;
      if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.emplace_back(group);
    }
    return true;
  }

  const ObjectReader& objects_;
  const std::vector<std::string> api_audiences_;
};

}  // namespace

std::unique_ptr<TokenAuthenticator> make_bootstrap_tokens(const ObjectReader& objects,
                                                          std::vector<std::string> api_audiences) {
  return std::make_unique<BootstrapTokens>(objects, std::move(api_audiences));
}

}  // namespace coracle::kube::apiserver
