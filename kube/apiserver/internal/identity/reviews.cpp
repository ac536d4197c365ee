#include "kube/apiserver/internal/identity/reviews.h"

#include <optional>
#include <span>
#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/identity/rbac_rules.h"
#include "kube/apiserver/internal/responses.h"
#include "kube/object/names.h"
#include "kube/object/selector.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kAuthorizationGroup = "authorization.k8s.io";
constexpr std::string_view kAuthenticationGroup = "authentication.k8s.io";
// Upstream's reviews name no kind in their errors.
const GroupVersionKind kUnnamedReview = {"authorization.k8s.io", "v1", ""};

const std::string kFieldSelector = "spec.resourceAttributes.fieldSelector";
const std::string kLabelSelector = "spec.resourceAttributes.labelSelector";

// One requirement of a label selector; nothing for an operator that is not known.
std::optional<std::string> label_term(const Value& requirement) {
  const std::string key(requirement["key"].as_string());
  const std::string_view op = requirement["operator"].as_string();
  if (op == "Exists") return key;
  if (op == "DoesNotExist") return "!" + key;
  if (op != "In" && op != "NotIn") return std::nullopt;
  return key + (op == "In" ? " in (" : " notin (") + join(string_items(requirement["values"]), ",") + ")";
}

// One requirement of a field selector, whose operators know one value each; nothing for any other.
std::optional<std::string> field_term(const Value& requirement) {
  const std::string key(requirement["key"].as_string());
  const std::string_view op = requirement["operator"].as_string();
  const std::span<const Value> values = requirement["values"].items();
  const bool readable = (op == "In" || op == "NotIn") && values.size() == 1;
  if (!readable || key.find_first_of("=!,\\") != std::string::npos) return std::nullopt;
  std::string term = key + (op == "In" ? "=" : "!=");
  for (const char c : values.front().as_string()) {
    if (c == '\\' || c == ',' || c == '=') term += '\\';
    term += c;
  }
  return term;
}

// A review's selector as text. What cannot be read of it is left out and named in `faults`.
std::string selector_text(const Value& selector, const std::string& field, bool labels,
                          std::vector<std::string>& faults) {
  const std::string fault = field + " ignored due to parse error";
  if (std::string raw(selector["rawSelector"].as_string()); !raw.empty()) {
    if (labels ? LabelSelector::parse(raw).ok() : FieldSelector::parse(raw).ok()) return raw;
    faults.push_back(fault);
    return {};
  }
  std::vector<std::string> terms;
  bool unreadable = false;
  for (const Value& requirement : selector["requirements"].items()) {
    std::optional<std::string> term = labels ? label_term(requirement) : field_term(requirement);
    unreadable = unreadable || !term;
    if (term) terms.push_back(std::move(*term));
  }
  if (unreadable) faults.push_back(fault);
  return join(terms, ",");
}

Identity identity_of_review(const Value& spec) {
  Identity who;
  who.user = spec["user"].as_string();
  who.uid = spec["uid"].as_string();
  who.groups = string_items(spec["groups"]);
  for (const Value::Member& member : spec["extra"].members()) who.extra[member.key] = string_items(member.value);
  return who;
}

// As Go prints the internal type, whose fields have no JSON names.
Value path_attributes(const Value& attributes) {
  return Value::object({{"Path", attributes["path"]}, {"Verb", attributes["verb"]}});
}

// Operators that are not known yet are for later to report.
void check_requirement(const Value& requirement, const std::string& field, bool labels, FieldErrors& errors) {
  const std::string_view key = requirement["key"].as_string();
  const std::string_view op = requirement["operator"].as_string();
  const std::span<const Value> values = requirement["values"].items();
  if ((op == "In" || op == "NotIn") && values.empty()) {
    errors.push_back(field_error::required(field + ".values", "must be specified when `operator` is 'In' or 'NotIn'"));
  }
  if ((op == "Exists" || op == "DoesNotExist") && !values.empty()) {
    errors.push_back(field_error::forbidden(field + ".values",
                                            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  }
  if (!labels) {
    if (key.empty()) errors.push_back(field_error::required(field + ".key", "must be specified"));
    return;
  }
  for (const std::string& problem : check_qualified_name(key)) {
    errors.push_back(field_error::invalid(field + ".key", key, problem));
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (const std::string& problem : check_label_value(values[i].as_string())) {
      errors.push_back(field_error::invalid(field + ".values[" + std::to_string(i) + "]", values[i], problem));
    }
  }
}

void check_selector(const Value& selector, const std::string& field, bool labels, FieldErrors& errors) {
  if (!selector.is_object()) return;
  bool raw = !selector["rawSelector"].as_string().empty();
  bool requirements = !selector["requirements"].empty();
  if (raw && requirements) {
    errors.push_back(field_error::invalid(field + ".rawSelector", selector["rawSelector"],
                                          "may not specified at the same time as requirements"));
  }
  if (!raw && !requirements) {
    errors.push_back(field_error::required(field + ".requirements",
                                           "when " + field + " is specified, requirements or rawSelector is required"));
  }
  const std::span<const Value> items = selector["requirements"].items();
  for (std::size_t i = 0; i < items.size(); ++i) {
    check_requirement(items[i], field + ".requirements[" + std::to_string(i) + "]", labels, errors);
  }
}

void check_access_spec(const Value& spec, FieldErrors& errors) {
  const Value& resource = spec["resourceAttributes"];
  const Value& path = spec["nonResourceAttributes"];
  if (resource.is_object() && path.is_object()) {
    errors.push_back(field_error::invalid("spec.nonResourceAttributes", path_attributes(path),
                                          "cannot be specified in combination with resourceAttributes"));
  }
  if (!resource.is_object() && !path.is_object()) {
    errors.push_back(
        field_error::invalid("spec.resourceAttributes", Value(),
                             "exactly one of nonResourceAttributes or resourceAttributes must be specified"));
  }
  check_selector(resource["fieldSelector"], kFieldSelector, false, errors);
  check_selector(resource["labelSelector"], kLabelSelector, true, errors);
}

void check_subject(const Value& spec, FieldErrors& errors) {
  if (spec["user"].as_string().empty() && spec["groups"].empty()) {
    errors.push_back(field_error::invalid("spec.user", "", "at least one of user or group must be specified"));
  }
}

// Reviews have no metadata of their own; a local one may name its namespace.
void check_review_metadata(const Object& review, bool local, FieldErrors& errors) {
  Value metadata = review.metadata().without("managedFields").without("creationTimestamp");
  if (local) metadata = metadata.without("namespace");
  for (const Value::Member& member : metadata.members()) {
    if (is_zero(member.value)) continue;
    errors.push_back(
        field_error::invalid("metadata", metadata, local ? "must be empty except for namespace" : "must be empty"));
    return;
  }
}

void check_local(const Value& spec, std::string_view ns, FieldErrors& errors) {
  const Value& path = spec["nonResourceAttributes"];
  const Value& wanted = spec["resourceAttributes"]["namespace"];
  if (spec["resourceAttributes"].is_object() && wanted.as_string() != ns) {
    errors.push_back(
        field_error::invalid("spec.resourceAttributes.namespace", wanted.as_string(), "must match metadata.namespace"));
  }
  if (path.is_object()) {
    errors.push_back(field_error::invalid("spec.nonResourceAttributes", path_attributes(path),
                                          "disallowed on this kind of request"));
  }
}

Result<Object> read_review(SubresourceCall& call) {
  const GroupVersionKind& gvk = call.resource.gvk;
  return read_body(call.scope, gvk, call.resource.builtin_schema);
}

Object review_answer(const ResourceDescriptor& resource, const Object& asked, Value status) {
  Value::ObjectBuilder builder;
  builder.set("kind", resource.gvk.kind).set("apiVersion", resource.gvk.api_version());
  builder.set("metadata", asked.metadata().is_object() ? asked.metadata() : Value::object());
  builder.set("spec", asked["spec"].is_object() ? asked["spec"] : Value::object());
  builder.set("status", std::move(status));
  return Object(std::move(builder).build());
}

enum class AccessReview : unsigned char { Anyone, Local, Self };

class AccessReviewHandler {
 public:
  AccessReviewHandler(Authorizer& authorizer, AccessReview form) : authorizer_(&authorizer), form_(form) {}

  Result<http::Response> operator()(SubresourceCall& call) const {
    ASSIGN_OR_RETURN(Object review, read_review(call));
    const std::string& ns = call.scope.info.namespace_;
    if (form_ == AccessReview::Local && !review.namespace_().empty() && review.namespace_() != ns) {
      return namespace_mismatch();
    }
    const Value& spec = review["spec"];
    FieldErrors errors;
    if (form_ != AccessReview::Self) check_subject(spec, errors);
    check_access_spec(spec, errors);
    check_review_metadata(review, form_ == AccessReview::Local, errors);
    if (form_ == AccessReview::Local && errors.empty()) check_local(spec, ns, errors);
    if (!errors.empty()) return invalid(kUnnamedReview, review.name(), errors);
    Identity who = form_ == AccessReview::Self ? call.scope.who() : identity_of_review(spec);
    std::vector<std::string> faults;
    Decision decision = authorizer_->authorize(call.scope.context, who, attributes_of_review(spec, faults));
    Value::ObjectBuilder status;
    status.set("allowed", decision.outcome == Decision::Outcome::Allow);
    if (decision.outcome == Decision::Outcome::Deny) status.set("denied", true);
    status.set_nonempty("reason", decision.reason);
    status.set_nonempty("evaluationError", join(faults, "; "));
    if (form_ == AccessReview::Local) review = review.with_metadata("namespace", ns);
    return object_response(call.scope, 201, review_answer(call.resource, review, std::move(status).build()));
  }

 private:
  Authorizer* authorizer_;
  AccessReview form_;
};

Result<http::Response> rules_review(SubresourceCall& call, Authorizer& authorizer) {
  ASSIGN_OR_RETURN(Object review, read_review(call));
  std::string_view ns = review["spec"]["namespace"].as_string();
  if (ns.empty()) return bad_request("no namespace on request");
  bool incomplete = false;
  Value::ArrayBuilder resources;
  Value::ArrayBuilder paths;
  for (const PolicyRule& rule : authorizer.rules_for(call.scope.context, call.scope.who(), ns, incomplete)) {
    if (!rule.resources.empty()) {
      resources.add(write_policy_rule({rule.verbs, rule.api_groups, rule.resources, rule.resource_names, {}}));
    }
    if (!rule.non_resource_urls.empty()) paths.add(write_policy_rule({rule.verbs, {}, {}, {}, rule.non_resource_urls}));
  }
  Value::ObjectBuilder status;
  status.set("resourceRules", std::move(resources).build());
  status.set("nonResourceRules", std::move(paths).build());
  status.set("incomplete", incomplete);
  // Only nodes have permissions that depend on other objects.
  if (incomplete) status.set("evaluationError", "node authorizer does not support user rule resolution");
  Object answer = review_answer(call.resource, Object(), std::move(status).build());
  return object_response(call.scope, 201, answer);
}

Result<http::Response> subject_review(SubresourceCall& call) {
  ASSIGN_OR_RETURN(Object review, read_review(call));
  Value metadata = Value::object({{"creationTimestamp", format_time(call.scope.context.clock().wall())}});
  Value::ObjectBuilder builder;
  builder.set("kind", call.resource.gvk.kind).set("apiVersion", call.resource.gvk.api_version());
  builder.set("metadata", std::move(metadata));
  builder.set("status", Value::object({{"userInfo", user_info(call.scope.who())}}));
  return object_response(call.scope, 201, Object(std::move(builder).build()));
}

Result<http::Response> token_review(SubresourceCall& call, TokenAuthenticator& tokens) {
  ASSIGN_OR_RETURN(Object review, read_review(call));
  std::string token(review["spec"]["token"].as_string());
  if (token.empty()) return bad_request("token is required for TokenReview in authentication");
  const std::vector<std::string> audiences = string_items(review["spec"]["audiences"]);
  Result<std::optional<TokenAnswer>> answer = tokens.authenticate_token(call.scope.context, token, audiences);
  Value::ObjectBuilder status;
  if (answer.ok() && *answer) {
    (*answer)->who.groups.emplace_back(kAuthenticatedGroup);
    Value::ArrayBuilder good_for;
    for (const std::string& audience : (*answer)->audiences) good_for.add(audience);
    status.set("authenticated", true);
    status.set("user", user_info((*answer)->who));
    status.set("audiences", std::move(good_for).build());
  } else {
    status.set("user", Value::object());
    status.set("error", answer.ok() ? "invalid bearer token" : answer.error().message());
  }
  return object_response(call.scope, 201, review_answer(call.resource, review, std::move(status).build()));
}

}  // namespace

Attributes attributes_of_review(const Value& spec, std::vector<std::string>& faults) {
  Attributes what;
  const Value& resource = spec["resourceAttributes"];
  const Value& path = spec["nonResourceAttributes"];
  if (!resource.is_object()) {
    what.resource_request = false;
    what.verb = path["verb"].as_string();
    what.path = path["path"].as_string();
    return what;
  }
  what.verb = resource["verb"].as_string();
  what.namespace_ = resource["namespace"].as_string();
  what.group = resource["group"].as_string();
  what.version = resource["version"].as_string();
  what.resource = resource["resource"].as_string();
  what.subresource = resource["subresource"].as_string();
  what.name = resource["name"].as_string();
  what.field_selector = selector_text(resource["fieldSelector"], kFieldSelector, false, faults);
  what.label_selector = selector_text(resource["labelSelector"], kLabelSelector, true, faults);
  return what;
}

Value user_info(const Identity& who) {
  auto list = [](const std::vector<std::string>& texts) {
    Value::ArrayBuilder builder;
    for (const std::string& text : texts) builder.add(text);
    return std::move(builder).build();
  };
  Value::ObjectBuilder extra;
  for (const auto& [key, values] : who.extra) extra.set(key, list(values));
  Value::ObjectBuilder builder;
  builder.set_nonempty("username", who.user);
  builder.set_nonempty("uid", who.uid);
  builder.set_nonempty("groups", list(who.groups));
  builder.set_nonempty("extra", std::move(extra).build());
  return std::move(builder).build();
}

void add_review_handlers(SubresourceTable& table, Authorizer& authorizer, TokenAuthenticator& tokens) {
  std::string authorization(kAuthorizationGroup);
  std::string authentication(kAuthenticationGroup);
  table.add(authorization, "subjectaccessreviews", "", AccessReviewHandler(authorizer, AccessReview::Anyone));
  table.add(authorization, "localsubjectaccessreviews", "", AccessReviewHandler(authorizer, AccessReview::Local));
  table.add(authorization, "selfsubjectaccessreviews", "", AccessReviewHandler(authorizer, AccessReview::Self));
  table.add(authorization, "selfsubjectrulesreviews", "",
            [&authorizer](SubresourceCall& call) { return rules_review(call, authorizer); });
  table.add(authentication, "selfsubjectreviews", "", subject_review);
  table.add(authentication, "tokenreviews", "",
            [&tokens](SubresourceCall& call) { return token_review(call, tokens); });
}

}  // namespace coracle::kube::apiserver
