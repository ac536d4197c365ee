// The grammar of Helm's --set.

#include <optional>

#include "base/text.h"
#include "charts/values.h"

namespace coracle::charts {
namespace {

constexpr std::size_t kMaxListIndex = 65536;
constexpr int kMaxNesting = 30;

class SetParser {
 public:
  SetParser(std::string_view text, bool as_string) : rest_(text), as_string_(as_string) {}

  Result<Value> run(Value values) {
    while (!rest_.empty()) {
      ASSIGN_OR_RETURN(values, assign_key(values, 0));
    }
    return values;
  }

 private:
  static bool is_stop(char c, std::string_view stops) { return stops.find(c) != std::string_view::npos; }

  // Text up to one of `stops`, with `\` taken off; `stop` is the character found, which is consumed.
  std::string take(std::string_view stops, std::optional<char>& stop) {
    std::string out;
    while (!rest_.empty()) {
      const char c = rest_[0];
      rest_.remove_prefix(1);
      if (is_stop(c, stops)) {
        stop = c;
        return out;
      }
      if (c == '\\' && !rest_.empty()) {
        out += rest_[0];
        rest_.remove_prefix(1);
      } else {
        out += c;
      }
    }
    stop.reset();
    return out;
  }

  Value typed(const std::string& text) const {
    if (as_string_) return Value(text);
    const std::string lower = to_lower(text);
    if (lower == "true") return Value(true);
    if (lower == "false") return Value(false);
    if (lower == "null") return Value();
    if (text == "0") return Value(0);
    // A leading zero means a text (a postal code, an octal mode).
    if (!text.starts_with('0')) {
      const std::string_view digits = std::string_view(text).substr(text.starts_with('+') ? 1 : 0);
      if (const auto number = parse_int<std::int64_t>(digits)) return Value(*number);
    }
    return Value(text);
  }

  // Helm takes an empty key for none.
  static Value with_key(const Value& target, const std::string& key, Value value) {
    return key.empty() ? target : target.with(key, std::move(value));
  }

  // What follows '='.
  Result<Value> value() {
    std::optional<char> stop;
    if (!rest_.starts_with('{')) return typed(take(",", stop));
    rest_.remove_prefix(1);
    Value::ArrayBuilder list;
    for (;;) {
      const std::string item = take(",}", stop);
      if (!stop) return bad_request("list must terminate with '}'");
      list.add(typed(item));
      if (*stop == ',') continue;
      if (rest_.starts_with(',')) rest_.remove_prefix(1);
      return std::move(list).build();
    }
  }

  Result<Value> assign_key(const Value& target, int depth) {
    if (depth > kMaxNesting)
      return bad_request("value name nested level is greater than maximum supported nested level of 30");
    std::optional<char> stop;
    const std::string key = take("=[,.", stop);
    if (!stop) return key.empty() ? Result<Value>(target) : bad_request("key \"" + key + "\" has no value");
    if (*stop == ',') return bad_request("key \"" + key + "\" has no value (cannot end with ,)");
    if (!target.is_object() && !target.is_null())
      return bad_request("key \"" + key + "\" is set in a value that is no map");
    const Value& present = target[key];
    if (*stop == '=') {
      ASSIGN_OR_RETURN(Value assigned, value());
      return with_key(target, key, std::move(assigned));
    }
    if (*stop == '[') {
      ASSIGN_OR_RETURN(Value list, assign_item(present, depth + 1));
      return with_key(target, key, std::move(list));
    }
    ASSIGN_OR_RETURN(Value inner, assign_key(present.is_null() ? Value::object() : present, depth + 1));
    if (inner.empty()) return bad_request("key map \"" + key + "\" has no value");
    return with_key(target, key, std::move(inner));
  }

  Result<std::size_t> list_index() {
    std::optional<char> stop;
    const std::string text = take("]", stop);
    if (!stop) return bad_request("missing ']' after a list index");
    const auto index = parse_int<std::int64_t>(text);
    if (!index) return bad_request("error parsing index: \"" + text + "\" is no number");
    if (*index < 0) return bad_request("negative " + text + " index not allowed");
    if (static_cast<std::size_t>(*index) > kMaxListIndex) {
      return bad_request("index of " + text + " is greater than maximum supported index of 65536");
    }
    return static_cast<std::size_t>(*index);
  }

  Result<Value> assign_item(const Value& target, int depth) {
    if (depth > kMaxNesting)
      return bad_request("value name nested level is greater than maximum supported nested level of 30");
    ASSIGN_OR_RETURN(const std::size_t index, list_index());
    if (!target.is_array() && !target.is_null()) return bad_request("a list index is set in a value that is no list");
    const Value& present = target.at(index);
    std::optional<char> stop;
    const std::string junk = take("[.=", stop);
    if (!junk.empty() || !stop) return bad_request("unexpected data at end of array index: ['" + junk + "']");
    Value item;
    if (*stop == '=') {
      ASSIGN_OR_RETURN(item, value());
    } else if (*stop == '[') {
      ASSIGN_OR_RETURN(item, assign_item(present, depth + 1));
    } else {
      ASSIGN_OR_RETURN(item, assign_key(present.is_null() ? Value::object() : present, depth + 1));
    }
    std::vector<Value> items(target.items().begin(), target.items().end());
    if (items.size() <= index) items.resize(index + 1);
    items[index] = std::move(item);
    return Value::array(std::move(items));
  }

  std::string_view rest_;
  bool as_string_;
};

}  // namespace

Result<Value> set_values(const Value& base, std::string_view text, bool as_string) {
  auto values = SetParser(text, as_string).run(base.is_null() ? Value::object() : base);
  if (!values.ok()) return values.error().in("failed parsing --set data");
  return values;
}

}  // namespace coracle::charts
