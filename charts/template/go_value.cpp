#include "charts/template/go_value.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/encoding.h"
#include "charts/template/bounded_text.h"
#include "charts/template/go_time.h"

namespace coracle::charts {
namespace {

struct TextCell {
  std::string text;
};

struct TimeCell {
  GoTime time;
  int offset;
  std::string zone;
};

struct TypeRow {
  std::string_view name;
  std::string_view kind;
};

// By GoValue::Type.
constexpr std::array<TypeRow, 13> kTypes = {{{"<nil>", "invalid"},
                                             {"bool", "bool"},
                                             {"int", "int"},
                                             {"int64", "int64"},
                                             {"uint8", "uint8"},
                                             {"float64", "float64"},
                                             {"string", "string"},
                                             {"[]uint8", "slice"},
                                             {"time.Duration", "int64"},
                                             {"time.Time", "struct"},
                                             {"[]interface {}", "slice"},
                                             {"map[string]interface {}", "map"},
                                             {"", "struct"}}};

const std::string kEmptyText;

const TypeRow& row_of(GoValue::Type type) {
  return kTypes[static_cast<std::size_t>(type)];
}

class PlainStruct final : public GoObject {
 public:
  PlainStruct(std::string type_name, std::vector<std::pair<std::string, GoValue>> fields, std::string printed)
      : type_name_(std::move(type_name)), fields_(std::move(fields)), printed_(std::move(printed)) {}

  std::string type_name() const override { return type_name_; }
  const GoValue* field(std::string_view name) const override {
    for (const auto& [key, value] : fields_) {
      if (key == name) return &value;
    }
    return nullptr;
  }
  std::string print() const override {
    if (!printed_.empty()) return printed_;
    std::string out = "{";
    for (const auto& [key, value] : fields_) {
      if (out.size() > 1) out += ' ';
      if (value.is_string()) out += value.text();
    }
    return out + "}";
  }
  Result<Value> to_value() const override {
    Value::ObjectBuilder builder;
    for (const auto& [key, value] : fields_) {
      ASSIGN_OR_RETURN(Value converted, value.to_value());
      builder.append(key, std::move(converted));
    }
    return std::move(builder).build();
  }

 private:
  std::string type_name_;
  std::vector<std::pair<std::string, GoValue>> fields_;
  std::string printed_;
};

// A text of a tree that is copied takes part of the budget, so that all of them together stay below kMaxText.
bool take_text(const WalkBudget& budget, std::string_view text) {
  return budget.take(text.size() / (kMaxText / kMaxWalkedNodes));
}

Result<Value> convert(const GoValue& value, const WalkBudget& budget) {
  if (!budget.enter() || !take_text(budget, value.text())) {
    return bad_request("json: unsupported value: encountered a cycle or too large a tree");
  }
  switch (value.type()) {
    case GoValue::Type::Nil:
      return Value();
    case GoValue::Type::Bool:
      return Value(value.as_bool());
    case GoValue::Type::Int:
    case GoValue::Type::Int64:
    case GoValue::Type::Uint8:
    case GoValue::Type::Duration:
      return Value(value.as_integer());
    case GoValue::Type::Float64: {
      const double number = value.as_double();
      if (std::isnan(number)) return bad_request("json: unsupported value: NaN");
      if (std::isinf(number))
        return bad_request(std::string("json: unsupported value: ") + (number > 0 ? "+Inf" : "-Inf"));
      constexpr double kExactLimit = 9.2e18;
      const bool negative_zero = number == 0 && std::signbit(number);
      if (number == std::trunc(number) && std::fabs(number) < kExactLimit && !negative_zero) {
        return Value(static_cast<std::int64_t>(number));
      }
      return Value(number);
    }
    case GoValue::Type::String:
      return Value(value.text());
    case GoValue::Type::Bytes:
      return Value(base64_encode(value.text()));
    case GoValue::Type::Time:
      if (const int year = civil_time(value).year; year < 0 || year > 9999) {
        return bad_request(
            "json: error calling MarshalJSON for type time.Time: Time.MarshalJSON: year outside of "
            "range [0,9999]");
      }
      return Value(format_go_time(value, kGoRfc3339Nano));
    case GoValue::Type::List: {
      Value::ArrayBuilder builder;
      for (const GoValue& item : value.as_list().items) {
        ASSIGN_OR_RETURN(Value converted, convert(item, budget.inner()));
        builder.add(std::move(converted));
      }
      return std::move(builder).build();
    }
    case GoValue::Type::Dict: {
      Value::ObjectBuilder builder;
      for (const auto& [key, item] : value.as_dict().members) {
        if (!take_text(budget, key)) return bad_request("json: unsupported value: too large a tree");
        ASSIGN_OR_RETURN(Value converted, convert(item, budget.inner()));
        builder.append(key, std::move(converted));
      }
      return std::move(builder).build();
    }
    case GoValue::Type::Object:
      return value.as_object().to_value();
  }
  return Value();
}

bool equal_values(const GoValue& a, const GoValue& b, const WalkBudget& budget);

// Comparing long texts takes time like the nodes of a tree.
bool equal_texts(const GoValue& a, const GoValue& b, const WalkBudget& budget) {
  constexpr std::size_t kBytesOfNode = 1024;
  if (a.node() == b.node()) return true;
  return a.text().size() == b.text().size() && budget.take(a.text().size() / kBytesOfNode) && a.text() == b.text();
}

bool equal_lists(const GoList& a, const GoList& b, const WalkBudget& budget) {
  if (a.element != b.element || a.version_set != b.version_set || a.items.size() != b.items.size()) return false;
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (!equal_values(a.items[i], b.items[i], budget.inner())) return false;
  }
  return true;
}

bool equal_dicts(const GoDict& a, const GoDict& b, const WalkBudget& budget) {
  if (a.named != b.named || a.members.size() != b.members.size()) return false;
  auto other = b.members.begin();
  for (const auto& [key, value] : a.members) {
    if (key != other->first || !equal_values(value, other->second, budget.inner())) return false;
    ++other;
  }
  return true;
}

bool equal_values(const GoValue& a, const GoValue& b, const WalkBudget& budget) {
  if (!budget.enter() || a.type() != b.type() || a.is_values() != b.is_values()) return false;
  switch (a.type()) {
    case GoValue::Type::Nil:
      return true;
    case GoValue::Type::Float64:
      return a.as_double() == b.as_double();
    case GoValue::Type::String:
    case GoValue::Type::Bytes:
      return equal_texts(a, b, budget);
    case GoValue::Type::Time:
      return a.as_time() == b.as_time() && a.zone_offset() == b.zone_offset();
    case GoValue::Type::List:
      return a.node() == b.node() || equal_lists(a.as_list(), b.as_list(), budget);
    case GoValue::Type::Dict:
      return a.node() == b.node() || equal_dicts(a.as_dict(), b.as_dict(), budget);
    case GoValue::Type::Object:
      return a.node() == b.node();
    default:
      return a.as_integer() == b.as_integer();
  }
}

Result<GoValue> copy_value(const GoValue& value, const WalkBudget& budget) {
  if (!budget.enter()) return bad_request("the value is nested too deeply or too large to copy");
  if (value.is_list()) {
    auto node = std::make_shared<GoList>(value.as_list());
    for (GoValue& item : node->items) {
      ASSIGN_OR_RETURN(item, copy_value(item, budget.inner()));
    }
    GoValue copy = GoValue::list(std::move(node));
    return value.boxed() ? copy.as_boxed() : copy;
  }
  if (value.is_dict()) {
    auto node = std::make_shared<GoDict>(value.as_dict());
    for (auto& [key, item] : node->members) {
      ASSIGN_OR_RETURN(item, copy_value(item, budget.inner()));
    }
    GoValue copy = GoValue::dict(std::move(node));
    if (value.is_values()) copy = copy.as_values();
    return value.boxed() ? copy.as_boxed() : copy;
  }
  return value;
}

// Moves the contents of a container that is about to die to `pending`.
void take_contents(const GoValue& container, std::vector<GoValue>& pending) {
  if (container.is_list()) {
    for (GoValue& item : container.as_list().items) pending.push_back(std::move(item));
    container.as_list().items.clear();
  } else {
    for (auto& [key, item] : container.as_dict().members) pending.push_back(std::move(item));
    container.as_dict().members.clear();
  }
}

void dismantle(std::vector<GoValue>& pending) {
  while (!pending.empty()) {
    const GoValue value = std::move(pending.back());
    pending.pop_back();
    if (value.is_sole_container()) take_contents(value, pending);
  }
}

}  // namespace

GoList::~GoList() {
  if (std::any_of(items.begin(), items.end(), [](const GoValue& item) { return item.is_sole_container(); })) {
    dismantle(items);
  }
}

GoDict::~GoDict() {
  std::vector<GoValue> pending;
  for (auto& [key, item] : members) {
    if (item.is_sole_container()) pending.push_back(std::move(item));
  }
  dismantle(pending);
}

GoValue GoValue::scalar(Type type, std::int64_t value) {
  GoValue result;
  result.type_ = type;
  result.integer_ = value;
  return result;
}

GoValue GoValue::nil_interface() {
  GoValue result;
  result.boxed_ = true;
  return result;
}

GoValue GoValue::number(double value) {
  GoValue result;
  result.type_ = Type::Float64;
  result.number_ = value;
  return result;
}

GoValue GoValue::string(std::string text) {
  GoValue result;
  result.type_ = Type::String;
  result.node_ = std::make_shared<TextCell>(TextCell{std::move(text)});
  return result;
}

GoValue GoValue::bytes(std::string data) {
  GoValue result = string(std::move(data));
  result.type_ = Type::Bytes;
  return result;
}

GoValue GoValue::time(GoTime time, int offset, std::string zone) {
  // Some days less on both sides, so that every zone's clock stays within the calendar.
  constexpr GoTime kFirst =
      std::chrono::sys_days(std::chrono::year::min() / std::chrono::January / std::chrono::day(10));
  constexpr GoTime kLast =
      std::chrono::sys_days(std::chrono::year::max() / std::chrono::December / std::chrono::day(20));
  time = std::clamp(time, kFirst, kLast);
  GoValue result;
  result.type_ = Type::Time;
  result.node_ = std::make_shared<TimeCell>(TimeCell{time, offset, std::move(zone)});
  return result;
}

GoValue GoValue::list(std::vector<GoValue> items) {
  auto node = std::make_shared<GoList>();
  node->items = std::move(items);
  return list(std::move(node));
}

GoValue GoValue::strings(const std::vector<std::string>& items) {
  auto node = std::make_shared<GoList>();
  node->element = ElementType::String;
  node->items.reserve(items.size());
  for (const std::string& item : items) node->items.push_back(string(item));
  return list(std::move(node));
}

GoValue GoValue::list(std::shared_ptr<GoList> list) {
  GoValue result;
  result.type_ = Type::List;
  result.node_ = std::move(list);
  return result;
}

GoValue GoValue::dict() {
  return dict(std::make_shared<GoDict>());
}

GoValue GoValue::dict(std::shared_ptr<GoDict> dict) {
  GoValue result;
  result.type_ = Type::Dict;
  result.node_ = std::move(dict);
  return result;
}

GoValue GoValue::object(std::shared_ptr<const GoObject> object) {
  GoValue result;
  result.type_ = Type::Object;
  result.node_ = std::const_pointer_cast<GoObject>(std::move(object));
  return result;
}

GoValue GoValue::from_value(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::Null:
      return nil_interface();
    case Value::Kind::Bool:
      return boolean(value.as_bool());
    case Value::Kind::Int:
      return integer64(value.as_int());
    case Value::Kind::Double:
      return number(value.as_double());
    case Value::Kind::String:
      return string(std::string(value.as_string()));
    case Value::Kind::Array: {
      auto node = std::make_shared<GoList>();
      node->items.reserve(value.size());
      for (const Value& item : value.items()) node->items.push_back(from_value(item));
      return list(std::move(node));
    }
    case Value::Kind::Object: {
      auto node = std::make_shared<GoDict>();
      for (const Value::Member& member : value.members()) node->members[member.key] = from_value(member.value);
      return dict(std::move(node));
    }
  }
  return {};
}

Result<Value> GoValue::to_value() const {
  std::size_t nodes = kMaxWalkedNodes;
  return to_value(nodes);
}

Result<Value> GoValue::to_value(std::size_t& nodes) const {
  return convert(*this, {kMaxDepth, &nodes});
}

GoValue GoValue::as_boxed() const {
  GoValue copy = *this;
  copy.boxed_ = true;
  return copy;
}

GoValue GoValue::unboxed() const {
  GoValue copy = *this;
  copy.boxed_ = false;
  return copy;
}

GoValue GoValue::as_values() const {
  GoValue copy = *this;
  copy.values_type_ = true;
  return copy;
}

GoValue GoValue::as_plain_dict() const {
  GoValue copy = *this;
  copy.values_type_ = false;
  return copy;
}

bool GoValue::is_integer() const {
  return type_ == Type::Int || type_ == Type::Int64 || type_ == Type::Uint8 || type_ == Type::Duration;
}

const std::string& GoValue::text() const {
  if (type_ != Type::String && type_ != Type::Bytes) return kEmptyText;
  return static_cast<const TextCell*>(node_.get())->text;
}

GoTime GoValue::as_time() const {
  return type_ == Type::Time ? static_cast<const TimeCell*>(node_.get())->time : GoTime{};
}

int GoValue::zone_offset() const {
  return type_ == Type::Time ? static_cast<const TimeCell*>(node_.get())->offset : 0;
}

const std::string& GoValue::zone_name() const {
  return type_ == Type::Time ? static_cast<const TimeCell*>(node_.get())->zone : kEmptyText;
}

GoList& GoValue::as_list() const {
  return *static_cast<GoList*>(node_.get());
}
GoDict& GoValue::as_dict() const {
  return *static_cast<GoDict*>(node_.get());
}
const GoObject& GoValue::as_object() const {
  return *static_cast<const GoObject*>(node_.get());
}

std::string GoValue::type_name() const {
  if (type_ == Type::Object) return as_object().type_name();
  if (type_ == Type::List) {
    const GoList& list = as_list();
    if (list.version_set) return "common.VersionSet";
    switch (list.element) {
      case ElementType::String:
        return "[]string";
      case ElementType::Int:
        return "[]int";
      case ElementType::Dict:
        return "[]map[string]interface {}";
      case ElementType::Interface:
        break;
    }
  }
  if (type_ == Type::Dict) {
    if (values_type_) return "common.Values";
    switch (as_dict().named) {
      case GoDict::Named::StringMap:
        return "map[string]string";
      case GoDict::Named::Files:
        return "engine.files";
      case GoDict::Named::None:
        break;
    }
  }
  return std::string(row_of(type_).name);
}

std::string_view GoValue::kind_name() const {
  return type_ == Type::Object ? as_object().kind_name() : row_of(type_).kind;
}

bool GoValue::truth() const {
  switch (type_) {
    case Type::Nil:
      return false;
    case Type::Float64:
      return number_ != 0;
    case Type::String:
    case Type::Bytes:
      return !text().empty();
    case Type::List:
      return !as_list().items.empty();
    case Type::Dict:
      return !as_dict().members.empty();
    case Type::Time:
    case Type::Object:
      return true;
    default:
      return integer_ != 0;
  }
}

const GoValue* GoDict::find(std::string_view key) const {
  const auto found = members.find(key);
  return found == members.end() ? nullptr : &found->second;
}

void GoDict::set(std::string_view key, GoValue value) {
  const auto found = members.find(key);
  if (found == members.end()) {
    members.emplace(std::string(key), std::move(value));
  } else {
    found->second = std::move(value);
  }
}

Result<GoValue> GoObject::call(std::string_view method, std::span<const GoValue>) const {
  return unsupported("method " + std::string(method) + " of " + type_name() + " is not supported");
}

std::shared_ptr<const GoObject> make_struct(std::string type_name, std::vector<std::pair<std::string, GoValue>> fields,
                                            std::string printed) {
  return std::make_shared<PlainStruct>(std::move(type_name), std::move(fields), std::move(printed));
}

bool deep_equal(const GoValue& a, const GoValue& b) {
  std::size_t nodes = kMaxWalkedNodes;
  return deep_equal(a, b, nodes);
}

bool deep_equal(const GoValue& a, const GoValue& b, std::size_t& nodes) {
  return equal_values(a, b, {kMaxDepth, &nodes});
}

Result<GoValue> deep_copy(const GoValue& value, std::size_t& nodes) {
  return copy_value(value, {kMaxDepth, &nodes});
}

void clear_members(GoDict& dict) {
  // Moved out first: destroying a member may reach this dictionary again.
  auto members = std::move(dict.members);
  dict.members.clear();
}

}  // namespace coracle::charts
