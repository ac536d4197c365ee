#pragma once

#include "kube/apiserver/internal/strategies/field_check.h"

namespace coracle::kube::apiserver {

// May the values of expressions be what no label can have? Yes where such a selector was stored already.
enum class SelectorValues : bool { Labels, Any };

// A core/v1 NodeSelector: its terms with expressions over labels and over fields. `old`: the stored one, null if there
// is none.
void check_node_selector(const FieldCheck& selector, const Value& old = {});
void check_node_selector_term(const FieldCheck& term, SelectorValues values);

}  // namespace coracle::kube::apiserver
