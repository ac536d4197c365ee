#include "kube/object/json_path.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/json/json.h"
#include "base/text.h"

namespace coracle::kube {

struct JsonPath::Step {
  enum class Kind : std::uint8_t { Field, Index, Slice, Wildcard, Descent, Filter, Union };
  enum class Comparison : std::uint8_t { Exists, Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual };
  Kind kind = Kind::Field;
  std::string field;
  std::int64_t index = 0;
  std::optional<std::int64_t> from, to;
  std::int64_t stride = 1;
  // Filter: a path below the item, compared with a literal or with another path.
  std::vector<Step> left, right;
  Comparison comparison = Comparison::Exists;
  Value literal;
  bool right_is_path = false;
  std::vector<Step> alternatives;  // Union
};

namespace {

using Step = JsonPath::Step;

constexpr std::size_t kMaxPathLength = 4096;
constexpr std::size_t kMaxMatches = 100'000;

bool is_name_end(char c) {
  return c == '.' || c == '[' || c == ']' || c == ' ' || c == '\t' || c == '}';
}

class PathParser {
 public:
  explicit PathParser(std::string_view text) : text_(text) {}

  Result<std::vector<Step>> parse() {
    if (text_.size() > kMaxPathLength) return fail("the expression is too long");
    const bool braces = !text_.empty() && text_.front() == '{';
    if (braces) {
      if (text_.back() != '}') return fail("unclosed action");
      text_ = text_.substr(1, text_.size() - 2);
    }
    if (peek() == '$' || peek() == '@') ++at_;
    ASSIGN_OR_RETURN(std::vector<Step> steps, path(true));
    if (at_ != text_.size()) return fail("unexpected character");
    return steps;
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool accept(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t') ++at_;
  }
  Error fail(std::string_view what) const {
    return bad_request("invalid JSONPath \"" + std::string(text_) + "\": " + std::string(what) + " at position " +
                       std::to_string(at_ + 1));
  }

  Result<std::vector<Step>> path(bool whole);
  Result<Step> field();
  Result<Step> subscript();
  Result<Step> filter();
  Result<Step> element();
  Result<std::string> quoted();
  Result<Value> literal();
  Result<std::optional<std::int64_t>> number();

  std::string_view text_;
  std::size_t at_ = 0;
};

Result<std::vector<Step>> PathParser::path(bool whole) {
  std::vector<Step> steps;
  // A printer column may name its first field without a dot.
  if (whole && at_ == 0 && peek() != '.' && peek() != '[' && peek() != '\0') {
    ASSIGN_OR_RETURN(Step first, field());
    steps.push_back(std::move(first));
  }
  for (;;) {
    if (accept("..")) {
      Step descent;
      descent.kind = Step::Kind::Descent;
      steps.push_back(std::move(descent));
      if (peek() != '[') {
        ASSIGN_OR_RETURN(Step named, field());
        steps.push_back(std::move(named));
      }
    } else if (accept(".")) {
      if (peek() == '[' || (peek() == '\0' && whole)) continue;
      ASSIGN_OR_RETURN(Step named, field());
      steps.push_back(std::move(named));
    } else if (accept("[")) {
      ASSIGN_OR_RETURN(Step taken, subscript());
      steps.push_back(std::move(taken));
    } else {
      return steps;
    }
  }
}

Result<Step> PathParser::field() {
  Step step;
  if (accept("*")) {
    step.kind = Step::Kind::Wildcard;
    return step;
  }
  while (at_ < text_.size()) {
    char c = peek();
    if (c == '\\' && at_ + 1 < text_.size()) {
      ++at_;
      c = peek();
    } else if (is_name_end(c) || std::string_view("=!<>)").find(c) != std::string_view::npos) {
      break;
    }
    step.field += c;
    ++at_;
  }
  if (step.field.empty()) return fail("a field name was expected");
  return step;
}

Result<std::string> PathParser::quoted() {
  const char quote = peek();
  ++at_;
  std::string text;
  while (at_ < text_.size() && peek() != quote) {
    if (peek() == '\\' && at_ + 1 < text_.size()) ++at_;
    text += peek();
    ++at_;
  }
  if (!accept(std::string_view(&quote, 1))) return fail("unterminated quoted string");
  return text;
}

Result<std::optional<std::int64_t>> PathParser::number() {
  const std::size_t start = at_;
  if (peek() == '-') ++at_;
  while (peek() >= '0' && peek() <= '9') ++at_;
  if (at_ == start) return std::optional<std::int64_t>();
  const auto value = parse_int(text_.substr(start, at_ - start));
  if (!value) return fail("invalid array index");
  return value;
}

// One alternative between '[' and ']': a quoted field, '*', a position or a slice.
Result<Step> PathParser::element() {
  skip_blanks();
  Step step;
  if (peek() == '\'' || peek() == '"') {
    ASSIGN_OR_RETURN(step.field, quoted());
    skip_blanks();
    return step;
  }
  if (accept("*")) {
    step.kind = Step::Kind::Wildcard;
    skip_blanks();
    return step;
  }
  ASSIGN_OR_RETURN(step.from, number());
  if (peek() != ':') {
    if (!step.from) return fail("invalid array index");
    step.kind = Step::Kind::Index;
    step.index = *step.from;
    skip_blanks();
    return step;
  }
  ++at_;
  step.kind = Step::Kind::Slice;
  ASSIGN_OR_RETURN(step.to, number());
  if (accept(":")) {
    ASSIGN_OR_RETURN(const std::optional<std::int64_t> stride, number());
    if (stride && *stride <= 0) return fail("step must be > 0");
    step.stride = stride.value_or(1);
  }
  skip_blanks();
  return step;
}

Result<Step> PathParser::subscript() {
  skip_blanks();
  if (accept("?(")) return filter();
  ASSIGN_OR_RETURN(Step first, element());
  if (peek() != ',') {
    if (!accept("]")) return fail("unterminated array");
    return first;
  }
  Step all;
  all.kind = Step::Kind::Union;
  all.alternatives.push_back(std::move(first));
  while (accept(",")) {
    ASSIGN_OR_RETURN(Step next, element());
    all.alternatives.push_back(std::move(next));
  }
  if (!accept("]")) return fail("unterminated array");
  return all;
}

Result<Value> PathParser::literal() {
  if (peek() == '\'' || peek() == '"') {
    ASSIGN_OR_RETURN(std::string text, quoted());
    return Value(text);
  }
  const std::size_t start = at_;
  while (at_ < text_.size() && peek() != ')' && peek() != ' ') ++at_;
  const std::string_view word = text_.substr(start, at_ - start);
  Result<Value> value = json::read(word);
  if (!value.ok()) return fail("a literal was expected");
  return std::move(*value);
}

Result<Step> PathParser::filter() {
  using Comparison = Step::Comparison;
  static constexpr std::pair<std::string_view, Comparison> kComparisons[] = {
      {"==", Comparison::Equal},          {"!=", Comparison::NotEqual}, {"<=", Comparison::LessOrEqual},
      {">=", Comparison::GreaterOrEqual}, {"<", Comparison::Less},      {">", Comparison::Greater},
  };
  Step step;
  step.kind = Step::Kind::Filter;
  skip_blanks();
  if (!accept("@")) return fail("'@' was expected");
  ASSIGN_OR_RETURN(step.left, path(false));
  skip_blanks();
  for (const auto& [spelling, comparison] : kComparisons) {
    if (step.comparison == Comparison::Exists && accept(spelling)) step.comparison = comparison;
  }
  if (step.comparison != Comparison::Exists) {
    skip_blanks();
    if (accept("@")) {
      step.right_is_path = true;
      ASSIGN_OR_RETURN(step.right, path(false));
    } else {
      ASSIGN_OR_RETURN(step.literal, literal());
    }
    skip_blanks();
  }
  if (!accept(")")) return fail("unterminated filter");
  skip_blanks();
  if (!accept("]")) return fail("unterminated filter");
  return step;
}

void run(const std::vector<Step>& steps, std::size_t from, const Value& value, std::vector<Value>& out);

std::vector<Value> run_all(const std::vector<Step>& steps, const Value& value) {
  std::vector<Value> out;
  run(steps, 0, value, out);
  return out;
}

bool compare(const Value& left, Step::Comparison comparison, const Value& right) {
  using Comparison = Step::Comparison;
  int order = 0;
  if (left.is_number() && right.is_number()) {
    const double a = left.as_double(), b = right.as_double();
    order = a < b ? -1 : a > b ? 1 : 0;
  } else if (left.is_string() && right.is_string()) {
    const int text_order = left.as_string().compare(right.as_string());
    order = text_order < 0 ? -1 : text_order > 0 ? 1 : 0;
  } else {
    const bool equal = left == right;
    if (comparison == Comparison::Equal) return equal;
    if (comparison == Comparison::NotEqual) return !equal;
    return false;
  }
  switch (comparison) {
    case Comparison::Equal:
      return order == 0;
    case Comparison::NotEqual:
      return order != 0;
    case Comparison::Less:
      return order < 0;
    case Comparison::LessOrEqual:
      return order <= 0;
    case Comparison::Greater:
      return order > 0;
    case Comparison::GreaterOrEqual:
      return order >= 0;
    case Comparison::Exists:
      break;
  }
  return false;
}

bool passes(const Step& filter, const Value& item) {
  const std::vector<Value> left = run_all(filter.left, item);
  if (filter.comparison == Step::Comparison::Exists) return !left.empty();
  if (left.size() != 1) return false;
  if (!filter.right_is_path) return compare(left[0], filter.comparison, filter.literal);
  const std::vector<Value> right = run_all(filter.right, item);
  return right.size() == 1 && compare(left[0], filter.comparison, right[0]);
}

void run_slice(const std::vector<Step>& steps, std::size_t from, const Step& step, const Value& value,
               std::vector<Value>& out) {
  const auto size = static_cast<std::int64_t>(value.size());
  const auto bound = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size); };
  const std::int64_t end = step.to ? bound(*step.to) : size;
  for (std::int64_t at = step.from ? bound(*step.from) : 0; at < end; at += step.stride) {
    run(steps, from + 1, value.at(static_cast<std::size_t>(at)), out);
  }
}

void run_descent(const std::vector<Step>& steps, std::size_t from, const Value& value, std::vector<Value>& out) {
  run(steps, from + 1, value, out);
  for (const Value& item : value.items()) run_descent(steps, from, item, out);
  for (const Value::Member& member : value.members()) run_descent(steps, from, member.value, out);
}

void run_step(const std::vector<Step>& steps, std::size_t from, const Step& step, const Value& value,
              std::vector<Value>& out) {
  switch (step.kind) {
    case Step::Kind::Field:
      if (const Value* member = value.find(step.field)) run(steps, from + 1, *member, out);
      return;
    case Step::Kind::Index: {
      if (!value.is_array()) return;
      const auto size = static_cast<std::int64_t>(value.size());
      const std::int64_t at = step.index < 0 ? step.index + size : step.index;
      if (at >= 0 && at < size) run(steps, from + 1, value.at(static_cast<std::size_t>(at)), out);
      return;
    }
    case Step::Kind::Slice:
      return run_slice(steps, from, step, value, out);
    case Step::Kind::Wildcard:
      for (const Value& item : value.items()) run(steps, from + 1, item, out);
      for (const Value::Member& member : value.members()) run(steps, from + 1, member.value, out);
      return;
    case Step::Kind::Descent:
      return run_descent(steps, from, value, out);
    case Step::Kind::Filter:
      for (const Value& item : value.items()) {
        if (passes(step, item)) run(steps, from + 1, item, out);
      }
      return;
    case Step::Kind::Union:
      for (const Step& alternative : step.alternatives) run_step(steps, from, alternative, value, out);
      return;
  }
}

void run(const std::vector<Step>& steps, std::size_t from, const Value& value, std::vector<Value>& out) {
  if (out.size() >= kMaxMatches) return;
  if (from == steps.size()) {
    out.push_back(value);
  } else {
    run_step(steps, from, steps[from], value, out);
  }
}

}  // namespace

JsonPath::JsonPath(std::vector<Step> steps) : steps_(std::make_shared<const std::vector<Step>>(std::move(steps))) {}

Result<JsonPath> JsonPath::parse(std::string_view text) {
  ASSIGN_OR_RETURN(std::vector<Step> steps, PathParser(text).parse());
  return JsonPath(std::move(steps));
}

std::vector<Value> JsonPath::evaluate(const Value& root) const {
  return run_all(*steps_, root);
}

Value JsonPath::first(const Value& root) const {
  std::vector<Value> matches = evaluate(root);
  return matches.empty() ? Value() : std::move(matches.front());
}

bool JsonPath::plain_fields(std::vector<std::string>& fields) const {
  fields.clear();
  for (const Step& step : *steps_) {
    if (step.kind != Step::Kind::Field) return false;
    fields.push_back(step.field);
  }
  return true;
}

}  // namespace coracle::kube
