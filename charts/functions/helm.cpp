// Helm's own functions, and the table of all.

#include <algorithm>
#include <unordered_map>

#include "charts/functions/convert.h"
#include "charts/template/evaluator.h"
#include "charts/template/failure.h"
#include "charts/template/function.h"

namespace coracle::charts {
namespace {

using Output = Result<GoValue>;

Output helm_include(const Call& call) {
  ASSIGN_OR_RETURN(std::string out, call.evaluator.include(call.text(0), call[1]));
  return GoValue::string(std::move(out));
}

Output helm_tpl(const Call& call) {
  ASSIGN_OR_RETURN(std::string out, call.evaluator.render_text(call.text(0), call[1]));
  return GoValue::string(std::move(out));
}

Output helm_required(const Call& call) {
  const bool missing = call[1].is_nil() || (call[1].is_string() && call.text(1).empty());
  if (missing) return chart_failure(call.text(0));
  return call[1];
}

Output helm_fail(const Call& call) {
  return chart_failure(call.text(0));
}

Output helm_lookup(const Call& call) {
  const LookupFunction& lookup = call.evaluator.environment().lookup;
  if (!lookup) return GoValue::dict();
  ASSIGN_OR_RETURN(const Value found, lookup(call.text(0), call.text(1), call.text(2), call.text(3)));
  if (found.is_null()) return GoValue::dict();
  // The API's objects keep integers apart from floats.
  return GoValue::from_value(found);
}

// Helm resolves names only where its user allows it, which HelmChart cannot say.
Output helm_host(const Call&) {
  return GoValue::string("");
}

constexpr Function kHelm[] = {
    {"include", "sa", helm_include}, {"tpl", "sa", helm_tpl},         {"required", "sa", helm_required},
    {"fail", "s", helm_fail},        {"lookup", "ssss", helm_lookup}, {"getHostByName", "s", helm_host},
};

Output not_supported(const Call&) {
  return unsupported("this function is not supported by the chart engine");
}

// Functions that exist in Helm: a chart that calls one parses, and fails by its name when it gets there.
constexpr Function kUnsupported[] = {
    {"encryptAES", "ss", not_supported},
    {"decryptAES", "ss", not_supported},
    {"derivePassword", "issss", not_supported},
    {"fromToml", "s", not_supported},
};

using FunctionIndex = std::unordered_map<std::string_view, const Function*>;

FunctionIndex make_index() {
  FunctionIndex index;
  // What comes first counts: Helm's functions replace sprig's, sprig's replace Go's.
  for (const auto& table : {chart_functions(), encoding_functions(), string_functions(), list_functions(),
                            dict_functions(), number_functions(), default_functions(), date_functions(),
                            crypto_functions(), text_functions(), builtin_functions(), unsupported_functions()}) {
    for (const Function& function : table) index.emplace(function.name, &function);
  }
  return index;
}

}  // namespace

std::span<const Function> chart_functions() {
  return kHelm;
}
std::span<const Function> unsupported_functions() {
  return kUnsupported;
}

const Function* find_function(std::string_view name) {
  static const FunctionIndex kIndex = make_index();
  const auto found = kIndex.find(name);
  return found == kIndex.end() ? nullptr : found->second;
}

}  // namespace coracle::charts
