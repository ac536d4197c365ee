#include <catch2/catch.hpp>

#include <map>

#include "base/tls/crypto.h"
#include "charts/repository.h"

namespace coracle::charts {
namespace {

const std::string kIndex = R"(apiVersion: v1
entries:
  demo:
  - name: demo
    version: 1.0.0
    urls: [demo-1.0.0.tgz]
  - name: demo
    version: 1.10.0
    digest: DIGEST
    urls:
    - charts/demo-1.10.0.tgz
  - name: demo
    version: 2.0.0-rc.1
    urls: [demo-2.tgz]
  - name: demo
    version: not-a-version
  other:
  - name: other
    version: 0.1.0
    urls: ["https://elsewhere.example/other.tgz"]
generated: "2026-01-01T00:00:00Z"
)";

std::string chosen(std::string_view version) {
  const auto index = RepositoryIndex::parse(kIndex, "demo");
  REQUIRE(index.ok());
  const auto entry = index->choose("demo", version);
  return entry.ok() ? entry->version : entry.error().message();
}

}  // namespace

TEST_CASE("the exact version wins, else the newest that the range allows") {
  CHECK(chosen("") == "1.10.0");
  CHECK(chosen("1.0.0") == "1.0.0");
  CHECK(chosen("^1.0") == "1.10.0");
  CHECK(chosen(">=2.0.0-0") == "2.0.0-rc.1");
  CHECK(chosen("9.9.9") == R"(chart "demo" version "9.9.9" is not in the repository)");
  CHECK(chosen("what?").find("improper constraint") != std::string::npos);
}

TEST_CASE("an index is read whole, in part, and as JSON") {
  const auto newest = [](const std::string& text, const std::string& chart, const std::string& only) {
    const auto index = RepositoryIndex::parse(text, only);
    REQUIRE(index.ok());
    const auto entry = index->choose(chart, "");
    return entry.ok() ? entry->version : entry.error().message();
  };
  const std::string flow = "apiVersion: v1\nentries: {flow: [{name: flow, version: 1.0.0}]}\n";
  CHECK(newest(kIndex, "demo", "") == "1.10.0");
  CHECK(newest(kIndex, "demo", "demo") == "1.10.0");
  CHECK(newest(kIndex, "demo", "other") == "chart \"demo\" is not in the repository");
  CHECK(newest(R"({"apiVersion":"v1","entries":{"j":[{"version":"1.0.0"}]}})", "j", "") == "1.0.0");
  CHECK(newest(flow, "flow", "flow") == "1.0.0");
  CHECK_FALSE(RepositoryIndex::parse("- a").ok());
  CHECK_FALSE(RepositoryIndex::parse("a: [").ok());
}

TEST_CASE("chart addresses are relative to the repository") {
  CHECK(resolve_chart_url("https://r.example/charts/", "a.tgz") == "https://r.example/charts/a.tgz");
  CHECK(resolve_chart_url("https://r.example/charts", "/x/a.tgz") == "https://r.example/x/a.tgz");
  CHECK(resolve_chart_url("https://r.example", "https://o.example/a.tgz") == "https://o.example/a.tgz");
  CHECK(resolve_chart_url("https://r.example/c?token=1", "a.tgz") == "https://r.example/c/a.tgz?token=1");
}

TEST_CASE("a download is checked against the index") {
  std::string index = kIndex;
  index.replace(index.find("DIGEST"), 6, crypto::sha256_hex("bytes"));
  std::map<std::string, std::string> served = {{"https://r.example/index.yaml", index},
                                               {"https://r.example/charts/demo-1.10.0.tgz", "bytes"}};
  const DownloadFunction download = [&](const std::string& url) -> Result<std::string> {
    const auto found = served.find(url);
    if (found == served.end()) return Error(Reason::NotFound, "no " + url);
    return found->second;
  };
  CHECK(download_chart({"demo", "https://r.example", ""}, download).value() == "bytes");
  served["https://r.example/charts/demo-1.10.0.tgz"] = "other bytes";
  CHECK(download_chart({"demo", "https://r.example", ""}, download).error().reason() == Reason::Corrupt);
  CHECK(download_chart({"nope", "https://r.example", ""}, download).error().reason() == Reason::NotFound);
  CHECK(download_chart({"oci://r/demo", "", ""}, download).error().reason() == Reason::Unsupported);
  CHECK(download_chart({"demo", "", ""}, download).error().reason() == Reason::BadRequest);
}

}  // namespace coracle::charts
