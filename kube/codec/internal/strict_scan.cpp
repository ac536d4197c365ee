#include "kube/codec/internal/strict_scan.h"

#include <algorithm>
#include <set>

#include "base/json/json.h"

namespace coracle::kube::internal {
namespace {

class StrictScanner {
 public:
  explicit StrictScanner(std::string_view text) : text_(text) {}

  std::vector<std::string> run(const Schema& schema) {
    scan_value(&schema);
    return std::move(findings_);
  }

 private:
  void scan_value(const Schema* schema) {
    skip_blanks();
    if (peek() == '{') {
      scan_object(schema);
    } else if (peek() == '[') {
      scan_array(schema);
    } else if (peek() == '"') {
      read_string();
    } else {
      while (at_ < text_.size() && std::string_view(",]} \t\r\n").find(text_[at_]) == std::string_view::npos) ++at_;
    }
  }

  // What is known of a member: the schema of its value, or none where everything is allowed.
  void scan_object(const Schema* schema) {
    if (schema != nullptr && schema->kind == SchemaKind::Union) schema = structure_of(*schema);
    const bool structure = schema != nullptr && schema->kind == SchemaKind::Struct;
    const bool typed = structure || (schema != nullptr && schema->kind == SchemaKind::Map);
    std::set<std::string> keys;
    ++at_;
    for (skip_blanks(); at_ < text_.size() && peek() != '}'; skip_separator(',')) {
      const std::string key = read_string();
      skip_separator(':');
      const Field* field = structure ? schema->find(key) : nullptr;
      const std::string path = path_.empty() ? key : path_ + "." + key;
      const bool unknown = structure && field == nullptr;
      if (unknown) {
        add("unknown field", path);
      } else if (typed && !keys.insert(key).second) {
        add("duplicate field", path);
      }
      const Schema* inner = field != nullptr ? field->schema : nullptr;
      if (schema != nullptr && schema->kind == SchemaKind::Map) inner = schema->items;
      const std::size_t length = path_.size();
      path_ = path;
      scan_value(inner);
      path_.resize(length);
    }
    ++at_;
  }

  void scan_array(const Schema* schema) {
    if (schema != nullptr && schema->kind == SchemaKind::Union) schema = list_of(*schema);
    const Schema* items = schema != nullptr && schema->kind == SchemaKind::List ? schema->items : nullptr;
    const std::size_t length = path_.size();
    std::size_t index = 0;
    ++at_;
    for (skip_blanks(); at_ < text_.size() && peek() != ']'; skip_separator(',')) {
      path_ += "[" + std::to_string(index++) + "]";
      scan_value(items);
      path_.resize(length);
    }
    ++at_;
  }

  static const Schema* structure_of(const Schema& schema) { return member_of(schema, SchemaKind::Struct); }
  static const Schema* list_of(const Schema& schema) { return member_of(schema, SchemaKind::List); }
  static const Schema* member_of(const Schema& schema, SchemaKind kind) {
    for (const Field& field : schema.fields) {
      if (field.schema->kind == kind) return field.schema;
    }
    return nullptr;
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_blanks() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }

  void skip_separator(char separator) {
    skip_blanks();
    if (peek() == separator) ++at_;
    skip_blanks();
  }

  std::string read_string() {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_ + 1, text_.size());
    const std::string_view quoted = text_.substr(begin, at_ - begin);
    if (quoted.find('\\') == std::string_view::npos && quoted.size() >= 2) {
      return std::string(quoted.substr(1, quoted.size() - 2));
    }
    const auto value = json::read(quoted);
    return value.ok() ? std::string(value->as_string()) : std::string(quoted);
  }

  void add(std::string_view what, const std::string& path) {
    if (findings_.size() >= kMaxFindings) return;
    std::string text(what);
    text += ' ';
    text += json::write_raw(Value(path));
    if (std::find(findings_.begin(), findings_.end(), text) == findings_.end()) findings_.push_back(std::move(text));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string path_;
  std::vector<std::string> findings_;
};

}  // namespace

std::vector<std::string> strict_scan(std::string_view text, const Schema& schema) {
  return StrictScanner(text).run(schema);
}

}  // namespace coracle::kube::internal
