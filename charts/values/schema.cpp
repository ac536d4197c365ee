#include "charts/values/schema.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "base/go_text.h"
#include "base/json/json.h"
#include "base/text.h"
#include "base/utf8.h"
#include "charts/chart.h"
#include "charts/internal/regex.h"
#include "charts/internal/step_counter.h"
#include "charts/values.h"

namespace coracle::charts {
namespace {

constexpr int kMaxSchemaDepth = 100;
constexpr std::size_t kMaxViolations = 100;
// Schemas that are looked at for some value; a large chart takes some ten thousand.
constexpr std::uint64_t kMaxSteps = 2'000'000;

constexpr std::array<std::string_view, 5> kUnsupportedKeywords = {"unevaluatedProperties", "unevaluatedItems",
                                                                  "$dynamicRef", "$recursiveRef", "minContains"};

using Violations = std::vector<SchemaViolation>;

constexpr std::string_view kWork = "the schemas";

bool is_integral(const Value& value) {
  return value.is_int() || (value.is_double() && value.as_double() == std::trunc(value.as_double()));
}

std::string_view type_of(const Value& value) {
  return value.is_bool() ? "boolean" : json_kind_name(value);
}

bool has_type(const Value& value, std::string_view type) {
  if (type == "integer") return is_integral(value);
  return type_of(value) == type;
}

// Numbers compare by value, whatever they were read as. Counts what it compares.
bool same_value(const Value& a, const Value& b, std::size_t& compared) {
  ++compared;
  if (a.is_number() && b.is_number()) return a.as_double() == b.as_double();
  if (a.is_array() && b.is_array()) {
    return std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(),
                      [&](const Value& x, const Value& y) { return same_value(x, y, compared); });
  }
  if (a.is_object() && b.is_object()) {
    return a.size() == b.size() &&
           std::all_of(a.members().begin(), a.members().end(), [&](const Value::Member& member) {
             const Value* other = b.find(member.key);
             return other != nullptr && same_value(member.value, *other, compared);
           });
  }
  return a == b;
}

std::string shown(const Value& value) {
  return value.is_string() ? "'" + std::string(value.as_string()) + "'" : json::write_raw(value);
}

std::string unescape_pointer(std::string_view part) {
  std::string out;
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (part[i] == '~' && i + 1 < part.size() && (part[i + 1] == '0' || part[i + 1] == '1')) {
      out += part[++i] == '0' ? '~' : '/';
    } else {
      out += part[i];
    }
  }
  return out;
}

class SchemaChecker {
 public:
  SchemaChecker(const Value& root, std::vector<std::string>* warnings, StepCounter& steps)
      : root_(root), warnings_(warnings), steps_(steps) {}

  Result<void> check(const Value& schema, const Value& value, const std::string& path, Violations& out, int depth) {
    if (depth > kMaxSchemaDepth) return bad_request("the schema refers to itself without end or is nested too deeply");
    TRY(steps_.count());
    if (out.size() >= kMaxViolations) return {};
    if (schema.is_bool()) {
      if (!schema.as_bool()) out.push_back({path, "false schema"});
      return {};
    }
    if (!schema.is_object()) return bad_request("a schema is neither an object nor a bool");
    for (const std::string_view keyword : kUnsupportedKeywords) {
      if (schema.contains(keyword)) {
        return unsupported("the schema keyword " + std::string(keyword) + " is not supported");
      }
    }
    if (schema["$ref"].is_string()) TRY(follow(schema["$ref"].as_string(), value, path, out, depth));
    check_type(schema, value, path, out);
    TRY(check_choice(schema, value, path, out));
    if (value.is_number()) check_number(schema, value, path, out);
    if (value.is_string()) TRY(check_text(schema, value, path, out));
    if (value.is_array()) TRY(check_items(schema, value, path, out, depth));
    if (value.is_object()) TRY(check_members(schema, value, path, out, depth));
    return check_combined(schema, value, path, out, depth);
  }

 private:
  Result<void> follow(std::string_view reference, const Value& value, const std::string& path, Violations& out,
                      int depth) {
    const Value* target = resolve(reference);
    if (target != nullptr) return check(*target, value, path, out, depth + 1);
    if (reference.starts_with('#'))
      return bad_request("the schema refers to " + std::string(reference) + ", which is not there");
    if (warnings_ != nullptr && warned_.insert(std::string(reference)).second) {
      warnings_->push_back("the schema refers to " + std::string(reference) +
                           ", which is not fetched: everything is accepted there");
    }
    return {};
  }

  const Value* resolve(std::string_view reference) const {
    const std::string_view id = root_["$id"].as_string();
    if (!id.empty() && reference.starts_with(id) && reference.size() > id.size()) reference.remove_prefix(id.size());
    if (reference == "#") return &root_;
    if (!reference.starts_with("#/")) return nullptr;
    const Value* target = &root_;
    for (const std::string_view part : split(reference.substr(2), '/')) {
      const std::string key = unescape_pointer(part);
      if (target->is_array()) {
        const auto index = parse_int<std::size_t>(key);
        if (!index || *index >= target->size()) return nullptr;
        target = &target->at(*index);
      } else {
        target = target->find(key);
      }
      if (target == nullptr) return nullptr;
    }
    return target;
  }

  static void check_type(const Value& schema, const Value& value, const std::string& path, Violations& out) {
    const Value& type = schema["type"];
    std::vector<std::string> wanted;
    if (type.is_string()) wanted.emplace_back(type.as_string());
    for (const Value& item : type.items()) wanted.emplace_back(item.as_string());
    if (wanted.empty()) return;
    if (std::any_of(wanted.begin(), wanted.end(), [&](const std::string& name) { return has_type(value, name); }))
      return;
    out.push_back({path, "got " + std::string(type_of(value)) + ", want " + join(wanted, " or ")});
  }

  Result<bool> same(const Value& a, const Value& b) {
    std::size_t compared = 0;
    const bool equal = same_value(a, b, compared);
    TRY(steps_.count_items(compared));
    return equal;
  }

  Result<void> check_choice(const Value& schema, const Value& value, const std::string& path, Violations& out) {
    if (const Value* constant = schema.find("const")) {
      ASSIGN_OR_RETURN(const bool equal, same(*constant, value));
      if (!equal) out.push_back({path, "value must be " + shown(*constant)});
    }
    const Value& choices = schema["enum"];
    if (!choices.is_array()) return {};
    for (const Value& choice : choices.items()) {
      ASSIGN_OR_RETURN(const bool equal, same(choice, value));
      if (equal) return {};
    }
    std::vector<std::string> texts;
    for (const Value& choice : choices.items()) texts.push_back(shown(choice));
    out.push_back({path, (texts.size() == 1 ? "value must be " : "value must be one of ") + join(texts, ", ")});
    return {};
  }

  // Patterns are asked about many values and take long to compile.
  Result<bool> matches(const std::string& pattern, std::string_view text) {
    auto found = patterns_.find(pattern);
    if (found == patterns_.end()) {
      ASSIGN_OR_RETURN(Regex regex, Regex::compile(pattern, steps_));
      found = patterns_.emplace(pattern, std::move(regex)).first;
    }
    return found->second.matches(text, steps_);
  }

  static void check_number(const Value& schema, const Value& value, const std::string& path, Violations& out) {
    const double number = value.as_double();
    const auto bound = [&](std::string_view keyword, auto&& violated) {
      const Value& limit = schema[keyword];
      if (!limit.is_number() || !violated(limit.as_double())) return;
      out.push_back({path, std::string(keyword) + ": got " + shown(value) + ", want " + shown(limit)});
    };
    // Draft 4 writes the exclusive bounds as bools beside the inclusive ones.
    const bool above_only = schema["exclusiveMinimum"].as_bool();
    const bool below_only = schema["exclusiveMaximum"].as_bool();
    bound("minimum", [&](double limit) { return above_only ? number <= limit : number < limit; });
    bound("maximum", [&](double limit) { return below_only ? number >= limit : number > limit; });
    bound("exclusiveMinimum", [&](double limit) { return number <= limit; });
    bound("exclusiveMaximum", [&](double limit) { return number >= limit; });
    bound("multipleOf", [&](double factor) {
      const double quotient = number / factor;
      return std::fabs(quotient - std::round(quotient)) > 1e-9;
    });
  }

  static void check_count(const Value& schema, std::string_view keyword, std::size_t count, bool at_least,
                          const std::string& path, Violations& out) {
    const Value& limit = schema[keyword];
    if (!limit.is_number()) return;
    const auto actual = static_cast<double>(count);
    if (at_least ? actual >= limit.as_double() : actual <= limit.as_double()) return;
    out.push_back({path, std::string(keyword) + ": got " + std::to_string(count) + ", want " + shown(limit)});
  }

  Result<void> check_text(const Value& schema, const Value& value, const std::string& path, Violations& out) {
    const std::size_t length = count_runes(value.as_string());
    check_count(schema, "minLength", length, true, path, out);
    check_count(schema, "maxLength", length, false, path, out);
    if (!schema["pattern"].is_string()) return {};
    const std::string pattern(schema["pattern"].as_string());
    ASSIGN_OR_RETURN(const bool matched, matches(pattern, value.as_string()));
    if (!matched) {
      out.push_back({path, shown(value) + " does not match pattern '" + pattern + "'"});
    }
    return {};
  }

  Result<void> check_items(const Value& schema, const Value& value, const std::string& path, Violations& out,
                           int depth) {
    check_count(schema, "minItems", value.size(), true, path, out);
    check_count(schema, "maxItems", value.size(), false, path, out);
    if (schema["uniqueItems"].as_bool()) TRY(check_unique(value, path, out));
    // Draft 7 has the tuple in `items` and the rest in `additionalItems`, 2020-12 in `prefixItems` and `items`.
    const bool old_tuple = schema["items"].is_array();
    const Value& tuple = old_tuple ? schema["items"] : schema["prefixItems"];
    const Value* rest = old_tuple ? schema.find("additionalItems") : schema.find("items");
    for (std::size_t i = 0; i < value.size(); ++i) {
      const Value* item_schema = i < tuple.size() ? &tuple.at(i) : rest;
      if (item_schema == nullptr) continue;
      TRY(check(*item_schema, value.at(i), path + "/" + std::to_string(i), out, depth + 1));
    }
    if (const Value* contained = schema.find("contains")) {
      for (const Value& item : value.items()) {
        ASSIGN_OR_RETURN(const bool valid, accepts(*contained, item, path, depth));
        if (valid) return {};
      }
      out.push_back({path, "no items match contains schema"});
    }
    return {};
  }

  Result<void> check_unique(const Value& value, const std::string& path, Violations& out) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        ASSIGN_OR_RETURN(const bool equal, same(value.at(i), value.at(j)));
        if (!equal) continue;
        out.push_back({path, "items at " + std::to_string(j) + " and " + std::to_string(i) + " are equal"});
        return {};
      }
    }
    return {};
  }

  static void check_required(const Value& names, const Value& value, const std::string& path, Violations& out) {
    std::vector<std::string> missing;
    for (const Value& name : names.items()) {
      if (!value.contains(name.as_string())) missing.push_back(shown(name));
    }
    if (missing.empty()) return;
    out.push_back({path, (missing.size() == 1 ? "missing property " : "missing properties ") + join(missing, ", ")});
  }

  Result<void> check_members(const Value& schema, const Value& value, const std::string& path, Violations& out,
                             int depth) {
    check_count(schema, "minProperties", value.size(), true, path, out);
    check_count(schema, "maxProperties", value.size(), false, path, out);
    check_required(schema["required"], value, path, out);
    const Value* additional = schema.find("additionalProperties");
    std::vector<std::string> refused;
    for (const auto& [key, member] : value.members()) {
      const std::string inner_path = path + "/" + key;
      if (const Value* names = schema.find("propertyNames")) {
        TRY(check(*names, Value(key), inner_path, out, depth + 1));
      }
      bool known = false;
      if (const Value* property = schema["properties"].find(key)) {
        known = true;
        TRY(check(*property, member, inner_path, out, depth + 1));
      }
      for (const auto& [pattern, inner] : schema["patternProperties"].members()) {
        ASSIGN_OR_RETURN(const bool matched, matches(pattern, key));
        if (!matched) continue;
        known = true;
        TRY(check(inner, member, inner_path, out, depth + 1));
      }
      if (known || additional == nullptr) continue;
      if (additional->is_bool() && !additional->as_bool()) {
        refused.push_back("'" + key + "'");
      } else {
        TRY(check(*additional, member, inner_path, out, depth + 1));
      }
    }
    if (!refused.empty()) out.push_back({path, "additional properties " + join(refused, ", ") + " not allowed"});
    return check_dependent(schema, value, path, out, depth);
  }

  Result<void> check_dependent(const Value& schema, const Value& value, const std::string& path, Violations& out,
                               int depth) {
    for (const std::string_view keyword : {"dependencies", "dependentRequired", "dependentSchemas"}) {
      for (const auto& [key, needed] : schema[keyword].members()) {
        if (!value.contains(key)) continue;
        if (needed.is_array()) {
          check_required(needed, value, path, out);
        } else {
          TRY(check(needed, value, path, out, depth + 1));
        }
      }
    }
    return {};
  }

  static void append_reasons(Violations& out, const Violations& reasons) {
    const std::size_t room = kMaxViolations - std::min(kMaxViolations, out.size());
    const auto count = static_cast<std::ptrdiff_t>(std::min(room, reasons.size()));
    out.insert(out.end(), reasons.begin(), reasons.begin() + count);
  }

  Result<bool> accepts(const Value& schema, const Value& value, const std::string& path, int depth) {
    Violations violations;
    TRY(check(schema, value, path, violations, depth + 1));
    return violations.empty();
  }

  Result<void> check_combined(const Value& schema, const Value& value, const std::string& path, Violations& out,
                              int depth) {
    for (const Value& part : schema["allOf"].items()) TRY(check(part, value, path, out, depth + 1));
    TRY(check_any_of(schema["anyOf"], value, path, out, depth));
    TRY(check_one_of(schema["oneOf"], value, path, out, depth));
    if (const Value* refused = schema.find("not")) {
      ASSIGN_OR_RETURN(const bool valid, accepts(*refused, value, path, depth));
      if (valid) out.push_back({path, "not failed"});
    }
    if (const Value* condition = schema.find("if")) {
      ASSIGN_OR_RETURN(const bool holds, accepts(*condition, value, path, depth));
      const Value* branch = schema.find(holds ? "then" : "else");
      if (branch != nullptr) TRY(check(*branch, value, path, out, depth + 1));
    }
    return {};
  }

  Result<void> check_any_of(const Value& choices, const Value& value, const std::string& path, Violations& out,
                            int depth) {
    if (!choices.is_array()) return {};
    Violations reasons;
    for (const Value& choice : choices.items()) {
      Violations violations;
      TRY(check(choice, value, path, violations, depth + 1));
      if (violations.empty()) return {};
      append_reasons(reasons, violations);
    }
    out.push_back({path, "anyOf failed"});
    append_reasons(out, reasons);
    return {};
  }

  Result<void> check_one_of(const Value& choices, const Value& value, const std::string& path, Violations& out,
                            int depth) {
    if (!choices.is_array()) return {};
    std::vector<std::string> matched;
    Violations reasons;
    for (std::size_t i = 0; i < choices.size(); ++i) {
      Violations violations;
      TRY(check(choices.at(i), value, path, violations, depth + 1));
      if (violations.empty()) matched.push_back(std::to_string(i));
      append_reasons(reasons, violations);
    }
    if (matched.size() == 1) return {};
    if (matched.empty()) {
      out.push_back({path, "oneOf failed, none matched"});
      append_reasons(out, reasons);
    } else {
      out.push_back({path, "oneOf failed, subschemas " + join(matched, ", ") + " matched"});
    }
    return {};
  }

  const Value& root_;
  std::vector<std::string>* warnings_;
  StepCounter& steps_;
  std::set<std::string> warned_;
  std::map<std::string, Regex, std::less<>> patterns_;
};

Result<Violations> check_all(const Value& schema, const Value& value, std::vector<std::string>* warnings,
                             StepCounter& steps) {
  SchemaChecker checker(schema, warnings, steps);
  Violations violations;
  TRY(checker.check(schema, value, "", violations, 0));
  return violations;
}

Result<void> check_chart(const Chart& chart, const Value& values, std::string& text, std::vector<Cause>& causes,
                         std::vector<std::string>* warnings, StepCounter& steps) {
  if (chart.schema) {
    auto schema = json::read(*chart.schema);
    if (!schema.ok()) return schema.error().in("values.schema.json of chart " + std::string(chart.name()));
    auto violations = check_all(*schema, values, warnings, steps);
    if (!violations.ok()) return violations.error().in("values.schema.json of chart " + std::string(chart.name()));
    if (!violations->empty()) text += std::string(chart.name()) + ":\n";
    for (const SchemaViolation& violation : *violations) {
      text += "- at '" + violation.path + "': " + violation.message + "\n";
      causes.push_back({"FieldValueInvalid", violation.message, violation.path});
    }
  }
  for (const auto& dependency : chart.dependencies) {
    const Value& inner = values[dependency->name()];
    if (inner.is_null()) continue;
    TRY(check_chart(*dependency, inner, text, causes, warnings, steps));
  }
  return {};
}

}  // namespace

Result<std::vector<SchemaViolation>> check_schema(const Value& schema, const Value& value,
                                                  std::vector<std::string>* warnings, const Context* context) {
  StepCounter steps(kWork, kMaxSteps, context);
  return check_all(schema, value, warnings, steps);
}

Result<void> validate_values(const Chart& chart, const Value& values, std::vector<std::string>* warnings,
                             const Context* context) {
  StepCounter steps(kWork, kMaxSteps, context);
  std::string text;
  std::vector<Cause> causes;
  TRY(check_chart(chart, values, text, causes, warnings, steps));
  if (causes.empty()) return {};
  return Error(Reason::Invalid,
               "values don't meet the specifications of the schema(s) in the following chart(s):\n" + text)
      .with_causes(std::move(causes));
}

}  // namespace coracle::charts
