// sprig's dictionary functions. Dictionaries are references: set, unset and the merges change the
// one that they are given.

#include <algorithm>

#include "charts/functions/convert.h"
#include "charts/functions/counted_walk.h"
#include "charts/template/bounded_text.h"
#include "charts/template/evaluator.h"
#include "charts/template/function.h"

namespace coracle::charts {
namespace {

using Output = Result<GoValue>;

bool is_container(const GoValue& value) {
  return value.is_dict() || value.is_list();
}

Output dict_new(const Call& call) {
  auto dict = std::make_shared<GoDict>();
  for (std::size_t i = 0; i < call.size(); i += 2) {
    dict->set(to_text(call[i]), i + 1 < call.size() ? call[i + 1] : GoValue::string(""));
  }
  return GoValue::dict(std::move(dict));
}

Output dict_get(const Call& call) {
  if (call[0].is_nil()) return GoValue::string("");
  const GoValue* found = call[0].as_dict().find(call.text(1));
  return found != nullptr ? *found : GoValue::string("");
}

Output dict_set(const Call& call) {
  if (call[0].is_nil()) return bad_request("assignment to entry in nil map");
  call[0].as_dict().set(call.text(1), call[2]);
  if (is_container(call[2])) call.evaluator.note_container_set(call[0]);
  return call[0];
}

Output dict_unset(const Call& call) {
  if (!call[0].is_nil()) call[0].as_dict().members.erase(call.text(1));
  return call[0];
}

Output dict_has_key(const Call& call) {
  return GoValue::boolean(!call[0].is_nil() && call[0].as_dict().find(call.text(1)) != nullptr);
}

Output dict_pluck(const Call& call) {
  std::vector<GoValue> items;
  for (const GoValue& dict : call.args.subspan(1)) {
    if (dict.is_nil()) continue;
    if (const GoValue* found = dict.as_dict().find(call.text(0))) items.push_back(*found);
  }
  return GoValue::list(std::move(items));
}

// Go answers in random order; ours is sorted so that a rendering can be repeated.
Output dict_keys(const Call& call) {
  std::vector<std::string> keys;
  for (const GoValue& dict : call.args) {
    if (dict.is_nil()) continue;
    if (dict.as_dict().members.size() > kMaxItems - keys.size()) return result_too_large();
    for (const auto& [key, value] : dict.as_dict().members) keys.push_back(key);
  }
  return GoValue::strings(keys);
}

Output dict_values(const Call& call) {
  std::vector<GoValue> items;
  if (!call[0].is_nil()) {
    for (const auto& [key, value] : call[0].as_dict().members) items.push_back(value);
  }
  return GoValue::list(std::move(items));
}

Output dict_pick(const Call& call) {
  auto picked = std::make_shared<GoDict>();
  if (!call[0].is_nil()) {
    for (const GoValue& key : call.args.subspan(1)) {
      if (const GoValue* found = call[0].as_dict().find(key.text())) picked->set(key.text(), *found);
    }
  }
  return GoValue::dict(std::move(picked));
}

Output dict_omit(const Call& call) {
  auto rest = std::make_shared<GoDict>();
  if (!call[0].is_nil()) {
    TRY(call.evaluator.steps().count_items(call[0].as_dict().members.size()));
    rest->members = call[0].as_dict().members;
  }
  for (const GoValue& key : call.args.subspan(1)) rest->members.erase(key.text());
  return GoValue::dict(std::move(rest));
}

// Where `overwrite` is off, what the target holds counts unless it is empty.
Result<void> merge_into(const GoValue& target, const GoValue& source, bool overwrite, const WalkBudget& budget) {
  if (target.node() == source.node()) return {};
  GoDict& into = target.as_dict();
  for (const auto& [key, value] : source.as_dict().members) {
    if (!budget.enter()) return bad_request("the dictionaries are nested too deeply or too large to merge");
    const GoValue* present = into.find(key);
    if (value.is_nil()) {
      if (overwrite) into.set(key, value);
      continue;
    }
    if (present != nullptr && present->is_dict() && value.is_dict() && !is_empty(*present)) {
      TRY(merge_into(GoValue(*present), value, overwrite, budget.inner()));
    } else if (overwrite || present == nullptr || is_empty(*present)) {
      into.set(key, value);
    }
  }
  return {};
}

Output merge_all(const Call& call, bool overwrite) {
  if (call[0].is_nil()) return bad_request("src and dst must not be nil");
  call.evaluator.note_container_set(call[0]);
  return counted_walk<GoValue>(call, kItemsOfCopy, [&](std::size_t& nodes) -> Output {
    for (const GoValue& source : call.args.subspan(1)) {
      if (!source.is_nil()) TRY(merge_into(call[0], source, overwrite, {kMaxDepth, &nodes}));
    }
    return call[0];
  });
}

Output dict_merge(const Call& call) {
  return merge_all(call, false);
}
Output dict_merge_overwrite(const Call& call) {
  return merge_all(call, true);
}

// Go's type assertion: only the plain map type passes.
bool is_plain_dict(const GoValue& value) {
  return value.is_dict() && !value.is_values() && value.as_dict().named == GoDict::Named::None;
}

Output dict_dig(const Call& call) {
  if (call.size() < 3) return bad_request("dig needs at least three arguments");
  constexpr std::string_view kWanted = "map[string]interface {}";
  GoValue value = call[call.size() - 1];
  if (!is_plain_dict(value)) return conversion_error(value, kWanted);
  const std::size_t keys = call.size() - 2;
  for (std::size_t i = 0; i < keys; ++i) {
    if (!call[i].is_string()) return conversion_error(call[i], "string");
  }
  for (std::size_t i = 0; i < keys; ++i) {
    const GoValue* found = value.as_dict().find(call.text(i));
    if (found == nullptr) return call[call.size() - 2];
    const GoValue next = *found;
    if (i + 1 < keys && !is_plain_dict(next)) return conversion_error(next, kWanted);
    value = next;
  }
  return value;
}

constexpr Function kDicts[] = {
    {"dict", "a*", dict_new},
    {"get", "ms", dict_get},
    {"set", "msa", dict_set},
    {"unset", "ms", dict_unset},
    {"hasKey", "ms", dict_has_key},
    {"pluck", "sm*", dict_pluck},
    {"keys", "m*", dict_keys},
    {"values", "m", dict_values},
    {"pick", "ms*", dict_pick},
    {"omit", "ms*", dict_omit},
    {"merge", "mm*", dict_merge},
    {"mustMerge", "mm*", dict_merge},
    {"mergeOverwrite", "mm*", dict_merge_overwrite},
    {"mustMergeOverwrite", "mm*", dict_merge_overwrite},
    {"dig", "a*", dict_dig},
};

}  // namespace

std::span<const Function> dict_functions() {
  return kDicts;
}

}  // namespace coracle::charts
