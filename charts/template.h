#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/value.h"

namespace coracle::charts {

// What Helm's `lookup` answers: the object, or the list when `name` is empty; null when there is
// none.
using LookupFunction = std::function<Result<Value>(const std::string& api_version, const std::string& kind,
                                                   const std::string& namespace_, const std::string& name)>;

// Everything outside the chart that a template can see. The members must outlive the rendering;
// functions that are left empty answer as an offline `helm template` does.
struct TemplateEnvironment {
  const Clock& clock;
  Random& random;
  LookupFunction lookup = {};
  std::function<std::string(const std::string& host)> resolve_host = {};
};

class TemplateScope;

// Go text/template with Helm's and sprig's functions: a set of texts parsed once. Adding is not
// thread-safe; executing is, with an environment for each thread.
class TemplateSet {
 public:
  TemplateSet();
  ~TemplateSet();
  TemplateSet(TemplateSet&&) noexcept;
  TemplateSet& operator=(TemplateSet&&) noexcept;

  // BadRequest in Go's words: `template: NAME:LINE: what is wrong`.
  Result<void> add(std::string name, std::string text);
  bool contains(std::string_view name) const;
  // BadRequest in Go's words: `template: NAME:LINE:COLUMN: executing "NAME" at <...>: ...`.
  Result<std::string> execute(std::string_view name, const Value& data, const TemplateEnvironment& environment) const;

 private:
  std::unique_ptr<TemplateScope> scope_;
};

// Deletes what a missing value prints, as Helm does with every output.
void remove_no_value(std::string& text);

}  // namespace coracle::charts
