#include "daemon/gitops_setup.h"

#include <utility>

#include "base/yaml/yaml.h"

namespace coracle::daemon {
namespace {

constexpr std::string_view kGitopsName = "flux-system";
constexpr std::string_view kSecret = "flux-system-credentials";
constexpr std::size_t kMaxCredentials = 1024 * 1024;

Value metadata(std::string_view name) {
  return Value::object({{"name", name}, {"namespace", kGitopsName}});
}

// "main", "refs/tags/v1", "sha1:<commit>"
Value reference(std::string_view text) {
  constexpr std::string_view kCommit = "sha1:";
  if (text.starts_with(kCommit)) return Value::object({{"commit", text.substr(kCommit.size())}});
  return Value::object({{text.starts_with("refs/") ? "name" : "branch", text}});
}

Result<Value> read_credentials(FileSystem& files, const GitopsSettings& settings) {
  Value credentials = Value::object();
  if (!settings.credentials_file.empty()) {
    Result<std::string> text = files.read_file(settings.credentials_file, kMaxCredentials);
    if (!text.ok()) return text.error().in("gitops-credentials-file");
    Result<Value> tree = yaml::read(*text);
    // The reader's message could quote what is secret.
    if (!tree.ok() || !tree->is_object()) {
      return bad_request("gitops-credentials-file: expected YAML with username and password, or bearerToken");
    }
    credentials = std::move(*tree);
  }
  if (!settings.ca_file.empty()) {
    Result<std::string> text = files.read_file(settings.ca_file, kMaxCredentials);
    if (!text.ok()) return text.error().in("gitops-ca-file");
    credentials = credentials.with("ca.crt", *text);
  }
  return credentials;
}

Result<std::vector<kube::Object>> gitops_objects(const GitopsSettings& settings, const Value& credentials) {
  std::vector<kube::Object> objects;
  objects.emplace_back(Value::object(
      {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", Value::object({{"name", kGitopsName}})}}));
  for (const Value::Member& member : credentials.members()) {
    if (!member.value.is_string()) return bad_request("gitops-credentials-file: " + member.key + ": expected a text");
  }
  Value::ObjectBuilder repository;
  repository.set("url", settings.url).set("interval", settings.interval).set("ref", reference(settings.reference));
  if (!credentials.empty()) {
    objects.emplace_back(Value::object(
        {{"apiVersion", "v1"}, {"kind", "Secret"}, {"metadata", metadata(kSecret)}, {"stringData", credentials}}));
    repository.set("secretRef", Value::object({{"name", kSecret}}));
  }
  objects.emplace_back(Value::object({{"apiVersion", "source.toolkit.fluxcd.io/v1"},
                                      {"kind", "GitRepository"},
                                      {"metadata", metadata(kGitopsName)},
                                      {"spec", std::move(repository).build()}}));
  objects.emplace_back(Value::object(
      {{"apiVersion", "kustomize.toolkit.fluxcd.io/v1"},
       {"kind", "Kustomization"},
       {"metadata", metadata(kGitopsName)},
       {"spec", Value::object({{"sourceRef", Value::object({{"kind", "GitRepository"}, {"name", kGitopsName}})},
                               {"path", settings.path},
                               {"interval", settings.interval},
                               {"prune", true}})}}));
  return objects;
}

}  // namespace

Result<void> set_up_gitops(const Context& context, const kube::Applier& applier, FileSystem& files,
                           const GitopsSettings& settings) {
  if (settings.url.empty()) return {};
  ASSIGN_OR_RETURN(const Value credentials, read_credentials(files, settings));
  ASSIGN_OR_RETURN(std::vector<kube::Object> objects, gitops_objects(settings, credentials));
  std::vector<kube::Applied> applied;
  return applier.apply_all(context, std::move(objects), {.field_manager = "coracle"}, applied);
}

}  // namespace coracle::daemon
