#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

// The machine's files. Errors carry the path and the system's words: NotFound, AlreadyExists,
// Forbidden (permissions, read-only), BadRequest (the path cannot mean what was asked), Unavailable
// (full or failing devices). Calls block in the system: what may take long belongs into Blocking tasks.
// What has to run in simulation takes a FileSystem (base/file_system.h) instead.

namespace coracle {

// The error of a system call that left `number` in errno; `what` names the deed and its object.
Error system_error(int number, std::string_view what);

enum class FileKind : std::uint8_t { Regular, Directory, Symlink, Other };

struct FileInfo {
  FileKind kind = FileKind::Other;
  std::uint64_t size = 0;
  WallTime modified;
  unsigned mode = 0;  // permission bits
};

struct DirectoryEntry {
  std::string name;
  FileKind kind = FileKind::Other;  // of the entry itself; a link is a Symlink
  bool operator==(const DirectoryEntry&) const = default;
};

// The whole content of a regular file; RequestEntityTooLarge when it has more than `limit` bytes.
Result<std::string> read_file(const std::string& path, std::size_t limit);
// Whether somebody has the file open for writing: what it holds by now may be half of it. False where the file system
// cannot tell, and for files of others than who asks.
bool is_being_written(const std::string& path);
// Readers see the old content or the new one, also after a power failure: written beside the file,
// synchronised, renamed over it, the directory synchronised.
Result<void> write_file_atomic(const std::string& path, std::string_view data, unsigned mode);
// The same, but a file that has this content and mode is left alone: nothing wears out, and a full disk is no matter.
Result<void> ensure_file(const std::string& path, std::string_view data, unsigned mode);
struct FileContent {
  std::string path;
  std::string data;
};
// write_file_atomic for several files, for about the price of one: all are written before the first is
// synchronised. They are renamed in order; after a failure the first ones may be new already.
Result<void> write_files_atomic(std::span<const FileContent> files, unsigned mode);
// Makes `path` and its parents; those that are there stay as they are.
Result<void> make_directories(const std::string& path, unsigned mode);
// Entries without "." and "..", sorted by name.
Result<std::vector<DirectoryEntry>> list_directory(const std::string& path);
// A file, a link (not what it points to) or an empty directory.
Result<void> remove_file(const std::string& path);
// With everything below, links not followed; success when there is nothing.
Result<void> remove_tree(const std::string& path);
Result<void> rename_file(const std::string& from, const std::string& to);
// Follows links.
Result<FileInfo> file_info(const std::string& path);
// Of the link itself.
Result<FileInfo> link_info(const std::string& path);
bool file_exists(const std::string& path);
// What a link says, unresolved.
Result<std::string> read_link(const std::string& path);
Result<void> make_link(const std::string& target, const std::string& path);
// Absolute, without links, "." and ".."; everything on the way must exist.
Result<std::string> canonical_path(const std::string& path);

// "a/b" for "a" and "b"; `name` alone when it is absolute.
std::string join_path(std::string_view directory, std::string_view name);
// What comes before the last slash: "/" for "/a", "." for "a".
std::string parent_path(std::string_view path);
// What comes after the last slash.
std::string_view file_name(std::string_view path);

}  // namespace coracle
