#include "kube/apiserver/internal/patch_body.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/go_text.h"
#include "base/json/go_error.h"
#include "base/json/json.h"
#include "base/text.h"
#include "base/yaml/yaml.h"
#include "kube/apiserver/internal/resource_store.h"
#include "kube/apiserver/internal/responses.h"
#include "kube/codec/normalise.h"
#include "kube/patch/patch.h"
#include "kube/schema/defaulting.h"
#include "kube/schema/field_error.h"
#include "kube/schema/pruning.h"

namespace coracle::kube::apiserver {

namespace {

// 422 about the patch: strategic patches are shown themselves, others by what they made of the object.
Error invalid_patch(const PatchBody& body, const Value& patched, std::string_view detail) {
  const std::string shown = body.format == PatchFormat::Strategic ? go_text(body.patch) : json::write_raw(patched);
  return invalid({}, "", {field_error::invalid("patch", shown, detail)});
}

// A patch may neither rename nor move; the namespace that it takes away is the URL's all the same.
Result<Object> same_object(const Object& current, const Object& patched) {
  TRY(check_name_of_url(patched, current.name()));
  if (patched.namespace_().empty() && !current.namespace_().empty()) {
    return patched.with_metadata("namespace", current.namespace_());
  }
  if (patched.namespace_() != current.namespace_()) return namespace_mismatch();
  return patched;
}

Result<Value> apply_format(const PatchBody& body, const Schema* schema, const Object& current) {
  switch (body.format) {
    case PatchFormat::Json:
      return patch::apply_json_patch(current.tree(), body.patch);
    case PatchFormat::Strategic:
      if (schema == nullptr) break;
      return patch::apply_strategic_patch(current.tree(), body.patch, *schema);
    case PatchFormat::Merge:
    case PatchFormat::Apply:
      break;
  }
  return patch::apply_merge_patch(current.tree(), body.patch);
}

// Strategic patches are turned into objects by a converter of upstream's that has words of its own. `why` is what the
// JSON reader says of the same: "json: cannot unmarshal <kind> into Go ... of type <type>".
std::string conversion_error(const std::string& why) {
  constexpr std::string_view kBegin = "json: cannot unmarshal ", kField = " into Go struct field ", kType = " of type ";
  constexpr std::string_view kBase64 = "illegal base64";
  if (why.starts_with(kBase64)) return "error decoding from json: " + why;
  const std::size_t field = why.find(kField), type_at = why.rfind(kType);
  if (!why.starts_with(kBegin) || field == std::string::npos || type_at == std::string::npos) return why;
  const std::string value = why.substr(kBegin.size(), field - kBegin.size());
  const std::string type = why.substr(type_at + kType.size());
  const bool real = value.find_first_of(".eE", value.find(' ')) != std::string::npos;
  std::string kind = value.substr(0, value.find(' '));
  if (kind == "number") kind = value.find(' ') != std::string::npos && real ? "float64" : "int64";
  if (kind == "object") kind = "map";
  if (kind == "array") kind = "slice";
  if (type.starts_with("map[")) return "cannot restore map from " + kind;
  if (type.starts_with("[]")) return "cannot restore slice from " + kind;
  if (type.find('.') != std::string::npos) return "cannot restore struct from: " + kind;
  const bool number = kind == "int64" || kind == "float64";
  const bool to_number = type.starts_with("int") || type.starts_with("uint") || type.starts_with("float");
  if (number && (to_number || type == "string")) return "cannot convert " + kind + " to " + type;
  return "unrecognized type: " + type;
}

// What a JSON patch has too much of, in the order in which it stands there.
std::vector<std::string> odd_operations(const Value& patch, const std::vector<std::string>& duplicates) {
  static constexpr std::string_view kMembers[] = {"op", "path", "from", "value"};
  std::vector<std::string> findings;
  for (std::size_t i = 0; i < patch.size(); ++i) {
    for (const Value::Member& member : patch.at(i).members()) {
      const std::string path = "[" + std::to_string(i) + "]." + member.key;
      if (std::find(std::begin(kMembers), std::end(kMembers), member.key) == std::end(kMembers)) {
        findings.push_back("json patch unknown field \"" + path + "\"");
      } else if (std::find(duplicates.begin(), duplicates.end(), path) != duplicates.end()) {
        findings.push_back("json patch duplicate field \"" + path + "\"");
      }
    }
  }
  return findings;
}

}  // namespace

Result<PatchFormat> patch_format(const http::Request& request, bool custom) {
  const std::string_view header = request.headers.get("Content-Type");
  const std::string type = to_lower(trim(header.substr(0, header.find(';'))));
  if (type == "application/json-patch+json") return PatchFormat::Json;
  if (type == "application/merge-patch+json") return PatchFormat::Merge;
  if (type == "application/apply-patch+yaml") return PatchFormat::Apply;
  if (type == "application/strategic-merge-patch+json" && !custom) return PatchFormat::Strategic;
  if (!custom) return Error(Reason::UnsupportedMediaType, "415: Unsupported Media Type");
  return Error(Reason::UnsupportedMediaType,
               "the body of the request was in an unknown format - accepted media types include: "
               "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml");
}

namespace {

// A patch that is applied: repeated keys are findings like any other, the last one counts.
Result<PatchBody> read_applied(std::string_view text) {
  constexpr std::string_view kUnreadable = "error decoding YAML: ";
  PatchBody body;
  body.format = PatchFormat::Apply;
  auto tree = yaml::read(text);
  if (!tree.ok()) {
    yaml::ReadOptions lenient;
    lenient.strict = false;
    const std::string why = tree.error().message();
    tree = yaml::read(text, lenient);
    if (!tree.ok()) return bad_request(std::string(kUnreadable) + "error converting YAML to JSON: " + why);
    body.findings.push_back(why);
  }
  if (!tree->is_object() && !tree->is_null()) {
    return bad_request(std::string(kUnreadable) +
                       "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal " +
                       std::string(json_kind_name(*tree)) + " into Go value of type map[string]interface {}");
  }
  body.patch = std::move(tree).value();
  return body;
}

}  // namespace

Result<PatchBody> read_patch_body(const http::Request& request, bool custom) {
  PatchBody body;
  ASSIGN_OR_RETURN(body.format, patch_format(request, custom));
  if (body.format == PatchFormat::Apply) return read_applied(request.body);
  const std::string prefix = body.format == PatchFormat::Strategic ? "" : "error decoding patch: ";
  std::vector<std::string> duplicates;
  auto tree = json::read(request.body, {.duplicates = &duplicates});
  if (!tree.ok()) return bad_request(prefix + json::go_error(request.body, tree.error()));
  body.patch = std::move(tree).value();
  if (body.format == PatchFormat::Json) {
    body.findings = odd_operations(body.patch, duplicates);
    return body;
  }
  if (body.patch.is_null() && body.format == PatchFormat::Merge) return bad_request("Invalid JSON Patch");
  if (body.patch.is_null()) body.patch = Value::object();
  if (!body.patch.is_object()) {
    return bad_request(prefix + "json: cannot unmarshal " + std::string(json_kind_name(body.patch)) +
                       " into Go value of type map[string]interface {}");
  }
  for (const std::string& path : duplicates) body.findings.push_back("duplicate field \"" + path + "\"");
  return body;
}

Result<void> check_patch_options(const http::Query& query, PatchFormat format) {
  FieldErrors errors;
  if (format == PatchFormat::Apply) {
    if (query.get("fieldManager").empty())
      errors.push_back(field_error::required("fieldManager", "is required for apply patch"));
  } else if (query.has("force")) {
    errors.push_back(field_error::forbidden("force", "may not be specified for non-apply patch"));
  }
  if (errors.empty()) return {};
  return invalid({"meta.k8s.io", "v1", "PatchOptions"}, "", errors);
}

Result<Object> complete_object(const Object& object, const Schema* schema, bool custom, WallTime now,
                               std::vector<std::string>* findings) {
  Value tree = object.tree();
  std::vector<std::string> unknown;
  if (custom) {
    ASSIGN_OR_RETURN(tree, kube::normalise_custom(tree, &unknown));
    if (schema != nullptr) {
      ASSIGN_OR_RETURN(tree, kube::normalise_embedded(tree, *schema));
      tree = drop_nulls(prune(tree, *schema, &unknown), *schema);
    }
  } else if (schema != nullptr) {
    ASSIGN_OR_RETURN(tree, kube::normalise(tree, *schema, &unknown));
  }
  if (findings != nullptr) {
    for (const std::string& path : unknown) findings->push_back("unknown field \"" + path + "\"");
  }
  if (schema != nullptr) tree = apply_defaults(tree, *schema, now);
  return Object(std::move(tree));
}

Result<Object> complete_applied(const Object& object, const Schema* schema, bool custom, WallTime now) {
  if (!custom) return complete_object(object, schema, custom, now, nullptr);
  ASSIGN_OR_RETURN(Value tree, kube::normalise_custom(object.tree()));
  if (schema != nullptr) tree = apply_defaults(prune(tree, *schema), *schema, now);
  return Object(std::move(tree));
}

Result<Object> apply_patch_body(RequestScope& scope, const PatchBody& body, const GroupVersionKind& gvk,
                                const Schema* schema, bool custom, const Object& current) {
  ASSIGN_OR_RETURN(Value patched, apply_format(body, schema, current));
  // What a patch takes away is filled in again.
  if (patched["apiVersion"].as_string().empty()) patched = patched.with("apiVersion", gvk.api_version());
  if (patched["kind"].as_string().empty()) patched = patched.with("kind", gvk.kind);
  const GroupVersionKind sent = GroupVersionKind::parse(patched["apiVersion"].as_string(), patched["kind"].as_string());
  // Custom resources and strategic patches become objects of the URL's type, whatever they say.
  const bool typed = custom || body.format == PatchFormat::Strategic;
  if (!typed && !(sent == gvk)) return invalid_patch(body, patched, unregistered_kind(sent));
  if (!(sent == gvk)) patched = patched.with("kind", gvk.kind).with("apiVersion", gvk.api_version());
  std::vector<std::string> findings;
  const WallTime now = scope.context.clock().wall();
  auto completed = complete_object(Object(patched), schema, custom, now, &findings);
  if (!findings.empty() && body.format != PatchFormat::Strategic) {
    // Upstream finds them in the patched text, whose members are sorted.
    findings.clear();
    ASSIGN_OR_RETURN(patched, json::read(json::write_sorted(patched)));
    completed = complete_object(Object(patched), schema, custom, now, &findings);
  }
  if (!completed.ok()) {
    if (completed.error().reason() != Reason::BadRequest) return completed.error();
    const std::string& why = completed.error().message();
    return invalid_patch(body, patched, body.format == PatchFormat::Strategic ? conversion_error(why) : why);
  }
  ASSIGN_OR_RETURN(Object object, same_object(current, *completed));
  findings.insert(findings.begin(), body.findings.begin(), body.findings.end());
  if (findings.empty()) return object;
  const std::string_view validation = scope.query.get("fieldValidation");
  if (validation == "Strict") {
    std::string text = "strict decoding error: ";
    for (std::size_t i = 0; i < findings.size(); ++i) text += (i > 0 ? ", " : "") + findings[i];
    return invalid_patch(body, patched, text);
  }
  if (validation != "Ignore") {
    for (std::string& finding : findings) scope.warnings.add(std::move(finding));
  }
  return object;
}

}  // namespace coracle::kube::apiserver
