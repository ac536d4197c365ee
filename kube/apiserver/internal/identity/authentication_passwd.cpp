#include "kube/apiserver/internal/identity/authentication_passwd.h"

#include <utility>

#include "base/encoding.h"
#include "base/text.h"
#include "base/tls/crypto.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::size_t kMinimumPasswdFields = 3;
constexpr std::string_view kFullTokenPrefix = "K10";

// The fields of one line of comma-separated values; "" inside quotes is one quote.
Result<std::vector<std::string>> csv_fields(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  if (quoted) return bad_request("a quote is not closed");
  return fields;
}

std::vector<std::string> passwd_groups(std::string_view text) {
  std::vector<std::string> groups;
  for (std::string_view group : split(text, ',')) {
    if (!trim(group).empty()) groups.emplace_back(trim(group));
  }
  return groups;
}

Identity passwd_identity(const PasswdEntry& entry) {
  Identity who;
  who.user = entry.user;
  who.uid = entry.uid;
  who.groups = entry.groups;
  return who;
}

// Compares with every entry, so that the time does not tell which one was near. Empty `user`: any.
const PasswdEntry* matching_entry(const std::vector<PasswdEntry>& entries, std::string_view user,
                                  std::string_view password) {
  const PasswdEntry* match = nullptr;
  for (const PasswdEntry& entry : entries) {
    bool same_password = crypto::constant_time_equal(entry.password, password);
    bool same_user = user.empty() || crypto::constant_time_equal(entry.user, user);
    if (same_password && same_user && match == nullptr) match = &entry;
  }
  return match;
}

class PasswdTokens : public TokenAuthenticator {
 public:
  PasswdTokens(std::vector<PasswdEntry> entries, std::vector<std::string> api_audiences)
      : entries_(std::move(entries)), api_audiences_(std::move(api_audiences)) {}

  Result<std::optional<TokenAnswer>> authenticate_token(const Context&, std::string_view token,
                                                        std::span<const std::string> audiences) override {
    std::string_view user;
    std::string_view password = token;
    if (token.substr(0, kFullTokenPrefix.size()) == kFullTokenPrefix) {
      std::size_t separator = token.find("::");
      std::size_t colon = separator == std::string_view::npos ? separator : token.find(':', separator + 2);
      if (colon != std::string_view::npos) {
        user = token.substr(separator + 2, colon - separator - 2);
        password = token.substr(colon + 1);
      }
    }
    const PasswdEntry* entry = matching_entry(entries_, user, password);
    if (entry == nullptr) return std::optional<TokenAnswer>();
    // Such a token belongs to whoever the API server serves.
    TokenAnswer answer{passwd_identity(*entry), wanted_audiences(api_audiences_, audiences)};
    if (answer.audiences.empty()) return std::optional<TokenAnswer>();
    return std::optional<TokenAnswer>(std::move(answer));
  }

 private:
  const std::vector<PasswdEntry> entries_;
  const std::vector<std::string> api_audiences_;
};

class BasicAuthenticator : public Authenticator {
 public:
  explicit BasicAuthenticator(std::vector<PasswdEntry> entries) : entries_(std::move(entries)) {}

  Result<std::optional<Identity>> authenticate(const Context&, const http::Request& request) override {
    std::string_view credentials = authorization_credentials(request, "Basic");
    if (credentials.empty()) return std::optional<Identity>();
    Result<std::string> plain = base64_decode(credentials);
    if (!plain.ok()) return Error(Reason::Unauthorized, "invalid basic credentials");
    std::size_t colon = plain->find(':');
    if (colon == std::string::npos || colon == 0) return Error(Reason::Unauthorized, "invalid basic credentials");
    std::string_view text = *plain;
    const PasswdEntry* entry = matching_entry(entries_, text.substr(0, colon), text.substr(colon + 1));
    if (entry == nullptr) return Error(Reason::Unauthorized, "invalid basic credentials");
    return std::optional<Identity>(passwd_identity(*entry));
  }

 private:
  const std::vector<PasswdEntry> entries_;
};

}  // namespace

Result<std::vector<PasswdEntry>> read_passwd(std::string_view text) {
  std::vector<PasswdEntry> entries;
  int number = 0;
  for (std::string_view raw : split(text, '\n')) {
    ++number;
    std::string_view line = trim(raw);
    if (line.empty() || line.front() == '#') continue;
    std::string where = "passwd line " + std::to_string(number);
    Result<std::vector<std::string>> fields = csv_fields(line);
    if (!fields.ok()) return fields.error().in(where);
    if (fields->size() < kMinimumPasswdFields) {
      return bad_request(where + ": expected password,user,uid[,groups]");
    }
    if ((*fields)[0].empty() || (*fields)[1].empty()) {
      return bad_request(where + ": password and user must not be empty");
    }
    PasswdEntry entry{(*fields)[0], (*fields)[1], (*fields)[2], {}};
    if (fields->size() > kMinimumPasswdFields) entry.groups = passwd_groups((*fields)[kMinimumPasswdFields]);
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::unique_ptr<TokenAuthenticator> make_passwd_tokens(std::vector<PasswdEntry> entries,
                                                       std::vector<std::string> api_audiences) {
  return std::make_unique<PasswdTokens>(std::move(entries), std::move(api_audiences));
}

std::unique_ptr<Authenticator> make_basic_authenticator(std::vector<PasswdEntry> entries) {
  return std::make_unique<BasicAuthenticator>(std::move(entries));
}

}  // namespace coracle::kube::apiserver
