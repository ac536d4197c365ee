#pragma once

#include <memory>
#include <string_view>

#include "base/value.h"
#include "kube/apiserver/internal/resource.h"

// What `kubectl get` shows: columns and cells of every resource.
// https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
namespace coracle::kube::apiserver {

// The columns of a built-in resource; the default ones (name and creation time) where it has none of
// its own. Null for resources that are not objects (reviews, bindings).
std::shared_ptr<const TableConvertor> builtin_table(std::string_view group, std::string_view resource);

// The columns of a custom resource: its name and what additionalPrinterColumns lists, or its age where
// that lists nothing. Columns whose JSONPath cannot be read stay empty.
std::shared_ptr<const TableConvertor> custom_table(const Value& printer_columns);

}  // namespace coracle::kube::apiserver
