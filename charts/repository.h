#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/value.h"

namespace coracle::charts {

// The body of an HTTP(S) GET; credentials, CA, time-out and limits are the caller's. When it is called again, the body
// before is no longer kept.
using DownloadFunction = std::function<Result<std::string>(const std::string& url)>;

// One version of a chart in a repository's index.
struct IndexEntry {
  std::string name;
  std::string version;
  std::vector<std::string> urls;  // may be relative to the repository
  std::string digest;             // sha256 in hex, or empty
};

// A repository's index.yaml, or the part of it that tells of one chart.
class RepositoryIndex {
 public:
  // With `chart` only that chart's entries are read, which keeps large indexes cheap. Entries
  // without a name or a semantic version are skipped.
  static Result<RepositoryIndex> parse(std::string_view text, std::string_view chart = {});

  // The entry with exactly that version, else the newest that the range allows ("" means the newest
  // release). NotFound names chart and version.
  Result<IndexEntry> choose(std::string_view chart, std::string_view version) const;

 private:
  std::vector<IndexEntry> entries_;  // newest first
};

// `url` as a repository's index means it.
std::string resolve_chart_url(std::string_view repository, std::string_view url);

// Where a chart comes from, as HelmChart and `helm install` name it.
struct ChartSource {
  std::string chart;       // a name in `repository`, or the URL of a .tgz
  std::string repository;  // empty when `chart` is a URL
  std::string version;     // exact, a range, or empty
};

// The bytes of the chart's .tgz, checked against the digest of the index where it has one.
// Unsupported for oci:// sources.
Result<std::string> download_chart(const ChartSource& source, const DownloadFunction& download);

}  // namespace coracle::charts
