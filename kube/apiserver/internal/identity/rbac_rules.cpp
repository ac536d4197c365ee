#include "kube/apiserver/internal/identity/rbac_rules.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "base/json/json.h"

namespace coracle::kube::apiserver {
namespace {

Value rule_list(const std::vector<std::string>& texts) {
  Value::ArrayBuilder builder;
  for (const std::string& text : texts) builder.add(text);
  return std::move(builder).build();
}

bool rule_has(const std::vector<std::string>& texts, std::string_view wanted) {
  return std::find(texts.begin(), texts.end(), wanted) != texts.end();
}

bool rule_has_or_star(const std::vector<std::string>& texts, std::string_view wanted) {
  for (const std::string& text : texts) {
    if (text == "*" || text == wanted) return true;
  }
  return false;
}

// "pods", "pods/log", "*" and "*/log" against resource and subresource, without making a string.
bool rule_resource_matches(const std::string& pattern, std::string_view resource, std::string_view subresource) {
  if (pattern == "*") return true;
  if (subresource.empty()) return pattern == resource;
  std::size_t slash = pattern.find('/');
  if (slash == std::string::npos) return false;
  std::string_view before = std::string_view(pattern).substr(0, slash);
  std::string_view after = std::string_view(pattern).substr(slash + 1);
  return after == subresource && (before == "*" || before == resource);
}

bool rule_path_matches(const std::string& pattern, std::string_view path) {
  if (pattern == "*" || pattern == path) return true;
  return !pattern.empty() && pattern.back() == '*' &&
         path.substr(0, pattern.size() - 1) == std::string_view(pattern).substr(0, pattern.size() - 1);
}

// A single permission's resource, covered by a list of patterns.
bool rule_covers_resource(const std::vector<std::string>& patterns, const std::string& wanted) {
  if (rule_has(patterns, "*") || rule_has(patterns, wanted)) return true;
  std::size_t slash = wanted.find('/');
  return slash != std::string::npos && rule_has(patterns, "*" + wanted.substr(slash));
}

bool rule_covers_path(const std::vector<std::string>& patterns, const std::string& wanted) {
  if (rule_has(patterns, wanted)) return true;
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return !pattern.empty() && pattern.back() == '*' &&
           wanted.compare(0, pattern.size() - 1, pattern, 0, pattern.size() - 1) == 0;
  });
}

bool rule_covers(const PolicyRule& owner, const PolicyRule& part) {
  if (!rule_has_or_star(owner.verbs, part.verbs.front())) return false;
  if (!part.non_resource_urls.empty()) return rule_covers_path(owner.non_resource_urls, part.non_resource_urls.front());
  if (!rule_has_or_star(owner.api_groups, part.api_groups.front())) return false;
  if (!rule_covers_resource(owner.resources, part.resources.front())) return false;
  if (owner.resource_names.empty()) return true;
  return !part.resource_names.empty() && rule_has(owner.resource_names, part.resource_names.front());
}

void break_down_resources(const PolicyRule& rule, std::vector<PolicyRule>& parts) {
  std::vector<std::string> no_name = {""};
  const std::vector<std::string>& names = rule.resource_names.empty() ? no_name : rule.resource_names;
  for (const std::string& group : rule.api_groups) {
    for (const std::string& resource : rule.resources) {
      for (const std::string& verb : rule.verbs) {
        for (const std::string& name : names) {
          PolicyRule part;
          part.verbs = {verb};
          part.api_groups = {group};
          part.resources = {resource};
          if (!rule.resource_names.empty()) part.resource_names = {name};
          parts.push_back(std::move(part));
        }
      }
    }
  }
}

}  // namespace

std::vector<PolicyRule> read_policy_rules(const Value& rules) {
  std::vector<PolicyRule> result;
  result.reserve(rules.size());
  for (const Value& rule : rules.items()) {
    result.push_back({string_items(rule["verbs"]), string_items(rule["apiGroups"]), string_items(rule["resources"]),
                      string_items(rule["resourceNames"]), string_items(rule["nonResourceURLs"])});
  }
  return result;
}

Value write_policy_rule(const PolicyRule& rule) {
  Value::ObjectBuilder builder;
  builder.set("verbs", rule_list(rule.verbs));
  builder.set_nonempty("apiGroups", rule_list(rule.api_groups));
  builder.set_nonempty("resources", rule_list(rule.resources));
  builder.set_nonempty("resourceNames", rule_list(rule.resource_names));
  builder.set_nonempty("nonResourceURLs", rule_list(rule.non_resource_urls));
  return std::move(builder).build();
}

bool rule_allows(const PolicyRule& rule, const Attributes& what) {
  if (!rule_has_or_star(rule.verbs, what.verb)) return false;
  if (!what.resource_request) {
    return std::any_of(rule.non_resource_urls.begin(), rule.non_resource_urls.end(),
                       [&](const std::string& pattern) { return rule_path_matches(pattern, what.path); });
  }
  if (!rule_has_or_star(rule.api_groups, what.group)) return false;
  bool resource = std::any_of(rule.resources.begin(), rule.resources.end(), [&](const std::string& pattern) {
    return rule_resource_matches(pattern, what.resource, what.subresource);
  });
  if (!resource) return false;
  return rule.resource_names.empty() || rule_has(rule.resource_names, what.name);
}

std::vector<PolicyRule> break_down(const std::vector<PolicyRule>& rules) {
  std::vector<PolicyRule> parts;
  for (const PolicyRule& rule : rules) {
    break_down_resources(rule, parts);
    for (const std::string& path : rule.non_resource_urls) {
      for (const std::string& verb : rule.verbs) {
        PolicyRule part;
        part.verbs = {verb};
        part.non_resource_urls = {path};
        parts.push_back(std::move(part));
      }
    }
  }
  return parts;
}

bool rules_cover(const std::vector<PolicyRule>& owner, const PolicyRule& part) {
  return std::any_of(owner.begin(), owner.end(), [&](const PolicyRule& rule) { return rule_covers(rule, part); });
}

std::vector<PolicyRule> missing_rules(const std::vector<PolicyRule>& owner, const std::vector<PolicyRule>& wanted) {
  using Place = std::tuple<std::vector<std::string>, std::vector<std::string>, std::vector<std::string>,
                           std::vector<std::string>>;
  std::map<Place, PolicyRule> joined;
  for (const PolicyRule& part : break_down(wanted)) {
    if (rules_cover(owner, part)) continue;
    Place place(part.api_groups, part.resources, part.resource_names, part.non_resource_urls);
    auto [entry, fresh] = joined.emplace(std::move(place), part);
    if (!fresh && !rule_has(entry->second.verbs, part.verbs.front())) {
      entry->second.verbs.push_back(part.verbs.front());
    }
  }
  std::vector<PolicyRule> missing;
  for (auto& [place, rule] : joined) missing.push_back(std::move(rule));
  std::sort(missing.begin(), missing.end(),
            [](const PolicyRule& a, const PolicyRule& b) { return compact_text(a) < compact_text(b); });
  return missing;
}

std::string compact_text(const PolicyRule& rule) {
  std::string text = "{";
  auto part = [&](std::string_view name, const std::vector<std::string>& values) {
    if (values.empty()) return;
    if (text.size() > 1) text += ", ";
    text.append(name).append(":").append(go_quote_list(values));
  };
  part("APIGroups", rule.api_groups);
  part("Resources", rule.resources);
  part("NonResourceURLs", rule.non_resource_urls);
  part("ResourceNames", rule.resource_names);
  part("Verbs", rule.verbs);
  return text + "}";
}

std::string go_quote(std::string_view text) {
  return json::write_raw(Value(text));
}

std::string go_quote_list(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts) {
    if (list.size() > 1) list += ' ';
    list += go_quote(text);
  }
  return list + "]";
}

}  // namespace coracle::kube::apiserver
