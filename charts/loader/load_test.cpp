#include <catch2/catch.hpp>

#include "charts/chart.h"
#include "charts/testing/packed_chart.h"

namespace coracle::charts {
namespace {

const std::string kChartYaml = "apiVersion: v2\nname: demo\nversion: 1.2.3\nappVersion: 1.10\nannotations: {key: 5}\n";

using testing::packed_chart;

std::string load_error(const std::vector<ChartFile>& files) {
  const auto chart = load_archive(packed_chart(files));
  return chart.ok() ? "" : chart.error().message();
}

}  // namespace

TEST_CASE("an archive becomes a chart with its parts in place") {
  const std::string sub = packed_chart({{"sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 0.1.0\n"}});
  const auto chart = load_archive(packed_chart({{"demo/Chart.yaml", "\xEF\xBB\xBF" + kChartYaml},
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

TEST_CASE("archives inside an archive share its limits") {
  // Small ones, each of which unpacks to less than a chart may have.
  std::vector<ChartFile> inner = {{"sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 0.1.0\n"}};
  for (int i = 0; i < 9; ++i) inner.push_back({"sub/" + std::to_string(i), std::string(kMaxChartFileSize, 'x')});
  const std::string archive = packed_chart(inner);
  std::vector<ChartFile> files = {{"demo/Chart.yaml", kChartYaml}, {"demo/charts/a.tgz", archive}};
  CHECK(load_error(files).empty());
  for (const std::string name : {"b", "c"}) files.push_back({"demo/charts/" + name + ".tgz", archive});
  CHECK(load_error(files).find("decompressed chart is larger than the maximum size") != std::string::npos);
}

TEST_CASE("the files of archives inside an archive are counted together") {
  std::vector<ChartFile> inner = {{"sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 0.1.0\n"}};
  for (int i = 0; i < 8'000; ++i) inner.push_back({"sub/" + std::to_string(i), ""});
  const std::string archive = packed_chart(inner);
  std::vector<ChartFile> files = {{"demo/Chart.yaml", kChartYaml}};
  for (const std::string name : {"a", "b", "c"}) files.push_back({"demo/charts/" + name + ".tgz", archive});
  CHECK(load_error(files).find("the chart archive holds more than 20000 files") != std::string::npos);
}

}  // namespace coracle::charts
