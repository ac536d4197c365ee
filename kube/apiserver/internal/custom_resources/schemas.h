#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/value.h"
#include "kube/apiserver/internal/stored_object.h"
#include "kube/object/object.h"
#include "kube/schema/crd_schema.h"

namespace coracle::kube::apiserver {

// The schemas of the versions that one definition serves or stores. Kept are only the bytes that caches hold anyway: a
// schema is compiled when it is first asked for, since clusters have hundreds of definitions and use a few.
// Thread-safe.
class DefinitionSchemas {
 public:
  explicit DefinitionSchemas(const Object& definition, StoredObjectPtr stored);

  // A later revision of the definition with the same spec.
  void set_source(StoredObjectPtr stored);

  // Of a version ("example.com/v1"); null when objects are neither served nor stored in it. Schemas that cannot be
  // compiled keep everything; the definition's rules make sure that there are none.
  const Schema* find(std::string_view api_version) const;

  // openAPIV3Schema of a version ("v1") as it was given; read at every call.
  Value published(std::string_view version) const;

 private:
  struct Version {
    std::string name;
    std::once_flag once;
    std::shared_ptr<const CompiledSchema> compiled;
  };

  const bool keeps_unknown_;
  mutable std::mutex mutex_;
  StoredObjectPtr source_;
  mutable std::map<std::string, Version, std::less<>> versions_;  // by apiVersion; the keys never change
};

}  // namespace coracle::kube::apiserver
