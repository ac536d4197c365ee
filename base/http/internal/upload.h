#pragma once

#include <cstddef>
#include <utility>

#include "base/http/internal/session.h"

namespace coracle::http::internal {

// A request's body on its way in: what it takes of the memory that all uploads of a loop share, until the request is
// answered or this dies, and whether it moves on.
class Upload {
 public:
  explicit Upload(SessionHost& host) : host_(host) {}
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;
  ~Upload() { end(); }

  // So many bytes of it are here. False when the uploads together hold too much.
  bool grow_to(std::size_t bytes) {
    if (bytes <= bytes_) return true;
    if (!host_.reserve_upload(bytes - bytes_)) return false;
    bytes_ = bytes;
    return true;
  }
  // True at first and whenever some kilobytes more have come, for which the client gets new time.
  bool has_moved() {
    if (bytes_ < next_mark_) return false;
    next_mark_ = bytes_ + kProgressBytes;
    return true;
  }
  void end() {
    host_.release_upload(std::exchange(bytes_, 0));
    next_mark_ = 0;
  }

 private:
  static constexpr std::size_t kProgressBytes = 4096;

  SessionHost& host_;
  std::size_t bytes_ = 0;
  std::size_t next_mark_ = 0;
};

}  // namespace coracle::http::internal
