#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/value.h"

namespace coracle::charts {

struct GoList;
struct GoDict;
class GoObject;

// A moment as Go's time.Time holds it: its years go far beyond what nanoseconds in 64 bits can say.
using GoTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::duration<__int128, std::nano>>;

// A value as a Go template sees it: it keeps Go's dynamic type, because comparisons, printing and
// argument checks depend on it (an int from a literal, a float64 from a values file, an int64 from
// --set). Lists and dictionaries are references, as in Go: what `set` changes, every holder sees.
// A rendering is single-threaded, so values are not synchronised.
class GoValue {
 public:
  enum class Type : std::uint8_t {
    Nil,
    Bool,
    Int,
    Int64,
    Uint8,
    Float64,
    String,
    Bytes,  // []byte; kept as text
    Duration,
    Time,
    List,
    Dict,
    Object,
  };
  using Function = std::function<Result<GoValue>(std::span<const GoValue>)>;

  GoValue() = default;  // no value at all (an invalid reflect.Value)
  // A nil that came out of a map or list: it has the static type interface {}.
  static GoValue nil_interface();
  static GoValue boolean(bool value) { return scalar(Type::Bool, value ? 1 : 0); }
  static GoValue integer(std::int64_t value) { return scalar(Type::Int, value); }
  static GoValue integer64(std::int64_t value) { return scalar(Type::Int64, value); }
  static GoValue byte(std::uint8_t value) { return scalar(Type::Uint8, value); }
  static GoValue duration(std::int64_t nanoseconds) { return scalar(Type::Duration, nanoseconds); }
  static GoValue number(double value);
  static GoValue string(std::string text);
  static GoValue bytes(std::string data);
  // `offset` is in seconds east of UTC, `zone` the abbreviation that layouts print. Beyond the years that the
  // calendar knows (32767 either way) it is the last moment of those.
  static GoValue time(GoTime time, int offset = 0, std::string zone = "UTC");
  static GoValue list(std::vector<GoValue> items = {});
  static GoValue strings(const std::vector<std::string>& items);
  static GoValue list(std::shared_ptr<GoList> list);
  static GoValue dict();
  static GoValue dict(std::shared_ptr<GoDict> dict);
  static GoValue object(std::shared_ptr<const GoObject> object);

  // Int becomes int64 and Double float64: see charts/values.h for which numbers are which.
  static GoValue from_value(const Value& value);
  // For JSON and YAML output: keys sorted; whole floats become integers, which print alike.
  // Fails for what encoding/json refuses (NaN, infinities, trees deeper than kMaxDepth).
  Result<Value> to_value() const;
  // The same, for who counts: `nodes` is what the walk may visit, and afterwards what is left of it.
  Result<Value> to_value(std::size_t& nodes) const;

  Type type() const { return type_; }
  // True when the static type is interface {} (elements of maps and lists).
  bool boxed() const { return boxed_; }
  GoValue as_boxed() const;
  // A dictionary seen through Helm's named type Values, which has methods and is not a plain map.
  GoValue as_values() const;
  GoValue as_plain_dict() const;
  bool is_values() const { return values_type_; }
  GoValue unboxed() const;
  // A nil without type: the result of a pipeline that has none.
  bool is_invalid() const { return type_ == Type::Nil && !boxed_; }
  bool is_nil() const { return type_ == Type::Nil; }
  bool is_string() const { return type_ == Type::String; }
  bool is_list() const { return type_ == Type::List; }
  bool is_dict() const { return type_ == Type::Dict; }
  bool is_integer() const;  // any of Go's integer kinds
  bool is_float() const { return type_ == Type::Float64; }
  bool is_number() const { return is_integer() || is_float(); }

  bool as_bool() const { return integer_ != 0; }
  std::int64_t as_integer() const { return integer_; }
  double as_double() const { return is_float() ? number_ : static_cast<double>(integer_); }
  const std::string& text() const;  // of a string or bytes; empty for others
  GoTime as_time() const;
  int zone_offset() const;
  const std::string& zone_name() const;
  GoList& as_list() const;
  GoDict& as_dict() const;
  const GoObject& as_object() const;
  const std::shared_ptr<void>& node() const { return node_; }
  // True for a list or dictionary that nothing else holds.
  bool is_sole_container() const { return (is_list() || is_dict()) && node_.use_count() == 1; }

  // Go's names: "map[string]interface {}", and the kind "map".
  std::string type_name() const;
  std::string_view kind_name() const;
  // The type name as `interface {}` where that is the static type.
  std::string static_type_name() const { return boxed_ ? "interface {}" : type_name(); }
  // What text/template's `if` does with it.
  bool truth() const;

 private:
  static GoValue scalar(Type type, std::int64_t value);

  Type type_ = Type::Nil;
  bool boxed_ = false;
  bool values_type_ = false;
  union {
    std::int64_t integer_ = 0;
    double number_;
  };
  std::shared_ptr<void> node_;
};

// Nesting of values that conversions and printing follow.
inline constexpr int kMaxDepth = 200;

// How far one walk over a value may go. Values are shared by reference, so a small one can unfold to
// more than any memory holds.
struct WalkBudget {
  int depth = kMaxDepth;
  std::size_t* nodes;  // what is left for the whole walk

  // One level further down; false when the budget is spent.
  bool enter() const { return depth > 0 && take(1); }
  // What takes as long as so many nodes; false when the budget has less.
  bool take(std::size_t count) const {
    const bool enough = *nodes >= count;
    *nodes -= enough ? count : *nodes;
    return enough;
  }
  WalkBudget inner() const { return {depth - 1, nodes}; }
};
inline constexpr std::size_t kMaxWalkedNodes = 2'000'000;

// What the elements of a list are declared as.
enum class ElementType : std::uint8_t { Interface, String, Int, Dict };

// Templates can nest lists and dictionaries as deeply as they like, so both take their contents
// apart in a loop when they die.
struct GoList {
  GoList() = default;
  GoList(const GoList&) = default;
  GoList& operator=(const GoList&) = delete;
  ~GoList();

  std::vector<GoValue> items;
  ElementType element = ElementType::Interface;
  bool version_set = false;  // .Capabilities.APIVersions: a named type with the method Has
};

struct GoDict {
  enum class Named : std::uint8_t { None, StringMap, Files };

  GoDict() = default;
  GoDict(const GoDict&) = default;
  GoDict& operator=(const GoDict&) = delete;
  ~GoDict();

  std::map<std::string, GoValue, std::less<>> members;
  Named named = Named::None;

  const GoValue* find(std::string_view key) const;
  void set(std::string_view key, GoValue value);
};

// A Go struct or a type with methods (.Files, .Capabilities, certificates, versions).
class GoObject {
 public:
  virtual ~GoObject() = default;
  virtual std::string type_name() const = 0;
  virtual std::string_view kind_name() const { return "struct"; }
  // The exported field, or nullptr.
  virtual const GoValue* field(std::string_view name) const = 0;
  virtual bool has_method(std::string_view) const { return false; }
  virtual Result<GoValue> call(std::string_view method, std::span<const GoValue> args) const;
  // What fmt prints for %v.
  virtual std::string print() const = 0;
  // What encoding/json writes.
  virtual Result<Value> to_value() const = 0;
};

// A struct without methods: named fields in their order of declaration.
std::shared_ptr<const GoObject> make_struct(std::string type_name, std::vector<std::pair<std::string, GoValue>> fields,
                                            std::string printed = "");

// reflect.DeepEqual; values that are nested too deeply or too large count as different.
bool deep_equal(const GoValue& a, const GoValue& b);
bool deep_equal(const GoValue& a, const GoValue& b, std::size_t& nodes);
// A copy that shares nothing that can change. Fails when the value is nested too deeply or too large.
Result<GoValue> deep_copy(const GoValue& value, std::size_t& nodes);
// Breaks reference cycles that templates made with `set`.
void clear_members(GoDict& dict);

}  // namespace coracle::charts
