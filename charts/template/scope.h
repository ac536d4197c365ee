#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "charts/template/node.h"

namespace coracle::charts {

// The names that templates can call. What is added later replaces what was there, unless it is
// blank. An overlay sees its parent's names and keeps its own to itself.
class TemplateScope {
 public:
  TemplateScope() = default;
  explicit TemplateScope(const TemplateScope& parent, std::shared_ptr<const ParsedFile> file) : parent_(&parent) {
    add(std::move(file));
  }
  TemplateScope(const TemplateScope&) = delete;
  TemplateScope& operator=(const TemplateScope&) = delete;
  TemplateScope(TemplateScope&&) = default;
  TemplateScope& operator=(TemplateScope&&) = default;

  void add(std::shared_ptr<const ParsedFile> file) {
    for (const Definition& definition : file->definitions) {
      const auto found = definitions_.find(definition.name);
      if (found == definitions_.end()) {
        definitions_.emplace(definition.name, &definition);
      } else if (!is_empty_tree(definition.root)) {
        found->second = &definition;
      }
    }
    files_.push_back(std::move(file));
  }

  const Definition* find(std::string_view name) const {
    const auto found = definitions_.find(name);
    if (found != definitions_.end()) return found->second;
    return parent_ != nullptr ? parent_->find(name) : nullptr;
  }

 private:
  // The key views the definition's own name, which its file keeps alive.
  std::unordered_map<std::string_view, const Definition*> definitions_;
  std::vector<std::shared_ptr<const ParsedFile>> files_;
  const TemplateScope* parent_ = nullptr;
};

}  // namespace coracle::charts
