#include <optional>
#include <utility>

#include "base/encoding.h"
#include "kube/apiserver/internal/admission/common.h"
#include "kube/apiserver/internal/admission/plugins.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kTokenSecretType = "kubernetes.io/service-account-token";
constexpr std::string_view kAccountNameAnnotation = "kubernetes.io/service-account.name";
constexpr std::string_view kAccountUidAnnotation = "kubernetes.io/service-account.uid";

// Fills a Secret that asks for a service account's token with it, with the cluster's CA and the
// namespace. Upstream's controller manager does the same a moment later; here the answer has it already.
class TokenSecretAdmission : public AdmissionPlugin {
 public:
  TokenSecretAdmission(const ObjectReader& objects, const TokenAuthority& authority, std::string ca_pem)
      : objects_(objects), authority_(authority), ca_pem_(std::move(ca_pem)) {}
  std::string_view name() const override { return "ServiceAccountTokenSecret"; }

  Result<void> admit(const Context& context, const AdmissionAttributes& attributes, Object* object,
                     std::vector<std::string>& warnings) override {
    bool write = attributes.operation == Operation::Create || attributes.operation == Operation::Update;
    if (!write || object == nullptr || object->deleting() || !concerns(attributes, "", "secrets")) return {};
    if ((*object)["type"].as_string() != kTokenSecretType || object->name().empty()) return {};
    std::string account_name(object->annotation(kAccountNameAnnotation));
    if (account_name.empty()) return {};
    ASSIGN_OR_RETURN(std::optional<Object> account,
                     objects_.find(context, KnownResource::ServiceAccounts, attributes.namespace_, account_name));
    if (!account) {
      warnings.push_back("secret \"" + std::string(object->name()) + "\" gets no token: service account \"" +
                         account_name + "\" does not exist; write it again once it does");
      return {};
    }
    return fill(attributes, *object, *account);
  }

 private:
  Result<void> fill(const AdmissionAttributes& attributes, Object& secret, const Object& account) const {
    std::string_view wanted_uid = secret.annotation(kAccountUidAnnotation);
    // Of an account that had this name before: the token must not become the new one's.
    if (!wanted_uid.empty() && wanted_uid != account.uid()) return {};
    if (wanted_uid.empty()) secret = secret.with_annotation(kAccountUidAnnotation, account.uid());
    Value data = secret["data"];
    if (data["ca.crt"].as_string().empty() && !ca_pem_.empty()) {
      data = data.with("ca.crt", base64_encode(ca_pem_));
    }
    if (data["namespace"].as_string().empty()) {
      data = data.with("namespace", base64_encode(attributes.namespace_));
    }
    if (data["token"].as_string().empty()) {
      ServiceAccountClaims claims;
      claims.namespace_ = attributes.namespace_;
      claims.service_account = {std::string(account.name()), std::string(account.uid())};
      claims.secret = NamedReference{std::string(secret.name()), {}};
      ASSIGN_OR_RETURN(std::string token, authority_.sign_legacy(claims));
      data = data.with("token", base64_encode(token));
    }
    secret = secret.with("data", std::move(data));
    return {};
  }

  const ObjectReader& objects_;
  const TokenAuthority& authority_;
  const std::string ca_pem_;
};

}  // namespace

AdmissionPluginPtr make_token_secret_admission(const ObjectReader& objects, const TokenAuthority& authority,
                                               std::string ca_pem) {
  return std::make_unique<TokenSecretAdmission>(objects, authority, std::move(ca_pem));
}

}  // namespace coracle::kube::apiserver
