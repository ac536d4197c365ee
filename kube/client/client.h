#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "kube/client/transport.h"
#include "kube/object/object.h"

namespace coracle::kube {

// What a caller must know to build a resource's path.
struct ResourceRef {
  GroupVersionResource gvr;
  std::string kind;
  bool namespaced = true;
};

struct ListParameters {
  std::string label_selector;
  std::string field_selector;
  std::string resource_version;
  std::string resource_version_match;
  std::int64_t limit = 0;
  std::string continue_token;
};

struct ObjectList {
  std::string resource_version;
  std::string continue_token;
  std::vector<Object> items;
};

struct WriteParameters {
  std::string field_manager;
  std::string field_validation;   // "", "Ignore", "Warn", "Strict"
  bool dry_run = false;
};

struct DeleteParameters {
  std::string propagation;        // "", "Foreground", "Background", "Orphan"
  std::optional<std::int64_t> grace_period_seconds;
  std::string uid;                // precondition
  std::string resource_version;   // precondition
  bool dry_run = false;
};

enum class PatchType : std::uint8_t { Json, Merge, Strategic, Apply };

// Pure: builds requests, sends nothing. Used by Client and by tests.
class RequestBuilder {
 public:
  static std::string path(const ResourceRef& resource, std::string_view ns, std::string_view name = {},
                          std::string_view subresource = {});
};

// Typed calls over a transport: builds requests, reads answers, turns Status bodies into Errors.
// Thread-safe; blocks the calling task. The context's identity is who asks.
class Client {
 public:
  explicit Client(Transport& transport) : transport_(transport) {}

  Result<Object> get(const Context&, const ResourceRef&, const ObjectKey&) const;
  Result<ObjectList> list(const Context&, const ResourceRef&, std::string_view ns, const ListParameters& = {}) const;
  Result<Object> create(const Context&, const ResourceRef&, const Object&, const WriteParameters& = {}) const;
  Result<Object> update(const Context&, const ResourceRef&, const Object&, const WriteParameters& = {}) const;
  Result<Object> update_status(const Context&, const ResourceRef&, const Object&, const WriteParameters& = {}) const;
  // PUT or POST to any subresource ("finalize", "token", "scale", "binding").
  Result<Object> update_subresource(const Context&, const ResourceRef&, const ObjectKey&, std::string_view subresource,
                                    const Object&, const WriteParameters& = {}) const;
  Result<Object> create_subresource(const Context&, const ResourceRef&, const ObjectKey&, std::string_view subresource,
                                    const Object&, const WriteParameters& = {}) const;
  Result<Object> patch(const Context&, const ResourceRef&, const ObjectKey&, PatchType, const Value& patch,
                       const WriteParameters& = {}, std::string_view subresource = {}) const;
  // Server-side apply. `force` takes fields from other managers.
  Result<Object> apply(const Context&, const ResourceRef&, const Object&, std::string_view field_manager, bool force,
                       bool dry_run = false, std::string_view subresource = {}) const;
  // Success also when the object stays because of finalizers. NotFound is an error.
  Result<void> remove(const Context&, const ResourceRef&, const ObjectKey&, const DeleteParameters& = {}) const;
  Result<void> remove_collection(const Context&, const ResourceRef&, std::string_view ns, const ListParameters& = {},
                                 const DeleteParameters& = {}) const;

  // The answer's JSON for any absolute path, without query ("/version", "/apis").
  Result<Value> raw_get(const Context&, std::string_view path, std::string_view accept = "application/json") const;

  Transport& transport() const { return transport_; }

 private:
  Transport& transport_;
};

// The error that an HTTP answer stands for: its Status body, or the code alone.
Error error_from_response(const http::Response& response);

}  // namespace coracle::kube
