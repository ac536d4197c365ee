#include "kube/schema/internal/pattern.h"

#include <re2/re2.h>

namespace coracle::kube::internal {

struct Pattern::Compiled {
  Compiled(std::string_view text, const re2::RE2::Options& options)
      : expression(re2::StringPiece(text.data(), text.size()), options) {}
  re2::RE2 expression;
};

Pattern::Pattern(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Pattern::~Pattern() = default;

Result<std::unique_ptr<const Pattern>> Pattern::compile(std::string_view text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxMemory);
  auto compiled = std::make_unique<Compiled>(text, options);
  if (!compiled->expression.ok()) {
    return bad_request("error parsing regexp: " + compiled->expression.error());
  }
  return std::unique_ptr<const Pattern>(std::make_unique<Pattern>(std::move(compiled)));
}

std::unique_ptr<const Pattern> Pattern::known(std::string_view text) {
  return compile(text).value();
}

bool Pattern::matches(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), compiled_->expression);
}

}  // namespace coracle::kube::internal
