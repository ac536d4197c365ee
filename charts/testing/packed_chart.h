#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/gzip.h"
#include "charts/chart.h"

namespace coracle::charts::testing {

// One regular file of a tar archive (POSIX ustar).
inline std::string tar_entry(std::string_view name, std::string_view data) {
  constexpr std::size_t kBlock = 512;
  const auto octal = [](std::size_t number, std::size_t width) {
    std::string text;
    for (; text.size() < width; number /= 8) text.insert(text.begin(), static_cast<char>('0' + number % 8));
    return text;
  };
  std::string header(kBlock, '\0');
  const auto put = [&header](std::size_t at, std::string_view text) { header.replace(at, text.size(), text); };
  put(0, name);
  put(100, octal(0644, 7));
  put(124, octal(data.size(), 11));
  put(136, octal(0, 11));
  put(148, std::string(8, ' '));
  put(156, "0");
  put(257, std::string_view("ustar\00000", 8));
  std::size_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 6));
  header[154] = '\0';
  return header + std::string(data) + std::string((kBlock - data.size() % kBlock) % kBlock, '\0');
}

// A chart's .tgz with these files, which are named as in the archive: "demo/Chart.yaml".
inline std::string packed_chart(const std::vector<ChartFile>& files) {
  std::string tar;
  for (const ChartFile& file : files) tar += tar_entry(file.name, file.data);
  return gzip(tar + std::string(1024, '\0'));
}

// The same of what lies in a folder, as `helm package` would make it.
inline Result<void> add_folder(const std::string& folder, const std::string& name, std::vector<ChartFile>& files) {
  ASSIGN_OR_RETURN(const auto entries, list_directory(folder));
  for (const DirectoryEntry& entry : entries) {
    const std::string path = join_path(folder, entry.name);
    const std::string inner = name + "/" + entry.name;
    if (entry.kind == FileKind::Directory) {
      TRY(add_folder(path, inner, files));
    } else {
      ASSIGN_OR_RETURN(std::string data, read_file(path, kMaxChartFileSize));
      files.push_back({inner, std::move(data)});
    }
  }
  return {};
}
inline Result<Chart> load_folder(const std::string& folder) {
  std::vector<ChartFile> files;
  TRY(add_folder(folder, "chart", files));
  return load_archive(packed_chart(files));
}

}  // namespace coracle::charts::testing
