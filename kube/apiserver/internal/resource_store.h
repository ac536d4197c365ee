#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "kube/apiserver/internal/resource.h"
#include "kube/apiserver/internal/stored_object.h"

namespace coracle::kube::apiserver {

// The field manager of what the server itself writes.
inline constexpr std::string_view kOwnManager = "kube-apiserver";

// What a write is about and how it is to be done.
struct WriteRequest {
  const Context& context;
  const ResourceDescriptor& resource;  // of the version that the caller speaks
  std::string namespace_;              // empty for cluster-scoped resources
  std::string name;                    // empty: from the object, or generateName
  std::string subresource;             // "status", "scale", ... as strategies and managedFields see it
  std::string field_manager = "unknown";
  bool dry_run = false;
  bool admission = true;  // false: the server's own writes
  std::vector<std::string>* warnings = nullptr;
  std::string request_name = {};  // in the path of the request; a POST has none
};

// What the object must be now. An empty text is a wish too, which no object fulfils.
struct Preconditions {
  std::optional<std::string> uid;
  std::optional<std::string> resource_version;
};

// The wish that an object with a field of metadata, empty where it is not set, speaks for.
inline std::optional<std::string> if_set(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

struct UpdateOptions {
  Preconditions preconditions;
  bool create_if_missing = false;  // and the strategy allows it (PUT), or apply
  // Asked before such an object is stored: the right to update is none to create.
  std::function<Result<void>()> authorize_create = {};
  // False when `change` computed managedFields itself (apply), or when nobody owns what it writes (a pod's binding).
  bool tracks_managed_fields = true;
  bool patched = false;       // `change` is a PATCH
  bool skip_prepare = false;  // the change is final already (finalizer removal, pod binding)
  // How often a lost write runs `change` again when the caller named no resourceVersion.
  unsigned retries = 5;
};

struct WriteResult {
  StoredObjectPtr object;  // as it is now, or was when it was deleted
  bool created = false;
  bool deleted = false;  // the last finalizer went
};

struct DeleteOptions {
  std::optional<std::int64_t> grace_period_seconds;
  std::optional<std::string> propagation;  // "Foreground", "Background", "Orphan"; else the strategy's
  std::optional<bool> orphan_dependents;
  Preconditions preconditions;
};

struct DeleteResult {
  StoredObjectPtr object;
  bool gone = false;  // false: stays because of finalizers or a grace period
};

// Turns the current object (null when there is none) into the wanted one, in the version of
// WriteRequest::resource. May run several times.
using Change = std::function<Result<Object>(const Object* current)>;

// The generic registry: what create, update and delete mean for every resource, over caches and the
// store. Authorization is the caller's business; admission belongs here. Thread-safe.
class ResourceStore {
 public:
  virtual ~ResourceStore() = default;

  // The newest state; nothing when it does not exist. Objects are in the storage version.
  virtual Result<StoredObjectPtr> find(const Context& context, const ResourceDescriptor& resource, std::string_view ns,
                                       std::string_view name) = 0;
  // The same as a tree, NotFound when it does not exist.
  virtual Result<Object> get(const Context& context, const ResourceDescriptor& resource, std::string_view ns,
                             std::string_view name) = 0;
  // All objects of the resource in a namespace (all when empty), by key.
  virtual Result<std::vector<StoredObjectPtr>> list(const Context& context, const ResourceDescriptor& resource,
                                                    std::string_view ns) = 0;
  // Grows with every change of the resource: caches built from list() are fresh while it stands still.
  virtual Result<store::Revision> last_change(const Context& context, const ResourceDescriptor& resource) = 0;

  virtual Result<WriteResult> create(const WriteRequest& write, Object object) = 0;
  virtual Result<WriteResult> update(const WriteRequest& write, const UpdateOptions& options, const Change& change) = 0;
  virtual Result<DeleteResult> remove(const WriteRequest& write, const DeleteOptions& options) = 0;
};

// `pods "x" not found` and its like; details name the resource.
Error not_found(const ResourceDescriptor& resource, std::string_view name);
Error forbidden(const ResourceDescriptor& resource, std::string_view name, std::string_view why);
Error already_exists(const ResourceDescriptor& resource, std::string_view name);
Error conflict(const ResourceDescriptor& resource, std::string_view name, std::string_view message);
// `Kind.group "name" is invalid: ...` with one cause per entry.
Error invalid(const GroupVersionKind& gvk, std::string_view name, const FieldErrors& errors);

}  // namespace coracle::kube::apiserver
