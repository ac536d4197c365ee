#pragma once

#include <cstdint>
#include <span>
#include <string_view>

// The table that describes every type: JSON name, protobuf number, merge behaviour, validation.
// Built-in types are constant tables written by tools/schemagen; a CustomResourceDefinition's
// OpenAPI schema compiles into the same structures at run time.
namespace coracle::kube {

enum class SchemaKind : std::uint8_t {
  Any,  // no schema: everything is kept (JSON, or x-kubernetes-preserve-unknown-fields without fields)
  Boolean,
  Integer,  // width in Schema::format
  Number,
  String,
  Bytes,        // base64 text in JSON
  Quantity,     // resource.Quantity: text or number in JSON, message {1: text} in protobuf
  IntOrString,  // message {1: type, 2: int, 3: text} in protobuf
  Time,         // RFC 3339 in JSON, message {1: seconds, 2: nanos} in protobuf
  MicroTime,
  Duration,      // metav1.Duration: Go text in JSON
  RawExtension,  // any value in JSON, message {1: bytes} in protobuf
  FieldsV1,      // any object in JSON, message {1: bytes} in protobuf
  Struct,
  List,
  Map,
  // One of its fields, chosen by the JSON value's kind (apiextensions' JSONSchemaPropsOrBool and the
  // like). Whoever only walks structures may treat it as Any.
  Union,
};

enum class Format : std::uint8_t { None, Int32, Int64, Float, Double, Byte, Date, DateTime, Password, Other };

// x-kubernetes-list-type; lists without one are atomic.
enum class ListType : std::uint8_t { Atomic, Set, Map };

// x-kubernetes-patch-strategy, as strategic merge patch reads it.
enum PatchStrategy : std::uint8_t { kPatchMerge = 1, kPatchReplace = 2, kPatchRetainKeys = 4 };

struct Schema;

namespace internal {
class Pattern;
}

// Bounds and alternatives of an OpenAPI schema. Absent numbers have their `has_` bit unset.
struct Constraints {
  std::span<const std::string_view> enum_values{};      // each as JSON text
  std::string_view pattern{};                           // RE2 syntax
  const internal::Pattern* compiled_pattern = nullptr;  // where there is a pattern; null: it cannot match anything
  std::string_view format{};                            // the text of `format`
  std::int64_t min_length = -1, max_length = -1;
  std::int64_t min_items = -1, max_items = -1;
  std::int64_t min_properties = -1, max_properties = -1;
  bool unique_items = false;
  bool has_minimum = false, has_maximum = false, exclusive_minimum = false, exclusive_maximum = false;
  bool has_multiple_of = false;
  double minimum = 0, maximum = 0, multiple_of = 0;
  std::span<const Schema*const> all_of{}, any_of{}, one_of{};
  const Schema* negated = nullptr;
};

struct Field {
  std::string_view name{};  // JSON name
  const Schema* schema = nullptr;
  std::uint32_t number = 0;  // protobuf number; 0 where the type has none
  bool required : 1 = false;
  bool always_emitted : 1 = false;  // Go prints the zero value (no omitempty)
  bool pointer : 1 = false;         // Go tells "absent" from zero
  bool immutable : 1 = false;
  // The type itself names default_json; otherwise it is upstream's code that fills in.
  bool declared_default : 1 = false;
  // Protobuf field numbers of embedded messages on the way to this field: an inlined VolumeSource
  // makes {2} for every one of its fields. Empty for fields of the message itself.
  std::span<const std::uint32_t> embedded_in{};
  std::string_view default_json{};  // unconditional default; empty: none
  std::string_view description{};
};

struct Schema {
  SchemaKind kind = SchemaKind::Any;
  Format format = Format::None;
  std::string_view name{};  // of a named type: "io.k8s.api.core.v1.PodSpec"; empty otherwise
  std::string_view description{};

  std::span<const Field> fields{};  // Struct, in protobuf/Go order
  const Schema* items = nullptr;    // List element, Map value; additionalProperties of a Struct
  bool wrapped = false;             // List: protobuf wraps it as message {1: repeated items}
  // Something in or below this node has a default, conditional ones of defaulting.h included.
  bool has_defaults = false;

  ListType list_type = ListType::Atomic;
  std::span<const std::string_view> list_map_keys{};
  bool atomic_map = false;          // Struct or Map replaced as a whole (x-kubernetes-map-type: atomic)
  bool merge_type_given = false;    // the field says how it merges, if only that it does as usual (OpenAPI shows it)
  std::uint8_t patch_strategy = 0;  // PatchStrategy bits of the field that uses this node
  std::string_view patch_merge_key{};

  bool nullable = false;
  bool preserve_unknown_fields = false;
  bool embedded_resource = false;
  bool holds_embedded = false;      // it is one, or something inside is
  std::string_view default_json{};  // default of the node itself (items, additionalProperties)
  const Constraints* constraints = nullptr;

  // The field, or nullptr. Linear: the length tells nearly every other name apart.
  const Field* find(std::string_view json_name) const;
};

// One served kind of a group and version.
struct KindSchema {
  std::string_view group;
  std::string_view version;
  std::string_view kind;
  const Schema* schema = nullptr;
};

// Members of a type of which one is used at a time: x-kubernetes-unions, as JSON text.
struct TypeUnions {
  std::string_view type;
  std::string_view json;
};

// Every kind of the stable groups of Kubernetes, sorted by group, version, kind; lists included.
std::span<const KindSchema> builtin_kinds();
// nullptr when it is not built in.
const KindSchema* find_builtin_kind(std::string_view group, std::string_view version, std::string_view kind);
// A named type ("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"); nullptr when unknown.
const Schema* find_builtin_type(std::string_view name);
// Every named type, sorted by name.
std::span<const Schema* const> builtin_types();
// Of the few types that declare them, sorted by name.
std::span<const TypeUnions> builtin_unions();

}  // namespace coracle::kube
