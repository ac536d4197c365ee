#include "kube/controller/identity.h"

namespace coracle::kube {

Context as_service_account(const Context& context, std::string_view ns, std::string_view name) {
  auto identity = std::make_shared<Identity>();
  identity->user = "system:serviceaccount:" + std::string(ns) + ":" + std::string(name);
  identity->groups = {"system:serviceaccounts", "system:serviceaccounts:" + std::string(ns), "system:authenticated"};
  return context.with_identity(std::move(identity));
}

Context as_user(const Context& context, std::string_view user) {
  auto identity = std::make_shared<Identity>();
  identity->user = user;
  identity->groups = {"system:authenticated"};
  return context.with_identity(std::move(identity));
}

Context as_master(const Context& context, std::string_view user) {
  auto identity = std::make_shared<Identity>();
  identity->user = user;
  identity->groups = {"system:masters", "system:authenticated"};
  return context.with_identity(std::move(identity));
}

}  // namespace coracle::kube
