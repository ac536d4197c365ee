#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "charts/template/go_value.h"

namespace coracle::charts {

struct Function;

enum class NodeType : std::uint8_t {
  List,
  Text,
  Action,
  If,
  With,
  Range,
  Template,
  Break,
  Continue,
  Pipe,
  Command,
  Field,
  Variable,
  Chain,
  Identifier,
  Dot,
  Nil,
  Bool,
  Number,
  String,
};

// A node of a parsed template. Immutable once parsed; the file that it was parsed from owns it.
struct Node {
  Node(NodeType t, std::uint32_t p) : type(t), position(p) {}
  virtual ~Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // The source text in Go's normal form, as error messages quote it.
  std::string text() const;
  virtual void write(std::string& out) const = 0;

  NodeType type;
  std::uint32_t position;  // byte offset in the file
};

struct ListNode final : Node {
  explicit ListNode(std::uint32_t p) : Node(NodeType::List, p) {}
  void write(std::string& out) const override;
  std::vector<const Node*> nodes;
};

struct TextNode final : Node {
  TextNode(std::uint32_t p, std::string t) : Node(NodeType::Text, p), content(std::move(t)) {}
  void write(std::string& out) const override;
  std::string content;
};

struct CommandNode final : Node {
  explicit CommandNode(std::uint32_t p) : Node(NodeType::Command, p) {}
  void write(std::string& out) const override;
  std::vector<const Node*> args;
};

struct VariableNode final : Node {
  explicit VariableNode(std::uint32_t p) : Node(NodeType::Variable, p) {}
  void write(std::string& out) const override;
  std::vector<std::string> names;  // "$x" and the fields after it
};

struct PipeNode final : Node {
  explicit PipeNode(std::uint32_t p) : Node(NodeType::Pipe, p) {}
  void write(std::string& out) const override;
  bool assign = false;
  std::vector<const VariableNode*> declarations;
  std::vector<const CommandNode*> commands;
};

struct ActionNode final : Node {
  ActionNode(std::uint32_t p, const PipeNode* pipeline) : Node(NodeType::Action, p), pipe(pipeline) {}
  void write(std::string& out) const override;
  const PipeNode* pipe;
};

// if, with and range.
struct BranchNode final : Node {
  BranchNode(NodeType t, std::uint32_t p) : Node(t, p) {}
  void write(std::string& out) const override;
  const PipeNode* pipe = nullptr;
  const ListNode* list = nullptr;
  const ListNode* else_list = nullptr;
};

struct TemplateNode final : Node {
  explicit TemplateNode(std::uint32_t p) : Node(NodeType::Template, p) {}
  void write(std::string& out) const override;
  std::string name;
  const PipeNode* pipe = nullptr;
};

// break, continue, dot and nil: nodes without parts.
struct WordNode final : Node {
  using Node::Node;
  void write(std::string& out) const override;
};

struct FieldNode final : Node {
  explicit FieldNode(std::uint32_t p) : Node(NodeType::Field, p) {}
  void write(std::string& out) const override;
  std::vector<std::string> names;
};

struct ChainNode final : Node {
  ChainNode(std::uint32_t p, const Node* b) : Node(NodeType::Chain, p), base(b) {}
  void write(std::string& out) const override;
  const Node* base;
  std::vector<std::string> fields;
};

struct IdentifierNode final : Node {
  IdentifierNode(std::uint32_t p, const Function& f) : Node(NodeType::Identifier, p), function(f) {}
  void write(std::string& out) const override;
  const Function& function;
};

struct BoolNode final : Node {
  BoolNode(std::uint32_t p, bool v) : Node(NodeType::Bool, p), value(v) {}
  void write(std::string& out) const override;
  bool value;
};

struct NumberNode final : Node {
  explicit NumberNode(std::uint32_t p) : Node(NodeType::Number, p) {}
  void write(std::string& out) const override;
  std::string source;
  bool is_integer = false;
  bool is_unsigned = false;
  bool is_float = false;
  std::int64_t integer = 0;
  std::uint64_t unsigned_integer = 0;
  double number = 0;
  // The value as an untyped constant: int, or float64 where the text looks like one. Invalid when
  // the text overflows int.
  GoValue constant;
};

struct StringNode final : Node {
  explicit StringNode(std::uint32_t p) : Node(NodeType::String, p) {}
  void write(std::string& out) const override;
  std::string quoted;
  GoValue value;
};

// True when nothing but blanks and comments would come out.
bool is_empty_tree(const Node* node);

struct ParsedFile;

// One named template: the body of a file, of a `define` or of a `block`.
struct Definition {
  std::string name;
  const ParsedFile* file = nullptr;
  const ListNode* root = nullptr;
};

// A parsed text with all templates that it defines. Immutable and shared between renderings.
struct ParsedFile {
  std::string name;
  std::string text;
  std::vector<Definition> definitions;
  std::vector<std::unique_ptr<const Node>> nodes;

  // "name:line:column" of a byte offset, both as Go counts them.
  std::string location(std::uint32_t position) const;
};

// Go's number literals (decimal, 0x, 0o, 0b, '_', exponents) and characters.
Result<void> parse_number(std::string_view text, bool character, NumberNode& node);

}  // namespace coracle::charts
