#include <catch2/catch.hpp>

#include <archive.h>
#include <archive_entry.h>

#include "base/json/json.h"
#include "charts/chart.h"
#include "charts/internal/glob.h"
#include "charts/loader/ignore.h"

namespace coracle::charts {
namespace {

const std::string kChartYaml = "apiVersion: v2\nname: demo\nversion: 1.2.3\nappVersion: 1.10\nannotations: {key: 5}\n";

// A gzipped tar with these files.
std::string pack(const std::vector<ChartFile>& files) {
  std::string out(1024 * 1024, '\0');
  std::size_t used = 0;
  archive* handle = archive_write_new();
  archive_write_add_filter_gzip(handle);
  archive_write_set_format_ustar(handle);
  archive_write_open_memory(handle, out.data(), out.size(), &used);
  for (const ChartFile& file : files) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, file.name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(file.data.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_write_header(handle, entry);
    archive_write_data(handle, file.data.data(), file.data.size());
    archive_entry_free(entry);
  }
  archive_write_close(handle);
  archive_write_free(handle);
  out.resize(used);
  return out;
}

std::string load_error(const std::vector<ChartFile>& files) {
  const auto chart = load_archive(pack(files));
  return chart.ok() ? "" : chart.error().message();
}

}  // namespace

TEST_CASE("an archive becomes a chart with its parts in place") {
  const std::string sub = pack({{"sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 0.1.0\n"}});
  const auto chart = load_archive(pack({{"demo/Chart.yaml", "\xEF\xBB\xBF" + kChartYaml},
                                        {"demo/values.yaml", "a: 1\n"},
                                        {"demo/values.schema.json", "{}"},
                                        {"demo/templates/_helpers.tpl", "x"},
                                        {"demo/crds/c.yaml", "kind: X"},
                                        {"demo/README.md", "read"},
                                        {"demo/charts/sub-0.1.0.tgz", sub},
                                        {"demo/charts/plain/Chart.yaml", "name: plain\nversion: 1.0.0\n"},
                                        {"demo/charts/_off/Chart.yaml", "broken: ["}}));
  REQUIRE(chart.ok());
  CHECK(chart->name() == "demo");
  CHECK(chart->metadata["appVersion"].as_string() == "1.1");  // YAML reads 1.10 as a number
  CHECK(chart->metadata["annotations"]["key"].as_string() == "5");
  CHECK(chart->values["a"].is_double());
  CHECK(chart->schema == "{}");
  CHECK(chart->templates.size() == 1);
  CHECK(chart->files.size() == 2);
  REQUIRE(chart->dependencies.size() == 2);
  CHECK(chart->dependencies[0]->name() == "plain");
  CHECK(chart->dependencies[0]->metadata["apiVersion"].as_string() == "v1");
  CHECK(chart->dependencies[1]->name() == "sub");
}

TEST_CASE("archives that are no charts are refused by name") {
  CHECK(load_error({{"demo/values.yaml", "a: 1"}}) == "Chart.yaml file is missing");
  CHECK(load_error({{"Chart.yaml", kChartYaml}}) == "chart yaml not in base directory");
  CHECK(load_error({{"demo/../../etc/passwd", "x"}}).find("parent directory") != std::string::npos);
  CHECK(load_error({{"demo/Chart.yaml", "name: demo"}}) == "validation: chart.metadata.version is required");
  CHECK(load_error({{"demo/Chart.yaml", "a: [b"}}).find("cannot load Chart.yaml") != std::string::npos);
  CHECK(load_error({{"demo/Chart.yaml", kChartYaml}, {"demo/values.yaml", "- x"}}).find("cannot load values.yaml") !=
        std::string::npos);
  CHECK_FALSE(load_archive("no archive at all").ok());
  CHECK_FALSE(load_archive("").ok());
  CHECK(load_error({{"demo/Chart.yaml", kChartYaml}, {"demo/charts/a.tgz", "junk"}}).find("subchart a.tgz") !=
        std::string::npos);
}

TEST_CASE("archives beyond the limits are refused") {
  CHECK(load_error({{"demo/Chart.yaml", kChartYaml}, {"demo/big", std::string(kMaxChartFileSize + 1, 'x')}})
            .find("larger than the maximum file size") != std::string::npos);
}

TEST_CASE(".helmignore follows shell patterns") {
  const auto rules = IgnoreRules::parse("# comment\n*.bak\n/top.txt\ndocs/\nci/*.yaml\n");
  REQUIRE(rules.ok());
  CHECK(rules->ignores("a/b.bak", false));
  CHECK(rules->ignores("top.txt", false));
  CHECK_FALSE(rules->ignores("a/top.txt", false));
  CHECK(rules->ignores("docs", true));
  CHECK_FALSE(rules->ignores("docs", false));
  CHECK(rules->ignores("ci/x.yaml", false));
  CHECK(rules->ignores("templates/.hidden", false));
  CHECK_FALSE(rules->ignores("templates/a.yaml", false));
  CHECK_FALSE(IgnoreRules::parse("a/**/b").ok());
}

TEST_CASE("globs cross folders only with two stars") {
  CHECK(glob_matches("config/*.yaml", "config/a.yaml"));
  CHECK_FALSE(glob_matches("config/*.yaml", "config/x/a.yaml"));
  CHECK(glob_matches("config/**.yaml", "config/x/a.yaml"));
  CHECK(glob_matches("{a,b}/[0-9]?.txt", "b/1x.txt"));
  CHECK_FALSE(glob_matches("*", "a/b"));
  CHECK_FALSE(glob_matches("[!a]", "a"));
}

}  // namespace coracle::charts
