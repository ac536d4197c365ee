#include "kube/apiserver/internal/strategies/pods/container_resources.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/resource_names.h"
#include "kube/object/quantity.h"
#include "kube/object/resource_amounts.h"

namespace coracle::kube::apiserver {

namespace {

void check_container_resource_name(const FieldCheck& amount, std::string_view name) {
  check_resource_name(amount, name, ResourceUse::Container);
}

void check_pod_resource_name(const FieldCheck& amount, std::string_view name) {
  constexpr std::string_view kPodResources[] = {"cpu", "hugepages-", "memory"};
  if (!check_resource_name(amount, name, ResourceUse::Any)) return;
  if (name != "cpu" && name != "memory" && !is_huge_page(name)) {
    const Value shown(name);
    amount.with(shown).not_supported(kPodResources);
  }
}

bool is_multiple_of_page(std::string_view name, const Quantity& amount) {
  const auto page = Quantity::parse(name.substr(kHugePagePrefix.size()));
  return page.ok() && page->sign() > 0 && is_whole(*page) && amount.value() % page->value() == 0;
}

using CheckName = void (*)(const FieldCheck& amount, std::string_view name);

void check_amount(const FieldCheck& amount, std::string_view name, CheckName check_name) {
  check_name(amount, name);
  check_resource_amount(amount, name);
}

void check_pages(const FieldCheck& amount, std::string_view name) {
  const auto quantity = Quantity::from_value(amount.value());
  if (!is_huge_page(name) || !quantity.ok() || is_multiple_of_page(name, *quantity)) return;
  amount.invalid(quantity->text(), quantity->text() + " is not positive integer multiple of " + std::string(name));
}

void check_request(const FieldCheck& resources, std::string_view name, const Value& asked) {
  const FieldCheck limits = resources["limits"];
  const Value* bound = limits.value().find(name);
  if (bound == nullptr) {
    if (!may_overcommit_resource(name)) limits.required("Limit must be set for non overcommitable resources");
    return;
  }
  const auto request = Quantity::from_value(asked);
  const auto limit = Quantity::from_value(*bound);
  if (!request.ok() || !limit.ok()) return;
  const bool exact = !may_overcommit_resource(name);
  if (exact ? *request == *limit : *request <= *limit) return;
  resources["requests"].invalid(
      request->text(), std::string(exact ? "must be equal to " : "must be less than or equal to ") + std::string(name) +
                           " limit of " + limit->text());
}

// Which claims of the pod a container uses: each as a whole, or some of its requests.
void check_used_claims(const FieldCheck& claims, const ClaimNames& known) {
  std::set<std::string, std::less<>> used;
  claims.each([&](const FieldCheck& claim) {
    const std::string name(claim["name"].text());
    const std::string request(claim["request"].text());
    if (name.empty()) return claim.required();
    if (used.contains(name)) {
      claim.duplicate(name);
    } else {
      if (!request.empty()) claim["request"].invalid(check_dns1123_label(request));
      const std::string key = request.empty() ? name : name + "/" + request;
      if (used.contains(key)) {
        claim.duplicate(key);
      } else if (request.empty()) {
        for (const std::string& one : used) {
          if (one.starts_with(name + "/")) claim.duplicate(name);
        }
      }
      used.insert(key);
    }
    if (known.contains(name)) return;
    claim.with(claim["name"].value())
        .not_found("must be one of the names in pod.spec.resourceClaims" +
                   (known.empty() ? std::string(" which is empty") : ": " + join(known, ", ")));
  });
}

void check_requirements(const FieldCheck& resources, const ClaimNames& claims, CheckName check_name,
                        const PodSpecOptions& options) {
  bool has_basics = false;
  bool has_pages = false;
  const auto note = [&](const std::string& name) {
    has_basics = has_basics || name == "cpu" || name == "memory";
    has_pages = has_pages || is_huge_page(name);
  };
  for (const Value::Member& limit : resources["limits"].value().members()) {
    const FieldCheck amount = resources["limits"].entry(limit.key);
    note(limit.key);
    check_amount(amount, limit.key, check_name);
    if (!options.tolerates_odd_pages) check_pages(amount, limit.key);
  }
  for (const Value::Member& request : resources["requests"].value().members()) {
    const FieldCheck amount = resources["requests"].entry(request.key);
    note(request.key);
    check_amount(amount, request.key, check_name);
    check_request(resources, request.key, request.value);
    if (!options.tolerates_odd_pages) check_pages(amount, request.key);
  }
  if (has_pages && !has_basics) resources.forbidden("HugePages require cpu or memory");
  check_used_claims(resources["claims"], claims);
}

// A pod's own amounts bound those of its containers.
void check_consistency(const FieldCheck& spec) {
  const Value containers = spec.value().without("resources").without("overhead");
  const FieldCheck resources = spec["resources"];
  const auto check_sum = [&](std::string_view part, bool only_pages) {
    for (const auto& [name, sum] : pod_amounts(containers, part)) {
      if (only_pages && !is_huge_page(name)) continue;
      const FieldCheck own = resources[part].entry(name);
      const auto amount = Quantity::from_value(own.value());
      if (!own.is_set() || !amount.ok() || sum <= *amount) continue;
      own.invalid(amount->text(),
                  "must be greater than or equal to aggregate container " + std::string(part) + " of " + sum.text());
    }
  };
  check_sum("requests", false);
  check_sum("limits", true);
  for (std::size_t i = 0; i < spec["containers"].value().size(); ++i) {
    for (const Value::Member& limit : spec["containers"].value().at(i)["resources"]["limits"].members()) {
      const Value& bound = resources["limits"].value()[limit.key];
      const auto amount = Quantity::from_value(limit.value);
      const auto most = Quantity::from_value(bound);
      if (bound.is_null() || !amount.ok() || !most.ok() || *amount <= *most) continue;
      resources["containers"].at(i).entry(limit.key)["limits"].invalid(
          amount->text(), "must be less than or equal to pod limits of " + most->text());
    }
  }
}

void check_resource_claim(const FieldCheck& claim, ClaimNames& names) {
  const FieldCheck name = claim["name"];
  if (name.require()) {
    if (names.insert(name.text()).second) {
      name.invalid(check_dns1123_label(name.text()));
    } else {
      name.duplicate();
    }
  }
  const FieldCheck existing = claim["resourceClaimName"];
  const FieldCheck pattern = claim["resourceClaimTemplateName"];
  const Value shown = Value::object(
      {{"Name", name.text()}, {"ResourceClaimName", existing.value()}, {"ResourceClaimTemplateName", pattern.value()}});
  if (existing.is_set() && pattern.is_set()) {
    claim.invalid(shown, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified");
  }
  if (!existing.is_set() && !pattern.is_set()) {
    claim.invalid(shown, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
  }
  for (const FieldCheck& reference : {existing, pattern}) {
    if (reference.is_set()) reference.invalid(check_dns1123_subdomain(reference.text()));
  }
}

}  // namespace

void check_container_resources(const FieldCheck& resources, const ClaimNames& claims, const PodSpecOptions& options) {
  check_requirements(resources, claims, check_container_resource_name, options);
}

void check_pod_resources(const FieldCheck& spec, const ClaimNames& claims, const PodSpecOptions& options) {
  const FieldCheck resources = spec["resources"];
  if (!resources.is_set()) return;
  if (spec["os"]["name"].text() == "windows") return resources.forbidden("may not be set for a windows pod");
  if (resources["claims"].is_set()) {
    resources["claims"].forbidden("claims may not be set for Resources at pod-level");
  }
  check_requirements(resources, claims, check_pod_resource_name, options);
  check_consistency(spec);
}

void check_overhead(const FieldCheck& overhead, const PodSpecOptions& options) {
  if (!overhead.is_set()) return;
  // Upstream tells of it as if it were the limits of a container.
  const Value as_limits = Value::object({{"limits", overhead.value()}});
  check_requirements(overhead.with(as_limits), {}, check_container_resource_name, options);
}

void check_resource_claims(const FieldCheck& claims, const PodSpecOptions& options) {
  ClaimNames names;
  claims.each([&](const FieldCheck& claim) {
    if (options.pod_metadata != nullptr && (*options.pod_metadata)["annotations"].contains(kMirrorPod)) {
      const FieldPath nowhere;
      FieldCheck(claim.value(), nowhere, claim.errors()).forbidden("static pods do not support resource claims");
    } else {
      check_resource_claim(claim, names);
    }
  });
}

bool has_odd_pages(const Value& pod_spec) {
  for (const std::string_view list : {"containers", "initContainers"}) {
    for (const Value& container : pod_spec[list].items()) {
      for (const std::string_view part : {"limits", "requests"}) {
        for (const Value::Member& amount : container["resources"][part].members()) {
          const auto quantity = Quantity::from_value(amount.value);
          if (is_huge_page(amount.key) && quantity.ok() && !is_multiple_of_page(amount.key, *quantity)) return true;
        }
      }
    }
  }
  return false;
}

ClaimNames claim_names(const Value& claims) {
  ClaimNames names;
  for (const Value& claim : claims.items()) {
    if (!claim["name"].as_string().empty()) names.insert(claim["name"].as_string());
  }
  return names;
}

}  // namespace coracle::kube::apiserver
