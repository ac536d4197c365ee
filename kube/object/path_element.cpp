#include "kube/object/path_element.h"

#include <algorithm>
#include <cstdlib>

#include "base/json/json.h"

namespace coracle::kube {
namespace {

// Both texts are compact JSON written by json::write, keys sorted: they agree up to the first
// difference, which lies in a number, in a text or between values.
struct JsonDifference {
  std::size_t token = 0;  // where the differing value starts
  std::size_t at = 0;     // the first differing character
  bool in_string = false;
};

JsonDifference first_difference(std::string_view a, std::string_view b) {
  JsonDifference found;
  bool escaped = false;
  std::size_t at = 0;
  for (; at < a.size() && at < b.size() && a[at] == b[at]; ++at) {
    const char c = a[at];
    if (found.in_string) {
      if (escaped) {
        escaped = false;
      } else if (c == '\\') {
        escaped = true;
      } else if (c == '"') {
        found.in_string = false;
        found.token = at + 1;
      }
    } else if (c == '"') {
      found.in_string = true;
      found.token = at;
    } else if (c == ':' || c == ',' || c == '{' || c == '[') {
      found.token = at + 1;
    }
  }
  found.at = at;
  return found;
}

bool starts_number(std::string_view text, std::size_t at) {
  return at < text.size() && (text[at] == '-' || (text[at] >= '0' && text[at] <= '9'));
}

std::strong_ordering compare_json(std::string_view a, std::string_view b) {
  if (a == b) return std::strong_ordering::equal;
  const JsonDifference difference = first_difference(a, b);
  if (!difference.in_string && starts_number(a, difference.token) && starts_number(b, difference.token)) {
    const double left = std::strtod(std::string(a.substr(difference.token)).c_str(), nullptr);
    const double right = std::strtod(std::string(b.substr(difference.token)).c_str(), nullptr);
    if (left != right) return left < right ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  // The end of a text sorts before every character of a longer one.
  const auto rank = [&](std::string_view text) {
    if (difference.at >= text.size()) return -1;
    const char c = text[difference.at];
    return difference.in_string && c == '"' ? -1 : static_cast<int>(static_cast<unsigned char>(c));
  };
  return rank(a) < rank(b) ? std::strong_ordering::less : std::strong_ordering::greater;
}

// Reads one simple value as json::write prints it: a text without escapes, or a whole number. The
// position behind it, or npos for anything else.
std::size_t skip_simple_value(std::string_view text, std::size_t at) {
  if (at < text.size() && text[at] == '"') {
    for (++at; at < text.size(); ++at) {
      const char c = text[at];
      if (c == '"') return at + 1;
      if (c == '\\' || c == '<' || c == '>' || c == '&' || static_cast<unsigned char>(c) < ' ') break;
    }
    return std::string_view::npos;
  }
  const std::size_t digits = std::min(text.find_first_not_of("0123456789", at), text.size());
  const bool canonical = digits > at && (text[at] != '0' || digits == at + 1);
  return canonical ? digits : std::string_view::npos;
}

// True for what path elements mostly are, written as this file writes them: they need no parsing.
bool is_simple_value(std::string_view text) {
  return skip_simple_value(text, 0) == text.size();
}

bool are_simple_keys(std::string_view text) {
  if (text.size() < 2 || text[0] != '{') return false;
  std::string_view previous;
  std::size_t at = 0;
  for (;;) {
    const std::size_t name = at + 1;
    if (name >= text.size() || text[name] != '"') return false;
    const std::size_t colon = skip_simple_value(text, name);
    if (colon >= text.size() || text[colon] != ':') return false;
    const std::string_view key = text.substr(name, colon - name);
    if (at != 0 && !(previous < key)) return false;
    previous = key;
    at = skip_simple_value(text, colon + 1);
    if (at >= text.size()) return false;
    if (text[at] == '}') return at + 1 == text.size();
    if (text[at] != ',') return false;
  }
}

// `{"name":"c","protocol":"TCP"}` as `name="c",protocol="TCP"`.
void append_key_readable(std::string& out, std::string_view text) {
  Result<Value> keys = json::read(text);
  if (!keys.ok()) {
    out += text;
    return;
  }
  bool first = true;
  for (const Value::Member& member : keys->members()) {
    if (!first) out += ',';
    first = false;
    out += member.key;
    out += '=';
    out += json::write_raw(member.value);
  }
}

}  // namespace

PathElement PathElement::field(std::string_view name) {
  return {Kind::Field, std::string(name)};
}

PathElement PathElement::key(std::vector<std::pair<std::string, coracle::Value>> keys) {
  std::sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text = "{";
  for (const auto& [name, value] : keys) {
    if (text.size() > 1) text += ',';
    json::write_string(text, name);
    text += ':';
    json::write_to(text, value);
  }
  text += '}';
  return {Kind::Key, std::move(text)};
}

PathElement PathElement::value(const coracle::Value& value) {
  return {Kind::Value, json::write_sorted(value)};
}

PathElement PathElement::index(std::int64_t index) {
  return {Kind::Index, std::to_string(index)};
}

Result<PathElement> PathElement::parse(std::string_view text) {
  if (text.size() < 2 || text[1] != ':') {
    return bad_request("missing colon in fieldsV1 key \"" + std::string(text) + "\"");
  }
  const std::string_view rest = text.substr(2);
  switch (text[0]) {
    case 'f':
      return field(rest);
    case 'i': {
      const bool digits = !rest.empty() && rest.find_first_not_of("0123456789") == std::string_view::npos;
      if (!digits) return bad_request("invalid position in fieldsV1 key \"" + std::string(text) + "\"");
      return PathElement(Kind::Index, std::string(rest));
    }
    case 'v': {
      if (is_simple_value(rest)) return PathElement(Kind::Value, std::string(rest));
      ASSIGN_OR_RETURN(coracle::Value parsed, json::read(rest));
      return value(parsed);
    }
    case 'k': {
      if (are_simple_keys(rest)) return PathElement(Kind::Key, std::string(rest));
      ASSIGN_OR_RETURN(coracle::Value parsed, json::read(rest));
      if (!parsed.is_object()) return bad_request("invalid key in fieldsV1 key \"" + std::string(text) + "\"");
      std::vector<std::pair<std::string, coracle::Value>> keys;
      for (const coracle::Value::Member& member : parsed.members()) keys.emplace_back(member.key, member.value);
      return key(std::move(keys));
    }
    default:
      return bad_request("unknown kind of fieldsV1 key \"" + std::string(text) + "\"");
  }
}

void PathElement::append_fields_v1_key(std::string& out) const {
  out += "fkvi"[static_cast<std::size_t>(kind_)];
  out += ':';
  out += text_;
}

void PathElement::append_readable(std::string& out) const {
  if (kind_ == Kind::Field) {
    out += '.';
    out += text_;
    return;
  }
  out += kind_ == Kind::Value ? "[=" : "[";
  if (kind_ == Kind::Key) {
    append_key_readable(out, text_);
  } else {
    out += text_;
  }
  out += ']';
}

std::strong_ordering PathElement::operator<=>(const PathElement& other) const {
  if (kind_ != other.kind_) return kind_ <=> other.kind_;
  switch (kind_) {
    case Kind::Field:
      return text_ <=> other.text_;
    case Kind::Index:
      if (text_.size() != other.text_.size()) return text_.size() <=> other.text_.size();
      return text_ <=> other.text_;
    default:
      return compare_json(text_, other.text_);
  }
}

}  // namespace coracle::kube
