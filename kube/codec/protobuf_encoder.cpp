#include <algorithm>
#include <bit>
#include <optional>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/json/json.h"
#include "kube/codec/internal/scalars.h"
#include "kube/codec/internal/wire.h"
#include "kube/codec/protobuf.h"

namespace coracle::kube {
namespace {

using internal::BackwardWriter;
using internal::WireType;

constexpr std::string_view kListMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";

class ProtobufEncoder {
 public:
  Result<std::string> run(const Value& value, const Schema& schema) {
    write_message(value, schema);
    if (error_) return *error_;
    return std::move(writer_).take();
  }

 private:
  void write_message(const Value& value, const Schema& schema) {
    std::vector<const Value*> values(schema.fields.size(), nullptr);
    std::size_t hint = 0;
    for (const Value::Member& member : value.members()) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        const std::size_t at = hint + i < values.size() ? hint + i : hint + i - values.size();
        if (schema.fields[at].name != member.key) continue;
        values[at] = &member.value;
        hint = at + 1;
        break;
      }
    }
    write_level(schema, values, 0, 0, schema.fields.size());
  }

  // A field, or the embedded message that holds fields [first, last).
  struct Piece {
    std::uint32_t number;
    std::size_t first;
    std::size_t last;
    bool embedded;
  };

  // Writes the fields [first, last), all of which lie in the same `depth` embedded messages, from the highest number
  // to the lowest. Fields of one embedded message stand together, as Go declares them.
  void write_level(const Schema& schema, const std::vector<const Value*>& values, std::size_t depth, std::size_t first,
                   std::size_t last) {
    std::vector<Piece> pieces;
    pieces.reserve(last - first);
    for (std::size_t i = first; i < last; ++i) {
      const Field& field = schema.fields[i];
      if (field.number == 0) continue;
      if (field.embedded_in.size() == depth) {
        pieces.push_back({field.number, i, i + 1, false});
        continue;
      }
      const std::uint32_t number = field.embedded_in[depth];
      if (!pieces.empty() && pieces.back().embedded && pieces.back().number == number) {
        pieces.back().last = i + 1;
      } else {
        pieces.push_back({number, i, i + 1, true});
      }
    }
    std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.number > b.number; });
    for (const Piece& piece : pieces) {
      if (piece.embedded) {
        const std::size_t before = writer_.size();
        write_level(schema, values, depth + 1, piece.first, piece.last);
        writer_.close(piece.number, before);
      } else {
        write_field(schema.fields[piece.first], values[piece.first]);
      }
    }
  }

  void write_field(const Field& field, const Value* value) {
    static const Value kNull;
    if (value == nullptr) value = &kNull;
    const Schema& schema = *field.schema;
    if (schema.kind == SchemaKind::List && !schema.wrapped) {
      const std::span<const Value> items = value->items();
      for (std::size_t i = items.size(); i > 0; --i) write_value(field.number, items[i - 1], *schema.items);
      return;
    }
    if (schema.kind == SchemaKind::Map) {
      write_map(field, *value);
      return;
    }
    const bool nullable = field.pointer || schema.kind == SchemaKind::Bytes || schema.kind == SchemaKind::List ||
                          schema.kind == SchemaKind::Any;
    if (value->is_null() && nullable) return;
    write_value(field.number, *value, schema);
  }

  void write_map(const Field& field, const Value& value) {
    std::vector<const Value::Member*> members;
    members.reserve(value.size());
    for (const Value::Member& member : value.members()) members.push_back(&member);
    std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->key > b->key; });
    for (const Value::Member* member : members) {
      const std::size_t before = writer_.size();
      write_value(2, member->value, *field.schema->items);
      writer_.prepend_bytes_field(1, member->key);
      writer_.close(field.number, before);
    }
  }

  // One value with its tag; null stands for the zero value.
  void write_value(std::uint32_t number, const Value& value, const Schema& schema) {
    switch (schema.kind) {
      case SchemaKind::Boolean:
        writer_.prepend_varint_field(number, value.as_bool() ? 1 : 0);
        return expect(value, value.is_bool(), schema);
      case SchemaKind::Integer:
        writer_.prepend_varint_field(number, static_cast<std::uint64_t>(value.as_int()));
        return expect(value, value.is_int(), schema);
      case SchemaKind::Number:
        writer_.prepend_fixed64(std::bit_cast<std::uint64_t>(value.as_double()));
        writer_.prepend_tag(number, WireType::Fixed64);
        return expect(value, value.is_number(), schema);
      case SchemaKind::String:
        writer_.prepend_bytes_field(number, value.as_string());
        return expect(value, value.is_string(), schema);
      case SchemaKind::Bytes:
        return write_bytes(number, value, schema);
      case SchemaKind::Any:
        return;
      default:
        break;
    }
    const std::size_t before = writer_.size();
    write_inner(value, schema);
    writer_.close(number, before);
  }

  void write_bytes(std::uint32_t number, const Value& value, const Schema& schema) {
    const auto bytes = base64_decode(value.as_string());
    expect(value, value.is_string() && bytes.ok(), schema);
    if (bytes.ok()) writer_.prepend_bytes_field(number, *bytes);
  }

  // The inside of a value that is a message.
  void write_inner(const Value& value, const Schema& schema) {
    switch (schema.kind) {
      case SchemaKind::Struct:
        write_message(value, schema);
        return expect(value, value.is_object(), schema);
      case SchemaKind::Union:
        return write_union(value, schema);
      case SchemaKind::List: {
        const std::span<const Value> items = value.items();
        for (std::size_t i = items.size(); i > 0; --i) write_value(1, items[i - 1], *schema.items);
        return expect(value, value.is_array(), schema);
      }
      case SchemaKind::Quantity:
        writer_.prepend_bytes_field(1, value.as_string("0"));
        return expect(value, value.is_string(), schema);
      case SchemaKind::IntOrString:
        writer_.prepend_bytes_field(3, value.as_string());
        writer_.prepend_varint_field(2, static_cast<std::uint64_t>(value.as_int()));
        writer_.prepend_varint_field(1, value.is_string() ? 1 : 0);
        return expect(value, value.is_string() || value.is_int(), schema);
      case SchemaKind::Time:
      case SchemaKind::MicroTime:
        return write_time(value, schema);
      case SchemaKind::Duration: {
        const auto duration = parse_duration(value.as_string("0s"));
        writer_.prepend_varint_field(1, static_cast<std::uint64_t>(duration.ok() ? duration->count() : 0));
        return expect(value, duration.ok() && value.is_string(), schema);
      }
      default:  // RawExtension, FieldsV1
        if (!value.is_null()) writer_.prepend_bytes_field(1, json::write(value));
    }
  }

  void write_time(const Value& value, const Schema& schema) {
    if (value.is_null()) return;
    const auto instant = internal::parse_instant(value.as_string());
    expect(value, instant.ok(), schema);
    if (!instant.ok()) return;
    writer_.prepend_varint_field(2, static_cast<std::uint64_t>(instant->nanos));
    writer_.prepend_varint_field(1, static_cast<std::uint64_t>(instant->seconds));
  }

  // Go sets the boolean beside a structure.
  void write_union(const Value& value, const Schema& schema) {
    for (std::size_t i = schema.fields.size(); i > 0; --i) {
      const Field& field = schema.fields[i - 1];
      switch (field.schema->kind) {
        case SchemaKind::Boolean:
          writer_.prepend_varint_field(field.number, value.is_object() || value.as_bool() ? 1 : 0);
          break;
        case SchemaKind::List:
          if (value.is_array()) write_field(field, &value);
          break;
        default:
          if (value.is_object()) write_field(field, &value);
      }
    }
  }

  void expect(const Value& value, bool fits, const Schema& schema) {
    if (fits || value.is_null() || error_) return;
    error_ = internal_error("cannot write " + internal::go_value_name(value, schema) + " as protobuf type " +
                            internal::go_type_name(schema));
  }

  BackwardWriter writer_;
  std::optional<Error> error_;
};

void append_varint(std::string& out, std::uint64_t value) {
  for (; value > 0x7F; value >>= 7U) out += static_cast<char>((value & 0x7FU) | 0x80U);
  out += static_cast<char>(value);
}

void append_piece(std::string& out, std::uint32_t number, std::string_view bytes) {
  append_varint(out, static_cast<std::uint64_t>(number) << 3U | static_cast<std::uint64_t>(WireType::Bytes));
  append_varint(out, bytes.size());
  out += bytes;
}

}  // namespace

std::string write_envelope(std::string_view api_version, std::string_view kind, std::string_view raw) {
  std::string type;
  append_piece(type, 1, api_version);
  append_piece(type, 2, kind);
  std::string out(kProtobufMagic);
  out.reserve(kProtobufMagic.size() + type.size() + raw.size() + 24);
  append_piece(out, 1, type);
  append_piece(out, 2, raw);
  append_piece(out, 3, {});
  append_piece(out, 4, {});
  return out;
}

Result<std::string> encode_protobuf(const Value& value, const Schema& schema) {
  return ProtobufEncoder().run(value, schema);
}

Result<std::string> encode_envelope(const Value& object, const Schema& schema) {
  ASSIGN_OR_RETURN(const std::string message, encode_protobuf(object, schema));
  return write_envelope(object["apiVersion"].as_string(), object["kind"].as_string(), message);
}

Result<std::string> begin_protobuf_list(const Value& list_metadata) {
  ASSIGN_OR_RETURN(const std::string metadata, encode_protobuf(list_metadata, *find_builtin_type(kListMeta)));
  std::string out;
  append_piece(out, 1, metadata);
  return out;
}

void append_protobuf_item(std::string& list, std::string_view item) {
  append_piece(list, 2, item);
}

}  // namespace coracle::kube
