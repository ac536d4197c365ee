#include <yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "base/go_text.h"
#include "base/text.h"
#include "base/utf8.h"
#include "base/yaml/internal/scalar.h"
#include "base/yaml/yaml.h"

namespace coracle::yaml {
namespace {

using internal::resolve_plain;
using internal::Scalar;
using internal::ScalarTag;

// Errors of decoding (duplicate keys) are collected up to here; one message lists them all.
constexpr std::size_t kMaxDecodeErrors = 100;

class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { clear(); }

  void clear() {
    if (filled_) yaml_event_delete(&event_);
    filled_ = false;
  }
  bool next(yaml_parser_t& parser) {
    clear();
    filled_ = yaml_parser_parse(&parser, &event_) != 0;
    return filled_;
  }
  yaml_event_type_t type() const { return event_.type; }
  const yaml_event_t& raw() const { return event_; }
  int line() const { return static_cast<int>(event_.start_mark.line) + 1; }

 private:
  yaml_event_t event_ = {};
  bool filled_ = false;
};

std::string_view text_of(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

// What one node came to: its value, how many nodes it stands for once aliases are expanded, and,
// for a scalar, the key that it makes.
struct Decoded {
  Value value;
  std::size_t nodes = 1;
  bool merge = false;              // a plain "<<"
  bool from_float = false;         // 1.0 and 1e7 are integers as values, but floats as keys
  std::uint64_t unsigned_key = 0;  // an integer beyond int64, which cannot be a key
};

struct Key {
  std::string text;   // of the JSON member
  std::string shown;  // as Go prints the typed key in an error
  bool from_float = false;
};

// The members of a mapping under construction with an index, so that a long mapping costs linear time.
struct Members {
  std::vector<Value::Member> list;
  std::unordered_map<std::string, std::size_t> index;
  std::unordered_set<std::string> shown;  // keys as typed: 1 and "1" are different keys to go-yaml
};

Error fail(const std::string& text) {
  return bad_request("yaml: " + text);
}

bool is_true_or_false(std::string_view text) {
  const std::string lower = to_lower(text);
  return lower == "true" || lower == "false";
}

class Reader {
 public:
  Reader(std::string_view text, const ReadOptions& options) : options_(options) {
    yaml_parser_initialize(&parser_);
    if (text.data() == nullptr) text = "";  // libyaml takes no null pointer, not even for nothing
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
    if (text.find("\\/") != std::string_view::npos) text_ = text;
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { yaml_parser_delete(&parser_); }

  // The next document, or nothing at the end of the stream.
  Result<std::optional<Document>> next_document();

 private:
  Result<void> advance();
  Error parser_error() const;
  Result<Decoded> node(std::size_t depth);
  Result<Decoded> scalar();
  Decoded tagged_scalar(ScalarTag wanted, std::string_view text);
  Result<void> check_escapes();
  Result<Decoded> alias();
  Result<Decoded> sequence(std::size_t depth);
  Result<Decoded> mapping(std::size_t depth);
  void merge_into(Members& members, const Value& source, int line);
  void set(Members& members, Key key, Value value, int line);
  // Remembers what is wrong with well-formed text: a later syntax error of the document counts more.
  void reject(const std::string& text) {
    if (!rejected_) rejected_ = fail(text);
  }
  Result<void> count(std::size_t nodes);
  void remember(const std::string& anchor, const Decoded& decoded);

  ReadOptions options_;
  yaml_parser_t parser_ = {};
  Event event_;
  std::string_view text_;            // the input, if it has "\\/" somewhere; its bytes are looked at again then
  std::size_t text_characters_ = 0;  // how far check_escapes() has come, in characters
  std::size_t text_bytes_ = 0;       // and in bytes
  std::unordered_map<std::string, Decoded> anchors_;
  std::unordered_set<std::string> open_anchors_;
  std::vector<std::string> decode_errors_;
  std::optional<Error> rejected_;
  std::optional<Error> key_error_;
  std::size_t nodes_ = 0;
};

Error Reader::parser_error() const {
  // go-yaml names no line for the first one, and counts from one only what its scanner finds.
  const bool scanner = parser_.error == YAML_SCANNER_ERROR;
  std::size_t line = parser_.problem_mark.line;
  if (line != 0 && scanner) ++line;
  std::string text = line == 0 ? "" : "line " + std::to_string(line) + ": ";
  text += parser_.problem != nullptr ? parser_.problem : "unknown problem parsing YAML content";
  return fail(text);
}

Result<void> Reader::advance() {
  if (!event_.next(parser_)) return parser_error();
  return {};
}

Result<std::optional<Document>> Reader::next_document() {
  TRY(advance());
  if (event_.type() == YAML_STREAM_START_EVENT) TRY(advance());
  if (event_.type() == YAML_STREAM_END_EVENT) return std::optional<Document>();
  anchors_.clear();
  open_anchors_.clear();
  decode_errors_.clear();
  rejected_.reset();
  key_error_.reset();
  nodes_ = 0;
  TRY(advance());
  Document document;
  document.line = event_.line();
  ASSIGN_OR_RETURN(Decoded decoded, node(1));
  TRY(advance());
  document.value = std::move(decoded.value);
  if (rejected_) return *rejected_;
  if (!decode_errors_.empty()) {
    std::string text = "unmarshal errors:";
    for (const std::string& error : decode_errors_) text += "\n  " + error;
    return fail(text);
  }
  if (key_error_) return *key_error_;
  return std::optional<Document>(std::move(document));
}

Result<void> Reader::count(std::size_t nodes) {
  nodes_ += nodes;
  if (nodes_ > options_.max_nodes) return fail("document contains excessive aliasing");
  return {};
}

void Reader::remember(const std::string& anchor, const Decoded& decoded) {
  if (anchor.empty()) return;
  open_anchors_.erase(anchor);
  Decoded kept = decoded;
  kept.merge = false;
  anchors_.insert_or_assign(anchor, std::move(kept));
}

Result<Decoded> Reader::node(std::size_t depth) {
  if (depth > options_.max_depth) {
    return fail("line " + std::to_string(event_.line()) + ": exceeded max depth of " +
                std::to_string(options_.max_depth));
  }
  switch (event_.type()) {
    case YAML_ALIAS_EVENT:
      return alias();
    case YAML_SCALAR_EVENT:
      return scalar();
    case YAML_SEQUENCE_START_EVENT:
      return sequence(depth);
    case YAML_MAPPING_START_EVENT:
      return mapping(depth);
    default:
      return fail("line " + std::to_string(event_.line()) + ": a value was expected");
  }
}

Result<Decoded> Reader::alias() {
  const std::string name(text_of(event_.raw().data.alias.anchor));
  if (open_anchors_.count(name) != 0) {
    reject("anchor '" + name + "' value contains itself");
    return Decoded{};
  }
  const auto found = anchors_.find(name);
  if (found == anchors_.end()) return fail("unknown anchor '" + name + "' referenced");
  TRY(count(found->second.nodes));
  return found->second;
}

Value value_of(const Scalar& scalar, std::string_view text) {
  // An integral float is an integer once it has passed through JSON.
  constexpr double kIntegralLimit = 9.2e18;
  switch (scalar.tag) {
    case ScalarTag::Null:
      return {};
    case ScalarTag::Bool:
      return scalar.integer != 0;
    case ScalarTag::Int:
      return scalar.integer;
    case ScalarTag::Unsigned:
      return static_cast<double>(scalar.unsigned_integer);
    case ScalarTag::Float:
      if (std::abs(scalar.number) < kIntegralLimit && scalar.number == std::floor(scalar.number) &&
          !(scalar.number == 0 && std::signbit(scalar.number))) {
        return static_cast<std::int64_t>(scalar.number);
      }
      return scalar.number;
    default:
      return text;
  }
}

std::optional<ScalarTag> core_tag(std::string_view tag) {
  constexpr std::string_view kPrefix = "tag:yaml.org,2002:";
  if (tag.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  tag.remove_prefix(kPrefix.size());
  if (tag == "null") return ScalarTag::Null;
  if (tag == "bool") return ScalarTag::Bool;
  if (tag == "int") return ScalarTag::Int;
  if (tag == "float") return ScalarTag::Float;
  return std::nullopt;
}

Decoded Reader::tagged_scalar(ScalarTag wanted, std::string_view text) {
  Scalar scalar = resolve_plain(text);
  const bool integer = scalar.tag == ScalarTag::Int || scalar.tag == ScalarTag::Unsigned;
  const bool fits = scalar.tag == wanted || (integer && (wanted == ScalarTag::Int || wanted == ScalarTag::Float));
  if (!fits) {
    reject("cannot decode " + std::string(tag_name(scalar.tag)) + " `" + std::string(text) + "` as a " +
           std::string(tag_name(wanted)));
  }
  return Decoded{value_of(scalar, text), 1, false, wanted == ScalarTag::Float, scalar.unsigned_integer};
}

// libyaml takes "\\/" in double quotes for a slash; go-yaml, and with it every Kubernetes tool, refuses it.
Result<void> Reader::check_escapes() {
  const yaml_event_t& event = event_.raw();
  if (text_.empty() || event.data.scalar.style != YAML_DOUBLE_QUOTED_SCALAR_STYLE) return {};
  bool escaped = false;
  while (text_bytes_ < text_.size() && text_characters_ < event.end_mark.index) {
    const char c = text_[text_bytes_++];
    if ((static_cast<unsigned char>(c) & 0xC0U) == 0x80U) continue;
    const bool inside = text_characters_++ >= event.start_mark.index;
    if (inside && escaped && c == '/') {
      const int line = event_.line();
      return fail((line == 1 ? "" : "line " + std::to_string(line) + ": ") + "found unknown escape character");
    }
    escaped = inside && c == '\\' && !escaped;
  }
  return {};
}

Result<Decoded> Reader::scalar() {
  const auto& raw = event_.raw().data.scalar;
  const std::string_view text(reinterpret_cast<const char*>(raw.value), raw.length);
  const std::string_view tag = text_of(raw.tag);
  const std::string anchor(text_of(raw.anchor));
  TRY(count(1));
  TRY(check_escapes());
  Decoded decoded;
  if (tag.empty() && raw.plain_implicit != 0) {
    Scalar scalar = resolve_plain(text);
    if (!options_.wide_booleans && scalar.tag == ScalarTag::Bool && !is_true_or_false(text)) scalar = {};
    if (scalar.tag == ScalarTag::Float && !std::isfinite(scalar.number)) {
      decoded.value = scalar.number;
    } else {
      decoded.value = value_of(scalar, text);
    }
    decoded.merge = scalar.tag == ScalarTag::Merge;
    decoded.from_float = scalar.tag == ScalarTag::Float;
    decoded.unsigned_key = scalar.unsigned_integer;
  } else if (tag == "tag:yaml.org,2002:binary") {
    std::string packed(text);
    packed.erase(std::remove_if(packed.begin(), packed.end(), [](char c) { return c == '\n' || c == '\r'; }),
                 packed.end());
    Result<std::string> bytes = base64_decode(packed);
    if (bytes.ok()) {
      decoded.value = Value(replace_invalid_utf8(*bytes));
    } else {
      reject("!!binary value contains invalid base64 data");
    }
  } else if (const auto wanted = core_tag(tag)) {
    decoded = tagged_scalar(*wanted, text);
  } else {
    decoded.value = Value(text);
  }
  remember(anchor, decoded);
  return decoded;
}

Result<Decoded> Reader::sequence(std::size_t depth) {
  const std::string anchor(text_of(event_.raw().data.sequence_start.anchor));
  if (!anchor.empty()) open_anchors_.insert(anchor);
  TRY(count(1));
  Decoded decoded;
  std::vector<Value> items;
  TRY(advance());
  while (event_.type() != YAML_SEQUENCE_END_EVENT) {
    ASSIGN_OR_RETURN(Decoded item, node(depth + 1));
    decoded.nodes += item.nodes;
    items.push_back(std::move(item.value));
    TRY(advance());
  }
  decoded.value = Value::array(std::move(items));
  remember(anchor, decoded);
  return decoded;
}

Key float_key(double number) {
  if (std::isnan(number)) return {".nan", "NaN", true};
  if (std::isinf(number)) return {number > 0 ? ".inf" : "-.inf", number > 0 ? "+Inf" : "-Inf", true};
  return {internal::format_g(number, 32), internal::format_g(number, 64), true};
}

// People search for these texts: "{{ .x }}" left in a YAML file is a mapping as a key.
std::string go_yaml_syntax(const Value& value) {
  return go_syntax(value, "map[interface {}]interface {}");
}

std::string unsupported_key(const Decoded& key, const Value& value) {
  std::string text = "unsupported map key of type: ";
  if (key.unsigned_key != 0) {
    constexpr std::size_t kHexDigits = 16;
    std::array<char, kHexDigits> hex;
    const auto end = std::to_chars(hex.data(), hex.data() + hex.size(), key.unsigned_key, 16).ptr;
    text += "uint64, key: 0x" + std::string(hex.data(), end);
  } else {
    text += "%!s(<nil>), key: <nil>";
  }
  return text + ", value: " + (value.is_null() ? "<nil>" : go_yaml_syntax(value));
}

// Nothing for a key that JSON cannot have.
std::optional<Key> key_of(const Decoded& key) {
  const Value& value = key.value;
  if (key.unsigned_key != 0) return std::nullopt;
  if (key.from_float) return float_key(value.as_double());
  switch (value.kind()) {
    case Value::Kind::String: {
      std::string text(value.as_string());
      return Key{text, "\"" + text + "\""};
    }
    case Value::Kind::Bool: {
      const std::string text = value.as_bool() ? "true" : "false";
      return Key{text, text};
    }
    case Value::Kind::Int: {
      const std::string text = std::to_string(value.as_int());
      return Key{text, text};
    }
    default:
      return std::nullopt;
  }
}

void Reader::set(Members& members, Key key, Value value, int line) {
  if (options_.strict && !members.shown.insert(key.shown + (key.from_float ? " float" : "")).second) {
    if (decode_errors_.size() < kMaxDecodeErrors) {
      decode_errors_.push_back("line " + std::to_string(line) + ": key " + key.shown + " already set in map");
    }
    return;
  }
  const auto [place, fresh] = members.index.try_emplace(key.text, members.list.size());
  if (fresh) {
    members.list.push_back({std::move(key.text), std::move(value)});
  } else {
    members.list[place->second].value = std::move(value);
  }
}

void Reader::merge_into(Members& members, const Value& source, int line) {
  if (source.is_object()) {
    for (const Value::Member& member : source.members()) {
      set(members, {member.key, "\"" + member.key + "\""}, member.value, line);
    }
    return;
  }
  bool maps = source.is_array();
  for (const Value& item : source.items()) maps = maps && item.is_object();
  if (!maps) return reject("map merge requires map or sequence of maps as the value");
  // Earlier maps of a list win: later ones are set first.
  for (std::size_t i = source.size(); i > 0; --i) merge_into(members, source.at(i - 1), line);
}

Result<Decoded> Reader::mapping(std::size_t depth) {
  const std::string anchor(text_of(event_.raw().data.mapping_start.anchor));
  if (!anchor.empty()) open_anchors_.insert(anchor);
  TRY(count(1));
  Decoded decoded;
  Members members;
  TRY(advance());
  while (event_.type() != YAML_MAPPING_END_EVENT) {
    ASSIGN_OR_RETURN(Decoded key, node(depth + 1));
    TRY(advance());
    const int line = event_.line();  // go-yaml names the line of a repeated key's value
    ASSIGN_OR_RETURN(Decoded value, node(depth + 1));
    decoded.nodes += key.nodes + value.nodes;
    if (key.merge) {
      merge_into(members, value.value, line);
    } else if (auto text = key_of(key)) {
      set(members, std::move(*text), std::move(value.value), line);
    } else if (key.value.is_array() || key.value.is_object()) {
      reject("invalid map key: " + go_yaml_syntax(key.value));
    } else if (!key_error_) {
      key_error_ = bad_request(unsupported_key(key, value.value));
    }
    TRY(advance());
  }
  decoded.value = Value::object(std::move(members.list));
  remember(anchor, decoded);
  return decoded;
}

// JSON has no infinities: say where the first one is.
Result<void> check_finite(const Value& value) {
  if (value.is_double() && !std::isfinite(value.as_double())) {
    return bad_request("json: unsupported value: " + internal::format_g(value.as_double(), 64));
  }
  for (const Value& item : value.items()) TRY(check_finite(item));
  for (const Value::Member& member : value.members()) TRY(check_finite(member.value));
  return {};
}

}  // namespace

Result<std::vector<Document>> read_all(std::string_view text, const ReadOptions& options) {
  Reader reader(text, options);
  std::vector<Document> documents;
  for (;;) {
    ASSIGN_OR_RETURN(std::optional<Document> document, reader.next_document());
    if (!document) return documents;
    if (document->value.is_null()) continue;
    TRY(check_finite(document->value));
    documents.push_back(std::move(*document));
  }
}

Result<Value> read(std::string_view text, const ReadOptions& options) {
  Reader reader(text, options);
  ASSIGN_OR_RETURN(std::optional<Document> document, reader.next_document());
  if (!document) return Value();
  TRY(check_finite(document->value));
  return std::move(document->value);
}

}  // namespace coracle::yaml
