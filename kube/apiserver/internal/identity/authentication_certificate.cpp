#include "kube/apiserver/internal/identity/authentication_certificate.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kUserHeader = "X-Remote-User";
constexpr std::string_view kUidHeader = "X-Remote-Uid";
constexpr std::string_view kGroupHeader = "X-Remote-Group";
constexpr std::string_view kExtraHeaderPrefix = "x-remote-extra-";

class CertificateAuthenticator : public Authenticator {
 public:
  explicit CertificateAuthenticator(std::string client_ca_pem) : chains_(std::move(client_ca_pem)) {}

  Result<std::optional<Identity>> authenticate(const Context& context, const http::Request& request) override {
    if (request.peer.certificates_pem.empty()) return std::optional<Identity>();
    ASSIGN_OR_RETURN(std::shared_ptr<const tls::CertificateInfo> leaf,
                     chains_.verify(request.peer.certificates_pem, context.clock().wall()));
    const tls::Name& subject = leaf->subject;
    if (subject.common_name.empty()) return std::optional<Identity>();
    if (subject.uids.size() > 1 || (subject.uids.size() == 1 && subject.uids.front().empty())) {
      return Error(Reason::Unauthorized,
                   "x509: subject with cn=" + subject.common_name + " has an empty UID or more than one");
    }
    Identity who;
    who.user = subject.common_name;
    if (!subject.uids.empty()) who.uid = subject.uids.front();
    who.groups = subject.organizations;
    who.extra[kExtraCredentialId] = {"X509SHA256=" + leaf->sha256};
    return std::optional<Identity>(std::move(who));
  }

 private:
  VerifiedChains chains_;
};

class FrontProxyAuthenticator : public Authenticator {
 public:
  FrontProxyAuthenticator(std::string ca_pem, std::vector<std::string> allowed_names)
      : chains_(std::move(ca_pem)), allowed_names_(std::move(allowed_names)) {}

  Result<std::optional<Identity>> authenticate(const Context& context, const http::Request& request) override {
    std::string_view user = request.headers.get(kUserHeader);
    if (user.empty() || request.peer.certificates_pem.empty()) return std::optional<Identity>();
    Result<std::shared_ptr<const tls::CertificateInfo>> proxy =
        chains_.verify(request.peer.certificates_pem, context.clock().wall());
    // Someone else's certificate: the header means nothing then.
    if (!proxy.ok()) return std::optional<Identity>();
    const std::string& name = (*proxy)->subject.common_name;
    bool allowed =
        allowed_names_.empty() || std::find(allowed_names_.begin(), allowed_names_.end(), name) != allowed_names_.end();
    if (!allowed) return Error(Reason::Unauthorized, "x509: subject with cn=" + name + " is not in the allowed list");
    return std::optional<Identity>(identity_of(request, user));
  }

 private:
  static Identity identity_of(const http::Request& request, std::string_view user) {
    Identity who;
    who.user = user;
    who.uid = request.headers.get(kUidHeader);
    for (std::string_view group : request.headers.all(kGroupHeader)) who.groups.emplace_back(group);
    for (const auto& [field, value] : request.headers.fields()) {
      std::string key = to_lower(field);
      if (key.compare(0, kExtraHeaderPrefix.size(), kExtraHeaderPrefix) != 0) continue;
      key.erase(0, kExtraHeaderPrefix.size());
      Result<std::string> plain = http::percent_decode(key);
      who.extra[plain.ok() ? *plain : key].push_back(value);
    }
    return who;
  }

  VerifiedChains chains_;
  const std::vector<std::string> allowed_names_;
};

}  // namespace

Result<std::shared_ptr<const tls::CertificateInfo>> VerifiedChains::verify(const std::vector<std::string>& chain_pem,
                                                                           WallTime now) {
  if (chain_pem.empty()) return Error(Reason::Unauthorized, "no client certificate");
  {
    std::lock_guard lock(mutex_);
    auto found = entries_.find(chain_pem.front());
    if (found != entries_.end() && found->second.chain_pem == chain_pem) {
      const Entry& entry = found->second;
      if (now >= entry.leaf->not_before && now <= entry.not_after) return entry.leaf;
      entries_.erase(found);
    }
  }
  Result<tls::CertificateInfo> leaf = tls::verify_client_chain(chain_pem, authorities_pem_, now);
  if (!leaf.ok()) return Error(Reason::Unauthorized, leaf.error().message());
  // An intermediate that ends before its leaf ends the chain.
  WallTime not_after = leaf->not_after;
  for (const std::string& pem : chain_pem) {
    Result<tls::CertificateInfo> link = tls::inspect_certificate(pem);
    if (link.ok()) not_after = std::min(not_after, link->not_after);
  }
  auto verified = std::make_shared<const tls::CertificateInfo>(std::move(leaf).value());
  std::lock_guard lock(mutex_);
  if (entries_.size() >= kMaxChains) entries_.clear();
  entries_[chain_pem.front()] = Entry{chain_pem, not_after, verified};
  return verified;
}

std::unique_ptr<Authenticator> make_certificate_authenticator(std::string client_ca_pem) {
  return std::make_unique<CertificateAuthenticator>(std::move(client_ca_pem));
}

std::unique_ptr<Authenticator> make_front_proxy_authenticator(std::string ca_pem,
                                                              std::vector<std::string> allowed_names) {
  return std::make_unique<FrontProxyAuthenticator>(std::move(ca_pem), std::move(allowed_names));
}

}  // namespace coracle::kube::apiserver
