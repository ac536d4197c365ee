#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/admission/admission_matching.h"
#include "kube/apiserver/internal/strategies/resource_rules.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

// https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
namespace coracle::kube::apiserver {

namespace {

constexpr std::int64_t kLongestTimeout = 30;
constexpr std::string_view kHarmless[] = {"None", "NoneOnDryRun"};
constexpr std::string_view kUrlForm = "; desired format: https://host[/path]";

bool is_harmless(const Value& hook) {
  const auto end = std::end(kHarmless);
  return std::find(std::begin(kHarmless), end, hook["sideEffects"].as_string()) != end;
}

// What stored configurations may have that new ones may not, and may keep.
struct Tolerance {
  explicit Tolerance(const Object* old) {
    if (old == nullptr) return;
    std::set<std::string, std::less<>> seen;
    for (const Value& hook : (*old)["webhooks"].items()) {
      const Value& versions = hook["admissionReviewVersions"];
      side_effects = side_effects || !is_harmless(hook);
      versions_unknown = versions_unknown || (!versions.empty() && !speaks_known_version(versions));
      repeated_names = repeated_names || !seen.emplace(hook["name"].as_string()).second;
    }
  }

  bool side_effects = false;
  bool versions_unknown = false;
  bool repeated_names = false;
};

void check_hook_name(const Value& name, const FieldPath& path, FieldErrors& errors) {
  const std::string_view text = name.as_string();
  if (text.empty()) {
    report(errors, field_error::required(path.text()));
    return;
  }
  const NameErrors faults = check_dns1123_subdomain(text);
  if (!faults.empty()) {
    errors.push_back(field_error::invalid(path.text(), name, join(faults, ",")));
  } else if (std::count(text.begin(), text.end(), '.') < 2) {
    errors.push_back(
        field_error::invalid(path.text(), name, "should be a domain with at least three segments separated by dots"));
  }
}

// The parts of a URL that a webhook may or may not have.
struct UrlParts {
  std::string_view scheme, user, host, query, fragment;
};

UrlParts split_url(std::string_view text) {
  UrlParts parts;
  const auto cut = [&](char mark, std::string_view& tail) {
    const std::size_t at = text.find(mark);
    if (at == std::string_view::npos) return;
    tail = text.substr(at + 1);
    text = text.substr(0, at);
  };
  cut('#', parts.fragment);
  cut('?', parts.query);
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.substr(0, colon).find('/') == std::string_view::npos) {
    parts.scheme = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  if (!text.starts_with("//")) return parts;
  text.remove_prefix(2);
  parts.host = text.substr(0, text.find('/'));
  const std::size_t at = parts.host.rfind('@');
  if (at != std::string_view::npos) {
    parts.user = parts.host.substr(0, at);
    parts.host.remove_prefix(at + 1);
  }
  return parts;
}

void check_hook_url(const Value& url, const FieldPath& path, FieldErrors& errors) {
  const UrlParts parts = split_url(url.as_string());
  const auto refuse = [&](std::string_view part, std::string detail) {
    errors.push_back(field_error::invalid(path.text(), part, detail));
  };
  if (parts.scheme != "https") refuse(parts.scheme, "'https' is the only allowed URL scheme" + std::string(kUrlForm));
  if (parts.host.empty()) refuse(parts.host, "host must be specified" + std::string(kUrlForm));
  if (!parts.user.empty()) refuse(parts.user, "user information is not permitted in the URL");
  if (!parts.fragment.empty()) refuse(parts.fragment, "fragments are not permitted in the URL");
  if (!parts.query.empty()) refuse(parts.query, "query parameters are not permitted in the URL");
}

void check_service_path(const Value& given, const FieldPath& path, FieldErrors& errors) {
  const std::string_view text = given.as_string();
  if (text.empty() || text == "/") return;
  const auto refuse = [&](std::string_view detail) {
    errors.push_back(field_error::invalid(path.text(), given, detail));
  };
  if (text == "//") {
    refuse("segment[0] may not be empty");
    return;
  }
  if (!text.starts_with('/')) refuse("must start with a '/'");
  std::string_view rest = text.substr(1);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const auto steps = split(rest, '/');
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::string segment = "segment[" + std::to_string(i) + "]";
    if (steps[i].empty()) {
      refuse(segment + " may not be empty");
      continue;
    }
    for (const std::string& problem : check_dns1123_subdomain(steps[i])) refuse(segment + ": " + problem);
  }
}

void check_hook_service(const Value& service, const FieldPath& path, FieldErrors& errors) {
  // Upstream takes the one for the other in its messages.
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {{"namespace", "name"}, {"name", "namespace"}};
  retract(errors, path.child("name").text());
  retract(errors, path.child("namespace").text());
  for (const auto& [field, shown] : kNames) {
    if (service[field].as_string().empty()) errors.push_back(field_error::required(path.child(shown).text()));
  }
  const Value& port = service["port"];
  for (const std::string& problem : check_port_number(port.as_int())) {
    errors.push_back(field_error::invalid(path.child("port").text(), port.as_int(), "port is not valid: " + problem));
  }
  check_service_path(service["path"], path.child("path"), errors);
}

void check_side_effects(const Value& hook, bool tolerated, const FieldPath& path, FieldErrors& errors) {
  if (hook["sideEffects"].is_null()) {
    restate(errors,
            field_error::required(path.text(), tolerated ? "must specify one of None, NoneOnDryRun, Some, Unknown"
                                                         : "must specify one of None, NoneOnDryRun"));
  } else if (!tolerated && !is_harmless(hook)) {
    restate(errors, field_error::not_supported(path.text(), hook["sideEffects"], kHarmless));
  }
}

void check_hook(const Value& hook, const Value& before, const Tolerance& tolerance, const FieldPath& path,
                FieldErrors& errors) {
  check_hook_name(hook["name"], path.child("name"), errors);
  const Value& rules = hook["rules"];
  for (std::size_t i = 0; i < rules.size(); ++i) {
    check_request_rule(rules.at(i), path.child("rules").index(i), errors);
  }
  check_side_effects(hook, tolerance.side_effects, path.child("sideEffects"), errors);
  const Value& seconds = hook["timeoutSeconds"];
  if (seconds.is_int() && (seconds.as_int() < 1 || seconds.as_int() > kLongestTimeout)) {
    errors.push_back(field_error::invalid(path.child("timeoutSeconds").text(), seconds,
                                          "the timeout value must be between 1 and 30 seconds"));
  }
  for (const std::string_view selector : {"namespaceSelector", "objectSelector"}) {
    if (hook[selector] == before[selector]) continue;
    check_label_selector(hook[selector], path.child(selector), errors);
  }
  check_webhook_client(hook["clientConfig"], path.child("clientConfig"), errors);
  if (!(hook["matchConditions"] == before["matchConditions"])) {
    check_match_conditions(hook["matchConditions"], path.child("matchConditions"), errors);
  }
  check_review_versions(hook["admissionReviewVersions"], tolerance.versions_unknown,
                        path.child("admissionReviewVersions"), errors);
}

void check_webhooks(const Object& object, const Object* old, FieldErrors& errors) {
  const Tolerance tolerance(old);
  const Value& hooks = object["webhooks"];
  std::set<std::string, std::less<>> names;
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    const FieldPath path = FieldPath("webhooks").index(i);
    const Value before = old == nullptr ? Value() : (*old)["webhooks"].at(i);
    check_hook(hooks.at(i), before, tolerance, path, errors);
    const std::string_view name = hooks.at(i)["name"].as_string();
    if (name.empty() || names.emplace(name).second || tolerance.repeated_names) continue;
    errors.push_back(field_error::duplicate(path.child("name").text(), name));
  }
}

constexpr std::string_view kWebhookGroup = "admissionregistration.k8s.io";

constexpr ResourceRules kWebhookRules[] = {
    {kWebhookGroup, "mutatingwebhookconfigurations", nullptr, nullptr, check_webhooks},
    {kWebhookGroup, "validatingwebhookconfigurations", nullptr, nullptr, check_webhooks},
};

}  // namespace

bool speaks_known_version(const Value& versions) {
  return contains_text(versions, "v1") || contains_text(versions, "v1beta1");
}

void check_review_versions(const Value& versions, bool tolerated, const FieldPath& path, FieldErrors& errors) {
  if (versions.empty()) {
    restate(errors, field_error::required(path.text(), "must specify one of v1, v1beta1"));
    return;
  }
  std::set<std::string, std::less<>> seen;
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const std::string_view version = versions.at(i).as_string();
    if (!seen.emplace(version).second) {
      errors.push_back(field_error::invalid(path.index(i).text(), version, "duplicate version"));
      continue;
    }
    add_name_errors(path.index(i), version, check_dns1035_label(version), errors);
  }
  if (tolerated || speaks_known_version(versions)) return;
  errors.push_back(field_error::invalid(path.text(), versions, "must include at least one of v1, v1beta1"));
}

void check_webhook_client(const Value& client, const FieldPath& path, FieldErrors& errors) {
  const bool url = client["url"].is_string();
  const bool service = client["service"].is_object();
  if (url == service) {
    restate(errors, field_error::required(path.text(), "exactly one of url or service is required"));
  } else if (url) {
    check_hook_url(client["url"], path.child("url"), errors);
  } else {
    check_hook_service(client["service"], path.child("service"), errors);
  }
}

std::span<const ResourceRules> webhook_rules() {
  return kWebhookRules;
}

}  // namespace coracle::kube::apiserver
