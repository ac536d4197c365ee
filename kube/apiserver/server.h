#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/http/message.h"
#include "base/log.h"
#include "base/result.h"
#include "store/backend.h"

namespace coracle::kube::apiserver {

// Where a bound service-account token or a signing key comes from.
struct TokenSettings {
  std::string issuer = "https://kubernetes.default.svc.cluster.local";
  std::vector<std::string> audiences;  // of tokens that name none; empty: the issuer
  std::string signing_key_pem;         // first key of service.key
  std::vector<std::string> verify_keys_pem;
};

struct Options {
  std::string client_ca_pem;          // signs client certificates
  std::string request_header_ca_pem;  // front proxy
  std::vector<std::string> request_header_allowed_names;
  std::string server_ca_pem;  // published as kube-root-ca.crt
  std::string passwd_text;    // "password,user,uid,groups" lines of k3s's passwd file
  TokenSettings tokens;
  std::string service_cidr = "10.43.0.0/16";
  int node_port_first = 30000;
  int node_port_last = 32767;
  std::string advertise_address = "127.0.0.1";
  int advertise_port = 6443;
  std::string host_name;  // of the machine, for the label of the identity lease; empty: none
  std::string git_version = "v1.36.2+k3s1";
  std::string git_commit;
  std::string build_date;
};

// The API server: a handler (for the network and for in-process clients), and the work behind it.
// Destruction ends its background work; the store outlives it.
class Server {
 public:
  virtual ~Server() = default;
  // The whole handler chain. A context that already carries an identity (in-process callers) skips
  // authentication, nothing else.
  virtual http::Handler& handler() = 0;
  // Writes the objects that must exist (namespaces, bootstrap roles, default/kubernetes) and starts
  // serving custom resources. Ready afterwards.
  virtual Result<void> start(const Context& context) = 0;
  // Ends every watch, and at once those that begin later: their connections would outlast all other requests.
  virtual void end_watches() = 0;
};

Result<std::unique_ptr<Server>> make_server(Executor& executor, store::Backend& store, Options options, Logger log);

}  // namespace coracle::kube::apiserver
