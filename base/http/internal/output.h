#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/http/internal/channel.h"

namespace coracle::http::internal {

// The largest TLS record's content.
inline constexpr std::size_t kRecordBytes = 16 * 1024;
// One system call sends about this much.
inline constexpr std::size_t kWireTargetBytes = 128 * 1024;

// Buffers that the connections of a loop take turns to use, so that an idle one owns none.
struct LoopBuffers {
  std::string wire;    // on its way out; empty between two connections' turns
  std::string record;  // plain bytes that do not fill a record yet
};

// Gathers small pieces into full records while a session writes.
class Output {
 public:
  Output(Channel& channel, LoopBuffers& buffers) : channel_(channel), buffers_(buffers) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(std::string_view data);
  // True when what is there should be sent before more is produced.
  bool full() const { return buffers_.wire.size() + buffers_.record.size() >= kWireTargetBytes; }
  // Closes the last record; false when the channel broke.
  bool seal();

 private:
  Channel& channel_;
  LoopBuffers& buffers_;
  bool good_ = true;
};

}  // namespace coracle::http::internal
