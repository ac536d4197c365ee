// Walks a template's nodes: actions, branches, loops and calls of other templates.

#include "charts/template/evaluator.h"

#include <array>
#include <utility>

#include "base/text.h"
#include "charts/template/bounded_text.h"
#include "charts/template/go_format.h"
#include "charts/template/go_quote.h"
#include "charts/template/parser.h"

namespace coracle::charts {
namespace {

// Templates that are executing inside each other, over all names.
constexpr int kMaxTemplateDepth = 400;
// What nested templates, blocks and parentheses may use of the stack together; threads and fibers
// have at least twice as much.
constexpr std::uintptr_t kMaxStackUse = 1024 * 1024;
// Nodes that one rendering executes; a large chart takes some hundred thousand.
constexpr std::uint64_t kMaxSteps = 50'000'000;
// Texts given to `tpl` that are kept parsed.
constexpr std::size_t kMaxParsedTexts = 4096;
// Helm's name of the set that all templates belong to.
constexpr std::string_view kRootName = "gotpl";

std::uintptr_t stack_position() {
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

// A message that quotes large texts, one inside the other: its beginning and its end.
std::string shortened(std::string message) {
  constexpr std::size_t kMaxMessage = 64 * 1024;
  if (message.size() <= kMaxMessage) return message;
  return message.substr(0, kMaxMessage / 4) + " ... " + message.substr(message.size() - kMaxMessage / 2);
}

}  // namespace

void remove_no_value(std::string& text) {
  constexpr std::string_view kNoValue = "<no value>";
  if (text.find(kNoValue) != std::string::npos) text = replace_all(text, kNoValue, "");
}

Evaluator::Evaluator(const TemplateScope& scope, const TemplateEnvironment& environment)
    : scope_(&scope), environment_(environment), steps_("the templates", kMaxSteps, environment.context) {}

Evaluator::~Evaluator() {
  for (const std::weak_ptr<void>& mutated : mutated_) {
    if (const auto node = mutated.lock()) clear_members(*static_cast<GoDict*>(node.get()));
  }
}

Error Evaluator::fail(const std::string& message) const {
  if (node_ == nullptr) return bad_request("template: " + definition_->name + ": " + message);
  return bad_request("template: " + definition_->file->location(node_->position) + ": executing " +
                     go_quote(definition_->name) + " at <" + node_->text() + ">: " + message);
}

Result<void> Evaluator::check_stack() const {
  const std::uintptr_t here = stack_position();
  const std::uintptr_t used = here < stack_start_ ? stack_start_ - here : here - stack_start_;
  if (used > kMaxStackUse) return fail("the templates are nested too deeply");
  return {};
}

Result<void> Evaluator::placed(const Result<void>& counted) const {
  if (counted.ok()) return {};
  return Error(counted.error().reason(), fail(counted.error().message()).message());
}

Error Evaluator::wrap(std::string_view function, const Error& error) const {
  Error wrapped(error.reason(),
                shortened(fail("error calling " + std::string(function) + ": " + error.message()).message()));
  return std::move(wrapped).with_causes(error.causes());
}

Result<void> Evaluator::run_body(const Definition& definition, const GoValue& dot) {
  if (depth_ == 0) stack_start_ = stack_position();
  if (depth_ >= kMaxTemplateDepth) {
    return fail("exceeded maximum template depth (" + std::to_string(kMaxTemplateDepth) + ")");
  }
  const Definition* outer_definition = std::exchange(definition_, &definition);
  const Node* outer_node = std::exchange(node_, nullptr);
  const std::size_t outer_frame = std::exchange(frame_, variables_.size());
  ++depth_;
  variables_.push_back({"$", dot});
  auto flow = walk(dot, *definition.root);
  variables_.resize(frame_);
  --depth_;
  frame_ = outer_frame;
  node_ = outer_node;
  definition_ = outer_definition;
  if (!flow.ok()) return flow.error();
  return {};
}

Result<std::string> Evaluator::execute(const Definition& definition, const GoValue& data) {
  std::string text;
  std::string* outer = std::exchange(out_, &text);
  auto done = run_body(definition, data.unboxed());
  out_ = outer;
  if (!done.ok()) return done.error();
  return text;
}

Result<std::string> Evaluator::include(const std::string& name, const GoValue& data) {
  const Definition* definition = scope_->find(name);
  if (definition == nullptr) {
    return bad_request("template: no template " + go_quote(name) + " associated with template " + go_quote(kRootName));
  }
  if (depth_ >= kMaxTemplateDepth) {
    return bad_request("rendering template has a nested reference name: " + name + ": unable to execute template");
  }
  return execute(*definition, data);
}

Result<std::string> Evaluator::render_text(const std::string& text, const GoValue& data) {
  // Most texts hold no action at all.
  if (text.find("{{") == std::string::npos) {
    std::string plain = text;
    remove_no_value(plain);
    return plain;
  }
  const auto known = parsed_texts_.find(text);
  std::shared_ptr<const ParsedFile> file = known != parsed_texts_.end() ? known->second : nullptr;
  if (!file) {
    auto parsed = parse_template(std::string(kRootName), text);
    if (!parsed.ok()) {
      return bad_request(shortened("cannot parse template " + go_quote(text) + ": " + parsed.error().message()));
    }
    file = *parsed;
    if (parsed_texts_.size() < kMaxParsedTexts) parsed_texts_.emplace(text, file);
  }
  const TemplateScope overlay(*scope_, file);
  const TemplateScope* outer = file->definitions.size() > 1 ? std::exchange(scope_, &overlay) : scope_;
  auto result = execute(file->definitions.back(), data);
  scope_ = outer;
  if (!result.ok()) {
    Error error(result.error().reason(), shortened("error during tpl function execution for " + go_quote(text) + ": " +
                                                   result.error().message()));
    return std::move(error).with_causes(result.error().causes());
  }
  remove_no_value(*result);
  return result;
}

Result<Evaluator::Flow> Evaluator::walk(const GoValue& dot, const ListNode& list) {
  for (const Node* node : list.nodes) {
    ASSIGN_OR_RETURN(const Flow flow, walk_node(dot, *node));
    if (flow != Flow::Normal) return flow;
  }
  return Flow::Normal;
}

Result<Evaluator::Flow> Evaluator::walk_node(const GoValue& dot, const Node& node) {
  at(node);
  TRY(check_stack());
  TRY(placed(steps_.count()));
  switch (node.type) {
    case NodeType::Text:
      *out_ += static_cast<const TextNode&>(node).content;
      break;
    case NodeType::Action: {
      const PipeNode& pipe = *static_cast<const ActionNode&>(node).pipe;
      ASSIGN_OR_RETURN(const GoValue value, evaluate_pipeline(dot, &pipe));
      if (pipe.declarations.empty()) print(value);
      break;
    }
    case NodeType::If:
    case NodeType::With:
      return walk_branch(dot, static_cast<const BranchNode&>(node));
    case NodeType::Range:
      return walk_range(dot, static_cast<const BranchNode&>(node));
    case NodeType::Template:
      TRY(walk_template(dot, static_cast<const TemplateNode&>(node)));
      break;
    case NodeType::Break:
      return Flow::Break;
    case NodeType::Continue:
      return Flow::Continue;
    default:
      return fail("unknown node: " + node.text());
  }
  if (out_->size() > kMaxText) return fail("the output is larger than " + std::to_string(kMaxText) + " bytes");
  return Flow::Normal;
}

Result<Evaluator::Flow> Evaluator::walk_branch(const GoValue& dot, const BranchNode& node) {
  const std::size_t mark = variables_.size();
  ASSIGN_OR_RETURN(const GoValue value, evaluate_pipeline(dot, node.pipe));
  Result<Flow> flow = Flow::Normal;
  if (value.truth()) {
    flow = walk(node.type == NodeType::With ? value : dot, *node.list);
  } else if (node.else_list != nullptr) {
    flow = walk(dot, *node.else_list);
  }
  if (flow.ok()) variables_.resize(mark);
  return flow;
}

Result<Evaluator::Flow> Evaluator::walk_range(const GoValue& dot, const BranchNode& node) {
  const std::size_t mark = variables_.size();
  ASSIGN_OR_RETURN(const GoValue collection, evaluate_pipeline(dot, node.pipe));
  bool any = false;
  ASSIGN_OR_RETURN(Flow flow, range_items(node, collection, any));
  if (any) {
    flow = Flow::Normal;
  } else if (node.else_list != nullptr) {
    ASSIGN_OR_RETURN(flow, walk(dot, *node.else_list));
  }
  variables_.resize(mark);
  return flow;
}

Result<Evaluator::Flow> Evaluator::range_items(const BranchNode& node, const GoValue& collection, bool& any) {
  switch (collection.type()) {
    case GoValue::Type::Nil:
      return Flow::Normal;
    case GoValue::Type::List: {
      const GoList& list = collection.as_list();
      const bool boxed = list.element == ElementType::Interface;
      for (std::size_t i = 0; i < list.items.size(); ++i) {
        any = true;
        const GoValue element = boxed ? list.items[i].as_boxed() : list.items[i];
        ASSIGN_OR_RETURN(const Flow flow, iterate(node, GoValue::integer(static_cast<std::int64_t>(i)), element));
        if (flow == Flow::Break) break;
      }
      return Flow::Normal;
    }
    case GoValue::Type::Dict: {
      // The body may change the dictionary: iterate over what it holds now.
      const GoDict& dict = collection.as_dict();
      TRY(placed(steps_.count_items(dict.members.size())));
      const bool boxed = dict.named != GoDict::Named::StringMap && dict.named != GoDict::Named::Files;
      const std::vector<std::pair<std::string, GoValue>> entries(dict.members.begin(), dict.members.end());
      for (const auto& [key, value] : entries) {
        any = true;
        ASSIGN_OR_RETURN(const Flow flow, iterate(node, GoValue::string(key), boxed ? value.as_boxed() : value));
        if (flow == Flow::Break) break;
      }
      return Flow::Normal;
    }
    case GoValue::Type::Int:
    case GoValue::Type::Int64:
    case GoValue::Type::Uint8:
    case GoValue::Type::Duration:
      if (node.pipe->declarations.size() > 1) {
        return fail("can't use " + go_print(collection) + " to iterate over more than one variable");
      }
      for (std::int64_t i = 0; i < collection.as_integer(); ++i) {
        any = true;
        const GoValue element = collection.type() == GoValue::Type::Int ? GoValue::integer(i) : GoValue::integer64(i);
        ASSIGN_OR_RETURN(const Flow flow, iterate(node, {}, element));
        if (flow == Flow::Break) break;
      }
      return Flow::Normal;
    default:
      return fail("range can't iterate over " + go_print(collection));
  }
}

Result<Evaluator::Flow> Evaluator::iterate(const BranchNode& node, const GoValue& index, const GoValue& element) {
  TRY(placed(steps_.count()));
  const auto& declared = node.pipe->declarations;
  const std::size_t mark = variables_.size();
  if (!declared.empty()) {
    // With two variables the index comes first; a single one is the element.
    const std::array<const GoValue*, 2> values = {declared.size() > 1 ? &index : &element, &element};
    for (std::size_t i = 0; i < declared.size(); ++i) {
      GoValue* variable = find_variable(declared[i]->names[0]);
      if (variable == nullptr) return fail("undefined variable: " + declared[i]->names[0]);
      *variable = *values[i];
    }
  }
  ASSIGN_OR_RETURN(const Flow flow, walk(element, *node.list));
  variables_.resize(mark);
  return flow;
}

Result<void> Evaluator::walk_template(const GoValue& dot, const TemplateNode& node) {
  const Definition* definition = scope_->find(node.name);
  if (definition == nullptr) return fail("template " + go_quote(node.name) + " not defined");
  ASSIGN_OR_RETURN(const GoValue argument, evaluate_pipeline(dot, node.pipe));
  return run_body(*definition, argument);
}

GoValue* Evaluator::find_variable(std::string_view name) {
  for (std::size_t i = variables_.size(); i > frame_; --i) {
    if (variables_[i - 1].name == name) return &variables_[i - 1].value;
  }
  return nullptr;
}

void Evaluator::print(const GoValue& value) {
  if (value.is_nil()) {
    *out_ += "<no value>";
  } else if (value.is_string()) {
    *out_ += value.text();
  } else {
    *out_ += go_print(value);
  }
}

}  // namespace coracle::charts
