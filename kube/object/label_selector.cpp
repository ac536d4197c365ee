#include <algorithm>
#include <set>
#include <utility>

#include "base/json/json.h"
#include "base/text.h"
#include "kube/object/field_path.h"
#include "kube/object/names.h"
#include "kube/object/selector.h"

namespace coracle::kube {
namespace {

using Requirement = LabelSelector::Requirement;
using Operator = LabelSelector::Operator;

enum class Token : std::uint8_t {
  End,
  Comma,
  OpenParenthesis,
  CloseParenthesis,
  Not,
  Equal,
  DoubleEqual,
  NotEqual,
  Greater,
  Less,
  In,
  NotIn,
  Word,
  Error
};

struct Lexeme {
  Token token = Token::End;
  std::string text;
};

struct Spelling {
  std::string_view text;
  Token token;
};

constexpr Spelling kSymbols[] = {
    {"!=", Token::NotEqual}, {"==", Token::DoubleEqual},    {"=", Token::Equal},
    {"!", Token::Not},       {">", Token::Greater},         {"<", Token::Less},
    {",", Token::Comma},     {"(", Token::OpenParenthesis}, {")", Token::CloseParenthesis},
};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool is_symbol(char c) {
  return c != '\0' && std::string_view("=!(),><").find(c) != std::string_view::npos;
}

// Splits the selector; "in" and "notin" are words where a key or value is expected.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) { scan(); }

  Lexeme peek(bool as_word) const { return with_keywords(as_word); }
  Lexeme take(bool as_word) {
    Lexeme lexeme = with_keywords(as_word);
    scan();
    return lexeme;
  }

 private:
  Lexeme with_keywords(bool as_word) const {
    Lexeme lexeme = next_;
    if (as_word && (lexeme.token == Token::In || lexeme.token == Token::NotIn)) lexeme.token = Token::Word;
    return lexeme;
  }
  void scan();

  std::string_view text_;
  std::size_t at_ = 0;
  Lexeme next_;
};

void Lexer::scan() {
  while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  if (at_ == text_.size()) {
    next_ = {};
    return;
  }
  if (is_symbol(text_[at_])) {
    for (const Spelling& symbol : kSymbols) {
      if (text_.substr(at_, symbol.text.size()) == symbol.text) {
        next_ = {symbol.token, std::string(symbol.text)};
        at_ += symbol.text.size();
        return;
      }
    }
  }
  const std::size_t start = at_;
  while (at_ < text_.size() && !is_blank(text_[at_]) && !is_symbol(text_[at_])) ++at_;
  next_ = {Token::Word, std::string(text_.substr(start, at_ - start))};
  if (next_.text == "in") next_.token = Token::In;
  if (next_.text == "notin") next_.token = Token::NotIn;
}

std::string quoted(std::string_view text) {
  std::string out;
  json::write_string(out, text);
  return out;
}

// Sorts the values, drops repeated ones, and checks key, count and values.
Result<Requirement> make_requirement(std::string key, Operator op, std::vector<std::string> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  if (const NameErrors errors = check_qualified_name(key); !errors.empty()) {
    return bad_request("key: Invalid value: " + quoted(key) + ": " + join(errors, "; "));
  }
  std::string wrong;
  switch (op) {
    case Operator::In:
    case Operator::NotIn:
      if (values.empty()) wrong = "for 'in', 'notin' operators, values set can't be empty";
      break;
    case Operator::Equals:
    case Operator::NotEquals:
      if (values.size() != 1) wrong = "exact-match compatibility requires one single value";
      break;
    case Operator::Exists:
    case Operator::DoesNotExist:
      if (!values.empty()) wrong = "values set must be empty for exists and does not exist";
      break;
    case Operator::GreaterThan:
    case Operator::LessThan:
      if (values.size() != 1) wrong = "for 'Gt', 'Lt' operators, exactly one value is required";
      break;
  }
  if (!wrong.empty()) {
    std::vector<Value> shown(values.begin(), values.end());
    return bad_request("values: Invalid value: " + json::write_raw(Value::array(std::move(shown))) + ": " + wrong);
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string field = FieldPath("values").index(i).text();
    if ((op == Operator::GreaterThan || op == Operator::LessThan) && !parse_signed_int(values[i])) {
      return bad_request(field + ": Invalid value: " + quoted(values[i]) +
                         ": for 'Gt', 'Lt' operators, the value must be an integer");
    }
    if (const NameErrors errors = check_label_value(values[i]); !errors.empty()) {
      return bad_request("values[" + std::to_string(i) + "][" + key + "]: Invalid value: " + quoted(values[i]) + ": " +
                         join(errors, "; "));
    }
  }
  return Requirement{std::move(key), op, std::move(values)};
}

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}
  Result<std::vector<Requirement>> parse();

 private:
  Result<Requirement> requirement();
  Result<std::vector<std::string>> value_set();
  Result<std::string> exact_value();

  Lexer lexer_;
};

Result<std::vector<Requirement>> Parser::parse() {
  std::vector<Requirement> requirements;
  for (;;) {
    const Lexeme next = lexer_.peek(true);
    if (next.token == Token::End) return requirements;
    if (next.token != Token::Word && next.token != Token::Not) {
      return bad_request("found '" + next.text + "', expected: !, identifier, or 'end of string'");
    }
    Result<Requirement> parsed = requirement();
    if (!parsed.ok()) return parsed.error().in("unable to parse requirement");
    requirements.push_back(std::move(*parsed));
    const Lexeme after = lexer_.take(true);
    if (after.token == Token::End) return requirements;
    if (after.token != Token::Comma) {
      return bad_request("found '" + after.text + "', expected: ',' or 'end of string'");
    }
    const Lexeme following = lexer_.peek(true);
    if (following.token != Token::Word && following.token != Token::Not) {
      return bad_request("found '" + following.text + "', expected: identifier after ','");
    }
  }
}

Result<Requirement> Parser::requirement() {
  bool negated = false;
  if (lexer_.peek(true).token == Token::Not) {
    lexer_.take(true);
    negated = true;
  }
  const Lexeme key = lexer_.take(true);
  if (key.token != Token::Word) return bad_request("found '" + key.text + "', expected: identifier");
  if (const NameErrors errors = check_qualified_name(key.text); !errors.empty()) {
    return bad_request("<nil>: Invalid value: " + quoted(key.text) + ": " + join(errors, "; "));
  }
  const Lexeme next = lexer_.peek(true);
  if (negated || next.token == Token::End || next.token == Token::Comma) {
    return make_requirement(key.text, negated ? Operator::DoesNotExist : Operator::Exists, {});
  }
  const Lexeme op = lexer_.take(false);
  switch (op.token) {
    case Token::In:
    case Token::NotIn: {
      ASSIGN_OR_RETURN(std::vector<std::string> values, value_set());
      return make_requirement(key.text, op.token == Token::In ? Operator::In : Operator::NotIn, std::move(values));
    }
    case Token::Equal:
    case Token::DoubleEqual:
    case Token::NotEqual:
    case Token::Greater:
    case Token::Less: {
      ASSIGN_OR_RETURN(std::string value, exact_value());
      const Operator meaning = op.token == Token::NotEqual  ? Operator::NotEquals
                               : op.token == Token::Greater ? Operator::GreaterThan
                               : op.token == Token::Less    ? Operator::LessThan
                                                            : Operator::Equals;
      return make_requirement(key.text, meaning, {std::move(value)});
    }
    default:
      return bad_request("found '" + op.text + "', expected: in, notin, =, ==, !=, gt, lt");
  }
}

Result<std::string> Parser::exact_value() {
  const Lexeme next = lexer_.peek(true);
  if (next.token == Token::End || next.token == Token::Comma) return std::string();
  const Lexeme value = lexer_.take(true);
  if (value.token == Token::Word) return value.text;
  return bad_request("found '" + value.text + "', expected: identifier");
}

Result<std::vector<std::string>> Parser::value_set() {
  const Lexeme open = lexer_.take(true);
  if (open.token != Token::OpenParenthesis) return bad_request("found '" + open.text + "' expected: '('");
  std::vector<std::string> values;
  // An empty place between commas or parentheses is the empty value.
  bool value_before = false;
  for (;;) {
    const Lexeme next = lexer_.take(true);
    switch (next.token) {
      case Token::Word:
        if (value_before) return bad_request("found '" + next.text + "', expected: ',' or ')'");
        values.push_back(next.text);
        value_before = true;
        break;
      case Token::Comma:
        if (!value_before) values.emplace_back();
        value_before = false;
        break;
      case Token::CloseParenthesis:
        if (!value_before) values.emplace_back();
        return values;
      default:
        return bad_request("found '" + next.text +
                           (value_before ? "', expected: ',' or ')'" : "', expected: ',', ')' or identifier"));
    }
  }
}

bool holds(const Requirement& requirement, const Value& labels) {
  const Value* label = labels.find(requirement.key);
  const auto listed = [&] {
    const std::string_view value = label->as_string();
    return std::find(requirement.values.begin(), requirement.values.end(), value) != requirement.values.end();
  };
  switch (requirement.op) {
    case Operator::In:
    case Operator::Equals:
      return label != nullptr && listed();
    case Operator::NotIn:
    case Operator::NotEquals:
      return label == nullptr || !listed();
    case Operator::Exists:
      return label != nullptr;
    case Operator::DoesNotExist:
      return label == nullptr;
    case Operator::GreaterThan:
    case Operator::LessThan:
      break;
  }
  if (label == nullptr || requirement.values.size() != 1) return false;
  const auto value = parse_signed_int(label->as_string());
  const auto bound = parse_signed_int(requirement.values[0]);
  if (!value || !bound) return false;
  return requirement.op == Operator::GreaterThan ? *value > *bound : *value < *bound;
}

void append_requirement(std::string& out, const Requirement& requirement) {
  if (requirement.op == Operator::DoesNotExist) out += '!';
  out += requirement.key;
  switch (requirement.op) {
    case Operator::Exists:
    case Operator::DoesNotExist:
      return;
    case Operator::Equals:
      out += '=';
      break;
    case Operator::NotEquals:
      out += "!=";
      break;
    case Operator::GreaterThan:
      out += '>';
      break;
    case Operator::LessThan:
      out += '<';
      break;
    case Operator::In:
      out += " in (";
      break;
    case Operator::NotIn:
      out += " notin (";
      break;
  }
  out += join(requirement.values, ",");
  if (requirement.op == Operator::In || requirement.op == Operator::NotIn) out += ')';
}

void sort_by_key(std::vector<Requirement>& requirements) {
  std::stable_sort(requirements.begin(), requirements.end(),
                   [](const Requirement& a, const Requirement& b) { return a.key < b.key; });
}

std::optional<Operator> expression_operator(std::string_view text) {
  if (text == "In") return Operator::In;
  if (text == "NotIn") return Operator::NotIn;
  if (text == "Exists") return Operator::Exists;
  if (text == "DoesNotExist") return Operator::DoesNotExist;
  return std::nullopt;
}

}  // namespace

LabelSelector LabelSelector::nothing() {
  LabelSelector selector;
  selector.nothing_ = true;
  return selector;
}

Result<LabelSelector> LabelSelector::parse(std::string_view text) {
  LabelSelector selector;
  ASSIGN_OR_RETURN(selector.requirements_, Parser(text).parse());
  sort_by_key(selector.requirements_);
  return selector;
}

Result<LabelSelector> LabelSelector::from_value(const Value& value) {
  if (value.is_null()) return nothing();
  LabelSelector selector;
  for (const Value::Member& label : value["matchLabels"].members()) {
    ASSIGN_OR_RETURN(Requirement requirement,
                     make_requirement(label.key, Operator::Equals, {std::string(label.value.as_string())}));
    selector.requirements_.push_back(std::move(requirement));
  }
  for (const Value& expression : value["matchExpressions"].items()) {
    const std::string_view name = expression["operator"].as_string();
    const auto op = expression_operator(name);
    if (!op) return bad_request(quoted(name) + " is not a valid label selector operator");
    ASSIGN_OR_RETURN(Requirement requirement, make_requirement(std::string(expression["key"].as_string()), *op,
                                                               string_items(expression["values"])));
    selector.requirements_.push_back(std::move(requirement));
  }
  sort_by_key(selector.requirements_);
  return selector;
}

LabelSelector LabelSelector::from_labels(const Value& labels) {
  LabelSelector selector;
  for (const Value::Member& label : labels.members()) {
    selector.requirements_.push_back({label.key, Operator::Equals, {std::string(label.value.as_string())}});
  }
  sort_by_key(selector.requirements_);
  return selector;
}

bool LabelSelector::matches(const Value& labels) const {
  if (nothing_) return false;
  return std::all_of(requirements_.begin(), requirements_.end(),
                     [&](const Requirement& requirement) { return holds(requirement, labels); });
}

std::string LabelSelector::text() const {
  std::string out;
  for (const Requirement& requirement : requirements_) {
    if (!out.empty()) out += ',';
    append_requirement(out, requirement);
  }
  return out;
}

}  // namespace coracle::kube
