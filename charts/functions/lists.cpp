// sprig's list functions.

#include <algorithm>

#include "charts/functions/convert.h"
#include "charts/functions/counted_walk.h"
#include "charts/template/bounded_text.h"
#include "charts/template/function.h"

namespace coracle::charts {
namespace {

using Output = Result<GoValue>;

GoValue nil_list() {
  return GoValue::list();
}

std::vector<GoValue> arguments(const Call& call) {
  std::vector<GoValue> items(call.args.begin(), call.args.end());
  return items;
}

Output list_new(const Call& call) {
  return GoValue::list(arguments(call));
}

Output list_append(const Call& call) {
  ASSIGN_OR_RETURN(const GoList* list, list_argument(call[0], "push"));
  std::vector<GoValue> items;
  items.reserve(list->items.size() + 1);
  items.insert(items.end(), list->items.begin(), list->items.end());
  items.push_back(call[1]);
  return GoValue::list(std::move(items));
}

Output list_prepend(const Call& call) {
  ASSIGN_OR_RETURN(const GoList* list, list_argument(call[0], "prepend"));
  std::vector<GoValue> items = {call[1]};
  items.insert(items.end(), list->items.begin(), list->items.end());
  return GoValue::list(std::move(items));
}

Output list_first(const Call& call) {
  ASSIGN_OR_RETURN(const GoList* list, list_argument(call[0], "find first"));
  return list->items.empty() ? GoValue() : list->items.front();
}

Output list_last(const Call& call) {
  ASSIGN_OR_RETURN(const GoList* list, list_argument(call[0], "find last"));
  return list->items.empty() ? GoValue() : list->items.back();
}

Output list_rest(const Call& call) {
  ASSIGN_OR_RETURN(const GoList* list, list_argument(call[0], "find rest"));
  if (list->items.empty()) return nil_list();
  return GoValue::list({list->items.begin() + 1, list->items.end()});
}

Output list_initial(const Call& call) {
  ASSIGN_OR_RETURN(const GoList* list, list_argument(call[0], "find initial"));
  if (list->items.empty()) return nil_list();
  return GoValue::list({list->items.begin(), list->items.end() - 1});
}

Output list_reverse(const Call& call) {
  ASSIGN_OR_RETURN(const GoList* list, list_argument(call[0], "find reverse"));
  return GoValue::list({list->items.rbegin(), list->items.rend()});
}

Output list_compact(const Call& call) {
  ASSIGN_OR_RETURN(const GoList* list, list_argument(call[0], "compact"));
  TRY(call.evaluator.steps().count_items(list->items.size()));
  std::vector<GoValue> items;
  std::copy_if(list->items.begin(), list->items.end(), std::back_inserter(items),
               [](const GoValue& item) { return !is_empty(item); });
  return GoValue::list(std::move(items));
}

Result<bool> holds(const Call& call, std::span<const GoValue> items, const GoValue& wanted) {
  for (const GoValue& item : items) {
    ASSIGN_OR_RETURN(const bool same, counted_equal(call, item, wanted));
    if (same) return true;
  }
  return false;
}

Output list_uniq(const Call& call) {
  ASSIGN_OR_RETURN(const GoList* list, list_argument(call[0], "find uniq"));
  std::vector<GoValue> items;
  for (const GoValue& item : list->items) {
    ASSIGN_OR_RETURN(const bool known, holds(call, items, item));
    if (!known) items.push_back(item);
  }
  return GoValue::list(std::move(items));
}

Output list_without(const Call& call) {
  ASSIGN_OR_RETURN(const GoList* list, list_argument(call[0], "find without"));
  std::vector<GoValue> items;
  for (const GoValue& item : list->items) {
    ASSIGN_OR_RETURN(const bool unwanted, holds(call, call.args.subspan(1), item));
    if (!unwanted) items.push_back(item);
  }
  return GoValue::list(std::move(items));
}

Output list_has(const Call& call) {
  if (call[1].is_nil()) return GoValue::boolean(false);
  ASSIGN_OR_RETURN(const GoList* list, list_argument(call[1], "find has"));
  ASSIGN_OR_RETURN(const bool found, holds(call, list->items, call[0]));
  return GoValue::boolean(found);
}

Output list_slice(const Call& call) {
  ASSIGN_OR_RETURN(const GoList* list, list_argument(call[0], "slice"));
  const auto size = static_cast<std::int64_t>(list->items.size());
  if (size == 0) return nil_list();
  const std::int64_t start = call.size() > 1 ? to_integer(call[1]) : 0;
  const std::int64_t end = call.size() > 2 ? to_integer(call[2]) : size;
  if (start < 0 || end > size || start > end) return bad_request("reflect.Value.Slice: slice index out of bounds");
  auto part = std::make_shared<GoList>();
  part->element = list->element;
  part->items.assign(list->items.begin() + start, list->items.begin() + end);
  return GoValue::list(std::move(part));
}

Output list_concat(const Call& call) {
  std::vector<GoValue> items;
  for (const GoValue& arg : call.args) {
    if (arg.is_nil()) return nil_dereference();
    if (!arg.is_list()) return bad_request("Cannot concat type " + std::string(arg.kind_name()) + " as list");
    if (arg.as_list().items.size() > kMaxItems - items.size()) return result_too_large();
    items.insert(items.end(), arg.as_list().items.begin(), arg.as_list().items.end());
  }
  return GoValue::list(std::move(items));
}

Output list_chunk(const Call& call) {
  ASSIGN_OR_RETURN(const GoList* list, list_argument(call[1], "chunk"));
  if (call.integer(0) < 1) return bad_request("the size of a chunk must be at least 1");
  const auto size = static_cast<std::size_t>(call.integer(0));
  std::vector<GoValue> chunks;
  for (std::size_t at = 0; at < list->items.size(); at += size) {
    const std::size_t end = std::min(at + size, list->items.size());
    chunks.push_back(GoValue::list({list->items.begin() + static_cast<std::ptrdiff_t>(at),
                                    list->items.begin() + static_cast<std::ptrdiff_t>(end)}));
  }
  return GoValue::list(std::move(chunks));
}

constexpr Function kLists[] = {
    {"list", "a*", list_new},          {"tuple", "a*", list_new},
    {"append", "aa", list_append},     {"push", "aa", list_append},
    {"mustAppend", "aa", list_append}, {"mustPush", "aa", list_append},
    {"prepend", "aa", list_prepend},   {"mustPrepend", "aa", list_prepend},
    {"first", "a", list_first},        {"mustFirst", "a", list_first},
    {"last", "a", list_last},          {"mustLast", "a", list_last},
    {"rest", "a", list_rest},          {"mustRest", "a", list_rest},
    {"initial", "a", list_initial},    {"mustInitial", "a", list_initial},
    {"reverse", "a", list_reverse},    {"mustReverse", "a", list_reverse},
    {"compact", "a", list_compact},    {"mustCompact", "a", list_compact},
    {"uniq", "a", list_uniq},          {"mustUniq", "a", list_uniq},
    {"without", "aa*", list_without},  {"mustWithout", "aa*", list_without},
    {"has", "aa", list_has},           {"mustHas", "aa", list_has},
    {"slice", "aa*", list_slice},      {"mustSlice", "aa*", list_slice},
    {"concat", "a*", list_concat},     {"chunk", "ia", list_chunk},
    {"mustChunk", "ia", list_chunk},
};

}  // namespace

std::span<const Function> list_functions() {
  return kLists;
}

}  // namespace coracle::charts
