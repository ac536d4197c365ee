#include "kube/apiserver/internal/identity/impersonation.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/identity/rbac_rules.h"
#include "kube/object/names.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kUserHeaderName = "Impersonate-User";
constexpr std::string_view kGroupHeaderName = "Impersonate-Group";
constexpr std::string_view kUidHeaderName = "Impersonate-Uid";
constexpr std::string_view kExtraHeaderStart = "impersonate-extra-";
constexpr std::string_view kNodeUserStart = "system:node:";
constexpr std::string_view kAccountUserStart = "system:serviceaccount:";
constexpr std::string_view kIdentityGroup = "authentication.k8s.io";

struct ServiceAccountName {
  std::string namespace_;
  std::string name;
};

// Nothing for a user whose namespace or name no service account can have: that is a user like others.
std::optional<ServiceAccountName> account_of_user(std::string_view user) {
  if (user.substr(0, kAccountUserStart.size()) != kAccountUserStart) return std::nullopt;
  user.remove_prefix(kAccountUserStart.size());
  std::size_t colon = user.find(':');
  if (colon == std::string_view::npos || user.find(':', colon + 1) != std::string_view::npos) return std::nullopt;
  ServiceAccountName account{std::string(user.substr(0, colon)), std::string(user.substr(colon + 1))};
  if (!check_dns1123_label(account.namespace_).empty() || !check_dns1123_subdomain(account.name).empty()) {
    return std::nullopt;
  }
  return account;
}

bool node_of_user(std::string_view user) {
  return user.substr(0, kNodeUserStart.size()) == kNodeUserStart;
}

Identity wanted_identity(const http::Request& request) {
  Identity wanted;
  wanted.user = request.headers.get(kUserHeaderName);
  wanted.uid = request.headers.get(kUidHeaderName);
  for (std::string_view group : request.headers.all(kGroupHeaderName)) wanted.groups.emplace_back(group);
  for (const auto& [field, value] : request.headers.fields()) {
    std::string key = to_lower(field);
    if (key.compare(0, kExtraHeaderStart.size(), kExtraHeaderStart) != 0) continue;
    key.erase(0, kExtraHeaderStart.size());
    Result<std::string> plain = http::percent_decode(key);
    wanted.extra[plain.ok() ? *plain : key].push_back(value);
  }
  return wanted;
}

// Go's %#v of a user.DefaultInfo, which is what the error shows.
std::string go_syntax(const Identity& who) {
  auto list = [](const std::vector<std::string>& texts) {
    std::string text = "[]string{";
    for (std::size_t i = 0; i < texts.size(); ++i) text += (i > 0 ? ", " : "") + go_quote(texts[i]);
    return text + "}";
  };
  std::string text = "&user.DefaultInfo{Name:" + go_quote(who.user) + ", UID:" + go_quote(who.uid) + ", Groups:";
  text += who.groups.empty() ? "[]string(nil)" : list(who.groups);
  text += ", Extra:map[string][]string";
  if (who.extra.empty()) return text + "(nil)}";
  text += "{";
  for (const auto& [key, values] : who.extra) {
    if (text.back() != '{') text += ", ";
    text += go_quote(key) + ":" + list(values);
  }
  return text + "}}";
}

// The permissions that an identity needs, one per part of it, asked with `verb`.
std::vector<Attributes> identity_attributes(const Identity& wanted, const std::string& verb, bool legacy) {
  std::vector<Attributes> checks;
  auto add = [&](std::string_view group, std::string_view resource, std::string_view subresource, std::string_view ns,
                 std::string_view name) {
    Attributes what;
    what.verb = verb;
    what.group = group;
    what.version = "v1";
    what.resource = resource;
    what.subresource = subresource;
    what.namespace_ = ns;
    what.name = name;
    checks.push_back(std::move(what));
  };
  std::string_view group = legacy ? std::string_view() : kIdentityGroup;
  if (std::optional<ServiceAccountName> account = account_of_user(wanted.user)) {
    add(group, "serviceaccounts", {}, account->namespace_, account->name);
  } else if (!legacy && node_of_user(wanted.user)) {
    add(group, "nodes", {}, {}, std::string_view(wanted.user).substr(kNodeUserStart.size()));
  } else {
    add(group, "users", {}, {}, wanted.user);
  }
  for (const std::string& name : wanted.groups) add(group, "groups", {}, {}, name);
  if (!wanted.uid.empty()) add(kIdentityGroup, "uids", {}, {}, wanted.uid);
  for (const auto& [key, values] : wanted.extra) {
    for (const std::string& value : values) add(kIdentityGroup, "userextras", key, {}, value);
  }
  return checks;
}

// The constrained modes that may lead to this identity, in the order in which they are tried.
std::vector<std::string> constrained_modes(const Identity& asker, const Identity& wanted) {
  bool name_only = wanted.groups.empty() && wanted.uid.empty() && wanted.extra.empty();
  if (node_of_user(wanted.user)) {
    if (!name_only) return {};
    std::vector<std::string> modes;
    std::string_view node = std::string_view(wanted.user).substr(kNodeUserStart.size());
    auto own = asker.extra.find(kExtraNodeName);
    bool on_node = own != asker.extra.end() && own->second.size() == 1 && own->second.front() == node;
    if (on_node && account_of_user(asker.user)) modes.emplace_back("associated-node");
    modes.emplace_back("arbitrary-node");
    return modes;
  }
  if (account_of_user(wanted.user)) {
    if (!name_only) return {};
    return {"serviceaccount"};
  }
  for (const std::string& group : wanted.groups) {
    if (group.empty() || group == kMastersGroup) return {};
  }
  return {"user-info"};
}

// The identity with the groups that belong to it when none are given.
Identity completed_identity(Identity wanted, const std::string& mode) {
  bool unauthenticated = wanted.user == kAnonymousUser;
  if (wanted.groups.empty()) {
    if (std::optional<ServiceAccountName> account = account_of_user(wanted.user)) {
      wanted.groups = {"system:serviceaccounts", "system:serviceaccounts:" + account->namespace_};
    } else if (mode == "associated-node" || mode == "arbitrary-node") {
      wanted.groups = {"system:nodes"};
    } else if (unauthenticated) {
      wanted.groups = {std::string(kUnauthenticatedGroup)};
    }
  }
  for (const std::string& group : wanted.groups) {
    unauthenticated = unauthenticated || group == kUnauthenticatedGroup || group == kAuthenticatedGroup;
  }
  if (!unauthenticated) wanted.groups.emplace_back(kAuthenticatedGroup);
  return wanted;
}

class Impersonator {
 public:
  explicit Impersonator(Authorizer& authorizer) : authorizer_(&authorizer) {}

  Result<std::shared_ptr<const Identity>> act_as(const RequestScope& scope,
                                                 const std::shared_ptr<const Identity>& asker) const {
    Identity wanted = wanted_identity(scope.request);
    bool other_parts = !wanted.groups.empty() || !wanted.uid.empty() || !wanted.extra.empty();
    if (wanted.user.empty()) {
      if (!other_parts) return asker;
      return bad_request("requested " + go_syntax(wanted) + " without impersonating a user name");
    }
    std::optional<Error> refusal;
    for (const std::string& mode : constrained_modes(*asker, wanted)) {
      Result<void> allowed = check_constrained(scope, *asker, wanted, mode);
      if (allowed.ok()) return std::make_shared<const Identity>(completed_identity(std::move(wanted), mode));
      if (!refusal) refusal = allowed.error();
    }
    Result<void> allowed = check_all(scope.context, *asker, identity_attributes(wanted, "impersonate", true));
    if (allowed.ok()) return std::make_shared<const Identity>(completed_identity(std::move(wanted), {}));
    return refusal ? *refusal : allowed.error();
  }

 private:
  Result<void> check_constrained(const RequestScope& scope, const Identity& asker, const Identity& wanted,
                                 const std::string& mode) const {
    Attributes target = attributes_of(scope.info);
    target.verb = "impersonate-on:" + mode + ":" + target.verb;
    std::vector<Attributes> checks = identity_attributes(wanted, "impersonate:" + mode, false);
    checks.insert(checks.begin(), std::move(target));
    return check_all(scope.context, asker, checks);
  }

  Result<void> check_all(const Context& context, const Identity& asker, const std::vector<Attributes>& checks) const {
    for (const Attributes& what : checks) {
      Decision decision = authorizer_->authorize(context, asker, what);
      if (decision.outcome != Decision::Outcome::Allow) return forbidden(asker, what, decision.reason);
    }
    return {};
  }

  Authorizer* authorizer_;
};

}  // namespace

Impersonation make_impersonation(Authorizer& authorizer) {
  return [impersonator = Impersonator(authorizer)](const RequestScope& scope,
                                                   const std::shared_ptr<const Identity>& asker) {
    return impersonator.act_as(scope, asker);
  };
}

}  // namespace coracle::kube::apiserver
