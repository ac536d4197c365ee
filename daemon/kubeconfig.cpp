#include "daemon/kubeconfig.h"

#include <grp.h>
#include <unistd.h>

#include <cerrno>

#include "base/encoding.h"
#include "base/files.h"
#include "base/yaml/yaml.h"

namespace coracle::daemon {
namespace {

constexpr std::string_view kName = "default";

Value named(std::string_view what, Value content) {
  return Value::array({Value::object({{what, std::move(content)}, {"name", kName}})});
}

Result<void> change_group(const std::string& path, const std::string& name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): called once, before any other thread looks up groups
  const group* entry = ::getgrnam(name.c_str());
  if (entry == nullptr) return bad_request("write-kubeconfig-group: there is no group \"" + name + "\"");
  if (::chown(path.c_str(), static_cast<uid_t>(-1), entry->gr_gid) != 0) return system_error(errno, "chown " + path);
  return {};
}

}  // namespace

std::string kubeconfig_text(std::string_view server_url, std::string_view server_ca_pem, const KeyPair& client) {
  const Value cluster =
      Value::object({{"certificate-authority-data", base64_encode(server_ca_pem)}, {"server", server_url}});
  const Value user = Value::object({{"client-certificate-data", base64_encode(client.certificate_pem)},
                                    {"client-key-data", base64_encode(client.key_pem)}});
  const Value context = Value::object({{"cluster", kName}, {"user", kName}});
  return yaml::write(Value::object({{"apiVersion", "v1"},
                                    {"kind", "Config"},
                                    {"clusters", named("cluster", cluster)},
                                    {"contexts", named("context", context)},
                                    {"current-context", kName},
                                    {"preferences", Value::object()},
                                    {"users", named("user", user)}}));
}

Result<void> write_kubeconfig(const KubeconfigTarget& target, std::string_view text) {
  TRY(make_directories(std::string(parent_path(target.path)), 0755));
  TRY(ensure_file(target.path, text, target.mode));
  if (!target.group.empty()) TRY(change_group(target.path, target.group));
  return {};
}

}  // namespace coracle::daemon
