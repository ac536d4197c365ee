#include "charts/functions/toml.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "charts/template/bounded_text.h"
#include "charts/template/go_format.h"
#include "charts/template/go_quote.h"
#include "charts/template/go_time.h"

namespace coracle::charts {
namespace {

class TomlWriter {
 public:
  explicit TomlWriter(std::size_t& nodes) : budget_{kMaxDepth, &nodes} {}

  Result<std::string> run(const GoDict& dict) {
    TRY(write_table({}, dict, budget_));
    return std::move(out_);
  }

 private:
  using Key = std::vector<std::string>;

  static bool is_table_list(const GoValue& value) {
    if (!value.is_list() || value.as_list().items.empty()) return false;
    const auto& items = value.as_list().items;
    return std::all_of(items.begin(), items.end(), [](const GoValue& item) { return item.is_dict(); });
  }

  static std::string key_text(const std::string& key) {
    const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    return bare ? key : quoted(key);
  }

  static std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
      constexpr std::string_view kValues = "\t\n\r\"\\";
      constexpr std::string_view kNames = "tnr\"\\";
      if (const std::size_t at = kValues.find(c); at != std::string_view::npos) {
        out += '\\';
        out += kNames[at];
      } else if (is_control(c)) {
        std::array<char, 8> code;
        std::snprintf(code.data(), code.size(), "\\u%04x", static_cast<unsigned>(c));
        out += code.data();
      } else {
        out += c;
      }
    }
    return out + "\"";
  }

  static std::string path_text(const Key& key) {
    std::string out;
    for (const std::string& part : key) {
      if (!out.empty()) out += '.';
      out += key_text(part);
    }
    return out;
  }

  void indent(std::size_t depth) { out_.append(2 * depth, ' '); }
  void newline() {
    if (!out_.empty()) out_ += '\n';
  }

  // What is written may be larger than what is walked: the path of a table repeats the keys above it.
  Result<void> enter(const WalkBudget& budget) const {
    if (!budget.enter()) return bad_request("toml: the value is nested too deeply or too large");
    return out_.size() > kMaxText ? result_too_large() : Result<void>();
  }

  Result<void> write_table(const Key& key, const GoDict& dict, const WalkBudget& budget) {
    TRY(enter(budget));
    for (const auto& [name, value] : dict.members) {
      if (value.is_nil() || value.is_dict() || is_table_list(value)) continue;
      indent(key.size());
      out_ += key_text(name) + " = ";
      TRY(write_inline(value, budget.inner()));
      out_ += '\n';
    }
    for (const auto& [name, value] : dict.members) {
      Key inner = key;
      inner.push_back(name);
      if (value.is_dict()) {
        if (inner.size() == 1) newline();
        indent(key.size());
        out_ += "[" + path_text(inner) + "]\n";
        TRY(write_table(inner, value.as_dict(), budget.inner()));
      } else if (is_table_list(value)) {
        for (const GoValue& item : value.as_list().items) {
          newline();
          indent(key.size());
          out_ += "[[" + path_text(inner) + "]]\n";
          TRY(write_table(inner, item.as_dict(), budget.inner()));
        }
      }
    }
    return {};
  }

  Result<void> write_inline(const GoValue& value, const WalkBudget& budget) {
    TRY(enter(budget));
    switch (value.type()) {
      case GoValue::Type::Nil:
        return bad_request("toml: cannot encode array with nil element");
      case GoValue::Type::String:
      case GoValue::Type::Bytes:
        out_ += quoted(value.text());
        return {};
      case GoValue::Type::Float64: {
        std::string text = go_format_float(value.as_double(), 'f', -1);
        if (std::isfinite(value.as_double()) && text.find('.') == std::string::npos) text += ".0";
        out_ += text;
        return {};
      }
      case GoValue::Type::Time:
        out_ += format_go_time(value, kGoRfc3339Nano);
        return {};
      case GoValue::Type::List:
        return write_list(value.as_list(), budget);
      case GoValue::Type::Dict:
        return write_inline_table(value.as_dict(), budget);
      case GoValue::Type::Object:
        return bad_request("toml: unsupported type: " + value.type_name());
      default:
        out_ += go_print(value);
        return {};
    }
  }

  Result<void> write_list(const GoList& list, const WalkBudget& budget) {
    out_ += '[';
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) out_ += ", ";
      TRY(write_inline(list.items[i], budget.inner()));
    }
    out_ += ']';
    return {};
  }

  Result<void> write_inline_table(const GoDict& dict, const WalkBudget& budget) {
    out_ += '{';
    bool first = true;
    for (const auto& [name, value] : dict.members) {
      if (value.is_nil()) continue;
      if (!first) out_ += ", ";
      first = false;
      out_ += key_text(name) + " = ";
      TRY(write_inline(value, budget.inner()));
    }
    out_ += '}';
    return {};
  }

  WalkBudget budget_;
  std::string out_;
};

}  // namespace

Result<std::string> go_to_toml(const GoValue& value, std::size_t& nodes) {
  if (!value.is_dict()) return bad_request("toml: top-level values must be Go maps or structs");
  return TomlWriter(nodes).run(value.as_dict());
}

}  // namespace coracle::charts
