#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kube/apiserver/internal/resource.h"

namespace coracle::kube::apiserver {

enum class Operation : std::uint8_t { Create, Update, Delete, Connect };

struct AdmissionAttributes {
  Operation operation;
  const ResourceDescriptor& resource;
  std::string_view subresource;
  std::string_view namespace_;
  std::string_view name;
  const Identity& who;
  const Object* old = nullptr;  // update and delete
  bool dry_run = false;
  // As the request's path has it: a POST names nothing, whatever its body says.
  std::string_view request_name = {};
};

// A built-in plug-in with upstream's name. Mutating calls run before validating ones; errors are
// answered as they are (Forbidden, Invalid, InternalError). Thread-safe.
class AdmissionPlugin {
 public:
  virtual ~AdmissionPlugin() = default;
  virtual std::string_view name() const = 0;
  // `object` is null for delete and connect.
  virtual Result<void> admit(const Context&, const AdmissionAttributes&, Object* object,
                             std::vector<std::string>& warnings) {
    (void)object, (void)warnings;
    return {};
  }
  virtual Result<void> validate(const Context&, const AdmissionAttributes&, const Object* object,
                                std::vector<std::string>& warnings) {
    (void)object, (void)warnings;
    return {};
  }
};

}  // namespace coracle::kube::apiserver
