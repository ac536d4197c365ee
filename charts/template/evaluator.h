#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "charts/internal/step_counter.h"
#include "charts/template/function.h"
#include "charts/template/go_value.h"
#include "charts/template/node.h"
#include "charts/template/scope.h"
#include "charts/template_environment.h"

namespace coracle::charts {

// Deletes what a missing value prints, as Helm does with every output.
void remove_no_value(std::string& text);

// Executes templates of one scope for one rendering. Not thread-safe; the scope may be shared.
class Evaluator {
 public:
  Evaluator(const TemplateScope& scope, const TemplateEnvironment& environment);
  ~Evaluator();
  Evaluator(const Evaluator&) = delete;
  Evaluator& operator=(const Evaluator&) = delete;

  // The output of one template; errors are text/template's execution errors.
  Result<std::string> execute(const Definition& definition, const GoValue& data);
  // Helm's `include` and `tpl`.
  Result<std::string> include(const std::string& name, const GoValue& data);
  Result<std::string> render_text(const std::string& text, const GoValue& data);

  const TemplateEnvironment& environment() const { return environment_; }
  // The rendering's work. What takes a function longer than its arguments and its result are large, it counts itself.
  StepCounter& steps() { return steps_; }
  // Remembers a dictionary that was given a list or dictionary: it may now be part of a cycle.
  void note_container_set(const GoValue& dict) { mutated_.push_back(dict.node()); }

 private:
  enum class Flow : std::uint8_t { Normal, Break, Continue };
  struct Variable {
    std::string_view name;
    GoValue value;
  };
  using Arguments = std::span<const Node* const>;

  Error fail(const std::string& message) const;
  Error wrap(std::string_view function, const Error& error) const;
  void at(const Node& node) { node_ = &node; }
  // Fails when the templates have nested so deeply that the thread's stack is in danger.
  Result<void> check_stack() const;
  // The outcome of counting, with the place where the rendering ends.
  Result<void> placed(const Result<void>& counted) const;
  Result<GoValue> call_counted(const Function& function, std::span<const GoValue> args);

  Result<Flow> walk(const GoValue& dot, const ListNode& list);
  Result<Flow> walk_node(const GoValue& dot, const Node& node);
  Result<Flow> walk_branch(const GoValue& dot, const BranchNode& node);
  Result<Flow> walk_range(const GoValue& dot, const BranchNode& node);
  Result<Flow> range_items(const BranchNode& node, const GoValue& collection, bool& any);
  Result<Flow> iterate(const BranchNode& node, const GoValue& index, const GoValue& element);
  Result<void> walk_template(const GoValue& dot, const TemplateNode& node);
  Result<void> run_body(const Definition& definition, const GoValue& dot);

  Result<GoValue> evaluate_pipeline(const GoValue& dot, const PipeNode* pipe);
  Result<GoValue> evaluate_command(const GoValue& dot, const CommandNode& command, const GoValue* final);
  Result<GoValue> evaluate_fields(const GoValue& dot, const GoValue& receiver, const Node& node,
                                  std::span<const std::string> names, Arguments args, const GoValue* final);
  Result<GoValue> evaluate_field(const GoValue& dot, const std::string& name, const Node& node, Arguments args,
                                 const GoValue* final, const GoValue& receiver);
  Result<GoValue> evaluate_variable(const GoValue& dot, const VariableNode& node, Arguments args, const GoValue* final);
  Result<GoValue> evaluate_chain(const GoValue& dot, const ChainNode& node, Arguments args, const GoValue* final);
  Result<GoValue> call_function(const GoValue& dot, const Function& function, const Node& command, Arguments args,
                                const GoValue* final);
  Result<GoValue> call_method(const GoValue& dot, const GoValue& receiver, const std::string& name, const Node& node,
                              Arguments args, const GoValue* final);
  Result<GoValue> choose_operand(const GoValue& dot, bool stop_at_truth, Arguments args, const GoValue* final);
  Result<GoValue> evaluate_argument(const GoValue& dot, char parameter, const Node& node);
  Result<GoValue> evaluate_literal(char parameter, const Node& node) const;
  Result<GoValue> validate(GoValue value, char parameter) const;
  Result<void> no_arguments(Arguments args, const GoValue* final) const;

  GoValue* find_variable(std::string_view name);
  void print(const GoValue& value);

  const TemplateScope* scope_;
  const TemplateEnvironment& environment_;
  const Definition* definition_ = nullptr;
  const Node* node_ = nullptr;
  std::string* out_ = nullptr;
  std::vector<Variable> variables_;
  std::size_t frame_ = 0;  // where the running template's variables begin
  int depth_ = 0;
  StepCounter steps_;
  std::uintptr_t stack_start_ = 0;  // where the outermost template's frames begin
  std::map<std::string, std::shared_ptr<const ParsedFile>, std::less<>> parsed_texts_;
  std::vector<std::weak_ptr<void>> mutated_;
};

}  // namespace coracle::charts
