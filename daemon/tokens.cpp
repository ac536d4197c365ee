#include "daemon/tokens.h"

#include <utility>

#include "base/files.h"
#include "base/not_found.h"
#include "base/text.h"
#include "base/tls/crypto.h"
#include "daemon/certificates.h"

namespace coracle::daemon {
namespace {

constexpr std::size_t kMaxPasswd = 1024 * 1024;

constexpr std::string_view kPrefix = "K10";
constexpr std::string_view kSeparator = "::";
constexpr std::size_t kHashLength = 64;
constexpr std::size_t kPasswordBytes = 16;

// The password of an earlier start's token file.
Result<std::optional<std::string>> stored_password(const std::string& path) {
  ASSIGN_OR_RETURN(const std::optional<std::string> text, if_there(read_file(path, kMaxTokenFile)));
  if (!text) return std::optional<std::string>();
  Result<JoinToken> token = parse_join_token(trim(*text));
  if (!token.ok()) return token.error().in(path);
  return std::optional<std::string>(token->password);
}

Result<std::string> choose_password(const std::optional<std::string>& configured, const std::string& stored_path,
                                    std::string_view ca_hash, Random& random) {
  if (configured) {
    ASSIGN_OR_RETURN(JoinToken token, parse_join_token(trim(*configured)));
    if (!token.ca_hash.empty() && token.ca_hash != ca_hash) {
      return bad_request("token: its CA hash is not that of this server's certificate authority");
    }
    return token.password;
  }
  ASSIGN_OR_RETURN(std::optional<std::string> stored, stored_password(stored_path));
  return stored ? std::move(*stored) : random.hex(kPasswordBytes);
}

// The other names of the token are links, so that one write changes all.
Result<void> link_to_token(const std::string& path) {
  if (link_info(path).ok()) TRY(remove_file(path));
  return make_link("token", path);
}

// A field of comma-separated values (RFC 4180).
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\" ") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

// The first column is the secret; names and roles are k3s's. Lines of others stay.
std::string passwd_text(const ServerTokens& tokens, std::string_view before) {
  constexpr std::string_view kNode = ",node,node,k3s:agent";
  constexpr std::string_view kServer = ",server,server,k3s:server";
  std::string text = csv_field(tokens.agent.password) + std::string(kNode) + "\n" + csv_field(tokens.server.password) +
                     std::string(kServer) + "\n";
  for (const std::string_view line : split(before, '\n')) {
    const std::string_view entry = trim(line);
    if (entry.empty() || entry.ends_with(kNode) || entry.ends_with(kServer)) continue;
    text.append(entry).append("\n");
  }
  return text;
}

}  // namespace

std::string JoinToken::text() const {
  return std::string(kPrefix) + ca_hash + std::string(kSeparator) + user + ":" + password;
}

Result<JoinToken> parse_join_token(std::string_view text) {
  if (text.empty()) return bad_request("token: expected a text that is not empty");
  if (text.find_first_of("\r\n") != std::string_view::npos) return bad_request("token: expected a single line");
  JoinToken token;
  if (!text.starts_with(kPrefix) || text.find(kSeparator) == std::string_view::npos) {
    token.password = text;
    return token;
  }
  text.remove_prefix(kPrefix.size());
  const std::size_t separator = text.find(kSeparator);
  token.ca_hash = text.substr(0, separator);
  if (token.ca_hash.size() != kHashLength) {
    return bad_request("token: expected 64 hexadecimal digits between K10 and ::");
  }
  const std::string_view credentials = text.substr(separator + kSeparator.size());
  const std::size_t colon = credentials.find(':');
  if (colon == std::string_view::npos) {
    token.password = credentials;  // a bootstrap token, "id.secret"
  } else {
    token.user = credentials.substr(0, colon);
    token.password = credentials.substr(colon + 1);
  }
  if (token.password.empty()) return bad_request("token: expected a password at the end");
  return token;
}

std::string server_ca_hash(std::string_view server_ca_pem) {
  return crypto::sha256_hex(server_ca_pem);
}

Result<ServerTokens> ensure_tokens(const Layout& layout, const std::optional<std::string>& server_token,
                                   const std::optional<std::string>& agent_token, std::string_view server_ca_pem,
                                   Random& random) {
  const std::string hash = server_ca_hash(server_ca_pem);
  ServerTokens tokens;
  ASSIGN_OR_RETURN(std::string password, choose_password(server_token, layout.token(), hash, random));
  tokens.server = {hash, "server", std::move(password)};
  tokens.agent = {hash, "node", tokens.server.password};
  if (agent_token) {
    ASSIGN_OR_RETURN(tokens.agent.password, choose_password(agent_token, layout.agent_token(), hash, random));
  }
  TRY(make_directories(layout.server() + "/cred", 0700));
  TRY(ensure_file(layout.token(), tokens.server.text() + "\n", 0600));
  TRY(link_to_token(layout.node_token()));
  if (agent_token) {
    TRY(ensure_file(layout.agent_token(), tokens.agent.text() + "\n", 0600));
  } else {
    TRY(link_to_token(layout.agent_token()));
  }
  const std::string passwd = layout.cred("passwd");
  ASSIGN_OR_RETURN(const std::optional<std::string> before, if_there(read_file(passwd, kMaxPasswd)));
  tokens.passwd = passwd_text(tokens, before.value_or(""));
  TRY(ensure_file(passwd, tokens.passwd, 0600));
  return tokens;
}

}  // namespace coracle::daemon
