#include <array>
#include <utility>

#include "base/json/json.h"
#include "kube/client/request_builder.h"

namespace coracle::kube {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::array<std::string_view, 4> kPatchContentTypes = {
    "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json",
    "application/apply-patch+yaml"};

void add_unless_empty(http::Query& query, std::string_view name, std::string_view value) {
  if (!value.empty()) query.add(std::string(name), std::string(value));
}

http::Request make_request(std::string_view method, std::string path, const http::Query& query) {
  http::Request request;
  request.method = method;
  request.path = std::move(path);
  request.query = query.encode();
  request.headers.add("Accept", std::string(kJson));
  request.peer.loopback = true;
  return request;
}

void set_body(http::Request& request, const Value& body, std::string_view content_type) {
  request.headers.set("Content-Type", std::string(content_type));
  request.body = json::write(body);
}

http::Query write_query(const WriteParameters& parameters) {
  http::Query query;
  add_unless_empty(query, "fieldManager", parameters.field_manager);
  add_unless_empty(query, "fieldValidation", parameters.field_validation);
  if (parameters.force) query.add("force", "true");
  if (parameters.dry_run) query.add("dryRun", "All");
  return query;
}

http::Query list_query(const ListParameters& parameters) {
  http::Query query;
  add_unless_empty(query, "labelSelector", parameters.label_selector);
  add_unless_empty(query, "fieldSelector", parameters.field_selector);
  add_unless_empty(query, "resourceVersion", parameters.resource_version);
  add_unless_empty(query, "resourceVersionMatch", parameters.resource_version_match);
  add_unless_empty(query, "continue", parameters.continue_token);
  if (parameters.limit > 0) query.add("limit", std::to_string(parameters.limit));
  return query;
}

// "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
std::string metadata_accept(std::string_view kind) {
  return "application/json;as=" + std::string(kind) + ";g=meta.k8s.io;v=v1";
}

Value delete_options(const DeleteParameters& parameters) {
  Value::ObjectBuilder options;
  options.set("kind", "DeleteOptions").set("apiVersion", "v1");
  if (parameters.grace_period_seconds) options.set("gracePeriodSeconds", *parameters.grace_period_seconds);
  Value::ObjectBuilder preconditions;
  preconditions.set_nonempty("uid", parameters.uid).set_nonempty("resourceVersion", parameters.resource_version);
  options.set_nonempty("preconditions", std::move(preconditions).build());
  options.set_nonempty("propagationPolicy", parameters.propagation);
  if (parameters.dry_run) options.set("dryRun", Value::array({Value("All")}));
  return std::move(options).build();
}

}  // namespace

std::string resource_path(const ResourceRef& resource, std::string_view ns, std::string_view name,
                          std::string_view subresource) {
  std::string path = resource.gvr.group.empty() ? "/api/" : "/apis/" + resource.gvr.group + "/";
  path += resource.gvr.version;
  if (resource.namespaced && !ns.empty()) {
    path += "/namespaces/";
    path += http::percent_encode(ns);
  }
  path += '/';
  path += resource.gvr.resource;
  if (!name.empty()) {
    path += '/';
    path += http::percent_encode(name);
  }
  if (!subresource.empty()) {
    path += '/';
    path += subresource;
  }
  return path;
}

http::Request get_request(const ResourceRef& resource, const ObjectKey& key) {
  return make_request("GET", resource_path(resource, key.namespace_, key.name), {});
}

http::Request list_request(const ResourceRef& resource, std::string_view ns, const ListParameters& parameters) {
  http::Request request = make_request("GET", resource_path(resource, ns), list_query(parameters));
  if (parameters.metadata_only) request.headers.set("Accept", metadata_accept("PartialObjectMetadataList"));
  return request;
}

http::Request watch_request(const ResourceRef& resource, std::string_view ns, const ListParameters& parameters) {
  http::Query query = list_query(parameters);
  query.add("watch", "true");
  query.add("allowWatchBookmarks", "true");
  http::Request request = make_request("GET", resource_path(resource, ns), query);
  if (parameters.metadata_only) request.headers.set("Accept", metadata_accept("PartialObjectMetadata"));
  return request;
}

http::Request create_request(const ResourceRef& resource, const ObjectKey& key, std::string_view subresource,
                             const Object& object, const WriteParameters& parameters) {
  const std::string_view name = subresource.empty() ? std::string_view() : std::string_view(key.name);
  http::Request request =
      make_request("POST", resource_path(resource, key.namespace_, name, subresource), write_query(parameters));
  set_body(request, object.tree(), kJson);
  return request;
}

http::Request update_request(const ResourceRef& resource, const ObjectKey& key, std::string_view subresource,
                             const Object& object, const WriteParameters& parameters) {
  http::Request request =
      make_request("PUT", resource_path(resource, key.namespace_, key.name, subresource), write_query(parameters));
  set_body(request, object.tree(), kJson);
  return request;
}

http::Request patch_request(const ResourceRef& resource, const ObjectKey& key, std::string_view subresource,
                            PatchType type, const Value& patch, const WriteParameters& parameters) {
  http::Request request =
      make_request("PATCH", resource_path(resource, key.namespace_, key.name, subresource), write_query(parameters));
  set_body(request, patch, kPatchContentTypes[static_cast<std::size_t>(type)]);
  return request;
}

http::Request delete_request(const ResourceRef& resource, const ObjectKey& key, const DeleteParameters& parameters) {
  http::Request request = make_request("DELETE", resource_path(resource, key.namespace_, key.name), {});
  set_body(request, delete_options(parameters), kJson);
  return request;
}

http::Request delete_collection_request(const ResourceRef& resource, std::string_view ns, const ListParameters& which,
                                        const DeleteParameters& parameters) {
  http::Request request = make_request("DELETE", resource_path(resource, ns), list_query(which));
  set_body(request, delete_options(parameters), kJson);
  return request;
}

http::Request raw_get_request(std::string_view path, std::string_view accept) {
  http::Request request = make_request("GET", std::string(path), {});
  request.headers.set("Accept", std::string(accept));
  return request;
}

}  // namespace coracle::kube
