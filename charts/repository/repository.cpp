#include "charts/repository.h"

#include <algorithm>

#include "base/http/url.h"
#include "base/json/json.h"
#include "base/text.h"
#include "base/tls/crypto.h"
#include "base/yaml/yaml.h"
#include "charts/semver.h"
#include "charts/values.h"

namespace coracle::charts {
namespace {

// Nodes of an index that has to be read as a whole.
constexpr std::size_t kMaxIndexNodes = 8'000'000;

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::size_t indentation(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

// The lines of one chart out of an index as Helm writes it: block style, "entries:" at the margin,
// names below it. Empty when the text is laid out in another way.
std::string cut_out_entry(std::string_view text, std::string_view chart) {
  std::string out;
  bool in_entries = false;
  bool found = false;
  std::size_t name_indent = 0;
  const std::string header = std::string(chart) + ":";
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const std::string_view content = trim(line);
    if (content.empty() || content[0] == '#') continue;
    const std::size_t indent = indentation(line);
    if (indent == 0 && content[0] != '-') {
      in_entries = content == "entries:";
      if (found || (!in_entries && content.find_first_of("{[&*|>") != std::string_view::npos)) break;
      if (!in_entries) out += std::string(line) + "\n";
      if (in_entries) out += "entries:\n";
      continue;
    }
    if (!in_entries) continue;
    if (name_indent == 0) name_indent = indent;
    if (indent < name_indent || name_indent == 0) return {};
    const bool is_name = indent == name_indent && content[0] != '-';
    if (is_name && found) break;
    if (is_name) found = content == header;
    if (found) out += std::string(line) + "\n";
  }
  return found ? out : std::string();
}

Result<Value> read_index(std::string_view text, std::string_view chart) {
  if (trim(text).starts_with('{')) return json::read(text);
  if (!chart.empty()) {
    const std::string part = cut_out_entry(text, chart);
    if (!part.empty()) return yaml::read(part, {.strict = false});
  }
  return yaml::read(text, {.strict = false, .max_nodes = kMaxIndexNodes});
}

bool is_oci(std::string_view url) {
  return url.starts_with("oci://");
}

bool is_url(std::string_view text) {
  return text.find("://") != std::string_view::npos;
}

// An index may be large: nothing of it is left when this returns, so that it does not wait for the chart.
Result<IndexEntry> find_in_index(const ChartSource& source, const DownloadFunction& download) {
  const std::string repository = "repository " + http::printable_url(source.repository);
  const std::string index_url = resolve_chart_url(source.repository, "index.yaml");
  auto text = download(index_url);
  if (!text.ok()) return text.error().in("index of " + repository);
  auto index = RepositoryIndex::parse(*text, source.chart);
  if (!index.ok()) return index.error().in(repository);
  auto entry = index->choose(source.chart, source.version);
  if (!entry.ok()) return entry.error().in(repository);
  return entry;
}

}  // namespace

Result<RepositoryIndex> RepositoryIndex::parse(std::string_view text, std::string_view chart) {
  auto tree = read_index(text, chart);
  if (!tree.ok()) return tree.error().in("the repository's index cannot be read");
  if (!tree->is_object()) return bad_request("the repository's index must be a map");
  const bool has_entries = tree->contains("entries");
  if (!has_entries && (*tree)["apiVersion"].is_null()) return bad_request("no API version specified in the index");
  RepositoryIndex index;
  std::vector<std::pair<Version, IndexEntry>> sorted;
  for (const auto& [name, versions] : (*tree)["entries"].members()) {
    if (!chart.empty() && name != chart) continue;
    for (const Value& item : versions.items()) {
      const std::string version = scalar_text(item["version"]);
      auto parsed = Version::parse(version);
      if (!item.is_object() || !parsed.ok()) continue;
      IndexEntry entry;
      entry.name = name;
      entry.version = version;
      entry.digest = scalar_text(item["digest"]);
      for (const Value& url : item["urls"].items()) entry.urls.emplace_back(url.as_string());
      sorted.emplace_back(std::move(parsed).value(), std::move(entry));
    }
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first.compare(b.first) > 0; });
  for (auto& [version, entry] : sorted) index.entries_.push_back(std::move(entry));
  return index;
}

Result<IndexEntry> RepositoryIndex::choose(std::string_view chart, std::string_view version) const {
  const auto missing = [&](const std::string& what) { return Error(Reason::NotFound, what); };
  const std::string named = "chart \"" + std::string(chart) + "\"";
  bool any = false;
  for (const IndexEntry& entry : entries_) {
    if (entry.name != chart) continue;
    any = true;
    if (!version.empty() && entry.version == version) return entry;
  }
  if (!any) return missing(named + " is not in the repository");
  auto range = VersionRange::parse(version.empty() ? "*" : version);
  if (!range.ok()) return range.error().in(named);
  for (const IndexEntry& entry : entries_) {
    if (entry.name != chart) continue;
    const auto parsed = Version::parse(entry.version);
    if (parsed.ok() && range->contains(*parsed)) return entry;
  }
  return missing(named + " version \"" + std::string(version) + "\" is not in the repository");
}

std::string resolve_chart_url(std::string_view repository, std::string_view url) {
  if (is_url(url)) return std::string(url);
  std::string base(repository);
  // A query (a token) belongs to the chart's address as well.
  std::string query;
  if (const std::size_t mark = base.find('?'); mark != std::string::npos) {
    query = base.substr(mark);
    base.resize(mark);
  }
  if (url.starts_with('/')) {
    const std::size_t host = base.find("://");
    const std::size_t path = base.find('/', host == std::string::npos ? 0 : host + 3);
    return base.substr(0, path) + std::string(url) + query;
  }
  while (base.ends_with('/')) base.pop_back();
  return base + "/" + std::string(url) + query;
}

Result<std::string> download_chart(const ChartSource& source, const DownloadFunction& download) {
  if (is_oci(source.chart) || is_oci(source.repository)) {
    return unsupported("charts from OCI registries are not supported: " +
                       http::printable_url(is_oci(source.chart) ? source.chart : source.repository));
  }
  if (source.repository.empty()) {
    if (!is_url(source.chart)) {
      return bad_request("chart \"" + source.chart + "\" is no URL and no repository is given");
    }
    return download(source.chart);
  }
  auto entry = find_in_index(source, download);
  if (!entry.ok()) return entry.error();
  if (entry->urls.empty()) {
    return bad_request("chart \"" + source.chart + "\" version \"" + entry->version + "\" has no downloadable URLs");
  }
  const std::string url = resolve_chart_url(source.repository, entry->urls.front());
  const std::string shown = http::printable_url(url);
  if (is_oci(url)) return unsupported("charts from OCI registries are not supported: " + shown);
  auto archive = download(url);
  if (!archive.ok()) return archive.error().in("chart " + shown);
  std::string_view digest = entry->digest;
  if (digest.starts_with("sha256:")) digest.remove_prefix(std::string_view("sha256:").size());
  if (!digest.empty() && crypto::sha256_hex(*archive) != digest) {
    return Error(Reason::Corrupt, "chart " + shown + " does not have the digest that its repository's index names");
  }
  return archive;
}

}  // namespace coracle::charts
