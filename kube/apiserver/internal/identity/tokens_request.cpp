#include "kube/apiserver/internal/identity/tokens_request.h"

#include <algorithm>
#include <utility>

#include "kube/apiserver/internal/responses.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {
namespace {

constexpr std::int64_t kDefaultExpiration = 3600;
constexpr std::int64_t kMinimumExpiration = 600;
constexpr std::int64_t kMaxExpiration = std::int64_t{1} << 32;
// What kubelets ask for on behalf of pods. Clients that do not read the file again live on: the token
// lasts a year, and says after what time its use is worth a warning.
constexpr std::int64_t kExtendableExpiration = 3607;
constexpr std::int64_t kExtendedExpiration = 365 * 24 * 3600;

const GroupVersionKind kTokenRequestKind = {"authentication.k8s.io", "v1", "TokenRequest"};

struct TokenWish {
  std::int64_t expiration = kDefaultExpiration;
  std::vector<std::string> audiences;
};

Error bound_conflict(std::string_view kind, std::string_view name, std::string_view wanted_uid) {
  std::string text = "Operation cannot be fulfilled on " + std::string(kind) + " \"" + std::string(name) +
                     "\": the UID in the bound object reference (" + std::string(wanted_uid) +
                     ") does not match the UID in record. The object might have been deleted and then recreated";
  return Error(Reason::Conflict, std::move(text)).with_details({std::string(name), "", std::string(kind), ""});
}

Result<TokenWish> read_wish(const Object& request, const std::string& account, const TokenAuthority& authority) {
  std::string_view name = request.name();
  if (!name.empty() && name != account) {
    return invalid(kTokenRequestKind, account,
                   {field_error::invalid("metadata.name", name, "must match the service account name if specified")});
  }
  const Value& spec = request["spec"];
  TokenWish wish;
  wish.expiration = spec["expirationSeconds"].as_int(kDefaultExpiration);
  std::string fault;
  if (wish.expiration < kMinimumExpiration) fault = "may not specify a duration less than 10 minutes";
  if (wish.expiration > kMaxExpiration) fault = "may not specify a duration larger than 2^32 seconds";
  if (!fault.empty()) {
    return invalid(kTokenRequestKind, request.name(),
                   {field_error::invalid("spec.expirationSeconds", wish.expiration, fault)});
  }
  wish.audiences = string_items(spec["audiences"]);
  if (wish.audiences.empty()) wish.audiences = authority.api_audiences();
  return wish;
}

class TokenRequestHandler {
 public:
  TokenRequestHandler(const TokenAuthority& authority, const ObjectReader& objects)
      : authority_(authority), objects_(objects) {}

  Result<http::Response> handle(SubresourceCall& call) const {
    const Context& context = call.scope.context;
    const RequestInfo& info = call.scope.info;
    const KindSchema* kind =
        find_builtin_kind(kTokenRequestKind.group, kTokenRequestKind.version, kTokenRequestKind.kind);
    const Schema* schema = kind == nullptr ? nullptr : kind->schema;
    ASSIGN_OR_RETURN(Object request, read_body(call.scope, kTokenRequestKind, schema));
    if (!request.namespace_().empty() && request.namespace_() != info.namespace_) {
      return namespace_mismatch();
    }
    ASSIGN_OR_RETURN(WriteRequest write, write_request(call.scope, call.resource, "CreateOptions"));
    ASSIGN_OR_RETURN(Object account, call.store.get(context, call.resource, info.namespace_, info.name));
    ASSIGN_OR_RETURN(TokenWish wish, read_wish(request, info.name, authority_));

    std::vector<std::string> warnings;
    AdmissionAttributes attributes{Operation::Create, call.resource,    call.subresource, info.namespace_,
                                   info.name,         call.scope.who(), nullptr,          write.dry_run};
    TRY(call.admission.admit(context, attributes, &request, warnings));
    TRY(call.admission.validate(context, attributes, &request, warnings));
    for (std::string& warning : warnings) call.scope.warnings.add(std::move(warning));

    ServiceAccountClaims claims;
    claims.namespace_ = info.namespace_;
    claims.service_account = {info.name, std::string(account.uid())};
    claims.audiences = wish.audiences;
    TRY(bind(context, request["spec"]["boundObjectRef"], claims));
    return answer(call, request, wish, std::move(claims));
  }

 private:
  // Fills in what the token is bound to, as it is now.
  Result<void> bind(const Context& context, const Value& reference, ServiceAccountClaims& claims) const {
    if (!reference.is_object()) return {};
    std::string api_version(reference["apiVersion"].as_string());
    std::string kind(reference["kind"].as_string());
    std::string name(reference["name"].as_string());
    const GroupVersionKind gvk = GroupVersionKind::parse(api_version, kind);
    const bool core = gvk.group.empty();
    if (core && kind == "Pod") return bind_pod(context, reference, name, claims);
    if (core && kind == "Secret") {
      ASSIGN_OR_RETURN(Object secret, bound(context, KnownResource::Secrets, claims.namespace_, name));
      claims.secret = NamedReference{name, std::string(secret.uid())};
      return check_uid(reference, kind, name, secret);
    }
    if (core && kind == "Node") {
      ASSIGN_OR_RETURN(Object node, bound(context, KnownResource::Nodes, {}, name));
      claims.node = NamedReference{name, std::string(node.uid())};
      return check_uid(reference, kind, name, node);
    }
    return bad_request("cannot bind token to object of type " + gvk.group + "/" + gvk.version + ", Kind=" + kind);
  }

  Result<void> bind_pod(const Context& context, const Value& reference, const std::string& name,
                        ServiceAccountClaims& claims) const {
    ASSIGN_OR_RETURN(Object pod, bound(context, KnownResource::Pods, claims.namespace_, name));
    const Value& spec = pod["spec"];
    if (spec["serviceAccountName"].as_string() != claims.service_account.name) {
      return bad_request("cannot bind token for serviceaccount \"" + claims.service_account.name +
                         "\" to pod running with different serviceaccount name.");
    }
    claims.pod = NamedReference{name, std::string(pod.uid())};
    TRY(check_uid(reference, "Pod", name, pod));
    std::string node_name(spec["nodeName"].as_string());
    if (node_name.empty()) return {};
    ASSIGN_OR_RETURN(StoredObjectPtr node, objects_.find_stored(context, KnownResource::Nodes, {}, node_name));
    claims.node = NamedReference{node_name, node == nullptr ? std::string() : std::string(node->uid())};
    return {};
  }

  Result<Object> bound(const Context& context, KnownResource resource, std::string_view ns,
                       const std::string& name) const {
    if (name.empty()) return bad_request("Name parameter required.");
    ASSIGN_OR_RETURN(std::optional<Object> object, objects_.find(context, resource, ns, name));
    if (!object) return not_found(*objects_.descriptor(resource), name);
    return *object;
  }

  static Result<void> check_uid(const Value& reference, std::string_view kind, const std::string& name,
                                const Object& object) {
    std::string_view wanted = reference["uid"].as_string();
    if (!wanted.empty() && wanted != object.uid()) return bound_conflict(kind, name, wanted);
    return {};
  }

  Result<http::Response> answer(SubresourceCall& call, const Object& request, const TokenWish& wish,
                                ServiceAccountClaims claims) const {
    const Context& context = call.scope.context;
    WallTime now = context.clock().wall();
    claims.issued_at = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    claims.not_before = claims.issued_at;
    claims.expires = claims.issued_at + wish.expiration;
    claims.token_id = context.executor().random().uuid();
    const std::vector<std::string>& api = authority_.api_audiences();
    bool for_api = std::any_of(wish.audiences.begin(), wish.audiences.end(), [&](const std::string& audience) {
      return std::find(api.begin(), api.end(), audience) != api.end();
    });
    if (claims.pod && for_api && wish.expiration == kExtendableExpiration) {
      claims.warn_after = claims.expires;
      claims.expires = claims.issued_at + kExtendedExpiration;
    }
    ASSIGN_OR_RETURN(std::string token, authority_.sign(claims));
    std::string end = format_time(WallTime(std::chrono::seconds(claims.issued_at + wish.expiration)));

    Value::ArrayBuilder audiences;
    for (const std::string& audience : wish.audiences) audiences.add(audience);
    Value spec = request["spec"]
                     .with("audiences", std::move(audiences).build())
                     .with("expirationSeconds", wish.expiration)
                     .with("boundObjectRef", request["spec"]["boundObjectRef"]);
    Value metadata = Value::object({{"name", claims.service_account.name},
                                    {"namespace", claims.namespace_},
                                    {"uid", claims.service_account.uid},
                                    {"creationTimestamp", format_time(now)}});
    Value status = Value::object({{"token", token}, {"expirationTimestamp", end}});
    Object result(Value::object({{"apiVersion", kTokenRequestKind.api_version()},
                                 {"kind", kTokenRequestKind.kind},
                                 {"metadata", std::move(metadata)},
                                 {"spec", std::move(spec)},
                                 {"status", std::move(status)}}));
    return object_response(call.scope, 201, result);
  }

  const TokenAuthority& authority_;
  const ObjectReader& objects_;
};

http::Response key_document(std::string text, std::string content_type) {
  http::Response response = http::Response::text(200, std::move(text), std::move(content_type));
  response.headers.set("Cache-Control", "public, max-age=3600");
  return response;
}

}  // namespace

SubresourceHandler make_token_request_handler(const TokenAuthority& authority, const ObjectReader& objects) {
  return [handler = TokenRequestHandler(authority, objects)](SubresourceCall& call) { return handler.handle(call); };
}

void add_token_discovery(EndpointTable& endpoints, const TokenAuthority& authority, const std::string& host_port) {
  std::string configuration = authority.discovery_document("https://" + host_port + "/openid/v1/jwks");
  endpoints.set_exact("/.well-known/openid-configuration",
                      [configuration](RequestScope& scope) -> Result<http::Response> {
                        TRY(only_gets(scope));
                        return key_document(configuration, "application/json");
                      });
  endpoints.set_exact("/openid/v1/jwks", [&authority](RequestScope& scope) -> Result<http::Response> {
    TRY(only_gets(scope));
    ASSIGN_OR_RETURN(std::string keys, authority.key_set_document());
    return key_document(std::move(keys), "application/jwk-set+json");
  });
}

}  // namespace coracle::kube::apiserver
