#include <algorithm>

#include "kube/object/selector.h"

namespace coracle::kube {
namespace {

// Cuts at commas that are not escaped. Escapes stay for unescape_value().
std::vector<std::string_view> split_terms(std::string_view text) {
  std::vector<std::string_view> terms;
  std::size_t start = 0;
  bool escaped = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (escaped) {
      escaped = false;
    } else if (text[at] == '\\') {
      escaped = true;
    } else if (text[at] == ',') {
      terms.push_back(text.substr(start, at - start));
      start = at + 1;
    }
  }
  terms.push_back(text.substr(start));
  return terms;
}

Result<std::string> unescape_value(std::string_view text) {
  std::string value;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == ',' || c == '=') {
      return bad_request("invalid field selector: unescaped character in value: " +
                         std::to_string(static_cast<int>(c)));
    }
    if (c != '\\') {
      value += c;
      continue;
    }
    ++at;
    if (at == text.size() || (text[at] != '\\' && text[at] != ',' && text[at] != '=')) {
      return bad_request("invalid field selector: invalid escape sequence: " + std::string(text.substr(at - 1, 2)));
    }
    value += text[at];
  }
  return value;
}

void append_escaped(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\\' || c == ',' || c == '=') out += '\\';
    out += c;
  }
}

struct SplitTerm {
  std::string_view field, value;
  bool negated;
};

// The operator is the first of "!=", "==", "=" from the left.
std::optional<SplitTerm> split_operator(std::string_view term) {
  for (std::size_t at = 0; at < term.size(); ++at) {
    const std::string_view rest = term.substr(at);
    if (rest.substr(0, 2) == "!=") return SplitTerm{term.substr(0, at), rest.substr(2), true};
    if (rest.substr(0, 2) == "==") return SplitTerm{term.substr(0, at), rest.substr(2), false};
    if (rest[0] == '=') return SplitTerm{term.substr(0, at), rest.substr(1), false};
  }
  return std::nullopt;
}

}  // namespace

Result<FieldSelector> FieldSelector::parse(std::string_view text) {
  FieldSelector selector;
  std::vector<std::string_view> parts = split_terms(text);
  std::sort(parts.begin(), parts.end());
  for (const std::string_view part : parts) {
    if (part.empty()) continue;
    const auto split = split_operator(part);
    if (!split) {
      return bad_request("invalid selector: '" + std::string(text) + "'; can't understand '" + std::string(part) + "'");
    }
    ASSIGN_OR_RETURN(std::string value, unescape_value(split->value));
    selector.terms_.push_back({std::string(split->field), std::move(value), split->negated});
  }
  return selector;
}

bool FieldSelector::matches(const Lookup& lookup) const {
  return std::all_of(terms_.begin(), terms_.end(),
                     [&](const Term& term) { return (lookup(term.field) == term.value) != term.negated; });
}

std::optional<std::string> FieldSelector::required_value(std::string_view field) const {
  for (const Term& term : terms_) {
    if (!term.negated && term.field == field) return term.value;
  }
  return std::nullopt;
}

std::string FieldSelector::text() const {
  std::string out;
  for (const Term& term : terms_) {
    if (!out.empty()) out += ',';
    out += term.field;
    out += term.negated ? "!=" : "=";
    append_escaped(out, term.value);
  }
  return out;
}

}  // namespace coracle::kube
