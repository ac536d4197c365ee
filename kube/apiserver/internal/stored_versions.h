#pragma once

#include <string>

#include "base/result.h"
#include "base/value.h"
#include "kube/apiserver/internal/resource.h"

namespace coracle::kube::apiserver {

// Reads what the store holds of a built-in resource: JSON or protobuf, in the version that is written now, in one that
// is served beside it, or in an older one that this server still knows the shape of. `schema` is that of the version
// that is written now.
//
// The result has the fields of the version that its apiVersion names where resource.convert knows that version, else
// those of the version that is written now; it is neither canonical nor has it defaults. Corrupt for a version whose
// shape nobody knows here: reading it as another would show, and with the next write keep, something else than was
// stored.
Result<Value> read_builtin(const std::string& stored, const ResourceDescriptor& resource, const Schema* schema);

// Of a stored value that is not even JSON. What k3s with --secrets-encryption has written begins with
// "k8s:enc:aescbc:v1:<key>:" and is told so.
Error unreadable(const std::string& stored, const Error& error);

}  // namespace coracle::kube::apiserver
