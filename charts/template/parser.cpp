#include "charts/template/parser.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "charts/template/function.h"
#include "charts/template/go_quote.h"
#include "charts/template/lexer.h"

namespace coracle::charts {
namespace {

// Nesting of parentheses and of control structures; deeper ones would exhaust the stack.
constexpr int kMaxNesting = 200;

// What closed a list of nodes.
enum class Closing { End, Else, EndOfFile };

class Parser {
 public:
  Parser(std::string name, std::string text) : file_(std::make_shared<ParsedFile>()) {
    file_->name = std::move(name);
    file_->text = std::move(text);
    tokens_ = lex_template(file_->text);
  }

  Result<std::shared_ptr<const ParsedFile>> run() {
    auto* root = make<ListNode>(std::uint32_t{0});
    while (peek().type != TokenType::EndOfFile) {
      if (peek().type == TokenType::LeftDelimiter && peek_after_delimiter() == TokenType::Define) {
        next();
        next_non_space();
        TRY(parse_definition());
        continue;
      }
      std::optional<Closing> closing;
      ASSIGN_OR_RETURN(const Node* node, text_or_action(closing));
      if (closing) return fail(*closing == Closing::End ? "unexpected {{end}}" : "unexpected {{else}}");
      root->nodes.push_back(node);
    }
    TRY(add({file_->name, file_.get(), root}));
    return std::shared_ptr<const ParsedFile>(std::move(file_));
  }

 private:
  template <class T, class... Args>
  T* make(Args&&... args) {
    auto node = std::make_unique<T>(std::forward<Args>(args)...);
    T* raw = node.get();
    file_->nodes.push_back(std::move(node));
    return raw;
  }

  const Token& peek() {
    seen_ = std::max(seen_, index_);
    return tokens_[std::min(index_, tokens_.size() - 1)];
  }
  const Token& next() {
    const Token& token = peek();
    if (index_ + 1 < tokens_.size()) ++index_;
    return token;
  }
  const Token& peek_non_space() {
    while (peek().type == TokenType::Space) next();
    return peek();
  }
  const Token& next_non_space() {
    peek_non_space();
    return next();
  }
  TokenType peek_after_delimiter() const {
    std::size_t at = index_ + 1;
    while (at < tokens_.size() && tokens_[at].type == TokenType::Space) ++at;
    return at < tokens_.size() ? tokens_[at].type : TokenType::EndOfFile;
  }

  Error fail(const std::string& message) const {
    return bad_request("template: " + file_->name + ":" + std::to_string(tokens_[seen_].line) + ": " + message);
  }
  Error unexpected(const Token& token, std::string_view context) const {
    if (token.type == TokenType::Error) {
      std::string extra;
      if (action_line_ != 0 && action_line_ != token.line) {
        extra = " in action started at " + file_->name + ":" + std::to_string(action_line_);
        if (token.error.ends_with(" action")) extra = extra.substr(std::string_view(" in action").size());
      }
      return fail(token.error + extra);
    }
    return fail("unexpected " + token.describe() + " in " + std::string(context));
  }

  Result<void> add(Definition definition) {
    for (Definition& existing : file_->definitions) {
      if (existing.name != definition.name) continue;
      if (is_empty_tree(existing.root)) {
        existing = std::move(definition);
      } else if (!is_empty_tree(definition.root)) {
        return fail("template: multiple definition of template " + go_quote(definition.name));
      }
      return {};
    }
    file_->definitions.push_back(std::move(definition));
    return {};
  }

  Result<std::string> template_name(std::string_view context) {
    const Token& token = next_non_space();
    if (token.type != TokenType::String && token.type != TokenType::RawString) return unexpected(token, context);
    auto name = go_unquote(token.text);
    if (!name.ok()) return fail(name.error().message());
    return std::move(name).value();
  }

  Result<void> expect_right(std::string_view context) {
    const Token& token = next_non_space();
    if (token.type != TokenType::RightDelimiter) return unexpected(token, context);
    return {};
  }

  Result<void> parse_definition() {
    constexpr std::string_view kContext = "define clause";
    // A definition sees only its own variables.
    std::vector<std::string> outer = std::exchange(variables_, {"$"});
    ASSIGN_OR_RETURN(std::string name, template_name(kContext));
    TRY(expect_right(kContext));
    Closing closing = Closing::End;
    ASSIGN_OR_RETURN(const ListNode* body, item_list(closing));
    if (closing != Closing::End) return fail("unexpected {{else}} in " + std::string(kContext));
    variables_ = std::move(outer);
    return add({std::move(name), file_.get(), body});
  }

  // Nodes up to {{end}} or {{else}}, which are consumed ({{else}} up to what follows the word).
  Result<const ListNode*> item_list(Closing& closing) {
    if (++nesting_ > kMaxNesting) return fail("max expression depth exceeded");
    auto* list = make<ListNode>(peek_non_space().position);
    while (peek().type != TokenType::EndOfFile) {
      std::optional<Closing> closed;
      ASSIGN_OR_RETURN(const Node* node, text_or_action(closed));
      if (closed) {
        closing = *closed;
        --nesting_;
        return list;
      }
      list->nodes.push_back(node);
    }
    return fail("unexpected EOF");
  }

  Result<const Node*> text_or_action(std::optional<Closing>& closing) {
    const Token& token = next();
    if (token.type == TokenType::Text) {
      return static_cast<const Node*>(make<TextNode>(token.position, std::string(token.text)));
    }
    if (token.type != TokenType::LeftDelimiter) return unexpected(token, "input");
    action_line_ = token.line;
    auto node = action(closing);
    if (node.ok()) action_line_ = 0;
    return node;
  }

  Result<const Node*> action(std::optional<Closing>& closing) {
    const std::size_t before = (peek_non_space(), index_);
    const Token& token = next_non_space();
    switch (token.type) {
      case TokenType::Block:
        return block_control();
      case TokenType::Break:
      case TokenType::Continue:
        return loop_control(token);
      case TokenType::Else:
        closing = Closing::Else;
        return else_control();
      case TokenType::End:
        closing = Closing::End;
        TRY(expect_right("end"));
        return static_cast<const Node*>(nullptr);
      case TokenType::If:
        return branch(NodeType::If, "if", token.position);
      case TokenType::With:
        return branch(NodeType::With, "with", token.position);
      case TokenType::Range:
        return branch(NodeType::Range, "range", token.position);
      case TokenType::Template:
        return template_control();
      default:
        break;
    }
    index_ = before;
    ASSIGN_OR_RETURN(const PipeNode* pipe, pipeline("command", TokenType::RightDelimiter));
    return static_cast<const Node*>(make<ActionNode>(token.position, pipe));
  }

  Result<const Node*> else_control() {
    const TokenType following = peek_non_space().type;
    if (following != TokenType::If && following != TokenType::With) TRY(expect_right("else"));
    return static_cast<const Node*>(nullptr);
  }

  Result<const Node*> loop_control(const Token& token) {
    const bool is_break = token.type == TokenType::Break;
    const std::string word = is_break ? "{{break}}" : "{{continue}}";
    const Token& end = next_non_space();
    if (end.type != TokenType::RightDelimiter) return unexpected(end, word);
    if (range_depth_ == 0) return fail(word + " outside {{range}}");
    return static_cast<const Node*>(make<WordNode>(is_break ? NodeType::Break : NodeType::Continue, token.position));
  }

  Result<const Node*> branch(NodeType type, std::string_view context, std::uint32_t position) {
    if (++nesting_ > kMaxNesting) return fail("max expression depth exceeded");
    const std::size_t mark = variables_.size();
    auto* node = make<BranchNode>(type, position);
    ASSIGN_OR_RETURN(node->pipe, pipeline(context, TokenType::RightDelimiter));
    if (type == NodeType::Range) ++range_depth_;
    Closing closing = Closing::End;
    ASSIGN_OR_RETURN(node->list, item_list(closing));
    if (type == NodeType::Range) --range_depth_;
    if (closing == Closing::Else) TRY(else_branch(*node, context));
    variables_.resize(mark);
    --nesting_;
    return static_cast<const Node*>(node);
  }

  Result<void> else_branch(BranchNode& node, std::string_view context) {
    const Token& token = peek();
    const bool chained = (node.type == NodeType::If && token.type == TokenType::If) ||
                         (node.type == NodeType::With && token.type == TokenType::With);
    if (chained) {
      next();
      auto* list = make<ListNode>(token.position);
      ASSIGN_OR_RETURN(const Node* inner, branch(node.type, context, token.position));
      list->nodes.push_back(inner);
      node.else_list = list;
      return {};
    }
    if (token.type == TokenType::If || token.type == TokenType::With) return unexpected(next(), "else");
    Closing closing = Closing::End;
    ASSIGN_OR_RETURN(node.else_list, item_list(closing));
    if (closing != Closing::End) return fail("expected end; found {{else}}");
    return {};
  }

  Result<const Node*> block_control() {
    constexpr std::string_view kContext = "block clause";
    auto* node = make<TemplateNode>(peek_non_space().position);
    ASSIGN_OR_RETURN(node->name, template_name(kContext));
    ASSIGN_OR_RETURN(node->pipe, pipeline(kContext, TokenType::RightDelimiter));
    std::vector<std::string> outer = std::exchange(variables_, {"$"});
    const int outer_ranges = std::exchange(range_depth_, 0);
    Closing closing = Closing::End;
    ASSIGN_OR_RETURN(const ListNode* body, item_list(closing));
    if (closing != Closing::End) return fail("unexpected {{else}} in " + std::string(kContext));
    variables_ = std::move(outer);
    range_depth_ = outer_ranges;
    TRY(add({node->name, file_.get(), body}));
    return static_cast<const Node*>(node);
  }

  Result<const Node*> template_control() {
    constexpr std::string_view kContext = "template clause";
    auto* node = make<TemplateNode>(peek_non_space().position);
    ASSIGN_OR_RETURN(node->name, template_name(kContext));
    if (peek_non_space().type == TokenType::RightDelimiter) {
      next();
      return static_cast<const Node*>(node);
    }
    ASSIGN_OR_RETURN(node->pipe, pipeline(kContext, TokenType::RightDelimiter));
    return static_cast<const Node*>(node);
  }

  VariableNode* variable(std::uint32_t position, std::string_view text) {
    auto* node = make<VariableNode>(position);
    while (!text.empty()) {
      const std::size_t dot = text.find('.');
      node->names.emplace_back(text.substr(0, dot));
      if (dot == std::string_view::npos) break;
      text.remove_prefix(dot + 1);
    }
    return node;
  }

  // The `$a, $b :=` in front of a pipeline.
  Result<void> declarations(PipeNode& pipe, std::string_view context) {
    while (peek_non_space().type == TokenType::Variable) {
      const std::size_t before = index_;
      const Token& name = next();
      const Token& following = peek_non_space();
      const bool assigns = following.type == TokenType::Assign || following.type == TokenType::Declare;
      const bool comma = following.type == TokenType::Char && following.text == ",";
      if (!assigns && !comma) {
        index_ = before;
        return {};
      }
      next();
      pipe.declarations.push_back(variable(name.position, name.text));
      variables_.emplace_back(name.text);
      if (assigns) {
        pipe.assign = following.type == TokenType::Assign;
        return {};
      }
      if (context != "range" || pipe.declarations.size() > 1) {
        return fail("too many declarations in " + std::string(context));
      }
      const TokenType after = peek_non_space().type;
      if (after != TokenType::Variable && after != TokenType::RightDelimiter && after != TokenType::RightParen) {
        return fail("range can only initialize variables");
      }
    }
    return {};
  }

  Result<const PipeNode*> pipeline(std::string_view context, TokenType end) {
    auto* pipe = make<PipeNode>(peek_non_space().position);
    TRY(declarations(*pipe, context));
    for (;;) {
      const Token& token = peek_non_space();
      if (token.type == end) {
        next();
        TRY(check_pipeline(*pipe, context));
        return pipe;
      }
      switch (token.type) {
        case TokenType::Bool:
        case TokenType::CharConstant:
        case TokenType::Dot:
        case TokenType::Field:
        case TokenType::Identifier:
        case TokenType::Number:
        case TokenType::Nil:
        case TokenType::RawString:
        case TokenType::String:
        case TokenType::Variable:
        case TokenType::LeftParen: {
          ASSIGN_OR_RETURN(const CommandNode* parsed, command());
          pipe->commands.push_back(parsed);
          break;
        }
        default:
          return unexpected(token, context);
      }
    }
  }

  Result<void> check_pipeline(const PipeNode& pipe, std::string_view context) const {
    if (pipe.commands.empty()) return fail("missing value for " + std::string(context));
    for (std::size_t i = 1; i < pipe.commands.size(); ++i) {
      switch (pipe.commands[i]->args[0]->type) {
        case NodeType::Bool:
        case NodeType::Dot:
        case NodeType::Nil:
        case NodeType::Number:
        case NodeType::String:
          return fail("non executable command in pipeline stage " + std::to_string(i + 1));
        default:
          break;
      }
    }
    return {};
  }

  Result<const CommandNode*> command() {
    auto* node = make<CommandNode>(peek_non_space().position);
    for (;;) {
      peek_non_space();
      ASSIGN_OR_RETURN(const Node* argument, operand());
      if (argument != nullptr) node->args.push_back(argument);
      const Token& token = peek();
      if (token.type == TokenType::Space) {
        next();
        continue;
      }
      if (token.type == TokenType::Pipe) {
        next();
      } else if (token.type != TokenType::RightDelimiter && token.type != TokenType::RightParen) {
        return unexpected(token, "operand");
      }
      break;
    }
    if (node->args.empty()) return fail("empty command");
    return node;
  }

  Result<const Node*> operand() {
    ASSIGN_OR_RETURN(Node * node, term());
    if (node == nullptr || peek().type != TokenType::Field) return static_cast<const Node*>(node);
    const std::uint32_t position = peek().position;
    std::vector<std::string> fields;
    while (peek().type == TokenType::Field) fields.emplace_back(next().text.substr(1));
    switch (node->type) {
      case NodeType::Field: {
        auto& names = static_cast<FieldNode*>(node)->names;
        names.insert(names.end(), fields.begin(), fields.end());
        node->position = position;
        return static_cast<const Node*>(node);
      }
      case NodeType::Variable: {
        auto& names = static_cast<VariableNode*>(node)->names;
        names.insert(names.end(), fields.begin(), fields.end());
        node->position = position;
        return static_cast<const Node*>(node);
      }
      case NodeType::Bool:
      case NodeType::String:
      case NodeType::Number:
      case NodeType::Nil:
      case NodeType::Dot:
        return fail("unexpected . after term " + go_quote(node->text()));
      default:
        break;
    }
    auto* chain = make<ChainNode>(position, node);
    chain->fields = std::move(fields);
    return static_cast<const Node*>(chain);
  }

  // A simple expression, or nullptr where none starts.
  Result<Node*> term() {
    const Token& token = peek_non_space();
    switch (token.type) {
      case TokenType::Identifier: {
        const Function* function = find_function(token.text);
        next();
        if (function == nullptr) return fail("function " + go_quote(token.text) + " not defined");
        return static_cast<Node*>(make<IdentifierNode>(token.position, *function));
      }
      case TokenType::Dot:
      case TokenType::Nil:
        next();
        return static_cast<Node*>(
            make<WordNode>(token.type == TokenType::Dot ? NodeType::Dot : NodeType::Nil, token.position));
      case TokenType::Variable:
        next();
        if (std::find(variables_.begin(), variables_.end(), token.text) == variables_.end()) {
          return fail("undefined variable " + go_quote(token.text));
        }
        return static_cast<Node*>(variable(token.position, token.text));
      case TokenType::Field: {
        next();
        auto* field = make<FieldNode>(token.position);
        field->names.emplace_back(token.text.substr(1));
        return static_cast<Node*>(field);
      }
      case TokenType::LeftParen: {
        next();
        if (++nesting_ > kMaxNesting) return fail("max expression depth exceeded");
        ASSIGN_OR_RETURN(const PipeNode* inner, pipeline("parenthesized pipeline", TokenType::RightParen));
        --nesting_;
        return static_cast<Node*>(const_cast<PipeNode*>(inner));
      }
      default:
        return literal(token);
    }
  }

  Result<Node*> literal(const Token& token) {
    switch (token.type) {
      case TokenType::Bool:
        next();
        return static_cast<Node*>(make<BoolNode>(token.position, token.text == "true"));
      case TokenType::CharConstant:
      case TokenType::Number: {
        next();
        auto* number = make<NumberNode>(token.position);
        auto parsed = parse_number(token.text, token.type == TokenType::CharConstant, *number);
        if (!parsed.ok()) return fail(parsed.error().message());
        return static_cast<Node*>(number);
      }
      case TokenType::String:
      case TokenType::RawString: {
        next();
        auto text = go_unquote(token.text);
        if (!text.ok()) return fail(text.error().message());
        auto* string = make<StringNode>(token.position);
        string->quoted = token.text;
        string->value = GoValue::string(std::move(text).value());
        return static_cast<Node*>(string);
      }
      default:
        return static_cast<Node*>(nullptr);
    }
  }

  std::shared_ptr<ParsedFile> file_;
  std::vector<Token> tokens_;
  std::size_t index_ = 0;
  std::size_t seen_ = 0;
  std::vector<std::string> variables_ = {"$"};
  int action_line_ = 0;
  int range_depth_ = 0;
  int nesting_ = 0;
};

}  // namespace

Result<std::shared_ptr<const ParsedFile>> parse_template(std::string name, std::string text) {
  return Parser(std::move(name), std::move(text)).run();
}

}  // namespace coracle::charts
