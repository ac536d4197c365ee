#pragma once

#include <memory>
#include <string_view>

#include "kube/apiserver/internal/resource.h"
#include "kube/apiserver/internal/strategies/environment.h"

namespace coracle::kube::apiserver {

// Claims, and templates of them, that ask for devices which others use already: only namespaces that an administrator
// has marked may do so. All else is `rules`' business.
std::shared_ptr<const Strategy> make_admin_access_strategy(std::shared_ptr<const Strategy> rules,
                                                           std::shared_ptr<const StrategyEnvironment> environment,
                                                           std::string_view resource);

}  // namespace coracle::kube::apiserver
