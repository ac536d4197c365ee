#include "charts/internal/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <memory>

namespace coracle::charts {
namespace {

struct ArchiveCloser {
  void operator()(archive* handle) const { archive_read_free(handle); }
};
using ArchiveHandle = std::unique_ptr<archive, ArchiveCloser>;

Error archive_error(archive* handle) {
  const char* text = archive_error_string(handle);
  return bad_request(std::string("the chart archive cannot be read: ") + (text != nullptr ? text : "unknown error"));
}

Result<std::string> read_entry(archive* handle, const std::string& name, UnpackBudget& budget) {
  std::string data;
  char buffer[16 * 1024];
  for (;;) {
    const la_ssize_t count = archive_read_data(handle, buffer, sizeof buffer);
    if (count < 0) return archive_error(handle);
    if (count == 0) return data;
    data.append(buffer, static_cast<std::size_t>(count));
    if (data.size() > kMaxChartFileSize) {
      return bad_request("decompressed chart file \"" + name + "\" is larger than the maximum file size " +
                         std::to_string(kMaxChartFileSize));
    }
    if (static_cast<std::size_t>(count) > budget.bytes) {
      return bad_request("decompressed chart is larger than the maximum size " + std::to_string(kMaxChartSize));
    }
    budget.bytes -= static_cast<std::size_t>(count);
  }
}

}  // namespace

Result<std::vector<ChartFile>> read_archive(std::string_view tgz, UnpackBudget& budget) {
  const ArchiveHandle handle(archive_read_new());
  if (!handle) return internal_error("libarchive could not start");
  archive_read_support_filter_gzip(handle.get());
  archive_read_support_format_tar(handle.get());
  if (archive_read_open_memory(handle.get(), tgz.data(), tgz.size()) != ARCHIVE_OK) return archive_error(handle.get());
  std::vector<ChartFile> files;
  for (;;) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(handle.get(), &entry);
    if (status == ARCHIVE_EOF) return files;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return archive_error(handle.get());
    // Folders and links count too: an archive may hold millions of them in a few bytes.
    if (budget.files == 0) {
      return bad_request("the chart archive holds more than " + std::to_string(kMaxChartFiles) + " files");
    }
    --budget.files;
    if (archive_entry_filetype(entry) != AE_IFREG) continue;
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr) return bad_request("the chart archive holds a file without a readable name");
    ASSIGN_OR_RETURN(std::string data, read_entry(handle.get(), name, budget));
    files.push_back({name, std::move(data)});
  }
}

}  // namespace coracle::charts
