#include "kube/codec/codec.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/json/go_error.h"
#include "base/json/json.h"
#include "base/text.h"
#include "base/yaml/yaml.h"
#include "kube/codec/internal/scalars.h"
#include "kube/codec/internal/strict_scan.h"
#include "kube/codec/normalise.h"
#include "kube/codec/protobuf.h"

namespace coracle::kube {
namespace {

// So much of an unreadable body is shown in the error.
constexpr std::size_t kShownBytes = 30;
constexpr std::string_view kYamlErrors = "yaml: unmarshal errors:";

std::string summary_of(std::string_view body) {
  if (body.empty()) return "<empty>";
  const std::string_view shown = body.substr(0, kShownBytes);
  std::string text = body.front() == '{' ? std::string(shown) : hex_encode(shown);
  if (body.size() > kShownBytes) text += " ...";
  return text;
}

Error unrecognised(std::string_view body, std::string_view kind, std::string why) {
  if (kind.empty()) return bad_request(std::move(why));
  return bad_request("the object provided is unrecognized (must be of type " + std::string(kind) + "): " + why + " (" +
                     summary_of(body) + ")");
}

// The first thing that is looked for in a body is its type.
std::string no_type(std::string_view why) {
  return "couldn't get version/kind; json parse error: " + std::string(why);
}

// What is wrong with the type that the body names; empty where nothing is.
std::string type_problem(const Value& tree) {
  if (!tree.is_object()) {
    return no_type("json: cannot unmarshal " + internal::go_value_name(tree, {}) +
                   R"( into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; )"
                   R"(Kind string "json:\"kind,omitempty\"" })");
  }
  for (const Value::Member& member : tree.members()) {
    const bool type = member.key == "apiVersion" || member.key == "kind";
    if (!type || member.value.is_string() || member.value.is_null()) continue;
    return no_type("json: cannot unmarshal " + internal::go_value_name(member.value, {}) + " into Go struct field ." +
                   member.key + " of type string");
  }
  const std::string_view version = tree["apiVersion"].as_string();
  if (std::count(version.begin(), version.end(), '/') < 2) return {};
  return "unexpected GroupVersion string: " + std::string(version);
}

std::string quoted_finding(std::string_view what, const std::string& path) {
  return std::string(what) + " " + json::write_raw(Value(path));
}

void append_limited(std::vector<std::string>& findings, std::string text) {
  if (findings.size() >= internal::kMaxFindings) return;
  if (std::find(findings.begin(), findings.end(), text) == findings.end()) findings.push_back(std::move(text));
}

Result<Decoded> finish(const Value& tree, const Schema& schema, const DecodeOptions& options,
                       std::vector<std::string>& unknown) {
  Decoded decoded;
  decoded.api_version = tree["apiVersion"].as_string();
  decoded.kind = tree["kind"].as_string();
  std::vector<std::string>* sink = options.find_strict ? &unknown : nullptr;
  ASSIGN_OR_RETURN(decoded.object, options.custom ? normalise_custom(tree, sink) : normalise(tree, schema, sink));
  return decoded;
}

Result<Decoded> decode_json(std::string_view body, std::string_view expected_kind, const Schema& schema,
                            const DecodeOptions& options) {
  std::vector<std::string> duplicates;
  json::ReadOptions reading;
  if (options.find_strict) reading.duplicates = &duplicates;
  auto tree = json::read(body, reading);
  if (!tree.ok()) return unrecognised(body, expected_kind, no_type(json::go_error(body, tree.error())));
  if (tree->is_null()) tree = Value::object();
  if (std::string problem = type_problem(*tree); !problem.empty()) {
    return unrecognised(body, expected_kind, std::move(problem));
  }
  std::vector<std::string> unknown;
  ASSIGN_OR_RETURN(Decoded decoded, finish(*tree, schema, options, unknown));
  if (options.custom) {
    for (const std::string& path : duplicates) {
      append_limited(decoded.findings, quoted_finding("duplicate field", path));
    }
  } else if (!duplicates.empty() && !unknown.empty()) {
    decoded.findings = internal::strict_scan(body, schema);
    return decoded;
  } else if (!duplicates.empty()) {
    decoded.findings = internal::strict_scan(body, schema);
  }
  for (const std::string& path : unknown) append_limited(decoded.findings, quoted_finding("unknown field", path));
  return decoded;
}

// Repeated keys are told with the line they stand in; what counts is the last one.
Result<Decoded> decode_yaml(std::string_view body, std::string_view expected_kind, const Schema& schema,
                            const DecodeOptions& options) {
  std::string repeated;
  auto tree = yaml::read(body);
  if (!tree.ok()) {
    yaml::ReadOptions lenient;
    lenient.strict = false;
    const std::string why = tree.error().message();
    tree = yaml::read(body, lenient);
    if (!tree.ok()) return unrecognised(body, expected_kind, tree.error().message());
    repeated = why;
  }
  if (tree->is_null()) tree = Value::object();
  if (std::string problem = type_problem(*tree); !problem.empty()) {
    return unrecognised(body, expected_kind, std::move(problem));
  }
  std::vector<std::string> unknown;
  ASSIGN_OR_RETURN(Decoded decoded, finish(*tree, schema, options, unknown));
  if (!repeated.empty() && options.find_strict) append_limited(decoded.findings, std::move(repeated));
  for (const std::string& path : unknown) append_limited(decoded.findings, quoted_finding("unknown field", path));
  return decoded;
}

Result<Decoded> decode_envelope(std::string_view body, std::string_view expected_kind, const Schema& schema,
                                const DecodeOptions& options) {
  if (options.custom) return bad_request("custom resources have no protobuf form");
  if (!has_envelope(body)) {
    return unrecognised(body, expected_kind,
                        "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  }
  Decoded decoded;
  ASSIGN_OR_RETURN(const Envelope envelope, read_envelope(body));
  decoded.api_version = envelope.api_version;
  decoded.kind = envelope.kind;
  ASSIGN_OR_RETURN(decoded.object, decode_protobuf(envelope.raw, schema, envelope.api_version, envelope.kind));
  return decoded;
}

}  // namespace

std::optional<MediaType> parse_media_type(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && type.front() == ' ') type.remove_prefix(1);
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  const std::string lower = to_lower(type);
  if (lower.empty() || lower == kJsonMedia) return MediaType::Json;
  if (lower == kYamlMedia) return MediaType::Yaml;
  if (lower == kProtobufMedia) return MediaType::Protobuf;
  return std::nullopt;
}

std::string_view media_type_text(MediaType media) {
  switch (media) {
    case MediaType::Yaml:
      return kYamlMedia;
    case MediaType::Protobuf:
      return kProtobufMedia;
    default:
      return kJsonMedia;
  }
}

std::vector<std::string> Decoded::warnings() const {
  std::vector<std::string> warnings;
  for (const std::string& finding : findings) {
    if (!finding.starts_with(kYamlErrors)) {
      warnings.push_back(finding);
      continue;
    }
    // The heading, then one problem a line.
    for (std::size_t at = finding.find('\n'); at != std::string::npos;) {
      const std::size_t end = finding.find('\n', at + 1);
      const std::size_t begin = finding.find_first_not_of(" \n", at);
      if (begin < end) warnings.push_back(finding.substr(begin, end == std::string::npos ? end : end - begin));
      at = end;
    }
  }
  return warnings;
}

Result<Decoded> decode(std::string_view body, MediaType media, std::string_view expected_kind, const Schema& schema,
                       const DecodeOptions& options) {
  switch (media) {
    case MediaType::Yaml:
      return decode_yaml(body, expected_kind, schema, options);
    case MediaType::Protobuf:
      return decode_envelope(body, expected_kind, schema, options);
    default:
      return decode_json(body, expected_kind, schema, options);
  }
}

Result<std::string> encode(const Value& object, MediaType media, const Schema& schema) {
  switch (media) {
    case MediaType::Yaml:
      return yaml::write(object);
    case MediaType::Protobuf:
      return encode_envelope(object, schema);
    default:
      return json::write(object);
  }
}

}  // namespace coracle::kube
