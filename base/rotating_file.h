#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/file_descriptor.h"
#include "base/result.h"

namespace coracle {

// How large a log file may grow, and what is kept of the ones before it.
struct RotationLimits {
  std::uint64_t bytes = std::uint64_t{50} << 20U;
  std::size_t backups = 3;
  std::chrono::days age{28};
};

// A file that lines are appended to. Before it outgrows its limit it is set aside: `k3s.log` becomes
// `k3s-2026-11-26T14-05-03.123.log` and is compressed (`.gz` behind that) by a thread of its own, which also removes
// those that are too many or too old. Names and limits are those of k3s's `--log`. What is no regular file
// (/dev/stdout, a pipe) is written to and left alone. Thread-safe.
class RotatingFile {
 public:
  // Makes the file with mode 0600; one that is there keeps its content and its mode.
  static Result<std::unique_ptr<RotatingFile>> open(std::string path, RotationLimits limits = {});
  // Waits for the thread.
  ~RotatingFile();
  RotatingFile(const RotatingFile&) = delete;
  RotatingFile& operator=(const RotatingFile&) = delete;

  // In one piece, to the end. Where it cannot be set aside the file goes on growing, and another limit later that is
  // tried again.
  void write(std::string_view line);

 private:
  RotatingFile(std::string path, RotationLimits limits, FileDescriptor file);
  void rotate();

  const std::string path_;
  const RotationLimits limits_;
  std::mutex mutex_;
  FileDescriptor file_;
  unsigned mode_ = 0600;
  bool regular_ = false;
  std::uint64_t bytes_ = 0;            // since it was set aside, or that was tried, for the last time
  std::atomic<unsigned> untidied_{0};  // rotations that the thread has still to look after; it ends with the last
  std::thread tidying_;
};

// One write per call as far as the system allows, so that lines of several threads and processes do not mix. What
// cannot be written is dropped.
void write_line(int descriptor, std::string_view line);

}  // namespace coracle
