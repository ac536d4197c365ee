#include "kube/apiserver/internal/discovery/openapi.h"

#include <map>
#include <span>
#include <utility>

#include "base/clock.h"
#include "base/json/json.h"
#include "base/text.h"
#include "kube/apiserver/internal/discovery/openapi_paths.h"
#include "kube/apiserver/internal/discovery/openapi_protobuf.h"
#include "kube/apiserver/internal/discovery/openapi_schema.h"
#include "kube/apiserver/internal/http_answers.h"
#include "kube/apiserver/internal/responses.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kIndexPath = "/openapi/v3";
constexpr std::string_view kJsonType = "application/json";
constexpr std::string_view kProtobufV2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
// As clients spell it that do not mind that no media type may be spelled so.
constexpr std::string_view kOldProtobufV2 = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
constexpr Duration kImmutableFor = std::chrono::hours(24 * 365);

// The representation that the first clause of Accept asks for that can be served; empty where there is none.
std::string_view accepted_type(const http::Request& request, bool protobuf) {
  const std::string_view accept = trim(request.headers.get("Accept"));
  if (accept.empty()) return kJsonType;
  for (std::string_view clause : split(accept, ',')) {
    const std::string_view type = trim(split(clause, ';').front());
    if (type == kJsonType || type == "application/*" || type == "*/*") return kJsonType;
    if (protobuf && (type == kProtobufV2 || type == kOldProtobufV2)) return kProtobufV2;
  }
  return {};
}

http::Response not_acceptable() {
  http::Response response;
  response.status = 406;
  return response;
}

// What a resource's part of a document depends on.
std::string fingerprint(const ResourceDescriptor& resource) {
  std::string text = resource.resource + " " + resource.gvk.kind + " " + resource.list_kind + " " +
                     (resource.namespaced ? "N" : "C") + join(resource.verbs, ",") + ",";
  for (const SubresourceDescriptor& subresource : resource.subresources) {
    text += subresource.name + ":" + subresource.kind + ":" + join(subresource.verbs, ",") + ",";
  }
  return text + resource.published_id + join(resource.selectable_fields, ",");
}

std::string part_path(const GroupVersionKind& gvk) {
  return gvk.group.empty() ? "api/" + gvk.version : "apis/" + gvk.group + "/" + gvk.version;
}

std::string located(const std::string& path, const std::string& hash) {
  return std::string(kIndexPath) + "/" + path + "?hash=" + hash;
}

std::string http_date(WallTime time) {
  // RFC 9110's form, from the date alone; nobody minds the day of the week of a year ahead but the grammar.
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - days));
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto two = [](auto number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  return std::string(kDays[std::chrono::weekday(days).c_encoding()]) + ", " + two(static_cast<unsigned>(date.day())) +
         " " + kMonths[static_cast<unsigned>(date.month()) - 1] + " " + std::to_string(static_cast<int>(date.year())) +
         " " + two(clock.hours().count()) + ":" + two(clock.minutes().count()) + ":" + two(clock.seconds().count()) +
         " GMT";
}

// How clients say who they are.
const Value& token_scheme() {
  static const Value kScheme =
      Value::object({{"BearerToken", Value::object({{"type", "apiKey"},
                                                    {"description", "The header with a bearer token."},
                                                    {"name", "authorization"},
                                                    {"in", "header"}})}});
  return kScheme;
}

// Documents beside those of groups and versions, in the places that upstream gives them.
constexpr std::string_view kRootPaths[] = {".well-known/openid-configuration", "api", "apis", "openid/v1/jwks",
                                           "version"};

bool has_discovery_path(std::span<const ResourcePtr> resources) {
  return resources.empty() || !resources.front()->custom;
}

}  // namespace

void OpenApi::attach() {
  endpoints_.set_exact(std::string(kIndexPath), [this](RequestScope& scope) { return index(scope); });
  endpoints_.set_prefix(std::string(kIndexPath), [this](RequestScope& scope) { return document(scope); });
  endpoints_.set_exact("/openapi/v2", [this](RequestScope& scope) { return version2(scope); });
}

// The version is the API's, not the program's: "1.36" of "v1.36.2+k3s1".
Value OpenApi::info() const {
  const std::string_view version = options_.git_version;
  const std::size_t minor = version.find('.');
  return Value::object({{"title", "Kubernetes"}, {"version", version.substr(1, version.find('.', minor + 1) - 1)}});
}

void OpenApi::add_paths(const Part& part, OpenApiPaths& paths) {
  if (has_discovery_path(part.resources)) add_discovery_path(paths, part.path);
  for (const ResourcePtr& resource : part.resources) add_openapi_paths(paths, *resource);
}

std::shared_ptr<const OpenApi::Parts> OpenApi::parts() {
  const ResourceTablePtr table = registry_.table();
  {
    std::lock_guard lock(mutex_);
    if (parts_ != nullptr && parts_->generation == table->generation()) return parts_;
  }
  auto made = std::make_shared<Parts>();
  made->generation = table->generation();
  std::map<std::string, Part> by_path;
  for (std::string_view path : kRootPaths) by_path[std::string(path)];
  for (const ResourcePtr& resource : table->all()) {
    Part& part = by_path[part_path(resource->gvk)];
    part.own = resource->gvk;
    part.resources.push_back(resource);
    if (!resource->custom && !resource->gvk.group.empty()) by_path["apis/" + resource->gvk.group];
  }
  std::string all;
  for (auto& [path, part] : by_path) {
    part.path = path;
    std::string text = options_.git_version + options_.git_commit + options_.build_date + path;
    for (const ResourcePtr& resource : part.resources) text += "\n" + fingerprint(*resource);
    part.hash = http_answers::etag_of(text);
    all += part.hash;
    made->parts.push_back(std::move(part));
  }
  made->hash = http_answers::etag_of(all);
  std::lock_guard lock(mutex_);
  if (parts_ == nullptr || parts_->generation < made->generation) parts_ = made;
  return made;
}

Result<http::Response> OpenApi::index(RequestScope& scope) {
  const auto current = parts();
  Value::ObjectBuilder paths;
  for (const Part& part : current->parts) {
    paths.append(part.path, Value::object({{"serverRelativeURL", located(part.path, part.hash)}}));
  }
  const Value document = Value::object({{"paths", std::move(paths).build()}});
  return http_answers::with_etag(scope.request, http::bytes(json::write(document)), current->hash, "application/json");
}

Result<http::Response> OpenApi::document(RequestScope& scope) {
  const auto current = parts();
  const std::string_view path = std::string_view(scope.request.path).substr(kIndexPath.size() + 1);
  const Part* part = nullptr;
  for (const Part& candidate : current->parts) {
    if (candidate.path == path) part = &candidate;
  }
  if (part == nullptr) return page_not_found();
  const std::string_view hash = scope.query.get("hash");
  if (!hash.empty() && hash != part->hash) {
    http::Response moved;
    moved.status = 301;
    moved.headers.set("Location", located(part->path, part->hash));
    return moved;
  }
  if (accepted_type(scope.request, false).empty()) return not_acceptable();
  http::Bytes body;
  if (!http_answers::is_known(scope.request, part->hash)) {
    const bool custom = !has_discovery_path(part->resources);
    OpenApiTypes types(OpenApiDialect::V3, custom ? GroupVersionKind() : part->own);
    OpenApiOperations operations(OpenApiDialect::V3);
    OpenApiPaths paths = {operations, types, {}};
    add_paths(*part, paths);
    Value::ObjectBuilder components;
    components.set_nonempty("schemas", types.build());
    components.set("securitySchemes", token_scheme());
    body = http::bytes(json::write(Value::object({{"openapi", "3.0.0"},
                                                  {"info", info()},
                                                  {"paths", std::move(paths).build()},
                                                  {"components", std::move(components).build()}})));
  }
  http::Response response = http_answers::with_etag(scope.request, body, part->hash, kJsonType);
  response.headers.set("Vary", "Accept");
  if (!hash.empty()) {
    response.headers.set("Cache-Control", "public, immutable");
    response.headers.set("Expires", http_date(scope.context.clock().wall() + kImmutableFor));
  }
  return response;
}

Result<http::Response> OpenApi::version2(RequestScope& scope) {
  const auto current = parts();
  const std::string_view type = accepted_type(scope.request, true);
  if (type.empty()) return not_acceptable();
  const bool protobuf = type == kProtobufV2;
  const std::string etag = current->hash + (protobuf ? "P" : "");
  http::Bytes body;
  if (!http_answers::is_known(scope.request, etag)) {
    OpenApiTypes types(OpenApiDialect::V2);
    OpenApiOperations operations(OpenApiDialect::V2);
    OpenApiPaths paths = {operations, types, {}};
    for (const Part& part : current->parts) add_paths(part, paths);
    const Value document =
        Value::object({{"swagger", "2.0"},
                       {"info", info()},
                       {"paths", std::move(paths).build()},
                       {"definitions", types.build()},
                       {"parameters", operations.shared_parameters()},
                       {"securityDefinitions", token_scheme()},
                       {"security", Value::array({Value::object({{"BearerToken", Value::array()}})})}});
    body = http::bytes(protobuf ? openapi_v2_protobuf(document) : json::write(document));
  }
  http::Response response = http_answers::with_etag(scope.request, body, etag, type);
  response.headers.set("Vary", "Accept");
  return response;
}

}  // namespace coracle::kube::apiserver
