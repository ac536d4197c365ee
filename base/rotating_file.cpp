#include "base/rotating_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "base/files.h"

namespace coracle {
namespace {

constexpr std::string_view kCompressed = ".gz";
constexpr std::size_t kPieceBytes = 64 * 1024;
constexpr std::size_t kStampBytes = std::string_view("2026-11-26T14-05-03.123").size();

struct GzipCloser {
  void operator()(gzFile_s* file) const { gzclose(file); }
};

// "folder/k3s" and ".log"; a leading dot begins a name, no ending.
struct SplitPath {
  std::string_view stem;
  std::string_view ending;
};

SplitPath split_ending(std::string_view path) {
  const std::size_t name_size = file_name(path).size();
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos || dot + name_size <= path.size()) return {path, {}};
  return {path.substr(0, dot), path.substr(dot)};
}

FileDescriptor open_log(const std::string& path) {
  return FileDescriptor(open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600));
}

// As in the names of files that are set aside: in UTC, without colons.
std::string stamp_of(WallTime time) {
  std::string stamp = format_micro_time(time).substr(0, kStampBytes);
  std::replace(stamp.begin(), stamp.end(), ':', '-');
  return stamp;
}

struct Backup {
  std::string name;
  std::string stamp;
  bool compressed = false;
};

// Those of a log file, the newest first.
std::vector<Backup> find_backups(const std::string& path) {
  const SplitPath split = split_ending(path);
  const std::string begin = std::string(file_name(split.stem)) + '-';
  std::vector<Backup> found;
  auto entries = list_directory(parent_path(path));
  if (!entries.ok()) return found;
  for (DirectoryEntry& entry : *entries) {
    std::string_view rest = entry.name;
    if (entry.kind != FileKind::Regular || !rest.starts_with(begin)) continue;
    rest.remove_prefix(begin.size());
    const bool compressed = rest.ends_with(kCompressed);
    if (compressed) rest.remove_suffix(kCompressed.size());
    if (!rest.ends_with(split.ending)) continue;
    rest.remove_suffix(split.ending.size());
    // "2026-11-26T14-05-03.123", read back with the colons that a name goes without.
    std::string time(rest);
    if (time.size() != kStampBytes || time[13] != '-' || time[16] != '-') continue;
    time[13] = time[16] = ':';
    if (parse_time(time + 'Z').ok()) found.push_back({std::move(entry.name), std::string(rest), compressed});
  }
  std::sort(found.begin(), found.end(), [](const Backup& a, const Backup& b) { return a.stamp > b.stamp; });
  return found;
}

bool compress(const std::string& from, const std::string& to) {
  const FileDescriptor source(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status = {};
  if (!source.valid() || fstat(source.get(), &status) != 0) return false;
  FileDescriptor target(open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!target.valid() || fchmod(target.get(), status.st_mode & 07777U) != 0) return false;
  std::unique_ptr<gzFile_s, GzipCloser> out(gzdopen(target.get(), "wb"));
  if (out == nullptr) return false;
  target.release();
  std::vector<char> piece(kPieceBytes);
  for (;;) {
    const ssize_t got = read(source.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) return gzclose(out.release()) == Z_OK;
    if (gzwrite(out.get(), piece.data(), static_cast<unsigned>(got)) != got) return false;
  }
}

// Removes what is too old or too much and compresses the rest. A failure is made good after the next rotation.
void tidy(const std::string& path, const RotationLimits& limits) {
  const std::string folder = parent_path(path);
  const std::string oldest = stamp_of(std::chrono::system_clock::now() - limits.age);
  std::string_view last;
  std::size_t kept = 0;
  const std::vector<Backup> backups = find_backups(path);
  for (const Backup& backup : backups) {
    const std::string file = join_path(folder, backup.name);
    if (std::exchange(last, backup.stamp) != backup.stamp) ++kept;
    if (kept > limits.backups || backup.stamp < oldest) {
      remove_file(file).ignore("the next rotation tries again");
    } else if (!backup.compressed) {
      const std::string target = file + std::string(kCompressed);
      remove_file(compress(file, target) ? file : target).ignore("the next rotation tries again");
    }
  }
}

}  // namespace

void write_line(int descriptor, std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = ::write(descriptor, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nobody is left to tell
    line.remove_prefix(static_cast<std::size_t>(written));
  }
}

Result<std::unique_ptr<RotatingFile>> RotatingFile::open(std::string path, RotationLimits limits) {
  FileDescriptor file = open_log(path);
  if (!file.valid()) return system_error(errno, "cannot open " + path);
  return std::unique_ptr<RotatingFile>(new RotatingFile(std::move(path), limits, std::move(file)));
}

RotatingFile::RotatingFile(std::string path, RotationLimits limits, FileDescriptor file)
    : path_(std::move(path)), limits_(limits), file_(std::move(file)) {
  struct stat status = {};
  if (fstat(file_.get(), &status) != 0) return;
  regular_ = S_ISREG(status.st_mode);
  mode_ = status.st_mode & 07777U;
  bytes_ = static_cast<std::uint64_t>(status.st_size);
}

RotatingFile::~RotatingFile() {
  if (tidying_.joinable()) tidying_.join();
}

void RotatingFile::write(std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (regular_ && bytes_ > 0 && bytes_ + line.size() > limits_.bytes) rotate();
  bytes_ += line.size();
  write_line(file_.get(), line);
}

void RotatingFile::rotate() {
  bytes_ = 0;
  const SplitPath split = split_ending(path_);
  std::string backup;
  WallTime time = std::chrono::system_clock::now();
  do {
    backup = std::string(split.stem) + '-' + stamp_of(time) + std::string(split.ending);
    time += std::chrono::milliseconds(1);
  } while (file_exists(backup) || file_exists(backup + std::string(kCompressed)));
  if (!rename_file(path_, backup).ok()) return;
  FileDescriptor fresh = open_log(path_);
  if (!fresh.valid() || fchmod(fresh.get(), mode_) != 0) {
    rename_file(backup, path_).ignore("what is written still goes there");
    return;
  }
  file_ = std::move(fresh);
  // Who writes a line does not wait until an older file is compressed; the thread that does it goes on with this one.
  if (untidied_.fetch_add(1) > 0) return;
  if (tidying_.joinable()) tidying_.join();
  try {
    tidying_ = std::thread([this] {
      for (unsigned seen = untidied_, left = 1; left > 0; seen = left) {
        tidy(path_, limits_);
        left = untidied_.fetch_sub(seen) - seen;
      }
    });
  } catch (const std::system_error&) {
    untidied_ = 0;  // no thread to be had: the next rotation finds this file as well
  }
}

}  // namespace coracle
