// JSON, YAML, TOML and base encodings, Helm's and sprig's variants.

#include "base/encoding.h"
#include "base/go_text.h"
#include "base/json/json.h"
#include "base/yaml/yaml.h"
#include "charts/functions/counted_walk.h"
#include "charts/functions/toml.h"
#include "charts/template/function.h"
#include "charts/values.h"

namespace coracle::charts {
namespace {

using Output = Result<GoValue>;

std::string without_last_newline(std::string value) {
  if (value.ends_with('\n')) value.pop_back();
  return value;
}

// Helm's lenient converters answer nothing where the strict ones fail.
Output lenient(Result<std::string> encoded) {
  if (!encoded.ok()) return GoValue::string("");
  return GoValue::string(std::move(encoded).value());
}
Output strict(Result<std::string> encoded) {
  if (!encoded.ok()) return encoded.error();
  return GoValue::string(std::move(encoded).value());
}

// As Go reads JSON and YAML into an interface: every number becomes float64.
GoValue value_from_document(const Value& value) {
  return GoValue::from_value(numbers_as_read(value));
}

// The argument as a tree, whose maps are sorted as encoding/json sorts them.
Result<Value> tree_of(const Call& call) {
  return counted_walk<Value>(call, kItemsOfCopy, [&](std::size_t& nodes) { return call[0].to_value(nodes); });
}

Result<std::string> pretty_yaml(const Call& call) {
  ASSIGN_OR_RETURN(const Value tree, tree_of(call));
  return without_last_newline(yaml::write_pretty(tree));
}

// sigs.k8s.io/yaml without the last newline, and encoding/json.
Result<std::string> go_to_yaml(const Call& call) {
  ASSIGN_OR_RETURN(const Value tree, tree_of(call));
  return without_last_newline(yaml::write(tree));
}

Result<std::string> go_to_json(const Call& call) {
  ASSIGN_OR_RETURN(const Value tree, tree_of(call));
  return json::write(tree);
}

Result<std::string> pretty_json(const Call& call) {
  ASSIGN_OR_RETURN(const Value tree, tree_of(call));
  return json::write_pretty(tree);
}

Result<std::string> raw_json(const Call& call) {
  ASSIGN_OR_RETURN(const Value tree, tree_of(call));
  return json::write_raw(tree);
}

Result<std::string> go_to_toml(const Call& call) {
  return counted_walk<std::string>(call, kItemsOfCopy,
                                   [&](std::size_t& nodes) { return charts::go_to_toml(call[0], nodes); });
}

GoValue error_dict(const std::string& message) {
  auto dict = std::make_shared<GoDict>();
  dict->set("Error", GoValue::string(message));
  return GoValue::dict(std::move(dict));
}

Result<Value> read_yaml(const std::string& source) {
  auto tree = yaml::read(source, {.strict = false});
  if (!tree.ok()) return tree.error().in("error converting YAML to JSON");
  return tree;
}

Output from_yaml(const Call& call) {
  auto tree = read_yaml(call.text(0));
  if (!tree.ok()) return error_dict(tree.error().message());
  if (tree->is_null()) return GoValue::dict();
  if (!tree->is_object()) {
    return error_dict("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal " +
                      std::string(json_kind_name(*tree)) + " into Go value of type map[string]interface {}");
  }
  return value_from_document(*tree);
}

Output from_yaml_array(const Call& call) {
  auto tree = read_yaml(call.text(0));
  if (!tree.ok()) return GoValue::list({GoValue::string(tree.error().message())});
  if (tree->is_null()) return GoValue::list();
  if (!tree->is_array()) {
    return GoValue::list(
        {GoValue::string("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal " +
                         std::string(json_kind_name(*tree)) + " into Go value of type []interface {}")});
  }
  return value_from_document(*tree);
}

Output from_json(const Call& call) {
  auto tree = json::read(call.text(0));
  if (!tree.ok()) return error_dict(tree.error().message());
  if (tree->is_null()) return GoValue::dict();
  if (!tree->is_object()) {
    return error_dict("json: cannot unmarshal " + std::string(json_kind_name(*tree)) +
                      " into Go value of type map[string]interface {}");
  }
  return value_from_document(*tree);
}

Output from_json_array(const Call& call) {
  auto tree = json::read(call.text(0));
  if (!tree.ok()) return GoValue::list({GoValue::string(tree.error().message())});
  if (tree->is_null()) return GoValue::list();
  if (!tree->is_array()) {
    return GoValue::list({GoValue::string("json: cannot unmarshal " + std::string(json_kind_name(*tree)) +
                                          " into Go value of type []interface {}")});
  }
  return value_from_document(*tree);
}

Output must_from_json(const Call& call) {
  ASSIGN_OR_RETURN(const Value tree, json::read(call.text(0)));
  return value_from_document(tree).unboxed();
}

// Where Go's decoder stops: at a wrong character, after padding that does not end the text, or at the
// start of an incomplete group.
std::size_t bad_base64_offset(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::size_t at = 0;
  for (; at + 4 <= text.size(); at += 4) {
    const std::size_t wrong = text.substr(at, 4).find_first_not_of(kAlphabet);
    if (wrong == std::string_view::npos) continue;
    const bool padding =
        wrong >= 2 && text.substr(at + wrong, 4 - wrong).find_first_not_of('=') == std::string_view::npos;
    return padding ? at + 4 : at + wrong;
  }
  const std::size_t wrong = text.substr(at).find_first_not_of(kAlphabet);
  return wrong == std::string_view::npos || text[at + wrong] == '=' ? at : at + wrong;
}

Output b64dec(const Call& call) {
  auto decoded = base64_decode(call.text(0));
  if (decoded.ok()) return GoValue::string(std::move(decoded).value());
  // sprig answers the error's text.
  return GoValue::string("illegal base64 data at input byte " + std::to_string(bad_base64_offset(call.text(0))));
}

constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

Output base32_encode(const Call& call) {
  std::string out;
  std::uint64_t bits = 0;
  int count = 0;
  for (const char c : call.text(0)) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    count += 8;
    for (; count >= 5; count -= 5) out += kBase32[(bits >> (count - 5)) & 31];
  }
  if (count > 0) out += kBase32[(bits << (5 - count)) & 31];
  while (out.size() % 8 != 0) out += '=';
  return GoValue::string(std::move(out));
}

Output base32_decode(const Call& call) {
  std::string out;
  std::uint64_t bits = 0;
  int count = 0;
  const std::string& source = call.text(0);
  for (std::size_t i = 0; i < source.size() && source[i] != '='; ++i) {
    const std::size_t digit = kBase32.find(source[i]);
    if (digit == std::string_view::npos)
      return GoValue::string("illegal base32 data at input byte " + std::to_string(i));
    bits = (bits << 5) | digit;
    count += 5;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>((bits >> count) & 255);
  }
  return GoValue::string(std::move(out));
}

constexpr Function kEncodings[] = {
    {"toYaml", "a", [](const Call& c) { return lenient(go_to_yaml(c)); }},
    {"mustToYaml", "a", [](const Call& c) { return strict(go_to_yaml(c)); }},
    {"toYamlPretty", "a", [](const Call& c) { return lenient(pretty_yaml(c)); }},
    {"fromYaml", "s", from_yaml},
    {"fromYamlArray", "s", from_yaml_array},
    {"toJson", "a", [](const Call& c) { return lenient(go_to_json(c)); }},
    {"mustToJson", "a", [](const Call& c) { return strict(go_to_json(c)); }},
    {"toPrettyJson", "a", [](const Call& c) { return lenient(pretty_json(c)); }},
    {"mustToPrettyJson", "a", [](const Call& c) { return strict(pretty_json(c)); }},
    {"toRawJson", "a", [](const Call& c) { return strict(raw_json(c)); }},
    {"mustToRawJson", "a", [](const Call& c) { return strict(raw_json(c)); }},
    {"fromJson", "s", from_json},
    {"fromJsonArray", "s", from_json_array},
    {"mustFromJson", "s", must_from_json},
    {"toToml", "a",
     [](const Call& c) -> Output {
       auto encoded = go_to_toml(c);
       return GoValue::string(encoded.ok() ? std::move(encoded).value() : encoded.error().message());
     }},
    {"mustToToml", "a", [](const Call& c) { return strict(go_to_toml(c)); }},
    {"b64enc", "s", [](const Call& c) -> Output { return GoValue::string(base64_encode(c.text(0))); }},
    {"b64dec", "s", b64dec},
    {"b32enc", "s", base32_encode},
    {"b32dec", "s", base32_decode},
};

}  // namespace

std::span<const Function> encoding_functions() {
  return kEncodings;
}

}  // namespace coracle::charts
