#pragma once

#include "kube/schema/schema.h"

// What the generated source gives to schema.cpp.
namespace coracle::kube::internal {

// Sorted by group, version, kind.
std::span<const KindSchema> kind_table();
// Sorted by name.
std::span<const Schema* const> type_table();
// Sorted by type.
std::span<const TypeUnions> union_table();

}  // namespace coracle::kube::internal
