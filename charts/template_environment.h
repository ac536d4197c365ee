#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/context.h"
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
  const Context* context = nullptr;  // the rendering ends when it does
};

}  // namespace coracle::charts
