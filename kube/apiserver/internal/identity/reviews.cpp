#include "kube/apiserver/internal/identity/reviews.h"

#include <utility>

#include "kube/apiserver/internal/identity/rbac_rules.h"
#include "kube/apiserver/internal/responses.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::string_view kAuthorizationGroup = "authorization.k8s.io";
constexpr std::string_view kAuthenticationGroup = "authentication.k8s.io";
// Upstream's reviews name no kind in their errors.
const GroupVersionKind kUnnamedReview = {"authorization.k8s.io", "v1", ""};

// Requirements of a review's selector as selector text.
std::string selector_text(const Value& selector, bool labels) {
  if (selector.contains("rawSelector")) return std::string(selector["rawSelector"].as_string());
  std::string text;
  for (const Value& requirement : selector["requirements"].items()) {
    std::string key(requirement["key"].as_string());
    std::string_view op = requirement["operator"].as_string();
    std::string values;
    for (const Value& value : requirement["values"].items()) {
      if (!values.empty()) values += ",";
      values += value.as_string();
    }
    if (!text.empty()) text += ",";
    if (op == "Exists") {
      text += key;
    } else if (op == "DoesNotExist") {
      text += "!" + key;
    } else if (labels) {
      text += key + (op == "In" ? " in (" : " notin (") + values + ")";
    } else {
      text += key + (op == "In" ? "=" : "!=") + values;
    }
  }
  return text;
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

void check_selector(const Value& selector, const std::string& field, FieldErrors& errors) {
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
  check_selector(resource["fieldSelector"], "spec.resourceAttributes.fieldSelector", errors);
  check_selector(resource["labelSelector"], "spec.resourceAttributes.labelSelector", errors);
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
    errors.push_back(field_error::invalid("metadata", metadata, "must be empty"));
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
    const Value& spec = review["spec"];
    FieldErrors errors;
    if (form_ != AccessReview::Self) check_subject(spec, errors);
    check_access_spec(spec, errors);
    check_review_metadata(review, form_ == AccessReview::Local, errors);
    if (form_ == AccessReview::Local && errors.empty()) check_local(spec, call.scope.info.namespace_, errors);
    if (!errors.empty()) return invalid(kUnnamedReview, review.name(), errors);
    Identity who = form_ == AccessReview::Self ? call.scope.who() : identity_of_review(spec);
    Decision decision = authorizer_->authorize(call.scope.context, who, attributes_of_review(spec));
    Value::ObjectBuilder status;
    status.set("allowed", decision.outcome == Decision::Outcome::Allow);
    if (decision.outcome == Decision::Outcome::Deny) status.set("denied", true);
    status.set_nonempty("reason", decision.reason);
    if (form_ == AccessReview::Local) review = review.with_metadata("namespace", call.scope.info.namespace_);
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

Attributes attributes_of_review(const Value& spec) {
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
  what.field_selector = selector_text(resource["fieldSelector"], false);
  what.label_selector = selector_text(resource["labelSelector"], true);
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
