#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/value.h"
#include "kube/schema/schema.h"

// Kubernetes' protobuf form of objects, read and written by the numbers in the table. It is what proto2 code made from
// upstream's definitions reads and writes: fields that Go cannot leave out are always there, maps are sorted by key.
namespace coracle::kube {

// The four bytes before every protobuf object, in requests, answers and the store.
inline constexpr std::string_view kProtobufMagic{"k8s\0", 4};
// Messages nested deeper than this are refused.
inline constexpr std::size_t kMaxMessageDepth = 100;

// runtime.Unknown: type information around the bare message. Views into what was read.
struct Envelope {
  std::string_view api_version;
  std::string_view kind;
  std::string_view raw;
  std::string_view content_encoding;
  std::string_view content_type;
};

bool has_envelope(std::string_view bytes);
Result<Envelope> read_envelope(std::string_view bytes);
// The magic and a runtime.Unknown around `raw`, a bare message.
std::string write_envelope(std::string_view api_version, std::string_view kind, std::string_view raw);

// Reads a bare message. The result is in canonical form (normalise.h); fields that the table does not know are
// skipped. With `api_version` or `kind` the result begins with these fields. BadRequest tells the field and what is
// wrong.
Result<Value> decode_protobuf(std::string_view message, const Schema& schema, std::string_view api_version = {},
                              std::string_view kind = {});

// The bare message of a value in canonical form; apiVersion and kind are not part of it. InternalError for a value
// that does not fit its type.
Result<std::string> encode_protobuf(const Value& value, const Schema& schema);
// The same in its envelope, apiVersion and kind taken from the object.
Result<std::string> encode_envelope(const Value& object, const Schema& schema);

// A list's bare message is made piece by piece: its ListMeta, then each item as encode_protobuf has written it.
Result<std::string> begin_protobuf_list(const Value& list_metadata);
void append_protobuf_item(std::string& list, std::string_view item);

}  // namespace coracle::kube
