#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kube/apiserver/internal/identity/authentication_token.h"

namespace coracle::kube::apiserver {

struct PasswdEntry {
  std::string password;
  std::string user;
  std::string uid;
  std::vector<std::string> groups;
};

// Lines "password,user,uid[,\"group,group\"]" of a k3s passwd file or of a static token file; empty lines
// and lines that begin with '#' are skipped. BadRequest names the line that is wrong.
Result<std::vector<PasswdEntry>> read_passwd(std::string_view text);

// Bearer tokens of a passwd file: the password itself, or a k3s token that holds it
// ("K10<CA hash>::<user>:<password>").
std::unique_ptr<TokenAuthenticator> make_passwd_tokens(std::vector<PasswdEntry> entries,
                                                       std::vector<std::string> api_audiences);
// "Authorization: Basic" with a user and password of the file.
std::unique_ptr<Authenticator> make_basic_authenticator(std::vector<PasswdEntry> entries);

}  // namespace coracle::kube::apiserver
