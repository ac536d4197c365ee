#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "daemon/layout.h"

namespace coracle::daemon {

// A token file is a line; larger ones are refused.
inline constexpr std::size_t kMaxTokenFile = 64 * 1024;

// A join token: "K10<sha256 of the server CA>::<user>:<password>", or the password alone.
struct JoinToken {
  std::string ca_hash;  // empty in the short form
  std::string user;
  std::string password;
  std::string text() const;
};

// BadRequest tells which form was expected; the token itself is never repeated.
Result<JoinToken> parse_join_token(std::string_view text);
// SHA-256 of the bundle when it is one self-signed certificate, as k3s computes it.
std::string server_ca_hash(std::string_view server_ca_pem);

struct ServerTokens {
  JoinToken server;
  JoinToken agent;     // the server's own when no agent token is configured
  std::string passwd;  // what cred/passwd holds: theirs and what others have put there
};

// Configured passwords win over those of earlier starts (server/token); without either, one is made.
// Writes server/token, node-token, agent-token and cred/passwd, all 0600. A configured full token must
// carry this server's CA hash.
Result<ServerTokens> ensure_tokens(const Layout& layout, const std::optional<std::string>& server_token,
                                   const std::optional<std::string>& agent_token, std::string_view server_ca_pem,
                                   Random& random);

}  // namespace coracle::daemon
