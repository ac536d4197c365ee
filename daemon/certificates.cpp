#include "daemon/certificates.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/files.h"
#include "base/not_found.h"
#include "base/tls/crypto.h"
#include "base/tls/tls.h"

namespace coracle::daemon {
namespace {

constexpr auto kAuthorityLife = std::chrono::hours(24 * 3650);
constexpr auto kLeafLife = std::chrono::hours(24 * 365);
constexpr auto kRenewBefore = std::chrono::hours(24 * 120);
// Clocks of small machines start late; certificates are valid a little before they are made.
constexpr auto kClockSlack = std::chrono::hours(1);
// A machine without a clock of its own begins in 1970; k3s draws the line here, too.
constexpr auto kEarliest = std::chrono::hours(24 * (365 * 10 + 2));
constexpr std::size_t kMaxPemFile = 1024 * 1024;

struct AuthorityRow {
  std::string_view file;
  std::string_view name;  // followed by "@<unix time>"
};
constexpr std::array kAuthorities = {
    AuthorityRow{"client-ca", "k3s-client-ca"},
    AuthorityRow{"server-ca", "k3s-server-ca"},
    AuthorityRow{"request-header-ca", "k3s-request-header-ca"},
};

struct LeafRow {
  std::string_view file;
  std::string_view authority;
  tls::Usage usage;
  std::string_view common_name;
  std::string_view organization;
};
constexpr std::array kLeaves = {
    LeafRow{"client-admin", "client-ca", tls::Usage::Client, "system:admin", "system:masters"},
    LeafRow{"client-supervisor", "client-ca", tls::Usage::Client, "system:k3s-supervisor", "system:masters"},
    LeafRow{"client-controller", "client-ca", tls::Usage::Client, "system:kube-controller-manager", ""},
    LeafRow{"client-scheduler", "client-ca", tls::Usage::Client, "system:kube-scheduler", ""},
    LeafRow{"client-kube-apiserver", "client-ca", tls::Usage::Client, "system:apiserver", "system:masters"},
    LeafRow{"client-kube-proxy", "client-ca", tls::Usage::Client, "system:kube-proxy", ""},
    LeafRow{"client-k3s-controller", "client-ca", tls::Usage::Client, "system:k3s-controller", ""},
    LeafRow{"client-k3s-cloud-controller", "client-ca", tls::Usage::Client, "k3s-cloud-controller-manager", ""},
    LeafRow{"client-auth-proxy", "request-header-ca", tls::Usage::Client, "system:auth-proxy", ""},
    LeafRow{"serving-kube-apiserver", "server-ca", tls::Usage::Server, "k3s", "k3s"},
};

bool contains_all(const std::vector<std::string>& have, const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&have](const std::string& name) {
    return std::find(have.begin(), have.end(), name) != have.end();
  });
}

// Makes or reads the pairs of one server; keeps the authorities that the leaves are signed by.
class Workshop {
 public:
  Workshop(const Layout& layout, WallTime now, const Logger& log) : layout_(layout), now_(now), log_(log) {}

  Result<void> authority(const AuthorityRow& row) {
    const std::string path = layout_.tls(row.file);
    ASSIGN_OR_RETURN(std::string key, ensure_key(path + ".key"));
    ASSIGN_OR_RETURN(std::optional<std::string> found, read_if_there(path + ".crt"));
    if (found) {
      if (!tls::key_matches_certificate(key, *found)) {
        return Error(Reason::Corrupt, path + ".crt: does not belong to " + path + ".key");
      }
      warn_about_end(path + ".crt", *found);
      authorities_[row.file] = {std::move(*found), std::move(key)};
      return {};
    }
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now_.time_since_epoch()).count();
    tls::CertificateRequest request;
    request.subject.common_name = std::string(row.name) + "@" + std::to_string(seconds);
    request.usage = tls::Usage::Authority;
    request.not_before = now_ - kClockSlack;
    request.not_after = now_ + kAuthorityLife;
    ASSIGN_OR_RETURN(std::string certificate, tls::make_authority(request, key));
    made_certificates_.push_back({path + ".crt", certificate});
    authorities_[row.file] = {std::move(certificate), std::move(key)};
    return {};
  }

  Result<KeyPair> leaf(const LeafRow& row, const CertificateNames& names) {
    const std::string path = layout_.tls(row.file);
    const KeyPair& authority = authorities_.find(row.authority)->second;
    ASSIGN_OR_RETURN(std::string key, ensure_key(path + ".key"));
    ASSIGN_OR_RETURN(std::optional<std::string> found, read_if_there(path + ".crt"));
    if (found && still_good(*found, key, authority, names)) return KeyPair{std::move(*found), std::move(key)};

    tls::CertificateRequest request;
    request.subject.common_name = row.common_name;
    if (!row.organization.empty()) request.subject.organizations.emplace_back(row.organization);
    request.usage = row.usage;
    request.dns_names = names.dns_names;
    request.ip_addresses = names.ip_addresses;
    request.not_before = now_ - kClockSlack;
    request.not_after = now_ + kLeafLife;
    auto issued = tls::issue_certificate(request, key, authority.certificate_pem, authority.key_pem);
    if (!issued.ok()) return issued.error().in(path + ".key");
    const std::string certificate = *issued + authority.certificate_pem;
    made_certificates_.push_back({path + ".crt", certificate});
    log_.info("issued a certificate", {{"file", path + ".crt"}, {"renewed", found.has_value()}});
    return KeyPair{certificate, std::move(key)};
  }

  // service.key may hold several keys: the first signs, all verify.
  Result<std::vector<std::string>> service_keys() {
    const std::string path = layout_.tls("service.key");
    ASSIGN_OR_RETURN(const std::string text, ensure_key(path));
    std::vector<std::string> keys = pem_blocks(text, "KEY");
    if (keys.empty()) return Error(Reason::Corrupt, path + ": expected a private key in PEM");
    ASSIGN_OR_RETURN(const std::optional<std::string> current, read_if_there(layout_.tls("service.current.key")));
    if (!current || *current != keys.front()) made_keys_.push_back({layout_.tls("service.current.key"), keys.front()});
    return keys;
  }

  // Keys first: a certificate without its key would be of no use.
  Result<void> save() {
    TRY(write_files_atomic(made_keys_, kMode));
    return write_files_atomic(made_certificates_, kMode);
  }

  const std::string& authority_pem(std::string_view file) const {
    return authorities_.find(file)->second.certificate_pem;
  }

 private:
  static constexpr unsigned kMode = 0600;

  static Result<std::optional<std::string>> read_if_there(const std::string& path) {
    return if_there(read_file(path, kMaxPemFile));
  }

  Result<std::string> ensure_key(const std::string& path) {
    ASSIGN_OR_RETURN(std::optional<std::string> found, read_if_there(path));
    if (found) return std::move(*found);
    ASSIGN_OR_RETURN(std::string key, tls::make_ec_key());
    made_keys_.push_back({path, key});
    return key;
  }

  // Nobody replaces an authority but the one who runs the cluster.
  void warn_about_end(const std::string& path, const std::string& certificate) const {
    const Result<tls::CertificateInfo> info = tls::inspect_certificate(certificate);
    if (!info.ok() || info->not_after - now_ > kRenewBefore) return;
    const auto days = std::chrono::duration_cast<std::chrono::hours>(info->not_after - now_).count() / 24;
    if (info->not_after > now_) {
      log_.warning("a certificate authority ends soon: replace it and its key", {{"file", path}, {"days", days}});
    } else {
      log_.error("a certificate authority has ended, no client can connect: replace it and its key",
                 {{"file", path}, {"days_ago", -days}});
    }
  }

  bool still_good(const std::string& certificate, const std::string& key, const KeyPair& authority,
                  const CertificateNames& names) const {
    const Result<tls::CertificateInfo> info = tls::inspect_certificate(certificate);
    return info.ok() && info->not_after - now_ > kRenewBefore && tls::key_matches_certificate(key, certificate) &&
           certificate.ends_with(authority.certificate_pem) && contains_all(info->dns_names, names.dns_names) &&
           contains_all(info->ip_addresses, names.ip_addresses);
  }

  const Layout& layout_;
  const WallTime now_;
  const Logger& log_;
  std::map<std::string_view, KeyPair> authorities_;
  std::vector<FileContent> made_keys_;
  std::vector<FileContent> made_certificates_;
};

}  // namespace

std::vector<std::string> pem_blocks(std::string_view text, std::string_view label_suffix) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::string_view kDashes = "-----";
  std::vector<std::string> blocks;
  for (std::size_t begin; (begin = text.find(kBegin)) != std::string_view::npos;) {
    text.remove_prefix(begin);
    const std::size_t label_end = text.find(kDashes, kBegin.size());
    if (label_end == std::string_view::npos) break;
    const std::string_view label = text.substr(kBegin.size(), label_end - kBegin.size());
    const std::string end_line = "-----END " + std::string(label) + "-----";
    const std::size_t end = text.find(end_line);
    if (end == std::string_view::npos) break;
    if (label.ends_with(label_suffix)) blocks.push_back(std::string(text.substr(0, end)) + end_line + "\n");
    text.remove_prefix(end + end_line.size());
  }
  return blocks;
}

Result<Certificates> ensure_certificates(const Layout& layout, const CertificateNames& names, WallTime now,
                                         const Logger& log) {
  if (now < WallTime() + kEarliest) {
    return Error(Reason::Unavailable, "the clock says " + format_time(now) +
                                          ", before 1980: certificates made now would have ended when it is right");
  }
  TRY(make_directories(layout.server() + "/tls", 0700));
  Workshop workshop(layout, now, log);
  for (const AuthorityRow& row : kAuthorities) TRY(workshop.authority(row));

  Certificates certificates;
  for (const LeafRow& row : kLeaves) {
    const bool serving = row.usage == tls::Usage::Server;
    ASSIGN_OR_RETURN(KeyPair pair, workshop.leaf(row, serving ? names : CertificateNames{}));
    if (serving) certificates.serving = pair;
    if (row.file == "client-admin") certificates.admin = std::move(pair);
  }
  ASSIGN_OR_RETURN(certificates.service_keys_pem, workshop.service_keys());
  TRY(workshop.save());
  certificates.service_key_pem = certificates.service_keys_pem.front();
  certificates.client_ca_pem = workshop.authority_pem("client-ca");
  certificates.server_ca_pem = workshop.authority_pem("server-ca");
  certificates.request_header_ca_pem = workshop.authority_pem("request-header-ca");
  return certificates;
}

}  // namespace coracle::daemon
