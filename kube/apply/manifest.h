#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/yaml/yaml.h"
#include "kube/object/object.h"

namespace coracle::kube {

// Reads the objects of a manifest: YAML documents or JSON, `List` kinds expanded, empty documents
// left out. One bad document fails the whole text; the error names the document and its line
// ("document 2 (line 14): ..."). Items of a list that name no kind are of the list's: "ConfigMap" in a "ConfigMapList".
Result<std::vector<Object>> parse_manifest(std::string_view text, const yaml::ReadOptions& options = {});

// The object with the namespace that it is applied in: "default" where it names none, none where its kind has none.
Object placed_for_apply(const Object& object, bool namespaced);
// The rank at which a kind is applied: definitions and namespaces before what stands in them,
// webhooks last (Flux's order). Objects of equal rank go by namespace and name.
int apply_rank(std::string_view kind);
void sort_for_apply(std::vector<Object>& objects);

// Whether others must be ready before the rest is applied: 1 CustomResourceDefinition, Namespace and
// ClusterRole, 2 kinds that end in "Class", 3 everything else.
int apply_stage(std::string_view group, std::string_view kind);

}  // namespace coracle::kube
