#include "kube/codec/watch_event.h"

#include "base/json/json.h"
#include "kube/codec/internal/wire.h"

namespace coracle::kube {
namespace {

internal::BackwardWriter write_watch_event(std::string_view type, std::string_view envelope) {
  internal::BackwardWriter writer;
  writer.prepend_bytes_field(1, envelope);
  writer.close(2, 0);
  writer.prepend_bytes_field(1, type);
  return writer;
}

}  // namespace

std::string json_watch_frame(std::string_view type, std::string_view object_json) {
  std::string frame;
  frame.reserve(type.size() + object_json.size() + 32);
  frame += "{\"type\":";
  json::write_string(frame, type);
  frame += ",\"object\":";
  frame += object_json;
  frame += "}\n";
  return frame;
}

std::string protobuf_watch_event(std::string_view type, std::string_view envelope) {
  return write_watch_event(type, envelope).take();
}

std::string protobuf_watch_frame(std::string_view type, std::string_view envelope) {
  internal::BackwardWriter writer = write_watch_event(type, envelope);
  const std::size_t length = writer.size();
  char prefix[4];
  for (unsigned i = 0; i < 4; ++i) prefix[i] = static_cast<char>(length >> (8 * (3 - i)) & 0xFFU);
  writer.prepend({prefix, sizeof(prefix)});
  return std::move(writer).take();
}

Result<WatchFrame> read_protobuf_watch_event(std::string_view message) {
  const Error broken = bad_request("cannot read protobuf message v1.WatchEvent: it is cut off or holds an invalid tag");
  if (message.size() > kMaxWatchFrame) return bad_request("the watch event is longer than its limit");
  WatchFrame frame;
  internal::WireReader reader(message);
  while (!reader.at_end()) {
    std::uint32_t number = 0;
    internal::WireType type{};
    if (!reader.read_tag(number, type)) return broken;
    if (number > 2 || type != internal::WireType::Bytes) {
      if (!reader.skip(type)) return broken;
      continue;
    }
    std::string_view piece;
    if (!reader.read_bytes(piece)) return broken;
    if (number == 1) {
      frame.type = piece;
      continue;
    }
    internal::WireReader extension(piece);
    while (!extension.at_end()) {
      std::uint32_t inner = 0;
      if (!extension.read_tag(inner, type)) return broken;
      if (inner == 1 && type == internal::WireType::Bytes ? !extension.read_bytes(frame.object)
                                                          : !extension.skip(type)) {
        return broken;
      }
    }
  }
  return frame;
}

}  // namespace coracle::kube
