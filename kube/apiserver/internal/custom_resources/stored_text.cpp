#include "kube/apiserver/internal/custom_resources/stored_text.h"

#include "kube/apiserver/internal/json_scan.h"

namespace coracle::kube::apiserver {

namespace {

// What prune() and drop_nulls() look at, on text. Schemas of custom resources are trees of limited depth, and what has
// no schema is skipped without descending: the depth of the calls is the schema's.
class SchemaWalk {
 public:
  explicit SchemaWalk(std::string_view text) : text_(text) {}

  bool object(const Schema& root) {
    const bool fits = members(root, [this](std::string_view key, const Schema& schema) {
      return key == "metadata" ? metadata(schema) : value(schema);
    });
    return fits && has_metadata_;
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && text_[at_] <= ' ') ++at_;
  }
  // Takes `c`, if it comes next.
  bool take(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool comes(std::string_view what) const { return text_.substr(at_, what.size()) == what; }
  bool skip() {
    at_ = JsonScan::skip_value(text_, at_);
    return at_ != std::string_view::npos;
  }

  bool value(const Schema& schema) {
    skip_blanks();
    if (comes("{")) {
      return members(schema, [this](std::string_view, const Schema& inner) { return value(inner); });
    }
    if (!comes("[") || schema.kind != SchemaKind::List) return skip();
    ++at_;
    if (take(']')) return true;
    do {
      if (!value(*schema.items)) return false;
    } while (take(','));
    return take(']');
  }

  // Objects from before generations were counted have none, and what is empty in metadata is not shown.
  bool metadata(const Schema& schema) {
    has_metadata_ = true;
    bool generation = false;
    const bool fits = members(schema, [&](std::string_view key, const Schema& inner) {
      if (comes("\"\"") || comes("{}") || comes("[]") || comes("0")) return false;
      generation = generation || key == "generation";
      return value(inner);
    });
    return fits && generation;
  }

  // `each` reads the value of every member that the schema knows, which begins where the walk stands.
  template <class Each>
  bool members(const Schema& schema, const Each& each) {
    if (!take('{')) return false;
    if (take('}')) return true;
    do {
      if (!take('"')) return false;
      const std::size_t end = text_.find('"', at_);
      if (end == std::string_view::npos) return false;
      const std::string_view key = text_.substr(at_, end - at_);
      if (key.find('\\') != std::string_view::npos) return false;
      at_ = end + 1;
      if (!take(':')) return false;
      skip_blanks();
      if (!member(schema, key, each)) return false;
    } while (take(','));
    return take('}');
  }

  template <class Each>
  bool member(const Schema& schema, std::string_view key, const Each& each) {
    const Field* field = schema.find(key);
    const Schema* inner = field != nullptr ? field->schema : schema.items;
    if (field == nullptr && schema.kind == SchemaKind::List) return false;
    if (inner == nullptr) {
      const bool open = schema.preserve_unknown_fields || schema.kind == SchemaKind::Any ||
                        schema.kind == SchemaKind::RawExtension || schema.kind == SchemaKind::FieldsV1;
      return open && skip();
    }
    if (comes("null") && !inner->nullable) return false;
    return each(key, *inner);
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  bool has_metadata_ = false;
};

}  // namespace

bool fits_schema(std::string_view json, const Schema& schema) {
  return SchemaWalk(json).object(schema);
}

}  // namespace coracle::kube::apiserver
