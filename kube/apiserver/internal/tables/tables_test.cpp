#include "kube/apiserver/internal/tables/tables.h"

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/json/json.h"
#include "base/yaml/yaml.h"
#include "kube/apiserver/internal/tables/cells.h"
#include "kube/apiserver/testing/test_server.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::size_t kMaxTableFile = 1 << 20;
constexpr const char* kTableType = "application/json;as=Table;v=v1;g=meta.k8s.io";

void check_row(const TableConvertor& table, const Value& row, WallTime now) {
  INFO(row["name"].as_string());
  Value metadata = row["object"]["metadata"].with("name", "x").with("creationTimestamp", "2026-01-01T00:05:00Z");
  const Object object(row["object"].with("metadata", std::move(metadata)));
  const Value cells = Value::array(table.cells(object, now));
  CHECK(json::write(cells) == json::write(row["cells"]));
  const Value conditions = table.conditions ? table.conditions(object) : Value();
  REQUIRE(conditions.size() == row["conditions"].size());
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    for (const char* field : {"type", "status", "reason"}) {
      CHECK(conditions.at(i)[field] == row["conditions"].at(i)[field]);
    }
  }
}

}  // namespace

TEST_CASE("rows of tables are upstream's", "[golden]") {
  const std::string folder = std::string(CORACLE_SOURCE_DIR) + "/tests/golden/tables";
  const WallTime now = parse_time("2026-01-01T00:10:00Z").value();
  const auto files = list_directory(folder);
  REQUIRE(files.ok());
  for (const DirectoryEntry& entry : *files) {
    auto text = read_file(folder + "/" + entry.name, kMaxTableFile);
    REQUIRE(text.ok());
    auto documents = yaml::read_all(*text);
    REQUIRE(documents.ok());
    for (const yaml::Document& document : *documents) {
      const Value& golden = document.value;
      INFO(entry.name << " " << golden["resource"].as_string());
      const auto table = builtin_table(golden["group"].as_string(), golden["resource"].as_string());
      REQUIRE(table != nullptr);
      REQUIRE(table->columns.size() == golden["columns"].size());
      for (std::size_t i = 0; i < table->columns.size(); ++i) {
        CHECK(table->columns[i].name == golden["columns"].at(i).as_string());
      }
      for (const Value& row : golden["rows"].items()) check_row(*table, row, now);
    }
  }
}

TEST_CASE("durations are rounded for people") {
  const auto text = [](std::int64_t seconds) { return tables::human_duration(std::chrono::seconds(seconds)); };
  CHECK(text(-5) == "<invalid>");
  CHECK(text(0) == "0s");
  CHECK(text(119) == "119s");
  CHECK(text(120) == "2m");
  CHECK(text(125) == "2m5s");
  CHECK(text(600) == "10m");
  CHECK(text(3 * 3600) == "3h");
  CHECK(text(3 * 3600 + 60) == "3h1m");
  CHECK(text(8 * 3600 + 60) == "8h");
  CHECK(text(48 * 3600) == "2d");
  CHECK(text(49 * 3600) == "2d1h");
  CHECK(text(8 * 86400 + 3600) == "8d");
  CHECK(text(730LL * 86400) == "2y");
  CHECK(text(731LL * 86400) == "2y1d");
  CHECK(text(3000LL * 86400) == "8y");
}

TEST_CASE("printer columns show what the path finds, if its type fits") {
  const Value columns = json::read(R"([
    {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
    {"name": "Text", "type": "string", "jsonPath": ".spec.tree", "priority": 1},
    {"name": "When", "type": "date", "jsonPath": ".spec.when"},
    {"name": "Bad", "type": "date", "jsonPath": ".spec.bad"},
    {"name": "Gone", "type": "string", "jsonPath": ".spec.gone"},
    {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}])")
                            .value();
  const auto table = custom_table(columns);
  REQUIRE(table->columns.size() == 7);
  CHECK(table->columns[0].format == "name");
  CHECK(table->columns[2].priority == 1);
  const Object object(json::read(R"({"metadata": {"name": "x"}, "spec": {"size": "four", "tree": {"a": [1]},
    "when": "2026-01-01T00:00:00Z", "bad": "yesterday"},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]}})")
                          .value());
  const auto cells = table->cells(object, parse_time("2026-01-01T00:00:30Z").value());
  CHECK(json::write(Value::array(cells)) == R"(["x",null,"{\"a\":[1]}","30s","\u003cinvalid\u003e",null,"True"])");
}

TEST_CASE("a number that is too large for an integer column shows alike on every machine") {
  const auto table = custom_table(json::read(R"([{"name": "Size", "type": "integer", "jsonPath": ".size"}])").value());
  const auto size = [&](std::string_view number) {
    const Object object(json::read(R"({"metadata": {"name": "x"}, "size": )" + std::string(number) + "}").value());
    return json::write(table->cells(object, WallTime())[1]);
  };
  CHECK(size("2.9") == "2");
  CHECK(size("-2.9") == "-2");
  CHECK(size("1e300") == "-9223372036854775808");
  CHECK(size("-1e300") == "-9223372036854775808");
}

TEST_CASE("a custom resource without printer columns shows its age") {
  const auto table = custom_table(Value());
  REQUIRE(table->columns.size() == 2);
  CHECK(table->columns[1].name == "Age");
  CHECK(table->columns[1].type == "date");
}

TEST_CASE("lists and watches answer as tables") {
  testing::TestServer::run([](testing::TestServer& server) {
    const auto list = server.request("GET", "/api/v1/namespaces?limit=1", {}, {{"Accept", kTableType}});
    REQUIRE(list.status == 200);
    CHECK(list.tree["kind"].as_string() == "Table");
    CHECK(list.tree["columnDefinitions"].at(0)["format"].as_string() == "name");
    CHECK(!list.tree["metadata"]["continue"].as_string().empty());
    CHECK(list.tree["rows"].at(0)["cells"].at(0).as_string() == "default");
    CHECK(list.tree["rows"].at(0)["object"]["kind"].as_string() == "PartialObjectMetadata");

    auto watch = server.watch("/api/v1/namespaces?watch=1", {{"Accept", kTableType}});
    REQUIRE(watch != nullptr);
    CHECK(watch->next()["object"]["columnDefinitions"].size() == 3);
    CHECK(watch->next()["object"]["columnDefinitions"].is_null());
  });
}

TEST_CASE("reviews have no table") {
  testing::TestServer::run([](testing::TestServer& server) {
    const auto answer =
        server.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                       R"({"spec":{"nonResourceAttributes":{"path":"/","verb":"get"}}})", {{"Accept", kTableType}});
    CHECK(answer.status == 406);
  });
}

}  // namespace coracle::kube::apiserver
