#include "kube/apiserver/internal/discovery/openapi.h"

#include <utility>

#include "base/clock.h"
#include "base/json/json.h"
#include "base/text.h"
#include "kube/apiserver/internal/discovery/openapi_paths.h"
#include "kube/apiserver/internal/discovery/openapi_protobuf.h"
#include "kube/apiserver/internal/discovery/openapi_schema.h"
#include "kube/apiserver/internal/http_answers.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kIndexPath = "/openapi/v3";
constexpr std::string_view kProtobufV2 = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
// The answer's own spelling.
constexpr std::string_view kProtobufV2Answer = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
constexpr Duration kImmutableFor = std::chrono::hours(24 * 365);

// What a resource's part of a document depends on.
std::string fingerprint(const ResourceDescriptor& resource) {
  std::string text = resource.resource + " " + resource.gvk.kind + " " + resource.list_kind + " " +
                     (resource.namespaced ? "N" : "C") + join(resource.verbs, ",") + ",";
  for (const SubresourceDescriptor& subresource : resource.subresources) {
    text += subresource.name + ":" + subresource.kind + ":" + join(subresource.verbs, ",") + ",";
  }
  return text + resource.published_id;
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

Value paths_of(const std::vector<ResourcePtr>& resources, OpenApiDialect dialect, OpenApiTypes& types) {
  Value::ObjectBuilder paths;
  for (const ResourcePtr& resource : resources) add_openapi_paths(paths, *resource, dialect, types);
  return std::move(paths).build();
}

}  // namespace

void OpenApi::attach() {
  endpoints_.set_exact(std::string(kIndexPath), [this](RequestScope& scope) { return index(scope); });
  endpoints_.set_prefix(std::string(kIndexPath), [this](RequestScope& scope) { return document(scope); });
  endpoints_.set_exact("/openapi/v2", [this](RequestScope& scope) { return version2(scope); });
}

Value OpenApi::info() const {
  return Value::object({{"title", "Kubernetes"}, {"version", options_.git_version}});
}

std::shared_ptr<const OpenApi::Parts> OpenApi::parts() {
  const ResourceTablePtr table = registry_.table();
  {
    std::lock_guard lock(mutex_);
    if (parts_ != nullptr && parts_->generation == table->generation()) return parts_;
  }
  auto made = std::make_shared<Parts>();
  made->generation = table->generation();
  std::string all;
  for (const ResourcePtr& resource : table->all()) {
    const std::string path = part_path(resource->gvk);
    if (made->parts.empty() || made->parts.back().path != path) made->parts.push_back({path, {}, {}});
    made->parts.back().resources.push_back(resource);
  }
  for (Part& part : made->parts) {
    std::string text = options_.git_version + options_.git_commit + options_.build_date + part.path;
    for (const ResourcePtr& resource : part.resources) text += "\n" + fingerprint(*resource);
    part.hash = http_answers::etag_of(text);
    all += part.hash;
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
  if (part == nullptr) return http::Response::text(404, "404 page not found\n");
  const std::string_view hash = scope.query.get("hash");
  if (!hash.empty() && hash != part->hash) {
    http::Response moved;
    moved.status = 301;
    moved.headers.set("Location", located(part->path, part->hash));
    return moved;
  }
  http::Bytes body;
  if (!http_answers::is_known(scope.request, part->hash)) {
    OpenApiTypes types(OpenApiDialect::V3);
    const Value paths = paths_of(part->resources, OpenApiDialect::V3, types);
    body = http::bytes(json::write(Value::object({{"openapi", "3.0.0"},
                                                  {"info", info()},
                                                  {"paths", paths},
                                                  {"components", Value::object({{"schemas", types.build()}})}})));
  }
  http::Response response = http_answers::with_etag(scope.request, body, part->hash, "application/json");
  response.headers.set("Vary", "Accept");
  if (!hash.empty()) {
    response.headers.set("Cache-Control", "public, immutable");
    response.headers.set("Expires", http_date(scope.context.clock().wall() + kImmutableFor));
  }
  return response;
}

Result<http::Response> OpenApi::version2(RequestScope& scope) {
  const auto current = parts();
  const bool protobuf = scope.request.headers.get("Accept").find(kProtobufV2) != std::string_view::npos;
  const std::string_view type = protobuf ? kProtobufV2Answer : std::string_view("application/json");
  const std::string etag = current->hash + (protobuf ? "P" : "");
  http::Bytes body;
  if (!http_answers::is_known(scope.request, etag)) {
    OpenApiTypes types(OpenApiDialect::V2);
    Value::ObjectBuilder paths;
    for (const Part& part : current->parts) {
      for (const ResourcePtr& resource : part.resources) {
        add_openapi_paths(paths, *resource, OpenApiDialect::V2, types);
      }
    }
    const Value document = Value::object(
        {{"swagger", "2.0"}, {"info", info()}, {"paths", std::move(paths).build()}, {"definitions", types.build()}});
    body = http::bytes(protobuf ? openapi_v2_protobuf(document) : json::write(document));
  }
  http::Response response = http_answers::with_etag(scope.request, body, etag, type);
  response.headers.set("Vary", "Accept");
  return response;
}

}  // namespace coracle::kube::apiserver
