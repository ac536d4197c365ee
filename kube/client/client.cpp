#include "kube/client/client.h"

#include <utility>

#include "base/json/json.h"
#include "base/utf8.h"
#include "kube/client/request_builder.h"
#include "kube/object/status.h"

namespace coracle::kube {
namespace {

// A page of list_all: large enough for few calls, small enough for a bounded answer.
constexpr std::int64_t kPageSize = 500;

ObjectList read_list(const Value& tree) {
  ObjectList list;
  list.resource_version = tree["metadata"]["resourceVersion"].as_string();
  list.continue_token = tree["metadata"]["continue"].as_string();
  // Items of typed lists carry no kind of their own; readers of single objects expect it.
  const std::string_view api_version = tree["apiVersion"].as_string();
  std::string_view kind = tree["kind"].as_string();
  if (kind.ends_with("List")) kind.remove_suffix(4);
  list.items.reserve(tree["items"].size());
  for (const Value& item : tree["items"].items()) {
    if (item["kind"].is_string()) {
      list.items.emplace_back(item);
      continue;
    }
    Value::ObjectBuilder object;
    object.append("kind", kind).append("apiVersion", api_version);
    for (const Value::Member& member : item.members()) object.set(member.key, member.value);
    list.items.emplace_back(std::move(object).build());
  }
  return list;
}

}  // namespace

Error error_from_response(const http::Response& response) {
  const std::string text = response.body_text();
  if (Result<Value> body = json::read(text); body.ok() && (*body)["kind"].as_string() == "Status") {
    return error_from_status(*body);
  }
  constexpr std::size_t kMaxQuoted = 200;
  return Error(Reason::Unknown, "the server answered " + std::to_string(response.status) + ": " +
                                    std::string(truncate_utf8(text, kMaxQuoted)))
      .with_code(response.status);
}

Result<http::Response> Client::send(const Context& context, http::Request request) const {
  if (!user_agent_.empty()) request.headers.set("User-Agent", user_agent_);
  return transport_.send(context, request);
}

Result<Value> Client::exchange(const Context& context, http::Request request, std::string_view omit) const {
  ASSIGN_OR_RETURN(http::Response response, send(context, std::move(request)));
  if (response.status < 200 || response.status >= 300) return error_from_response(response);
  return json::read(response.body_text(), {.omit = omit});
}

Result<Object> Client::exchange_object(const Context& context, http::Request request) const {
  ASSIGN_OR_RETURN(Value tree, exchange(context, std::move(request)));
  return Object(std::move(tree));
}

Result<Object> Client::get(const Context& context, const ResourceRef& resource, const ObjectKey& key) const {
  return exchange_object(context, get_request(resource, key));
}

Result<ObjectList> Client::list(const Context& context, const ResourceRef& resource, std::string_view ns,
                                const ListParameters& parameters) const {
  const std::string_view omit = parameters.without_managed_fields ? "items.metadata.managedFields" : "";
  ASSIGN_OR_RETURN(Value tree, exchange(context, list_request(resource, ns, parameters), omit));
  return read_list(tree);
}

Result<ObjectList> Client::list_all(const Context& context, const ResourceRef& resource, std::string_view ns,
                                    ListParameters parameters) const {
  parameters.limit = kPageSize;
  ObjectList all;
  do {
    ASSIGN_OR_RETURN(ObjectList page, list(context, resource, ns, parameters));
    all.resource_version = page.resource_version;
    std::move(page.items.begin(), page.items.end(), std::back_inserter(all.items));
    parameters.continue_token = page.continue_token;
    parameters.resource_version.clear();
    parameters.resource_version_match.clear();
  } while (!parameters.continue_token.empty());
  return all;
}

Result<Object> Client::create(const Context& context, const ResourceRef& resource, const Object& object,
                              const WriteParameters& parameters) const {
  return exchange_object(context, create_request(resource, object.key(), {}, object, parameters));
}

Result<Object> Client::update(const Context& context, const ResourceRef& resource, const Object& object,
                              const WriteParameters& parameters) const {
  return exchange_object(context, update_request(resource, object.key(), {}, object, parameters));
}

Result<Object> Client::update_status(const Context& context, const ResourceRef& resource, const Object& object,
                                     const WriteParameters& parameters) const {
  return exchange_object(context, update_request(resource, object.key(), "status", object, parameters));
}

Result<Object> Client::update_subresource(const Context& context, const ResourceRef& resource, const ObjectKey& key,
                                          std::string_view subresource, const Object& object,
                                          const WriteParameters& parameters) const {
  return exchange_object(context, update_request(resource, key, subresource, object, parameters));
}

Result<Object> Client::patch(const Context& context, const ResourceRef& resource, const ObjectKey& key, PatchType type,
                             const Value& patch, const WriteParameters& parameters,
                             std::string_view subresource) const {
  return exchange_object(context, patch_request(resource, key, subresource, type, patch, parameters));
}

Result<Object> Client::patch_metadata(const Context& context, const ResourceRef& resource, const Object& read,
                                      Value::ObjectBuilder fields, const WriteParameters& parameters) const {
  fields.set("uid", read.uid()).set("resourceVersion", read.resource_version());
  return patch(context, resource, read.key(), PatchType::Merge,
               Value::object({{"metadata", std::move(fields).build()}}), parameters);
}

Result<Object> Client::apply(const Context& context, const ResourceRef& resource, const Object& object,
                             const WriteParameters& parameters, std::string_view subresource) const {
  return patch(context, resource, object.key(), PatchType::Apply, object.tree(), parameters, subresource);
}

Result<void> Client::remove(const Context& context, const ResourceRef& resource, const ObjectKey& key,
                            const DeleteParameters& parameters) const {
  TRY(exchange(context, delete_request(resource, key, parameters)));
  return {};
}

Result<void> Client::remove_collection(const Context& context, const ResourceRef& resource, std::string_view ns,
                                       const ListParameters& which, const DeleteParameters& parameters) const {
  TRY(exchange(context, delete_collection_request(resource, ns, which, parameters)));
  return {};
}

Result<std::unique_ptr<http::BodySource>> Client::watch(const Context& context, const ResourceRef& resource,
                                                        std::string_view ns, const ListParameters& parameters) const {
  ASSIGN_OR_RETURN(http::Response response, send(context, watch_request(resource, ns, parameters)));
  if (response.status != 200) return error_from_response(response);
  if (!response.source) return internal_error("the answer to a watch has no stream");
  return std::move(response.source);
}

Result<Value> Client::raw_get(const Context& context, std::string_view path, std::string_view accept) const {
  return exchange(context, raw_get_request(path, accept));
}

}  // namespace coracle::kube
