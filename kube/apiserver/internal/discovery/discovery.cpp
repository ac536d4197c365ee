#include "kube/apiserver/internal/discovery/discovery.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/json/json.h"
#include "base/text.h"
#include "base/tls/crypto.h"
#include "kube/apiserver/internal/http_answers.h"
#include "kube/apiserver/internal/media_type.h"
#include "kube/apiserver/internal/responses.h"
#include "kube/codec/codec.h"
#include "kube/codec/normalise.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kAggregatedForm = ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
constexpr std::string_view kAggregatedSchema = "io.k8s.api.apidiscovery.v2.APIGroupDiscoveryList";
constexpr std::string_view kMetaTypes = "io.k8s.apimachinery.pkg.apis.meta.v1.";

// The encoding, where the first clause of Accept that discovery can serve asks for the aggregated form.
std::optional<MediaType> aggregated_encoding(const http::Request& request) {
  for (std::string_view clause : split(request.headers.get("Accept"), ',')) {
    bool group = false, version = false, list = false, other_as = false;
    const std::vector<std::string_view> parts = split(clause, ';');
    const std::string_view type = trim(parts.front());
    for (std::size_t i = 1; i < parts.size(); ++i) {
      const std::string_view part = trim(parts[i]);
      group = group || part == "g=apidiscovery.k8s.io";
      version = version || part == "v=v2";
      list = list || part == "as=APIGroupDiscoveryList";
      other_as = other_as || part.starts_with("as=");
    }
    const std::optional<MediaType> encoding = exact_media_type(type);
    if (encoding && group && version && list) return encoding;
    if (!type.empty() && !other_as) return std::nullopt;
  }
  return std::nullopt;
}

// A classic document in the representation that the request accepts.
Result<http::Response> classic_response(const RequestScope& scope, const Value& document) {
  const std::string_view kind = document["kind"].as_string();
  const Schema* schema = find_builtin_type(std::string(kMetaTypes) + std::string(kind));
  // Documents of groups are the aggregator's, which asks less of Accept.
  if (kind != "APIGroup") TRY(check_accept(scope.request, false));
  OutputOffer offer;
  offer.protobuf = schema != nullptr;
  ASSIGN_OR_RETURN(const OutputType output, negotiate_output(scope.request, offer));
  http::Response response;
  response.headers.set("Content-Type", output.content_type());
  response.headers.set("Vary", "Accept");
  std::string text;
  if (output.encoding == MediaType::Json) {
    text = output.pretty ? json::write_pretty(document) : json::write(document) + "\n";
  } else if (schema != nullptr) {
    ASSIGN_OR_RETURN(const Value canonical, normalise(document.with("apiVersion", "v1"), *schema));
    ASSIGN_OR_RETURN(text, encode(canonical, output.encoding, *schema));
  }
  response.body.push_back(http::bytes(std::move(text)));
  return response;
}

// What is kept is JSON, which nearly everybody asks for.
Result<http::Response> aggregated_response(const RequestScope& scope, MediaType encoding, http::Bytes json,
                                           std::string etag) {
  if (encoding != MediaType::Json) {
    const Schema& schema = *find_builtin_type(kAggregatedSchema);
    ASSIGN_OR_RETURN(const Value document, json::read({json->data(), json->size()}));
    ASSIGN_OR_RETURN(const Value canonical, normalise(document, schema));
    ASSIGN_OR_RETURN(std::string text, encode(canonical, encoding, schema));
    json = http::bytes(std::move(text));
    etag += encoding == MediaType::Protobuf ? "P" : "Y";
  }
  http::Response response = http_answers::with_etag(
      scope.request, json, etag, std::string(media_type_text(encoding)) + std::string(kAggregatedForm));
  response.headers.set("Cache-Control", "public");
  response.headers.set("Vary", "Accept");
  return response;
}

}  // namespace

Discovery::Discovery(Registry& registry, EndpointTable& endpoints, const Options& options)
    : registry_(registry), endpoints_(endpoints), options_(options) {}

void Discovery::attach() {
  endpoints_.set_exact("/api", [this](RequestScope& scope) { return core(scope); });
  endpoints_.set_exact("/apis", [this](RequestScope& scope) { return groups(scope); });
  sync_endpoints();
  registry_.on_change([this](const ResourceTablePtr&) { sync_endpoints(); });
}

void Discovery::set_remote(std::vector<RemoteVersion> remote) {
  {
    std::lock_guard lock(mutex_);
    if (remote == remote_) return;
    remote_ = std::move(remote);
    ++remote_generation_;
  }
  sync_endpoints();
}

std::vector<DiscoveryGroup> Discovery::current_groups() const {
  std::vector<RemoteVersion> remote;
  {
    std::lock_guard lock(mutex_);
    remote = remote_;
  }
  return discovery_groups(*registry_.table(), remote);
}

void Discovery::sync_endpoints() {
  std::lock_guard lock(sync_mutex_);
  std::set<std::string> wanted;
  for (const DiscoveryGroup& served : current_groups()) {
    const std::string base = served.name.empty() ? "/api" : "/apis/" + served.name;
    if (!served.name.empty() && wanted.insert(base).second && paths_.count(base) == 0) {
      endpoints_.set_exact(base, [this, name = served.name](RequestScope& scope) { return group(scope, name); });
    }
    for (const DiscoveryVersion& one : served.versions) {
      const std::string path = base + "/" + one.version;
      // A remote version's own documents are its server's; its path belongs to the proxy.
      if (one.remote || !wanted.insert(path).second || paths_.count(path) > 0) continue;
      endpoints_.set_exact(path, [this, name = served.name, version = one.version](RequestScope& scope) {
        return this->version(scope, name, version);
      });
    }
  }
  for (const std::string& path : paths_) {
    if (wanted.count(path) == 0) endpoints_.remove(path);
  }
  paths_ = std::move(wanted);
}

std::string Discovery::server_address() const {
  return options_.advertise_address + ":" + std::to_string(options_.advertise_port);
}

std::shared_ptr<const Discovery::Documents> Discovery::documents() {
  const ResourceTablePtr table = registry_.table();
  std::vector<RemoteVersion> remote;
  std::uint64_t generation = 0;
  {
    std::lock_guard lock(mutex_);
    // Both grow: their sum stands still only while nothing has changed.
    generation = table->generation() + remote_generation_;
    if (documents_ != nullptr && documents_->generation == generation) return documents_;
    remote = remote_;
  }
  const std::vector<DiscoveryGroup> all = discovery_groups(*table, remote);
  const auto core = std::partition_point(all.begin(), all.end(), [](const auto& group) { return group.name.empty(); });
  const auto make = [](std::span<const DiscoveryGroup> groups) {
    std::string text = json::write(aggregated_document(groups));
    std::string etag = http_answers::etag_of(text);
    return Document{http::bytes(std::move(text)), std::move(etag)};
  };
  auto made = std::make_shared<Documents>();
  made->generation = generation;
  made->core = make({all.begin(), core});
  made->groups = make({core, all.end()});
  std::lock_guard lock(mutex_);
  if (documents_ == nullptr || documents_->generation < generation) documents_ = made;
  return made;
}

Result<http::Response> Discovery::core(RequestScope& scope) {
  const auto encoding = aggregated_encoding(scope.request);
  if (!encoding) {
    TRY(only_gets(scope));
    return classic_response(scope, versions_document(server_address()));
  }
  const auto current = documents();
  return aggregated_response(scope, *encoding, current->core.body, current->core.etag);
}

// Lists and groups answer whatever the method is, as the aggregator does.
Result<http::Response> Discovery::groups(RequestScope& scope) {
  const auto encoding = aggregated_encoding(scope.request);
  if (!encoding) return classic_response(scope, group_list_document(current_groups()));
  const auto current = documents();
  return aggregated_response(scope, *encoding, current->groups.body, current->groups.etag);
}

Result<http::Response> Discovery::group(RequestScope& scope, const std::string& name) {
  for (const DiscoveryGroup& served : current_groups()) {
    if (served.name == name) return classic_response(scope, group_document(served));
  }
  return page_not_found();
}

Result<http::Response> Discovery::version(RequestScope& scope, const std::string& group, const std::string& version) {
  TRY(only_gets(scope));
  for (const DiscoveryGroup& served : current_groups()) {
    if (served.name != group) continue;
    for (const DiscoveryVersion& one : served.versions) {
      if (one.version == version) return classic_response(scope, resource_list_document(group, one));
    }
  }
  return page_not_found();
}

}  // namespace coracle::kube::apiserver
