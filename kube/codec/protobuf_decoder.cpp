#include <bit>
#include <limits>
#include <memory>
#include <optional>
#include <unordered_map>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/json/json.h"
#include "kube/codec/internal/scalars.h"
#include "kube/codec/internal/wire.h"
#include "kube/codec/normalise.h"
#include "kube/codec/protobuf.h"
#include "kube/schema/canonical.h"

namespace coracle::kube {
namespace {

using internal::WireReader;
using internal::WireType;

// What has been read of one field so far.
struct Slot {
  bool present = false;
  Value value;
  std::vector<Value> items;            // of a list
  std::vector<Value::Member> members;  // of a map
};

class ProtobufDecoder {
 public:
  Value read_message(std::string_view message, const Schema& schema) {
    if (message.empty()) return zero_of(schema);
    std::vector<Slot> slots(schema.fields.size());
    fill(message, schema, {}, slots);
    if (schema.kind == SchemaKind::Union) return choose(schema, slots);
    return assemble(schema, slots, {}, {});
  }

  Result<Value> run(std::string_view message, const Schema& schema, std::string_view api_version,
                    std::string_view kind) {
    std::vector<Slot> slots(schema.fields.size());
    fill(message, schema, {}, slots);
    if (error_) return *error_;
    Value value = assemble(schema, slots, api_version, kind);
    if (error_) return *error_;
    return value;
  }

 private:
  // Reads the fields of one message into their slots. `prefix` are the numbers of the embedded messages around it:
  // what Go embeds is a message of its own here and belongs to the structure around it in JSON.
  void fill(std::string_view message, const Schema& schema, std::vector<std::uint32_t> prefix,
            std::vector<Slot>& slots) {
    if (!enter()) return;
    WireReader reader(message);
    std::size_t hint = 0;
    while (!reader.at_end() && !error_) {
      std::uint32_t number = 0;
      WireType type{};
      if (!reader.read_tag(number, type)) {
        fail(schema, "the message is cut off or holds an invalid tag");
        break;
      }
      if (const Field* field = find_number(schema, number, prefix, hint)) {
        read_field(reader, type, *field, schema, slots[static_cast<std::size_t>(field - schema.fields.data())]);
      } else if (type == WireType::Bytes && embeds(schema, number, prefix)) {
        std::string_view inner;
        if (!reader.read_bytes(inner)) {
          fail(schema, "an embedded message is cut off");
          break;
        }
        std::vector<std::uint32_t> deeper = prefix;
        deeper.push_back(number);
        fill(inner, schema, std::move(deeper), slots);
      } else if (!reader.skip(type)) {
        fail(schema, "field number " + std::to_string(number) + " is cut off");
      }
    }
    --depth_;
  }

  static bool same_prefix(const Field& field, const std::vector<std::uint32_t>& prefix) {
    return std::equal(field.embedded_in.begin(), field.embedded_in.end(), prefix.begin(), prefix.end());
  }

  static const Field* find_number(const Schema& schema, std::uint32_t number, const std::vector<std::uint32_t>& prefix,
                                  std::size_t& hint) {
    const std::size_t count = schema.fields.size();
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = hint + i < count ? hint + i : hint + i - count;
      if (schema.fields[at].number != number || !same_prefix(schema.fields[at], prefix)) continue;
      hint = at;
      return &schema.fields[at];
    }
    return nullptr;
  }

  static bool embeds(const Schema& schema, std::uint32_t number, const std::vector<std::uint32_t>& prefix) {
    for (const Field& field : schema.fields) {
      if (field.embedded_in.size() > prefix.size() && field.embedded_in[prefix.size()] == number &&
          std::equal(prefix.begin(), prefix.end(), field.embedded_in.begin())) {
        return true;
      }
    }
    return false;
  }

  void read_field(WireReader& reader, WireType type, const Field& field, const Schema& owner, Slot& slot) {
    slot.present = true;
    const Schema& schema = *field.schema;
    bool good = false;
    if (schema.kind == SchemaKind::List && !schema.wrapped) {
      good = read_item(reader, type, *schema.items, slot);
    } else if (schema.kind == SchemaKind::Map) {
      good = read_entry(reader, type, schema, slot);
    } else {
      good = read_value(reader, type, schema, slot.value);
    }
    if (!good) {
      fail(owner, "field \"" + std::string(field.name) + "\" is cut off or has wire type " +
                      std::to_string(static_cast<int>(type)) + ", which does not belong to its type");
    }
  }

  static bool is_packable(const Schema& schema) {
    return schema.kind == SchemaKind::Boolean || schema.kind == SchemaKind::Integer ||
           schema.kind == SchemaKind::Number;
  }

  bool read_item(WireReader& reader, WireType type, const Schema& schema, Slot& slot) {
    if (type != WireType::Bytes || !is_packable(schema)) {
      Value value;
      if (!read_value(reader, type, schema, value)) return false;
      slot.items.push_back(std::move(value));
      return count_value();
    }
    std::string_view packed;
    if (!reader.read_bytes(packed)) return false;
    WireReader numbers(packed);
    while (!numbers.at_end()) {
      Value value;
      const WireType one = schema.kind == SchemaKind::Number ? WireType::Fixed64 : WireType::Varint;
      if (!read_value(numbers, one, schema, value) || !count_value()) return false;
      slot.items.push_back(std::move(value));
    }
    return true;
  }

  bool read_entry(WireReader& reader, WireType type, const Schema& schema, Slot& slot) {
    std::string_view entry;
    if (type != WireType::Bytes || !reader.read_bytes(entry) || !count_value()) return false;
    WireReader fields(entry);
    std::string_view key;
    std::optional<Value> value;
    while (!fields.at_end()) {
      std::uint32_t number = 0;
      WireType inner{};
      if (!fields.read_tag(number, inner)) return false;
      if (number == 1) {
        if (inner != WireType::Bytes || !fields.read_bytes(key)) return false;
      } else if (number == 2) {
        if (!read_value(fields, inner, *schema.items, value.emplace())) return false;
      } else if (!fields.skip(inner)) {
        return false;
      }
    }
    slot.members.push_back({std::string(key), value ? *std::move(value) : zero_of(*schema.items)});
    return true;
  }

  // One value without its tag.
  bool read_value(WireReader& reader, WireType type, const Schema& schema, Value& out) {
    std::uint64_t number = 0;
    switch (schema.kind) {
      case SchemaKind::Boolean:
        if (type != WireType::Varint || !reader.read_varint(number)) return false;
        out = Value(number != 0);
        return true;
      case SchemaKind::Integer:
        if (type != WireType::Varint || !reader.read_varint(number)) return false;
        out = schema.format == Format::Int32 ? Value(static_cast<std::int64_t>(static_cast<std::int32_t>(number)))
                                             : Value(static_cast<std::int64_t>(number));
        return true;
      case SchemaKind::Number:
        if (type != WireType::Fixed64 || !reader.read_fixed64(number)) return false;
        out = number_value(std::bit_cast<double>(number));
        return true;
      default:
        break;
    }
    std::string_view bytes;
    if (type != WireType::Bytes || !reader.read_bytes(bytes)) return false;
    return read_bytes_value(bytes, schema, out);
  }

  static Value number_value(double number) {
    const bool whole = number >= -9007199254740992.0 && number <= 9007199254740992.0 &&
                       static_cast<double>(static_cast<std::int64_t>(number)) == number;
    return whole ? Value(static_cast<std::int64_t>(number)) : Value(number);
  }

  bool read_bytes_value(std::string_view bytes, const Schema& schema, Value& out) {
    switch (schema.kind) {
      case SchemaKind::String:
        out = Value(bytes);
        return true;
      case SchemaKind::Bytes:
        out = Value(base64_encode(bytes));
        return true;
      case SchemaKind::Struct:
      case SchemaKind::Union:
        out = read_message(bytes, schema);
        return true;
      case SchemaKind::List:
        return read_wrapped(bytes, schema, out);
      case SchemaKind::Quantity:
        return read_quantity(bytes, schema, out);
      case SchemaKind::IntOrString:
        return read_int_or_string(bytes, out);
      case SchemaKind::Time:
      case SchemaKind::MicroTime:
        return read_time(bytes, schema.kind == SchemaKind::MicroTime, out);
      case SchemaKind::Duration: {
        std::uint64_t nanoseconds = 0;
        if (!read_numbers(bytes, {&nanoseconds})) return false;
        out = Value(format_duration(Duration(static_cast<std::int64_t>(nanoseconds))));
        return true;
      }
      case SchemaKind::RawExtension:
      case SchemaKind::FieldsV1:
        return read_raw(bytes, out);
      default:
        return true;  // has no protobuf form
    }
  }

  // A message of varints numbered from 1; others are skipped.
  static bool read_numbers(std::string_view bytes, std::initializer_list<std::uint64_t*> numbers) {
    WireReader reader(bytes);
    while (!reader.at_end()) {
      std::uint32_t number = 0;
      WireType type{};
      if (!reader.read_tag(number, type)) return false;
      if (number <= numbers.size() && type == WireType::Varint) {
        if (!reader.read_varint(*numbers.begin()[number - 1])) return false;
      } else if (!reader.skip(type)) {
        return false;
      }
    }
    return true;
  }

  // The last length-delimited field of that number.
  static bool read_text(std::string_view bytes, std::uint32_t wanted, std::string_view& out) {
    WireReader reader(bytes);
    while (!reader.at_end()) {
      std::uint32_t number = 0;
      WireType type{};
      if (!reader.read_tag(number, type)) return false;
      if (number == wanted && type == WireType::Bytes) {
        if (!reader.read_bytes(out)) return false;
      } else if (!reader.skip(type)) {
        return false;
      }
    }
    return true;
  }

  bool read_wrapped(std::string_view bytes, const Schema& schema, Value& out) {
    WireReader reader(bytes);
    Slot slot;
    while (!reader.at_end()) {
      std::uint32_t number = 0;
      WireType type{};
      if (!reader.read_tag(number, type)) return false;
      if (number != 1 ? !reader.skip(type) : !read_item(reader, type, *schema.items, slot)) return false;
    }
    out = Value::array(std::move(slot.items));
    return true;
  }

  bool read_quantity(std::string_view bytes, const Schema& schema, Value& out) {
    std::string_view text = "0";
    if (!read_text(bytes, 1, text)) return false;
    auto canonical = internal::canonical_scalar(Value(text), schema);
    if (!canonical.ok()) {
      if (!error_) error_ = canonical.error();
      return true;
    }
    out = *std::move(canonical);
    return true;
  }

  static bool read_int_or_string(std::string_view bytes, Value& out) {
    std::uint64_t type = 0;
    std::uint64_t number = 0;
    std::string_view text;
    if (!read_numbers(bytes, {&type, &number}) || !read_text(bytes, 3, text)) return false;
    out = type == 0 ? Value(static_cast<std::int64_t>(static_cast<std::int32_t>(number))) : Value(text);
    return true;
  }

  static bool read_time(std::string_view bytes, bool micro, Value& out) {
    if (bytes.empty()) return true;  // Go's zero time
    std::uint64_t seconds = 0;
    std::uint64_t nanos = 0;
    if (!read_numbers(bytes, {&seconds, &nanos})) return false;
    const Instant instant{static_cast<std::int64_t>(seconds), static_cast<std::int32_t>(nanos)};
    if (instant.seconds == internal::kZeroTimeSeconds && instant.nanos == 0) return true;
    if (instant.seconds < internal::kEarliestSeconds || instant.seconds > internal::kLatestSeconds) return false;
    if (instant.nanos < 0 || instant.nanos > 999'999'999) return false;
    out = Value(internal::format_instant(instant, micro));
    return true;
  }

  // Foreign content: JSON, or an object in an envelope of its own.
  bool read_raw(std::string_view bytes, Value& out) {
    std::string_view raw;
    if (!read_text(bytes, 1, raw)) return false;
    if (raw.empty()) return true;
    if (has_envelope(raw)) return read_raw_envelope(raw, out);
    auto value = json::read(raw);
    if (!value.ok()) {
      if (!error_) error_ = value.error();
      return true;
    }
    out = *std::move(value);
    return true;
  }

  bool read_raw_envelope(std::string_view raw, Value& out) {
    const auto envelope = read_envelope(raw);
    if (!envelope.ok()) return false;
    const std::string_view version = envelope->api_version;
    const std::size_t slash = version.find('/');
    const std::string_view group = slash == std::string_view::npos ? std::string_view() : version.substr(0, slash);
    const KindSchema* found =
        find_builtin_kind(group, slash == std::string_view::npos ? version : version.substr(slash + 1), envelope->kind);
    if (found == nullptr) {
      fail_text("no built-in kind \"" + std::string(envelope->kind) + "\" in version \"" + std::string(version) + "\"");
      return true;
    }
    std::vector<Slot> slots(found->schema->fields.size());
    fill(envelope->raw, *found->schema, {}, slots);
    out = assemble(*found->schema, slots, envelope->api_version, envelope->kind);
    return true;
  }

  // The canonical structure of what was read.
  Value assemble(const Schema& schema, std::vector<Slot>& slots, std::string_view api_version, std::string_view kind) {
    Value::ObjectBuilder object;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const Field& field = schema.fields[i];
      Slot& slot = slots[i];
      if (field.number == 0 && (field.name == "apiVersion" || field.name == "kind")) {
        slot.value = Value(field.name == "kind" ? kind : api_version);
        slot.present = true;
      } else if (!slot.items.empty()) {
        slot.value = Value::array(std::move(slot.items));
      } else if (!slot.members.empty()) {
        slot.value = sorted_members(Value::object(std::move(slot.members)));
      }
      const bool kept =
          slot.present && (field.pointer ? !slot.value.is_null() : !internal::is_omitted(slot.value, *field.schema));
      if (kept) {
        object.append(std::string(field.name), std::move(slot.value));
      } else if (field.always_emitted) {
        object.append(std::string(field.name), field.pointer ? Value() : zero_of(*field.schema));
      } else {
        continue;
      }
      if (!count_value()) break;
    }
    return std::move(object).build();
  }

  // The form of a union that was filled: a list or a structure rather than the boolean beside it.
  static Value choose(const Schema& schema, std::vector<Slot>& slots) {
    Value chosen;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      Slot& slot = slots[i];
      if (!slot.items.empty()) return Value::array(std::move(slot.items));
      if (slot.present && (schema.fields[i].schema->kind != SchemaKind::Boolean || chosen.is_null())) {
        chosen = std::move(slot.value);
      }
    }
    return chosen;
  }

  Value zero_of(const Schema& schema) {
    if (schema.kind != SchemaKind::Struct) return internal::zero_value(schema, false);
    const auto [found, fresh] = zeros_.try_emplace(&schema);
    if (fresh) found->second = internal::zero_value(schema, false);
    return found->second;
  }

  bool enter() {
    if (++depth_ <= kMaxMessageDepth) return true;
    --depth_;
    fail_text("messages are nested deeper than " + std::to_string(kMaxMessageDepth) + " levels");
    return false;
  }

  bool count_value() {
    if (++values_ <= kMaxDecodedValues) return true;
    fail_text("the object holds more than " + std::to_string(kMaxDecodedValues) + " values");
    return false;
  }

  void fail(const Schema& schema, const std::string& what) {
    fail_text("cannot read protobuf message " + (schema.name.empty() ? "" : internal::go_type_name(schema)) + ": " +
              what);
  }
  void fail_text(std::string text) {
    if (!error_) error_ = bad_request(std::move(text));
  }

  std::unordered_map<const Schema*, Value> zeros_;
  std::size_t depth_ = 0;
  std::size_t values_ = 0;
  std::optional<Error> error_;
};

bool read_type_meta(std::string_view bytes, Envelope& out) {
  WireReader reader(bytes);
  while (!reader.at_end()) {
    std::uint32_t number = 0;
    WireType type{};
    if (!reader.read_tag(number, type)) return false;
    if (number <= 2 && type == WireType::Bytes) {
      if (!reader.read_bytes(number == 1 ? out.api_version : out.kind)) return false;
    } else if (!reader.skip(type)) {
      return false;
    }
  }
  return true;
}

bool read_unknown(std::string_view bytes, Envelope& out) {
  WireReader reader(bytes);
  while (!reader.at_end()) {
    std::uint32_t number = 0;
    WireType type{};
    if (!reader.read_tag(number, type)) return false;
    if (type != WireType::Bytes || number > 4) {
      if (!reader.skip(type)) return false;
      continue;
    }
    std::string_view piece;
    if (!reader.read_bytes(piece)) return false;
    if (number == 1 && !read_type_meta(piece, out)) return false;
    if (number == 2) out.raw = piece;
    if (number == 3) out.content_encoding = piece;
    if (number == 4) out.content_type = piece;
  }
  return true;
}

}  // namespace

bool has_envelope(std::string_view bytes) {
  return bytes.starts_with(kProtobufMagic);
}

Result<Envelope> read_envelope(std::string_view bytes) {
  if (!has_envelope(bytes)) {
    return bad_request("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  }
  Envelope envelope;
  if (!read_unknown(bytes.substr(kProtobufMagic.size()), envelope)) {
    return bad_request("cannot read protobuf message runtime.Unknown: the message is cut off or holds an invalid tag");
  }
  if (!envelope.content_encoding.empty()) {
    return bad_request("protobuf content encoding \"" + std::string(envelope.content_encoding) + "\" is not supported");
  }
  return envelope;
}

Result<Value> decode_protobuf(std::string_view message, const Schema& schema, std::string_view api_version,
                              std::string_view kind) {
  return ProtobufDecoder().run(message, schema, api_version, kind);
}

}  // namespace coracle::kube
