// sprig's defaults, flow control and reflection.

#include <algorithm>

#include "charts/functions/convert.h"
#include "charts/functions/counted_walk.h"
#include "charts/template/function.h"

namespace coracle::charts {
namespace {

using Output = Result<GoValue>;

Output default_value(const Call& call) {
  return call.size() < 2 || is_empty(call[1]) ? call[0] : call[1];
}

Output default_coalesce(const Call& call) {
  const auto found = std::find_if(call.args.begin(), call.args.end(), [](const GoValue& v) { return !is_empty(v); });
  return found != call.args.end() ? *found : GoValue();
}

Output default_all(const Call& call) {
  return GoValue::boolean(std::none_of(call.args.begin(), call.args.end(), is_empty));
}

Output default_any(const Call& call) {
  return GoValue::boolean(!std::all_of(call.args.begin(), call.args.end(), is_empty));
}

std::string type_of(const GoValue& value) {
  return value.is_nil() ? "<nil>" : value.type_name();
}

Output default_type_is_like(const Call& call) {
  const std::string type = type_of(call[1]);
  return GoValue::boolean(call.text(0) == type || "*" + call.text(0) == type);
}

Output default_deep_copy(const Call& call) {
  return counted_walk<GoValue>(call, kItemsOfCopy, [&](std::size_t& nodes) { return deep_copy(call[0], nodes); });
}

Output default_deep_equal(const Call& call) {
  ASSIGN_OR_RETURN(const bool same, counted_equal(call, call[0], call[1]));
  return GoValue::boolean(same);
}

constexpr Function kDefaults[] = {
    {"default", "aa*", default_value},
    {"empty", "a", [](const Call& c) -> Output { return GoValue::boolean(is_empty(c[0])); }},
    {"coalesce", "a*", default_coalesce},
    {"all", "a*", default_all},
    {"any", "a*", default_any},
    {"ternary", "aab", [](const Call& c) -> Output { return c[2].as_bool() ? c[0] : c[1]; }},
    {"deepCopy", "a", default_deep_copy},
    {"mustDeepCopy", "a", default_deep_copy},
    {"deepEqual", "aa", default_deep_equal},
    {"typeOf", "a", [](const Call& c) -> Output { return GoValue::string(type_of(c[0])); }},
    {"typeIs", "sa", [](const Call& c) -> Output { return GoValue::boolean(c.text(0) == type_of(c[1])); }},
    {"typeIsLike", "sa", default_type_is_like},
    {"kindOf", "a", [](const Call& c) -> Output { return GoValue::string(std::string(c[0].kind_name())); }},
    {"kindIs", "sa", [](const Call& c) -> Output { return GoValue::boolean(c.text(0) == c[1].kind_name()); }},
};

}  // namespace

std::span<const Function> default_functions() {
  return kDefaults;
}

}  // namespace coracle::charts
