#include "base/http/internal/output.h"

#include <algorithm>

namespace coracle::http::internal {

void Output::write(std::string_view data) {
  std::string& record = buffers_.record;
  while (!data.empty()) {
    if (record.empty() && data.size() >= kRecordBytes) {
      good_ = good_ && channel_.write(data.substr(0, kRecordBytes));
      data.remove_prefix(kRecordBytes);
      continue;
    }
    const std::size_t piece = std::min(data.size(), kRecordBytes - record.size());
    record += data.substr(0, piece);
    data.remove_prefix(piece);
    if (record.size() == kRecordBytes) seal();
  }
}

bool Output::seal() {
  if (!buffers_.record.empty()) good_ = good_ && channel_.write(buffers_.record);
  buffers_.record.clear();
  return good_;
}

}  // namespace coracle::http::internal
