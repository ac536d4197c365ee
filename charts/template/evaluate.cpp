// Evaluates pipelines: commands, field chains, calls and their arguments.

#include <algorithm>
#include <array>
#include <utility>

#include "charts/template/bounded_text.h"
#include "charts/template/evaluator.h"
#include "charts/template/go_quote.h"
#include "charts/template/methods.h"

namespace coracle::charts {
namespace {

struct ParameterRow {
  char code;
  std::string_view type_name;
  bool can_be_nil;
};

constexpr std::array<ParameterRow, 12> kParameters = {{{'s', "string", false},
                                                       {'i', "int", false},
                                                       {'l', "int64", false},
                                                       {'f', "float64", false},
                                                       {'b', "bool", false},
                                                       {'a', "interface {}", true},
                                                       {'v', "reflect.Value", true},
                                                       {'m', "map[string]interface {}", true},
                                                       {'L', "[]interface {}", true},
                                                       {'S', "[]string", true},
                                                       {'t', "time.Time", false},
                                                       {'c', "sprig.certificate", false}}};

const ParameterRow& parameter_row(char code) {
  return *std::find_if(kParameters.begin(), kParameters.end() - 1,
                       [code](const ParameterRow& row) { return row.code == code; });
}

bool assignable(const GoValue& value, char parameter) {
  switch (parameter) {
    case 'a':
    case 'v':
      return true;
    case 's':
      return value.is_string();
    case 'i':
      return value.type() == GoValue::Type::Int;
    case 'l':
      return value.type() == GoValue::Type::Int64;
    case 'f':
      return value.is_float();
    case 'b':
      return value.type() == GoValue::Type::Bool;
    case 'm':
      return value.is_dict() && value.as_dict().named != GoDict::Named::StringMap &&
             value.as_dict().named != GoDict::Named::Files;
    case 'L':
      return value.is_list() && value.as_list().element == ElementType::Interface;
    case 'S':
      return value.is_list() && value.as_list().element == ElementType::String;
    case 't':
      return value.type() == GoValue::Type::Time;
    case 'c':
      return value.type() == GoValue::Type::Object && value.type_name() == "sprig.certificate";
    default:
      return false;
  }
}

bool is_variadic(std::string_view parameters) {
  return parameters.ends_with('*');
}

std::size_t item_count(const GoValue& container) {
  return container.is_list() ? container.as_list().items.size() : container.as_dict().members.size();
}

}  // namespace

Result<GoValue> Evaluator::evaluate_pipeline(const GoValue& dot, const PipeNode* pipe) {
  if (pipe == nullptr) return GoValue();
  at(*pipe);
  TRY(check_stack());
  GoValue value;
  const GoValue* final = nullptr;
  for (const CommandNode* command : pipe->commands) {
    ASSIGN_OR_RETURN(GoValue next, evaluate_command(dot, *command, final));
    value = next.boxed() ? next.unboxed() : std::move(next);
    final = &value;
  }
  for (const VariableNode* declared : pipe->declarations) {
    if (!pipe->assign) {
      variables_.push_back({declared->names[0], value});
      continue;
    }
    GoValue* variable = find_variable(declared->names[0]);
    if (variable == nullptr) return fail("undefined variable: " + declared->names[0]);
    *variable = value;
  }
  return value;
}

Result<void> Evaluator::no_arguments(Arguments args, const GoValue* final) const {
  if (args.size() > 1 || final != nullptr) return fail("can't give argument to non-function " + args[0]->text());
  return {};
}

Result<GoValue> Evaluator::evaluate_command(const GoValue& dot, const CommandNode& command, const GoValue* final) {
  const Node& first = *command.args[0];
  const Arguments args(command.args);
  switch (first.type) {
    case NodeType::Field:
      at(first);
      return evaluate_fields(dot, dot, first, static_cast<const FieldNode&>(first).names, args, final);
    case NodeType::Chain:
      return evaluate_chain(dot, static_cast<const ChainNode&>(first), args, final);
    case NodeType::Identifier:
      at(first);
      return call_function(dot, static_cast<const IdentifierNode&>(first).function, command, args, final);
    case NodeType::Pipe:
      TRY(no_arguments(args, final));
      return evaluate_pipeline(dot, static_cast<const PipeNode*>(&first));
    case NodeType::Variable:
      return evaluate_variable(dot, static_cast<const VariableNode&>(first), args, final);
    default:
      break;
  }
  at(first);
  TRY(no_arguments(args, final));
  switch (first.type) {
    case NodeType::Dot:
      return dot;
    case NodeType::Nil:
      return fail("nil is not a command");
    case NodeType::Bool:
    case NodeType::Number:
    case NodeType::String:
      return evaluate_literal('a', first);
    default:
      return fail("can't evaluate command " + go_quote(first.text()));
  }
}

Result<GoValue> Evaluator::evaluate_variable(const GoValue& dot, const VariableNode& node, Arguments args,
                                             const GoValue* final) {
  at(node);
  const GoValue* variable = find_variable(node.names[0]);
  if (variable == nullptr) return fail("undefined variable: " + node.names[0]);
  // A copy: evaluating arguments may declare variables and move this one.
  const GoValue value = *variable;
  if (node.names.size() > 1) {
    return evaluate_fields(dot, value, node, std::span(node.names).subspan(1), args, final);
  }
  if (!args.empty()) TRY(no_arguments(args, final));
  return value;
}

Result<GoValue> Evaluator::evaluate_chain(const GoValue& dot, const ChainNode& node, Arguments args,
                                          const GoValue* final) {
  at(node);
  if (node.base->type == NodeType::Nil) return fail("indirection through explicit nil in " + node.text());
  ASSIGN_OR_RETURN(const GoValue base, evaluate_argument(dot, 'a', *node.base));
  return evaluate_fields(dot, base, node, node.fields, args, final);
}

Result<GoValue> Evaluator::evaluate_fields(const GoValue& dot, const GoValue& receiver, const Node& node,
                                           std::span<const std::string> names, Arguments args, const GoValue* final) {
  GoValue value = receiver;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool last = i + 1 == names.size();
    ASSIGN_OR_RETURN(value,
                     evaluate_field(dot, names[i], node, last ? args : Arguments(), last ? final : nullptr, value));
  }
  return value;
}

Result<GoValue> Evaluator::evaluate_field(const GoValue& dot, const std::string& name, const Node& node, Arguments args,
                                          const GoValue* final, const GoValue& receiver) {
  if (receiver.is_nil()) {
    if (!receiver.boxed()) return GoValue();
    return fail("nil pointer evaluating interface {}." + name);
  }
  if (has_method(receiver, name)) return call_method(dot, receiver, name, node, args, final);
  const bool has_args = args.size() > 1 || final != nullptr;
  if (receiver.type() == GoValue::Type::Object) {
    if (const GoValue* field = receiver.as_object().field(name)) {
      if (has_args) return fail(name + " has arguments but cannot be invoked as function");
      return *field;
    }
  } else if (receiver.is_dict()) {
    if (has_args) return fail(name + " is not a method but has arguments");
    const GoDict& dict = receiver.as_dict();
    const GoValue* found = dict.find(name);
    if (dict.named == GoDict::Named::StringMap) return found != nullptr ? *found : GoValue::string("");
    return found != nullptr ? found->as_boxed() : GoValue::nil_interface();
  }
  return fail("can't evaluate field " + name + " in type " + receiver.static_type_name());
}

Result<GoValue> Evaluator::call_method(const GoValue& dot, const GoValue& receiver, const std::string& name,
                                       const Node& node, Arguments args, const GoValue* final) {
  std::vector<GoValue> values;
  for (std::size_t i = 1; i < args.size(); ++i) {
    ASSIGN_OR_RETURN(GoValue value, evaluate_argument(dot, 'a', *args[i]));
    values.push_back(value.unboxed());
  }
  if (final != nullptr) values.push_back(*final);
  auto result = invoke_method(receiver, name, values);
  if (!result.ok()) {
    at(node);
    return wrap(name, result.error());
  }
  return result;
}

// `and` and `or`, which stop at the first operand that decides.
Result<GoValue> Evaluator::choose_operand(const GoValue& dot, bool stop_at_truth, Arguments args,
                                          const GoValue* final) {
  GoValue value;
  for (const Node* argument : args) {
    ASSIGN_OR_RETURN(value, evaluate_argument(dot, 'v', *argument));
    if (value.truth() == stop_at_truth) return value;
  }
  return final != nullptr ? *final : value;
}

Result<GoValue> Evaluator::call_function(const GoValue& dot, const Function& function, const Node& command,
                                         Arguments args, const GoValue* final) {
  if (!args.empty()) args = args.subspan(1);
  const std::string_view parameters = function.parameters;
  const bool variadic = is_variadic(parameters);
  const std::size_t declared = variadic ? parameters.size() - 1 : parameters.size();
  const std::size_t fixed = variadic ? declared - 1 : declared;
  const std::size_t given = args.size() + (final != nullptr ? 1 : 0);
  if (variadic && given < fixed) {
    return fail("wrong number of args for " + std::string(function.name) + ": want at least " + std::to_string(fixed) +
                " got " + std::to_string(args.size()));
  }
  if (!variadic && given != declared) {
    return fail("wrong number of args for " + std::string(function.name) + ": want " + std::to_string(declared) +
                " got " + std::to_string(given));
  }
  if (function.name == "and" || function.name == "or") {
    return choose_operand(dot, function.name == "or", args, final);
  }
  std::vector<GoValue> values;
  values.reserve(given);
  const auto parameter = [&](std::size_t index) { return parameters[std::min(index, declared - 1)]; };
  for (const Node* argument : args) {
    ASSIGN_OR_RETURN(GoValue value, evaluate_argument(dot, parameter(values.size()), *argument));
    values.push_back(std::move(value));
  }
  if (final != nullptr) {
    ASSIGN_OR_RETURN(GoValue value, validate(*final, parameter(values.size())));
    values.push_back(std::move(value));
  }
  auto result = call_counted(function, values);
  if (!result.ok()) {
    at(command);
    return wrap(function.name, result.error());
  }
  return result;
}

// Most functions go once over the texts that they are given and what they make.
Result<GoValue> Evaluator::call_counted(const Function& function, std::span<const GoValue> args) {
  for (const GoValue& arg : args) TRY(steps_.count_bytes(arg.text().size()));
  ASSIGN_OR_RETURN(GoValue result, function.body(Call{*this, args}));
  if (result.text().size() > kMaxText) return result_too_large();
  TRY(steps_.count_bytes(result.text().size()));
  if (!result.is_sole_container()) return result;
  const std::size_t items = item_count(result);
  if (items > kMaxItems) return result_too_large();
  TRY(steps_.count_items(items));
  return result;
}

Result<GoValue> Evaluator::evaluate_argument(const GoValue& dot, char parameter, const Node& node) {
  at(node);
  switch (node.type) {
    case NodeType::Dot:
      return validate(dot, parameter);
    case NodeType::Nil: {
      const ParameterRow& row = parameter_row(parameter);
      if (!row.can_be_nil) return fail("cannot assign nil to " + std::string(row.type_name));
      return GoValue();
    }
    case NodeType::Field: {
      ASSIGN_OR_RETURN(GoValue value,
                       evaluate_fields(dot, dot, node, static_cast<const FieldNode&>(node).names, {}, nullptr));
      return validate(std::move(value), parameter);
    }
    case NodeType::Variable: {
      ASSIGN_OR_RETURN(GoValue value, evaluate_variable(dot, static_cast<const VariableNode&>(node), {}, nullptr));
      return validate(std::move(value), parameter);
    }
    case NodeType::Pipe: {
      ASSIGN_OR_RETURN(GoValue value, evaluate_pipeline(dot, static_cast<const PipeNode*>(&node)));
      return validate(std::move(value), parameter);
    }
    case NodeType::Identifier: {
      const Function& function = static_cast<const IdentifierNode&>(node).function;
      ASSIGN_OR_RETURN(GoValue value, call_function(dot, function, node, {}, nullptr));
      return validate(std::move(value), parameter);
    }
    case NodeType::Chain: {
      ASSIGN_OR_RETURN(GoValue value, evaluate_chain(dot, static_cast<const ChainNode&>(node), {}, nullptr));
      return validate(std::move(value), parameter);
    }
    default:
      return evaluate_literal(parameter, node);
  }
}

Result<GoValue> Evaluator::evaluate_literal(char parameter, const Node& node) const {
  const auto* number = node.type == NodeType::Number ? static_cast<const NumberNode*>(&node) : nullptr;
  switch (parameter) {
    case 'b':
      if (node.type != NodeType::Bool) return fail("expected bool; found " + node.text());
      return GoValue::boolean(static_cast<const BoolNode&>(node).value);
    case 's':
      if (node.type != NodeType::String) return fail("expected string; found " + node.text());
      return static_cast<const StringNode&>(node).value;
    case 'i':
    case 'l':
      if (number == nullptr || !number->is_integer) return fail("expected integer; found " + node.text());
      return parameter == 'i' ? GoValue::integer(number->integer) : GoValue::integer64(number->integer);
    case 'f':
      if (number == nullptr || !number->is_float) return fail("expected float; found " + node.text());
      return GoValue::number(number->number);
    case 'a':
    case 'v':
      break;
    default:
      return fail("can't handle " + node.text() + " for arg of type " +
                  std::string(parameter_row(parameter).type_name));
  }
  if (node.type == NodeType::Bool) return GoValue::boolean(static_cast<const BoolNode&>(node).value);
  if (node.type == NodeType::String) return static_cast<const StringNode&>(node).value;
  if (number == nullptr) return fail("can't handle assignment of " + node.text() + " to empty interface argument");
  if (number->constant.is_invalid()) return fail(number->source + " overflows int");
  return number->constant;
}

Result<GoValue> Evaluator::validate(GoValue value, char parameter) const {
  const ParameterRow& row = parameter_row(parameter);
  if (value.is_invalid()) {
    if (row.can_be_nil) return value;
    return fail("invalid value; expected " + std::string(row.type_name));
  }
  // A reflect.Value keeps the static type; everything else sees what the interface holds.
  if (parameter == 'v') return value;
  if (parameter == 'a') return value.boxed() && !value.is_nil() ? value.unboxed() : value;
  if (!assignable(value, parameter)) {
    return fail("wrong type for value; expected " + std::string(row.type_name) + "; got " +
                (value.is_nil() ? "interface {}" : value.type_name()));
  }
  // A parameter of the plain map type converts what it is given.
  if (parameter == 'm') value = value.as_plain_dict();
  return value.boxed() ? value.unboxed() : value;
}

}  // namespace coracle::charts
