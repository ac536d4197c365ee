#pragma once

#include <span>
#include <string_view>

#include "base/clock.h"
#include "kube/schema/internal/struct_draft.h"
#include "kube/schema/schema.h"

namespace coracle::kube::internal {

// A default that depends on other fields. Runs after the structure's own constant defaults and before those of the
// structures in it.
using DefaultHook = void (*)(StructDraft& draft, WallTime now);

struct DefaultHookRow {
  std::string_view type;
  DefaultHook hook;
};

// Hooks of core/v1.
std::span<const DefaultHookRow> core_default_hooks();
// Hooks of all other groups.
std::span<const DefaultHookRow> group_default_hooks();

// The hook of a structure, or nullptr.
DefaultHook find_default_hook(const Schema& schema);

// The schema of a field's structure, of its items for a list.
const Schema& field_schema(const Schema& owner, std::string_view field);

}  // namespace coracle::kube::internal
