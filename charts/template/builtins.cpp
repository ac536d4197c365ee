// The functions that Go's text/template predefines.

#include <array>

#include "base/utf8.h"
#include "charts/template/function.h"
#include "charts/template/go_format.h"
#include "charts/template/go_quote.h"

namespace coracle::charts {
namespace {

enum class Basic { Invalid, Bool, Integer, Float, String };

Basic basic_kind(const GoValue& value) {
  switch (value.type()) {
    case GoValue::Type::Bool:
      return Basic::Bool;
    case GoValue::Type::Float64:
      return Basic::Float;
    case GoValue::Type::String:
      return Basic::String;
    default:
      return value.is_integer() ? Basic::Integer : Basic::Invalid;
  }
}

Error incompatible(const GoValue& a, const GoValue& b) {
  return bad_request("incompatible types for comparison: " + a.type_name() + " and " + b.type_name());
}

// What "%s" prints, which is not what a reader expects of numbers; Go's own message has it so.
std::string as_text(const GoValue& value) {
  return go_sprintf("%s", std::span(&value, 1));
}

Result<bool> equal(const GoValue& a, const GoValue& b) {
  const Basic kind = basic_kind(a);
  if (kind != basic_kind(b)) {
    if (a.is_nil() || b.is_nil()) return false;
    return incompatible(a, b);
  }
  switch (kind) {
    case Basic::Bool:
    case Basic::Integer:
      return a.as_integer() == b.as_integer();
    case Basic::Float:
      return a.as_double() == b.as_double();
    case Basic::String:
      return a.text() == b.text();
    case Basic::Invalid:
      break;
  }
  if (a.is_nil() || b.is_nil()) return a.is_nil() == b.is_nil();
  const auto comparable = [](const GoValue& value) {
    return value.type() == GoValue::Type::Time || value.type() == GoValue::Type::Object;
  };
  if (!comparable(a) && a.type_name() != b.type_name()) {
    return bad_request("non-comparable types " + as_text(a) + ": " + a.type_name() + ", " + b.type_name() + ": " +
                       as_text(b));
  }
  if (!comparable(b)) return bad_request("non-comparable type " + as_text(b) + ": " + b.type_name());
  return deep_equal(a, b);
}

Result<bool> less(const GoValue& a, const GoValue& b) {
  const Basic kind = basic_kind(a);
  if (kind == Basic::Invalid || basic_kind(b) == Basic::Invalid) return bad_request("invalid type for comparison");
  if (kind != basic_kind(b)) return incompatible(a, b);
  switch (kind) {
    case Basic::Integer:
      return a.as_integer() < b.as_integer();
    case Basic::Float:
      return a.as_double() < b.as_double();
    case Basic::String:
      return a.text() < b.text();
    default:
      return bad_request("invalid type for comparison");
  }
}

Result<GoValue> builtin_eq(const Call& call) {
  if (call.size() < 2) return bad_request("missing argument for comparison");
  for (std::size_t i = 1; i < call.size(); ++i) {
    ASSIGN_OR_RETURN(const bool same, equal(call[0], call[i]));
    if (same) return GoValue::boolean(true);
  }
  return GoValue::boolean(false);
}

Result<GoValue> builtin_ne(const Call& call) {
  ASSIGN_OR_RETURN(const bool same, equal(call[0], call[1]));
  return GoValue::boolean(!same);
}

Result<GoValue> builtin_lt(const Call& call) {
  ASSIGN_OR_RETURN(const bool smaller, less(call[0], call[1]));
  return GoValue::boolean(smaller);
}

Result<bool> less_or_equal(const GoValue& a, const GoValue& b) {
  ASSIGN_OR_RETURN(const bool smaller, less(a, b));
  if (smaller) return true;
  return equal(a, b);
}

Result<GoValue> builtin_le(const Call& call) {
  ASSIGN_OR_RETURN(const bool result, less_or_equal(call[0], call[1]));
  return GoValue::boolean(result);
}

Result<GoValue> builtin_gt(const Call& call) {
  ASSIGN_OR_RETURN(const bool result, less_or_equal(call[0], call[1]));
  return GoValue::boolean(!result);
}

Result<GoValue> builtin_ge(const Call& call) {
  ASSIGN_OR_RETURN(const bool smaller, less(call[0], call[1]));
  return GoValue::boolean(!smaller);
}

// `and` and `or` are evaluated by the evaluator, which need not evaluate every operand.
Result<GoValue> builtin_operand(const Call& call) {
  return call[call.size() - 1];
}

Result<GoValue> builtin_not(const Call& call) {
  return GoValue::boolean(!call[0].truth());
}

Result<std::size_t> position_of(const GoValue& index, std::size_t length) {
  if (index.is_nil()) return bad_request("cannot index slice/array with nil");
  if (!index.is_integer()) return bad_request("cannot index slice/array with type " + index.type_name());
  const std::int64_t position = index.as_integer();
  if (position < 0 || static_cast<std::size_t>(position) >= length) {
    return bad_request("index out of range: " + std::to_string(position));
  }
  return static_cast<std::size_t>(position);
}

Result<GoValue> index_one(const GoValue& item, const GoValue& index) {
  switch (item.type()) {
    case GoValue::Type::Nil:
      return bad_request("index of nil pointer");
    case GoValue::Type::String:
    case GoValue::Type::Bytes: {
      ASSIGN_OR_RETURN(const std::size_t position, position_of(index, item.text().size()));
      return GoValue::byte(static_cast<std::uint8_t>(item.text()[position]));
    }
    case GoValue::Type::List: {
      const GoList& list = item.as_list();
      ASSIGN_OR_RETURN(const std::size_t position, position_of(index, list.items.size()));
      return list.element == ElementType::Interface ? list.items[position].as_boxed() : list.items[position];
    }
    case GoValue::Type::Dict: {
      if (index.is_nil()) return bad_request("value is nil; should be of type string");
      if (!index.is_string()) return bad_request("value has type " + index.type_name() + "; should be string");
      const GoDict& dict = item.as_dict();
      const GoValue* found = dict.find(index.text());
      switch (dict.named) {
        case GoDict::Named::StringMap:
          return found != nullptr ? *found : GoValue::string("");
        case GoDict::Named::Files:
          return found != nullptr ? *found : GoValue::bytes("");
        default:
          return found != nullptr ? found->as_boxed() : GoValue::nil_interface();
      }
    }
    default:
      return bad_request("can't index item of type " + item.type_name());
  }
}

Result<GoValue> builtin_index(const Call& call) {
  if (call[0].is_nil()) return bad_request("index of untyped nil");
  GoValue item = call[0];
  for (std::size_t i = 1; i < call.size(); ++i) {
    ASSIGN_OR_RETURN(item, index_one(item, call[i]));
  }
  return item;
}

Result<GoValue> builtin_len(const Call& call) {
  const GoValue& item = call[0];
  const auto count = [](std::size_t size) { return GoValue::integer(static_cast<std::int64_t>(size)); };
  switch (item.type()) {
    case GoValue::Type::Nil:
      return bad_request(item.boxed() ? "len of nil pointer" : "reflect: call of reflect.Value.Type on zero Value");
    case GoValue::Type::String:
    case GoValue::Type::Bytes:
      return count(item.text().size());
    case GoValue::Type::List:
      return count(item.as_list().items.size());
    case GoValue::Type::Dict:
      return count(item.as_dict().members.size());
    default:
      return bad_request("len of type " + item.type_name());
  }
}

// The text that html, js and urlquery escape.
std::string joined(const Call& call) {
  if (call.size() == 1 && call[0].is_string()) return call.text(0);
  std::vector<GoValue> printable;
  for (const GoValue& arg : call.args) printable.push_back(arg.is_nil() ? GoValue::string("<no value>") : arg);
  return go_sprint(printable);
}

Result<GoValue> builtin_html(const Call& call) {
  std::string out;
  for (const char c : joined(call)) {
    switch (c) {
      case '\0':
        out += "\xEF\xBF\xBD";
        break;
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return GoValue::string(std::move(out));
}

Result<GoValue> builtin_js(const Call& call) {
  const std::string text = joined(call);
  std::string out;
  for (std::string_view rest = text; !rest.empty();) {
    const Rune rune = decode_rune(rest);
    const std::string_view bytes = rest.substr(0, rune.length);
    rest.remove_prefix(rune.length);
    constexpr std::u32string_view kBackslashed = U"\\'\"";
    constexpr std::u32string_view kCoded = U"<>&=";
    if (kBackslashed.find(rune.value) != std::u32string_view::npos) {
      out += '\\';
      out += bytes;
    } else if (rune.value < ' ' || kCoded.find(rune.value) != std::u32string_view::npos || !is_printable(rune.value)) {
      std::array<char, 16> code;
      std::snprintf(code.data(), code.size(), "\\u%04X", static_cast<unsigned>(rune.value));
      out += code.data();
    } else {
      out += bytes;
    }
  }
  return GoValue::string(std::move(out));
}

Result<GoValue> builtin_urlquery(const Call& call) {
  std::string out;
  for (const char c : joined(call)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      constexpr std::string_view kDigits = "0123456789ABCDEF";
      out += '%';
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[static_cast<unsigned char>(c) & 15];
    }
  }
  return GoValue::string(std::move(out));
}

Result<GoValue> builtin_print(const Call& call) {
  return GoValue::string(go_sprint(call.args));
}
Result<GoValue> builtin_println(const Call& call) {
  return GoValue::string(go_sprintln(call.args));
}
Result<GoValue> builtin_printf(const Call& call) {
  return GoValue::string(go_sprintf(call.text(0), call.args.subspan(1)));
}

Result<GoValue> builtin_call(const Call& call) {
  if (call[0].is_nil()) return bad_request("call of nil");
  return bad_request("non-function of type " + call[0].type_name());
}

constexpr Function kBuiltins[] = {
    {"and", "vv*", builtin_operand},   {"or", "vv*", builtin_operand},     {"not", "v", builtin_not},
    {"call", "vv*", builtin_call},     {"html", "a*", builtin_html},       {"index", "vv*", builtin_index},
    {"js", "a*", builtin_js},          {"len", "v", builtin_len},          {"print", "a*", builtin_print},
    {"printf", "sa*", builtin_printf}, {"println", "a*", builtin_println}, {"urlquery", "a*", builtin_urlquery},
    {"eq", "vv*", builtin_eq},         {"ne", "vv", builtin_ne},           {"lt", "vv", builtin_lt},
    {"le", "vv", builtin_le},          {"gt", "vv", builtin_gt},           {"ge", "vv", builtin_ge},
};

}  // namespace

std::span<const Function> builtin_functions() {
  return kBuiltins;
}

}  // namespace coracle::charts
