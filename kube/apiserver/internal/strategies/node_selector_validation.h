#pragma once

#include "kube/apiserver/resource.h"
#include "kube/object/field_path.h"

namespace coracle::kube::apiserver {

// May the values of expressions be what no label can have? Yes where such a selector was stored already.
enum class SelectorValues : bool { Labels, Any };

// A core/v1 NodeSelector: its terms with expressions over labels and over fields.
void check_node_selector(const Value& selector, const FieldPath& path, SelectorValues values, FieldErrors& errors);

// Does a term compare a label with what no label can have?
bool has_invalid_label_value(const Value& selector);

}  // namespace coracle::kube::apiserver
