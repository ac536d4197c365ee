#include "charts/template/node.h"

#include <algorithm>

#include "base/utf8.h"
#include "charts/template/function.h"
#include "charts/template/go_number.h"
#include "charts/template/go_quote.h"

namespace coracle::charts {

std::string Node::text() const {
  std::string out;
  write(out);
  return out;
}

void ListNode::write(std::string& out) const {
  for (const Node* node : nodes) node->write(out);
}

void TextNode::write(std::string& out) const {
  out += content;
}

void CommandNode::write(std::string& out) const {
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (i > 0) out += ' ';
    if (args[i]->type == NodeType::Pipe) {
      out += '(';
      args[i]->write(out);
      out += ')';
    } else {
      args[i]->write(out);
    }
  }
}

void VariableNode::write(std::string& out) const {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += '.';
    out += names[i];
  }
}

void PipeNode::write(std::string& out) const {
  for (std::size_t i = 0; i < declarations.size(); ++i) {
    if (i > 0) out += ", ";
    declarations[i]->write(out);
  }
  if (!declarations.empty()) out += assign ? " = " : " := ";
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (i > 0) out += " | ";
    commands[i]->write(out);
  }
}

void ActionNode::write(std::string& out) const {
  out += "{{";
  pipe->write(out);
  out += "}}";
}

void BranchNode::write(std::string& out) const {
  out += type == NodeType::If ? "{{if " : type == NodeType::With ? "{{with " : "{{range ";
  pipe->write(out);
  out += "}}";
  list->write(out);
  if (else_list != nullptr) {
    out += "{{else}}";
    else_list->write(out);
  }
  out += "{{end}}";
}

void TemplateNode::write(std::string& out) const {
  out += "{{template ";
  out += go_quote(name);
  if (pipe != nullptr) {
    out += ' ';
    pipe->write(out);
  }
  out += "}}";
}

void WordNode::write(std::string& out) const {
  switch (type) {
    case NodeType::Break:
      out += "{{break}}";
      break;
    case NodeType::Continue:
      out += "{{continue}}";
      break;
    case NodeType::Dot:
      out += '.';
      break;
    default:
      out += "nil";
  }
}

void FieldNode::write(std::string& out) const {
  for (const std::string& name : names) {
    out += '.';
    out += name;
  }
}

void ChainNode::write(std::string& out) const {
  if (base->type == NodeType::Pipe) {
    out += '(';
    base->write(out);
    out += ')';
  } else {
    base->write(out);
  }
  for (const std::string& field : fields) {
    out += '.';
    out += field;
  }
}

void IdentifierNode::write(std::string& out) const {
  out += function.name;
}

void BoolNode::write(std::string& out) const {
  out += value ? "true" : "false";
}

void NumberNode::write(std::string& out) const {
  out += source;
}

void StringNode::write(std::string& out) const {
  out += quoted;
}

bool is_empty_tree(const Node* node) {
  if (node == nullptr) return true;
  if (node->type == NodeType::List) {
    const auto& nodes = static_cast<const ListNode*>(node)->nodes;
    return std::all_of(nodes.begin(), nodes.end(), [](const Node* child) { return is_empty_tree(child); });
  }
  if (node->type == NodeType::Text) {
    return static_cast<const TextNode*>(node)->content.find_first_not_of(" \t\r\n\v\f") == std::string::npos;
  }
  return false;
}

std::string ParsedFile::location(std::uint32_t position) const {
  const std::string_view before = std::string_view(text).substr(0, position);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t newline = before.rfind('\n');
  const std::size_t column = newline == std::string_view::npos ? before.size() : before.size() - newline - 1;
  return name + ":" + std::to_string(line) + ":" + std::to_string(column);
}

Result<void> parse_number(std::string_view text, bool character, NumberNode& node) {
  node.source = text;
  if (character) {
    ASSIGN_OR_RETURN(const std::string decoded, go_unquote(text));
    const Rune rune = decode_rune(decoded);
    node.integer = static_cast<std::int64_t>(rune.value);
    node.unsigned_integer = rune.value;
    node.number = static_cast<double>(rune.value);
    node.is_integer = node.is_unsigned = node.is_float = true;
    node.constant = GoValue::integer(node.integer);
    return {};
  }
  if (text.ends_with('i')) return unsupported("complex constants are not supported: " + std::string(text));
  const auto integer = parse_go_int(text);
  const auto magnitude = parse_go_uint(text);
  const bool looks_float =
      text.find_first_of(".eEpP") != std::string_view::npos &&
      !(text.find_first_of("xX") != std::string_view::npos && text.find_first_of("pP") == std::string_view::npos);
  node.is_integer = integer.has_value();
  node.is_unsigned = magnitude.has_value();
  node.integer = integer.value_or(0);
  node.unsigned_integer = magnitude.value_or(0);
  if (integer || magnitude) {
    node.is_float = true;
    node.number = integer ? static_cast<double>(*integer) : static_cast<double>(*magnitude);
    if (integer && *integer == 0) node.is_unsigned = true;
  } else if (const auto number = parse_go_float(text)) {
    if (!looks_float) return bad_request("integer overflow: " + go_quote(text));
    node.is_float = true;
    node.number = *number;
    constexpr double kIntegerLimit = 9.2e18;
    if (*number > -kIntegerLimit && *number < kIntegerLimit &&
        static_cast<double>(static_cast<std::int64_t>(*number)) == *number) {
      node.is_integer = true;
      node.integer = static_cast<std::int64_t>(*number);
    }
  } else {
    return bad_request("illegal number syntax: " + go_quote(text));
  }
  if (looks_float) {
    node.constant = GoValue::number(node.number);
  } else if (node.is_integer) {
    node.constant = GoValue::integer(node.integer);
  }
  return {};
}

}  // namespace coracle::charts
