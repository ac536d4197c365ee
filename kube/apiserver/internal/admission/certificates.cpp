#include <algorithm>
#include <string>
#include <utility>

#include "base/encoding.h"
#include "kube/apiserver/internal/admission/certificate_request.h"
#include "kube/apiserver/internal/admission/common.h"
#include "kube/apiserver/internal/admission/plugins.h"
#include "kube/apiserver/internal/authentication.h"
#include "kube/apiserver/internal/identity/rbac_rules.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kCertificatesGroup = "certificates.k8s.io";
constexpr std::string_view kRequests = "certificatesigningrequests";
constexpr std::string_view kClientSigner = "kubernetes.io/kube-apiserver-client";

// May the user use the verb on the signer, or on all signers of its domain?
bool may_use_signer(const Context& context, Authorizer& authorizer, const Identity& who, std::string_view verb,
                    std::string_view signer) {
  std::string_view domain = signer.substr(0, signer.find('/'));
  for (const std::string& name : {std::string(signer), std::string(domain) + "/*"}) {
    Attributes what;
    what.verb = verb;
    what.group = kCertificatesGroup;
    what.version = "*";
    what.resource = "signers";
    what.name = name;
    if (authorizer.authorize(context, who, what).outcome == Decision::Outcome::Allow) return true;
  }
  return false;
}

class CertificateApproval : public AdmissionPlugin {
 public:
  explicit CertificateApproval(Authorizer& authorizer) : authorizer_(authorizer) {}
  std::string_view name() const override { return "CertificateApproval"; }

  Result<void> validate(const Context& context, const AdmissionAttributes& attributes, const Object* object,
                        std::vector<std::string>&) override {
    if (attributes.operation != Operation::Update || object == nullptr || attributes.old == nullptr ||
        !concerns(attributes, kCertificatesGroup, kRequests, "approval")) {
      return {};
    }
    // The old one: the new one's spec is whatever the caller wrote.
    std::string_view signer = (*attributes.old)["spec"]["signerName"].as_string();
    if (may_use_signer(context, authorizer_, attributes.who, "approve", signer)) return {};
    return admission_forbidden(attributes, object,
                               "user not permitted to approve requests with signerName " + go_quote(signer));
  }

 private:
  Authorizer& authorizer_;
};

class CertificateSigning : public AdmissionPlugin {
 public:
  explicit CertificateSigning(Authorizer& authorizer) : authorizer_(authorizer) {}
  std::string_view name() const override { return "CertificateSigning"; }

  Result<void> validate(const Context& context, const AdmissionAttributes& attributes, const Object* object,
                        std::vector<std::string>&) override {
    if (attributes.operation != Operation::Update || object == nullptr || attributes.old == nullptr ||
        !concerns(attributes, kCertificatesGroup, kRequests, "status")) {
      return {};
    }
    // Only the certificate and conditions are the signer's.
    const Value& old = (*attributes.old)["status"];
    const Value& now = (*object)["status"];
    if (old["certificate"] == now["certificate"] && old["conditions"] == now["conditions"]) return {};
    std::string_view signer = (*attributes.old)["spec"]["signerName"].as_string();
    if (may_use_signer(context, authorizer_, attributes.who, "sign", signer)) return {};
    return admission_forbidden(attributes, object,
                               "user not permitted to sign requests with signerName " + go_quote(signer));
  }

 private:
  Authorizer& authorizer_;
};

class CertificateSubjectRestriction : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "CertificateSubjectRestriction"; }

  Result<void> validate(const Context&, const AdmissionAttributes& attributes, const Object* object,
                        std::vector<std::string>&) override {
    bool creates = attributes.operation == Operation::Create && object != nullptr;
    if (!creates || !concerns(attributes, kCertificatesGroup, kRequests)) return {};
    if ((*object)["spec"]["signerName"].as_string() != kClientSigner) return {};
    Result<std::string> pem = base64_decode((*object)["spec"]["request"].as_string());
    Result<tls::Name> subject = pem.ok() ? certificate_request_subject(*pem) : Result<tls::Name>(pem.error());
    if (!subject.ok()) {
      return admission_forbidden(attributes, object, "failed to parse CSR: " + subject.error().message());
    }
    const std::vector<std::string>& groups = subject->organizations;
    if (std::find(groups.begin(), groups.end(), kMastersGroup) == groups.end()) return {};
    return admission_forbidden(attributes, object,
                               "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not "
                               "allowed");
  }
};

}  // namespace

AdmissionPluginPtr make_certificate_approval(Authorizer& authorizer) {
  return std::make_unique<CertificateApproval>(authorizer);
}
AdmissionPluginPtr make_certificate_signing(Authorizer& authorizer) {
  return std::make_unique<CertificateSigning>(authorizer);
}
AdmissionPluginPtr make_certificate_subject_restriction() {
  return std::make_unique<CertificateSubjectRestriction>();
}

}  // namespace coracle::kube::apiserver
