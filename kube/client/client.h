#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/context.h"
#include "base/result.h"
#include "kube/client/parameters.h"
#include "kube/client/transport.h"
#include "kube/object/object.h"

namespace coracle::kube {

// Typed calls over a transport: builds requests, reads answers, turns Status bodies into Errors.
// Thread-safe; blocks the calling task. The context's identity is who asks. The transport outlives
// the client.
class Client {
 public:
  // `user_agent` goes with every request, and its part before the first slash is the manager of what is written
  // without a field_manager; empty: none.
  explicit Client(Transport& transport, std::string user_agent = {})
      : transport_(transport), user_agent_(std::move(user_agent)) {}

  Result<Object> get(const Context& context, const ResourceRef& resource, const ObjectKey& key) const;
  // One page; `list_all` follows continue tokens until the end.
  Result<ObjectList> list(const Context& context, const ResourceRef& resource, std::string_view ns,
                          const ListParameters& parameters = {}) const;
  Result<ObjectList> list_all(const Context& context, const ResourceRef& resource, std::string_view ns,
                              ListParameters parameters = {}) const;
  Result<Object> create(const Context& context, const ResourceRef& resource, const Object& object,
                        const WriteParameters& parameters = {}) const;
  Result<Object> update(const Context& context, const ResourceRef& resource, const Object& object,
                        const WriteParameters& parameters = {}) const;
  Result<Object> update_status(const Context& context, const ResourceRef& resource, const Object& object,
                               const WriteParameters& parameters = {}) const;
  // PUT to any subresource ("finalize", "scale").
  Result<Object> update_subresource(const Context& context, const ResourceRef& resource, const ObjectKey& key,
                                    std::string_view subresource, const Object& object,
                                    const WriteParameters& parameters = {}) const;
  Result<Object> patch(const Context& context, const ResourceRef& resource, const ObjectKey& key, PatchType type,
                       const Value& patch, const WriteParameters& parameters = {},
                       std::string_view subresource = {}) const;
  // Merges `fields` into the metadata of an object as it was read: Conflict when it has changed since, or is another.
  Result<Object> patch_metadata(const Context& context, const ResourceRef& resource, const Object& read,
                                Value::ObjectBuilder fields, const WriteParameters& parameters = {}) const;
  // Server-side apply; parameters.field_manager must be set.
  Result<Object> apply(const Context& context, const ResourceRef& resource, const Object& object,
                       const WriteParameters& parameters, std::string_view subresource = {}) const;
  // Success also when the object stays because of finalizers. NotFound is an error.
  Result<void> remove(const Context& context, const ResourceRef& resource, const ObjectKey& key,
                      const DeleteParameters& parameters = {}) const;
  Result<void> remove_collection(const Context& context, const ResourceRef& resource, std::string_view ns,
                                 const ListParameters& which = {}, const DeleteParameters& parameters = {}) const;

  // Starts a watch; the answer's body is pulled by the caller (see kube/cache for the usual one).
  Result<std::unique_ptr<http::BodySource>> watch(const Context& context, const ResourceRef& resource,
                                                  std::string_view ns, const ListParameters& parameters) const;

  // The answer's JSON for any absolute path, without query ("/version", "/apis").
  Result<Value> raw_get(const Context& context, std::string_view path,
                        std::string_view accept = "application/json") const;

  Transport& transport() const { return transport_; }

 private:
  // `omit`: see json::ReadOptions.
  Result<Value> exchange(const Context& context, http::Request request, std::string_view omit = {}) const;
  Result<Object> exchange_object(const Context& context, http::Request request) const;
  Result<http::Response> send(const Context& context, http::Request request) const;

  Transport& transport_;
  const std::string user_agent_;
};

// The error that an HTTP answer stands for: its Status body, or the code alone.
Error error_from_response(const http::Response& response);

}  // namespace coracle::kube
