#include "kube/schema/internal/struct_draft.h"

#include "kube/schema/canonical.h"

namespace coracle::kube::internal {
namespace {

const Value kAbsentField;

}  // namespace

StructDraft::StructDraft(const Value& value, const Schema& schema)
    : schema_(&schema), original_(value), values_(schema.fields.size()), present_(schema.fields.size()) {
  const std::size_t count = schema.fields.size();
  std::size_t hint = 0;
  for (const Value::Member& member : value.members()) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = hint + i < count ? hint + i : hint + i - count;
      if (schema.fields[at].name != member.key) continue;
      values_[at] = member.value;
      present_[at] = true;
      hint = at + 1;
      break;
    }
  }
}

std::size_t StructDraft::index_of(std::string_view name) const {
  const Field* field = schema_->find(name);
  return field == nullptr ? schema_->fields.size() : static_cast<std::size_t>(field - schema_->fields.data());
}

const Value& StructDraft::operator[](std::string_view name) const {
  const std::size_t index = index_of(name);
  return index < values_.size() ? values_[index] : kAbsentField;
}

void StructDraft::set(std::string_view name, Value value) {
  const std::size_t index = index_of(name);
  if (index < values_.size()) set_at(index, std::move(value));
}

void StructDraft::set_at(std::size_t index, Value value) {
  if (schema_->fields[index].schema->kind == SchemaKind::Map) value = sorted_members(std::move(value));
  if (present_[index] && values_[index].same_tree(value)) return;
  values_[index] = std::move(value);
  present_[index] = true;
  changed_ = true;
}

void StructDraft::remove(std::string_view name) {
  const std::size_t index = index_of(name);
  if (index >= values_.size() || !present_[index]) return;
  values_[index] = Value();
  present_[index] = schema_->fields[index].always_emitted;
  changed_ = true;
}

Value StructDraft::build() && {
  if (!changed_) return std::move(original_);
  Value::ObjectBuilder object;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (present_[i]) object.append(std::string(schema_->fields[i].name), std::move(values_[i]));
  }
  for (const Value::Member& member : original_.members()) {
    if (schema_->find(member.key) == nullptr) object.append(member.key, member.value);
  }
  return std::move(object).build();
}

}  // namespace coracle::kube::internal
