#include "kube/schema/pruning.h"

namespace coracle::kube {
namespace {

// What a walk decides about one member of an object.
struct Step {
  bool keep = true;
  const Schema* schema = nullptr;  // of the value; null where nothing is known
};

// Rebuilds a tree along its schema; `Policy` decides about members. Its enter/leave see the path.
template <class Policy>
class TreeFilter {
 public:
  explicit TreeFilter(Policy& policy) : policy_(policy) {}

  Value visit(const Value& value, const Schema& schema) {
    if (value.is_object()) return visit_object(value, schema);
    if (value.is_array() && schema.kind == SchemaKind::List) return visit_array(value, schema);
    return value;
  }

 private:
  Value visit_object(const Value& value, const Schema& schema) {
    Value::ObjectBuilder object;
    bool changed = false;
    for (const Value::Member& member : value.members()) {
      const Step step = policy_.decide(member, schema);
      if (!step.keep) {
        changed = true;
        continue;
      }
      Value kept = member.value;
      if (step.schema != nullptr) {
        policy_.enter(member.key);
        kept = visit(member.value, *step.schema);
        policy_.leave();
      }
      changed = changed || !kept.same_tree(member.value);
      object.append(member.key, std::move(kept));
    }
    return changed ? std::move(object).build() : value;
  }

  Value visit_array(const Value& value, const Schema& schema) {
    std::vector<Value> items(value.items().begin(), value.items().end());
    bool changed = false;
    for (std::size_t i = 0; i < items.size(); ++i) {
      policy_.enter_index(i);
      Value kept = visit(items[i], *schema.items);
      policy_.leave();
      changed = changed || !kept.same_tree(items[i]);
      items[i] = std::move(kept);
    }
    return changed ? Value::array(std::move(items)) : value;
  }

  Policy& policy_;
};

// The schema of an object's member by name: of the field, or of additional members.
const Schema* member_schema(const Schema& schema, std::string_view key) {
  if (const Field* field = schema.find(key)) return field->schema;
  // What a list's items look like says nothing of an object in its place.
  return schema.kind == SchemaKind::List ? nullptr : schema.items;
}

class UnknownFields {
 public:
  explicit UnknownFields(std::vector<std::string>* unknown) : unknown_(unknown) {}

  Step decide(const Value::Member& member, const Schema& schema) {
    if (const Schema* known = member_schema(schema, member.key)) return {true, known};
    const bool open = schema.preserve_unknown_fields || schema.kind == SchemaKind::Any ||
                      schema.kind == SchemaKind::RawExtension || schema.kind == SchemaKind::FieldsV1;
    if (open) return {true, nullptr};
    if (unknown_ != nullptr) unknown_->push_back(path_.empty() ? member.key : path_ + "." + member.key);
    return {false, nullptr};
  }

  void enter(std::string_view key) {
    if (unknown_ == nullptr) return;
    lengths_.push_back(path_.size());
    if (!path_.empty()) path_ += '.';
    path_ += key;
  }
  void enter_index(std::size_t index) {
    if (unknown_ == nullptr) return;
    lengths_.push_back(path_.size());
    path_ += "[" + std::to_string(index) + "]";
  }
  void leave() {
    if (unknown_ == nullptr) return;
    path_.resize(lengths_.back());
    lengths_.pop_back();
  }

 private:
  std::vector<std::string>* unknown_;
  std::string path_;
  std::vector<std::size_t> lengths_;
};

class Nulls {
 public:
  Step decide(const Value::Member& member, const Schema& schema) const {
    const Field* field = schema.find(member.key);
    const Schema* inner = field != nullptr ? field->schema : schema.items;
    if (inner == nullptr || !member.value.is_null()) return {true, inner};
    const bool has_default = field != nullptr ? !field->default_json.empty() : !inner->default_json.empty();
    return {inner->nullable || has_default, inner};
  }
  void enter(std::string_view) {}
  void enter_index(std::size_t) {}
  void leave() {}
};

}  // namespace

Value prune(const Value& value, const Schema& schema, std::vector<std::string>* unknown) {
  UnknownFields policy(unknown);
  return TreeFilter<UnknownFields>(policy).visit(value, schema);
}

Value drop_nulls(const Value& value, const Schema& schema) {
  Nulls policy;
  return TreeFilter<Nulls>(policy).visit(value, schema);
}

}  // namespace coracle::kube
