#include "charts/template.h"
#include "charts/template/evaluator.h"
#include "charts/template/go_quote.h"
#include "charts/template/parser.h"

namespace coracle::charts {

TemplateSet::TemplateSet() : scope_(std::make_unique<TemplateScope>()) {}
TemplateSet::~TemplateSet() = default;
TemplateSet::TemplateSet(TemplateSet&&) noexcept = default;
TemplateSet& TemplateSet::operator=(TemplateSet&&) noexcept = default;

Result<void> TemplateSet::add(std::string name, std::string text) {
  ASSIGN_OR_RETURN(auto file, parse_template(std::move(name), std::move(text)));
  scope_->add(std::move(file));
  return {};
}

bool TemplateSet::contains(std::string_view name) const {
  return scope_->find(name) != nullptr;
}

Result<std::string> TemplateSet::execute(std::string_view name, const Value& data,
                                         const TemplateEnvironment& environment) const {
  const Definition* definition = scope_->find(name);
  if (definition == nullptr) return bad_request("template: no template " + go_quote(name) + " in the set");
  Evaluator evaluator(*scope_, environment);
  return evaluator.execute(*definition, GoValue::from_value(data));
}

}  // namespace coracle::charts
