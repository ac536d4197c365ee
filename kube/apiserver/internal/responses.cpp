#include "kube/apiserver/internal/responses.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/json/json.h"
#include "base/text.h"
#include "kube/apiserver/internal/media_type.h"
#include "kube/apiserver/internal/object_encoder.h"
#include "kube/apiserver/internal/object_meta.h"
#include "kube/codec/codec.h"
#include "kube/codec/normalise.h"
#include "kube/object/status.h"
#include "kube/schema/defaulting.h"
#include "kube/schema/field_error.h"
#include "kube/schema/pruning.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::size_t kMaxManager = 128;
constexpr std::string_view kStatusSchema = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";
constexpr std::string_view kUnrecognized = "the object provided is unrecognized";

enum class FieldValidation { Ignore, Warn, Strict };

FieldValidation field_validation(const http::Query& query) {
  const std::string_view text = query.get("fieldValidation");
  if (text == "Ignore") return FieldValidation::Ignore;
  return text == "Strict" ? FieldValidation::Strict : FieldValidation::Warn;
}

std::string handled_as(const GroupVersionKind& gvk) {
  return gvk.kind + " in version \"" + gvk.version + "\" cannot be handled as a " + gvk.kind;
}

Error other_version(const Decoded& decoded, const GroupVersionKind& gvk) {
  return bad_request("the API version in the data (" + decoded.api_version +
                     ") does not match the expected API version (" + gvk.api_version() + ")");
}

Result<void> check_body_type(const Decoded& decoded, const GroupVersionKind& gvk, bool custom) {
  if (!decoded.api_version.empty() && decoded.api_version != gvk.api_version()) {
    const GroupVersionKind sent = GroupVersionKind::parse(decoded.api_version, decoded.kind);
    if (!custom && find_builtin_kind(sent.group, sent.version, sent.kind) == nullptr) {
      return bad_request(sent.kind + " in version \"" + sent.version + "\" cannot be handled as a " + gvk.kind + ": " +
                         unregistered_kind(sent));
    }
    return other_version(decoded, gvk);
  }
  if (custom && decoded.kind.empty()) {
    return bad_request("the object provided is unrecognized (must be of type " + gvk.kind +
                       "): Object 'Kind' is missing");
  }
  if (custom && decoded.api_version.empty()) return other_version(decoded, gvk);
  if (decoded.kind.empty() || decoded.kind == gvk.kind) return {};
  if (!custom && find_builtin_kind(gvk.group, gvk.version, decoded.kind) == nullptr) {
    GroupVersionKind sent = gvk;
    sent.kind = decoded.kind;
    return bad_request(sent.kind + " in version \"" + sent.version + "\" cannot be handled as a " + gvk.kind + ": " +
                       unregistered_kind(sent));
  }
  if (custom) {
    return invalid(gvk, decoded.object["metadata"]["name"].as_string(),
                   {field_error::invalid("kind", decoded.kind, "must be " + gvk.kind)});
  }
  return bad_request(decoded.kind + " in version \"" + gvk.version + "\" cannot be handled as a " + gvk.kind +
                     ": converting (" + gvk.version + "." + decoded.kind + ") to (" + gvk.version + "." + gvk.kind +
                     "): unknown conversion");
}

Value typed(const Value& tree, const GroupVersionKind& gvk) {
  if (tree["kind"].as_string() == gvk.kind && tree["apiVersion"].as_string() == gvk.api_version()) return tree;
  Value::ObjectBuilder out;
  out.set("kind", gvk.kind).set("apiVersion", gvk.api_version());
  for (const Value::Member& member : tree.members()) {
    if (member.key != "kind" && member.key != "apiVersion") out.append(member.key, member.value);
  }
  return std::move(out).build();
}

// The User-Agent up to its first slash, as upstream names managers that do not name themselves.
std::string manager_of(const RequestScope& scope) {
  std::string manager(scope.query.get("fieldManager"));
  if (!manager.empty()) return manager;
  const std::string_view agent = scope.request.headers.get("User-Agent");
  for (char c : agent.substr(0, agent.find('/'))) {
    if (c >= ' ' && c != 127) manager += c;
    if (manager.size() >= kMaxManager) break;
  }
  return manager.empty() ? "unknown" : manager;
}

void check_write_options(const RequestScope& scope, FieldErrors& errors) {
  Value::ArrayBuilder dry_runs;
  for (std::string_view value : scope.query.all("dryRun")) dry_runs.add(value);
  check_dry_run(std::move(dry_runs).build(), errors);
  const std::string_view manager = scope.query.get("fieldManager");
  if (manager.size() > kMaxManager) errors.push_back(field_error::too_long("fieldManager", kMaxManager));
  // Upstream counts characters, of which all before this one are one byte each.
  const auto odd = std::find_if(manager.begin(), manager.end(), [](unsigned char c) { return c < ' ' || c == 127; });
  if (odd != manager.end()) {
    std::array<char, 8> code{};
    std::snprintf(code.data(), code.size(), "U+%04X", static_cast<unsigned char>(*odd));
    errors.push_back(field_error::invalid("fieldManager", manager,
                                          std::string("invalid character ") + code.data() + " (at position " +
                                              std::to_string(odd - manager.begin()) + ")"));
  }
  const std::string_view validation = scope.query.get("fieldValidation");
  constexpr std::string_view kKnown[] = {"", "Ignore", "Strict", "Warn"};
  if (std::find(std::begin(kKnown), std::end(kKnown), validation) != std::end(kKnown)) return;
  errors.push_back(field_error::not_supported("fieldValidation", validation, kKnown));
}

// In its place before the code.
Value with_empty_details(const Value& status) {
  Value::ObjectBuilder out;
  for (const Value::Member& member : status.members()) {
    if (member.key == "code") out.append("details", Value::object());
    out.append(member.key, member.value);
  }
  return std::move(out).build();
}

// Upstream's router makes these errors with details that say nothing; they are printed all the same.
bool has_empty_details(const Error& error) {
  if (error.details() != ErrorDetails() || !error.causes().empty() || error.retry_after()) return false;
  const Reason reason = error.reason();
  const bool routed = error.message().starts_with("415: ") || error.message().starts_with("406: ");
  return routed || reason == Reason::NotFound || reason == Reason::MethodNotAllowed || reason == Reason::Invalid;
}

}  // namespace

Error namespace_mismatch() {
  return bad_request("the namespace of the provided object does not match the namespace sent on the request");
}

Result<void> check_name_of_url(const Object& object, std::string_view name) {
  if (object.name().empty()) {
    return bad_request("the name of the object (" + std::string(name) +
                       " based on URL) was undeterminable: name must be provided");
  }
  if (object.name() == name) return {};
  return bad_request("the name of the object (" + std::string(object.name()) +
                     ") does not match the name on the URL (" + std::string(name) + ")");
}

Error method_not_allowed() {
  return Error(Reason::MethodNotAllowed, "the server does not allow this method on the requested resource");
}

Result<void> only_gets(const RequestScope& scope) {
  return scope.request.method == "GET" ? Result<void>() : method_not_allowed();
}

http::Response page_not_found() {
  return http::Response::text(404, "404 page not found\n");
}

std::string unregistered_kind(const GroupVersionKind& gvk) {
  return "no kind \"" + gvk.kind + "\" is registered for version \"" + gvk.api_version() +
         "\" in scheme \"pkg/api/legacyscheme/scheme.go:30\"";
}

http::Response error_response(const http::Request& request, const Error& error) {
  const OutputType output = negotiate_error(request);
  http::Response response;
  response.status = error.code();
  response.headers.set("Content-Type", output.content_type());
  if (error.retry_after()) response.headers.set("Retry-After", std::to_string(error.retry_after()->count()));
  Value status = to_status(error);
  if (has_empty_details(error)) status = with_empty_details(status);
  response.body.push_back(ObjectEncoder::tree(output, status, find_builtin_type(kStatusSchema)));
  return response;
}

Result<http::Response> object_response(const RequestScope& scope, int code, const Object& object) {
  const GroupVersionKind gvk = object.gvk();
  const bool status = is_status(object.tree());
  const KindSchema* kind = find_builtin_kind(gvk.group, gvk.version, gvk.kind);
  const Schema* schema = status ? find_builtin_type(kStatusSchema) : (kind != nullptr ? kind->schema : nullptr);
  OutputOffer offer;
  offer.protobuf = schema != nullptr;
  // Status objects are never transformed; asking for a table is no error there.
  OutputType output = negotiate_error(scope.request);
  if (!status) {
    ASSIGN_OR_RETURN(output, negotiate_output(scope.request, offer));
  }
  http::Response response;
  response.status = code;
  response.headers.set("Content-Type", output.content_type());
  response.body.push_back(ObjectEncoder::tree(output, object.tree(), schema));
  return response;
}

Result<void> report_findings(RequestScope& scope, const GroupVersionKind& gvk,
                             const std::vector<std::string>& findings) {
  if (findings.empty()) return {};
  switch (field_validation(scope.query)) {
    case FieldValidation::Strict:
      return bad_request(handled_as(gvk) + ": strict decoding error: " + join(findings, ", "));
    case FieldValidation::Warn:
      for (const std::string& finding : findings) scope.warnings.add(finding);
      return {};
    case FieldValidation::Ignore:
      return {};
  }
  return {};
}

Result<Object> read_body(RequestScope& scope, const GroupVersionKind& gvk, const Schema* schema, bool custom) {
  static const Schema kAnything;
  ASSIGN_OR_RETURN(const MediaType media, input_encoding(scope.request, !custom));
  DecodeOptions options;
  options.custom = custom;
  options.find_strict = field_validation(scope.query) != FieldValidation::Ignore;
  auto decoded = decode(scope.request.body, media, gvk.kind, schema != nullptr ? *schema : kAnything, options);
  if (!decoded.ok()) {
    const Error& error = decoded.error();
    if (error.reason() != Reason::BadRequest || error.message().starts_with(kUnrecognized)) return error;
    return bad_request(handled_as(gvk) + ": " + error.message());
  }
  TRY(check_body_type(*decoded, gvk, custom));
  Value tree = typed(decoded->object, gvk);
  if (custom && schema != nullptr) {
    std::vector<std::string> unknown;
    auto normal = kube::normalise_embedded(tree, *schema);
    if (!normal.ok()) return bad_request(handled_as(gvk) + ": " + normal.error().message());
    tree = drop_nulls(prune(*normal, *schema, &unknown), *schema);
    // Upstream looks for them in maps that it sorts.
    std::sort(unknown.begin(), unknown.end());
    for (const std::string& path : unknown) decoded->findings.push_back("unknown field \"" + path + "\"");
  }
  TRY(report_findings(scope, gvk, decoded->findings));
  if (schema != nullptr) tree = apply_defaults(tree, *schema, scope.context.clock().wall());
  return Object(std::move(tree));
}

void check_dry_run(const Value& values, FieldErrors& errors) {
  const auto all = values.items();
  if (std::all_of(all.begin(), all.end(), [](const Value& value) { return value.as_string() == "All"; })) return;
  constexpr std::string_view kKnown[] = {"All"};
  errors.push_back(field_error::not_supported("dryRun", values, kKnown));
}

Result<WriteRequest> write_request(RequestScope& scope, const ResourceDescriptor& resource,
                                   std::string_view options_kind) {
  FieldErrors errors;
  // A DELETE with a body has its options there.
  const bool from_query = options_kind != "DeleteOptions" || scope.request.body.empty();
  if (from_query) check_write_options(scope, errors);
  if (!errors.empty()) return invalid({"meta.k8s.io", "v1", std::string(options_kind)}, "", errors);
  WriteRequest write{scope.context,
                     resource,
                     scope.info.namespace_,
                     scope.info.name,
                     scope.info.subresource,
                     manager_of(scope),
                     scope.query.get("dryRun") == "All",
                     true,
                     &scope.warnings.sink(),
                     scope.info.name};
  return write;
}

}  // namespace coracle::kube::apiserver
