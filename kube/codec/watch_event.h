#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

// Frames of a watch stream. The object's bytes are given as they are served; one frame serves every watcher.
namespace coracle::kube {

// One line {"type":"ADDED","object":...} of a JSON stream.
std::string json_watch_frame(std::string_view type, std::string_view object_json);
// A bare metav1.WatchEvent; `envelope` is the object with its magic.
std::string protobuf_watch_event(std::string_view type, std::string_view envelope);
// The same behind four bytes of length (big endian).
std::string protobuf_watch_frame(std::string_view type, std::string_view envelope);

struct WatchFrame {
  std::string_view type;
  std::string_view object;  // JSON text, or an envelope
};

// A frame longer than this is refused.
inline constexpr std::size_t kMaxWatchFrame = 16U << 20U;

// Reads a bare WatchEvent message, the frame without its length.
Result<WatchFrame> read_protobuf_watch_event(std::string_view message);

}  // namespace coracle::kube
