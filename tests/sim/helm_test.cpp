// The Helm reconciler against a whole API server under virtual time: the process dies at every write, before or
// after the write has reached the store, and the next one must bring the release to the same end.
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>

#include "base/executor.h"
#include "charts/testing/packed_chart.h"
#include "daemon/bundled_definitions.h"
#include "kube/apiserver/testing/test_server.h"
#include "kube/controller/manager.h"
#include "reconcilers/helm/chart_spec.h"
#include "reconcilers/helm/helm_controller.h"

namespace coracle::reconcilers {
namespace {

using kube::apiserver::testing::TestServer;

constexpr std::string_view kCharts = "/apis/helm.cattle.io/v1/namespaces/default/helmcharts";
constexpr std::string_view kConfigMaps = "/api/v1/namespaces/default/configmaps";
constexpr std::string_view kRecords = "/api/v1/namespaces/default/secrets?labelSelector=owner%3Dhelm";
constexpr Duration kLongEnough = std::chrono::minutes(10);

std::string config_map_template(std::string_view name, std::string_view annotations) {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + std::string(name) + "\n  annotations: {" +
         std::string(annotations) + "}\ndata: {value: {{ .Values.value | quote }}}\n";
}

// Installs nothing before a Job has ended, which nobody here runs.
std::string packed_chart_with_job() {
  return charts::testing::packed_chart(
      {{"job/Chart.yaml", "apiVersion: v2\nname: job\nversion: 1.0.0\n"},
       {"job/templates/job.yaml",
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {{ .Release.Name }}\n"
        "  annotations: {helm.sh/hook: \"pre-install,pre-upgrade\"}\nspec:\n  template:\n    spec:\n"
        "      restartPolicy: Never\n      containers: [{name: wait, image: busybox}]\n"}});
}

// A ConfigMap, and a Job that the release waits for at its end when the values say so, which never ends.
std::string packed_chart_with_data() {
  return charts::testing::packed_chart(
      {{"data/Chart.yaml", "apiVersion: v2\nname: data\nversion: 1.0.0\n"},
       {"data/values.yaml", "value: 1\n"},
       {"data/templates/data.yaml", config_map_template("data", "")},
       {"data/templates/job.yaml",
        "{{ if .Values.broken }}{{ fail .Values.broken }}{{ end }}\n{{ if .Values.wait }}\n"
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: wait\n"
        "  annotations: {helm.sh/hook: \"post-install,post-upgrade\"}\nspec:\n  template:\n    spec:\n"
        "      restartPolicy: Never\n      containers: [{name: wait, image: busybox}]\n{{ end }}\n"}});
}

// Hooks after the installation that go when they have succeeded: ConfigMaps "first" and "second", which has a finalizer
// that nobody takes away, and a Job that never ends when the values say so.
std::string packed_chart_with_hooks() {
  const auto annotations = [](int weight) {
    return "helm.sh/hook: post-install, helm.sh/hook-delete-policy: hook-succeeded, helm.sh/hook-weight: \"" +
           std::to_string(weight) + "\"";
  };
  return charts::testing::packed_chart(
      {{"hooks/Chart.yaml", "apiVersion: v2\nname: hooks\nversion: 1.0.0\n"},
       {"hooks/values.yaml", "value: 1\n"},
       {"hooks/templates/first.yaml", config_map_template("first", annotations(1))},
       {"hooks/templates/second.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: second\n  finalizers: [example.com/never]\n"
        "  annotations: {" +
            annotations(2) + "}\ndata: {value: \"1\"}\n"},
       {"hooks/templates/third.yaml",
        "{{ if .Values.wait }}\napiVersion: batch/v1\nkind: Job\nmetadata:\n  name: third\n  annotations: {" +
            annotations(3) +
            "}\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n"
            "      containers: [{name: wait, image: busybox}]\n{{ end }}\n"}});
}

// Version 1 has ConfigMaps "stays" and "leaves", version 2 "stays" and "joins"; both have hooks.
std::string packed_chart(int version) {
  return charts::testing::packed_chart(
      {{"web/Chart.yaml", "apiVersion: v2\nname: web\nversion: " + std::to_string(version) + ".0.0\n"},
       {"web/values.yaml", "value: " + std::to_string(version) + "\n"},
       {"web/templates/a.yaml", config_map_template("stays", "")},
       {"web/templates/b.yaml", config_map_template(version == 1 ? "leaves" : "joins", "")},
       {"web/templates/c.yaml", config_map_template("hook",
                                                    "helm.sh/hook: \"pre-install,pre-upgrade\", "
                                                    "helm.sh/hook-delete-policy: \"before-hook-creation,"
                                                    "hook-succeeded\"")}});
}

constexpr std::string_view kSilentRepository = "http://silent.example.com/charts";
constexpr std::string_view kSilentWithPassword = "http://me:secret@silent.example.com/charts";

// Answers the version that the URL ends with; fails as often as it is told to first. One repository accepts and never
// answers.
class FakeFetcher : public ChartFetcher {
 public:
  explicit FakeFetcher(int failures) : failures_(failures) {}
  Result<std::string> fetch(const Context& context, const ChartLocation& location) override {
    if (location.source.repository == kSilentRepository && location.remote.password == "secret") {
      TRY(context.sleep(std::chrono::hours(24)));
      return unavailable("the day is over");
    }
    if (location.source.chart == "job") return packed_chart_with_job();
    if (location.source.chart == "hooks") return packed_chart_with_hooks();
    if (location.source.chart == "data") return packed_chart_with_data();
    if (failures_ > 0) {
      --failures_;
      return unavailable("the repository cannot be reached");
    }
    return packed_chart(location.source.version == "1" ? 1 : 2);
  }

 private:
  int failures_;
};

enum class Death : std::uint8_t { BeforeWrite, AfterWrite };

// Lets the process die at its `writes`-th write: nothing that it asks afterwards is answered.
class MortalTransport : public kube::Transport {
 public:
  MortalTransport(http::Handler& handler, int writes, Death death)
      : inner_(kube::make_handler_transport(handler)), writes_left_(writes), death_(death) {}

  Result<http::Response> send(const Context& context, const http::Request& request) override {
    if (dead_) return canceled("the process has died");
    const bool writes = request.method != "GET";
    if (writes && writes_left_-- == 0) {
      dead_ = true;
      if (death_ == Death::AfterWrite) inner_->send(context, request).ignore("nobody is there to read the answer");
      return canceled("the process has died");
    }
    return inner_->send(context, request);
  }
  bool dead() const { return dead_; }

 private:
  std::unique_ptr<kube::Transport> inner_;
  int writes_left_;
  Death death_;
  bool dead_ = false;
};

// The reconciler as one process runs it.
class Process {
 public:
  Process(TestServer& server, ChartFetcher& fetcher, int writes, Death death)
      : context_(server.context()),
        transport_(server.server().handler(), writes, death),
        client_(transport_),
        mapper_(client_),
        informers_(context_, client_, log_),
        manager_(informers_) {
    const kube::ControllerDeps deps{context_, client_, mapper_, informers_, log_};
    manager_.add(make_helm_controller(deps, fetcher, {"127.0.0.1:6443", ""}));
    manager_.start(context_).ignore("a process that died at once starts nothing");
  }
  bool dead() const { return transport_.dead(); }

 private:
  const Context context_;
  const Logger log_{null_log_sink(), "helm"};
  MortalTransport transport_;
  const kube::Client client_;
  kube::RestMapper mapper_;
  kube::InformerSet informers_;
  kube::Manager manager_;
};

constexpr int kImmortal = 1'000'000;

void define_kinds(TestServer& server) {
  const std::unique_ptr<kube::Transport> transport = kube::make_handler_transport(server.server().handler());
  const kube::Client client(*transport);
  kube::RestMapper mapper(client);
  const kube::Applier applier(client, mapper, Logger(null_log_sink(), "test"));
  REQUIRE(daemon::apply_definitions(server.context(), applier, std::array<std::string_view, 1>{"crds/helm."}).ok());
}

void patch_spec(TestServer& server, const std::string& chart, const std::string& spec) {
  http::Headers headers{{"Content-Type", "application/merge-patch+json"}};
  const std::string path = std::string(kCharts) + "/" + chart;
  REQUIRE(server.request("PATCH", path, R"({"spec":)" + spec + "}", headers).status == 200);
}

// Creates the chart or moves it to another version.
void ask_for(TestServer& server, int version) {
  const std::string spec =
      R"({"chart":"web","repo":"http://charts.example.com","version":")" + std::to_string(version) + "\"}";
  if (version == 1) {
    const std::string body =
        R"({"apiVersion":"helm.cattle.io/v1","kind":"HelmChart","metadata":{"name":"web"},"spec":)" + spec + "}";
    REQUIRE(server.request("POST", kCharts, body).status == 201);
    return;
  }
  patch_spec(server, "web", spec);
}

// "True the chart cannot be fetched"
std::string condition_of(TestServer& server, const std::string& chart, std::string_view type) {
  const Value tree = server.request("GET", std::string(kCharts) + "/" + chart).tree;
  for (const Value& condition : tree["status"]["conditions"].items()) {
    if (condition["type"].as_string() == type) {
      return std::string(condition["status"].as_string()) + " " + std::string(condition["message"].as_string());
    }
  }
  return "unknown";
}

std::string failed_status(TestServer& server) {
  return condition_of(server, "web", "Failed");
}

// More charts than may compute at once, or than ever could before: slow-0, slow-1, ...
constexpr int kSlowCharts = 10;
void create_slow_charts(TestServer& server, const std::string& spec) {
  for (int i = 0; i < kSlowCharts; ++i) {
    const std::string body = R"({"apiVersion":"helm.cattle.io/v1","kind":"HelmChart","metadata":{"name":"slow-)" +
                             std::to_string(i) + R"("},"spec":)" + spec + "}";
    REQUIRE(server.request("POST", kCharts, body).status == 201);
  }
  server.advance(std::chrono::seconds(1));
}

void check_deleted_soon(TestServer& server, const std::string& chart) {
  const std::string path = std::string(kCharts) + "/" + chart;
  CHECK(server.request("DELETE", path).status == 200);
  server.advance(std::chrono::seconds(1));
  CHECK(server.request("GET", path).status == 404);
}

// A HelmChart "data" of that chart, which is to be reinstalled when it has failed.
void create_data_chart(TestServer& server, const std::string& values) {
  const std::string body = R"({"apiVersion":"helm.cattle.io/v1","kind":"HelmChart","metadata":{"name":"data"},"spec":)"
                           R"({"chart":"data","repo":"http://charts.example.com","failurePolicy":"reinstall",)"
                           R"("valuesContent":")" +
                           values + "\"}}";
  REQUIRE(server.request("POST", kCharts, body).status == 201);
  server.advance(std::chrono::seconds(1));
}

void change_data_chart(TestServer& server, const std::string& values) {
  patch_spec(server, "data", R"({"valuesContent":")" + values + "\"}");
  server.advance(std::chrono::seconds(1));
}

std::string uid_of_data(TestServer& server) {
  return std::string(server.request("GET", std::string(kConfigMaps) + "/data").tree["metadata"]["uid"].as_string());
}

std::vector<std::string> config_maps(TestServer& server) {
  std::vector<std::string> texts;
  const Value list = server.request("GET", kConfigMaps).tree;
  for (const Value& item : list["items"].items()) {
    const std::string name(item["metadata"]["name"].as_string());
    if (name != "kube-root-ca.crt") texts.push_back(name + "=" + std::string(item["data"]["value"].as_string()));
  }
  return texts;
}

// The statuses of the release's records, oldest first.
std::vector<std::string> record_statuses(TestServer& server) {
  std::vector<std::pair<int, std::string>> records;
  const Value list = server.request("GET", kRecords).tree;
  for (const Value& item : list["items"].items()) {
    const Value& labels = item["metadata"]["labels"];
    records.emplace_back(std::stoi(std::string(labels["version"].as_string())), labels["status"].as_string());
  }
  std::sort(records.begin(), records.end());
  std::vector<std::string> statuses;
  for (const auto& [revision, status] : records) statuses.push_back(status);
  return statuses;
}

void check_installed(TestServer& server, int version) {
  CHECK(failed_status(server).starts_with("False"));
  CHECK(config_maps(server) == (version == 1 ? std::vector<std::string>{"leaves=1", "stays=1"}
                                             : std::vector<std::string>{"joins=2", "stays=2"}));
  const std::vector<std::string> statuses = record_statuses(server);
  REQUIRE_FALSE(statuses.empty());
  CHECK(statuses.back() == "deployed");
  CHECK(std::count(statuses.begin(), statuses.end(), "deployed") == 1);
  CHECK(std::none_of(statuses.begin(), statuses.end(), [](const std::string& status) {
    return status.starts_with("pending") || status == "uninstalling";
  }));
}

void check_removed(TestServer& server) {
  CHECK(server.request("GET", std::string(kCharts) + "/web").status == 404);
  CHECK(config_maps(server).empty());
  CHECK(record_statuses(server).empty());
}

// Runs `change` in a process that dies at a write, and then a healthy one. False when it lived to the end.
bool survive(TestServer& server, int writes, Death death, const std::function<void()>& change) {
  FakeFetcher fetcher(0);
  bool died = false;
  {
    Process mortal(server, fetcher, writes, death);
    change();
    server.advance(kLongEnough);
    died = mortal.dead();
  }
  Process next(server, fetcher, kImmortal, death);
  server.advance(kLongEnough);
  return died;
}

void install(TestServer& server, int version) {
  FakeFetcher fetcher(0);
  Process process(server, fetcher, kImmortal, Death::BeforeWrite);
  ask_for(server, version);
  server.advance(kLongEnough);
}

// Repeats a scenario with a death at the first write, at the second, ... until it needs no more writes.
void at_every_write(Death death, const std::function<bool(TestServer&, int writes)>& scenario) {
  constexpr int kMostWrites = 60;
  bool died = true;
  for (int writes = 0; died; ++writes) {
    REQUIRE(writes < kMostWrites);
    INFO("death " << (death == Death::BeforeWrite ? "before" : "after") << " write " << writes);
    TestServer::run(
        [&](TestServer& server) {
          define_kinds(server);
          died = scenario(server, writes);
        },
        static_cast<std::uint64_t>(writes) + 1);
  }
}

}  // namespace

TEST_CASE("an installation survives death at every write") {
  for (const Death death : {Death::BeforeWrite, Death::AfterWrite}) {
    at_every_write(death, [&](TestServer& server, int writes) {
      const bool died = survive(server, writes, death, [&] { ask_for(server, 1); });
      check_installed(server, 1);
      return died;
    });
  }
}

TEST_CASE("an upgrade survives death at every write") {
  for (const Death death : {Death::BeforeWrite, Death::AfterWrite}) {
    at_every_write(death, [&](TestServer& server, int writes) {
      install(server, 1);
      const bool died = survive(server, writes, death, [&] { ask_for(server, 2); });
      check_installed(server, 2);
      return died;
    });
  }
}

TEST_CASE("a removal survives death at every write") {
  for (const Death death : {Death::BeforeWrite, Death::AfterWrite}) {
    at_every_write(death, [&](TestServer& server, int writes) {
      install(server, 1);
      const bool died = survive(server, writes, death,
                                [&] { CHECK(server.request("DELETE", std::string(kCharts) + "/web").status == 200); });
      check_removed(server);
      return died;
    });
  }
}

TEST_CASE("a repository that cannot be reached is asked again, and what stands is left alone") {
  TestServer::run([](TestServer& server) {
    define_kinds(server);
    install(server, 1);
    FakeFetcher fetcher(3);
    Process process(server, fetcher, kImmortal, Death::BeforeWrite);
    ask_for(server, 2);
    server.advance(std::chrono::milliseconds(500));
    CHECK(failed_status(server) == "True the repository cannot be reached");
    CHECK(config_maps(server) == std::vector<std::string>{"leaves=1", "stays=1"});
    CHECK(record_statuses(server) == std::vector<std::string>{"deployed"});
    server.advance(kLongEnough);
    check_installed(server, 2);
  });
}

TEST_CASE("charts whose repository does not answer hold nobody up and can be changed and deleted") {
  TestServer::run([](TestServer& server) {
    define_kinds(server);
    FakeFetcher fetcher(0);
    Process process(server, fetcher, kImmortal, Death::BeforeWrite);
    create_slow_charts(server, R"({"chart":"web","repo":")" + std::string(kSilentWithPassword) + "\"}");
    ask_for(server, 1);
    server.advance(std::chrono::seconds(1));
    check_installed(server, 1);
    CHECK(condition_of(server, "slow-0", "JobCreated") ==
          "True the release is installed in process, without a Job; now: fetching the chart from silent.example.com");
    CHECK(condition_of(server, "slow-0", "Failed") == "unknown");

    check_deleted_soon(server, "slow-0");
    patch_spec(server, "slow-1", R"({"timeout":"5s"})");
    server.advance(std::chrono::milliseconds(5500));
    CHECK(condition_of(server, "slow-1", "Failed") ==
          "True the chart has not come within 5s (spec.timeout): the deadline passed");
    CHECK(condition_of(server, "slow-2", "Failed") == "unknown");
    server.advance(kDefaultReleaseTimeout);
    CHECK(condition_of(server, "slow-2", "Failed") ==
          "True the chart has not come within 5m0s (spec.timeout): the deadline passed");
  });
}

TEST_CASE("a HelmChartConfig ends the download of its chart") {
  TestServer::run([](TestServer& server) {
    define_kinds(server);
    FakeFetcher fetcher(0);
    Process process(server, fetcher, kImmortal, Death::BeforeWrite);
    create_slow_charts(server, R"({"chart":"web","repo":")" + std::string(kSilentWithPassword) + "\"}");
    const std::string config = R"({"apiVersion":"helm.cattle.io/v1","kind":"HelmChartConfig","metadata":)"
                               R"({"name":"slow-0"},"spec":{"valuesContent":"[never closed"}})";
    REQUIRE(server.request("POST", "/apis/helm.cattle.io/v1/namespaces/default/helmchartconfigs", config).status ==
            201);
    server.advance(std::chrono::seconds(1));
    CHECK(condition_of(server, "slow-0", "Failed").find("valuesContent") != std::string::npos);
  });
}

TEST_CASE("charts whose hooks do not end hold nobody up and can be deleted") {
  TestServer::run([](TestServer& server) {
    define_kinds(server);
    FakeFetcher fetcher(0);
    Process process(server, fetcher, kImmortal, Death::BeforeWrite);
    create_slow_charts(server, R"({"chart":"job","repo":"http://charts.example.com"})");
    CHECK(record_statuses(server) == std::vector<std::string>(kSlowCharts, "pending-install"));
    patch_spec(server, "slow-0", R"({"timeout":"5s"})");
    for (int i = 1; i < kSlowCharts; ++i) check_deleted_soon(server, "slow-" + std::to_string(i));
    server.advance(std::chrono::seconds(1));
    CHECK(condition_of(server, "slow-0", "Failed").find("Job default/slow-0 has not ended within 5s") !=
          std::string::npos);
    check_deleted_soon(server, "slow-0");
    ask_for(server, 1);
    server.advance(std::chrono::seconds(1));
    check_installed(server, 1);
  });
}

TEST_CASE("a chart that changes while its upgrade waits is upgraded again, whatever the failure policy") {
  TestServer::run([](TestServer& server) {
    define_kinds(server);
    FakeFetcher fetcher(0);
    Process process(server, fetcher, kImmortal, Death::BeforeWrite);
    create_data_chart(server, "{value: 1}");
    const std::string uid = uid_of_data(server);
    REQUIRE_FALSE(uid.empty());
    change_data_chart(server, "{value: 2, wait: true}");
    CHECK(record_statuses(server) == std::vector<std::string>{"deployed", "pending-upgrade"});
    change_data_chart(server, "{value: 3, wait: true}");
    CHECK(record_statuses(server) == std::vector<std::string>{"deployed", "failed", "pending-upgrade"});
    // What cannot even be rendered is no reason to remove anything, however often it is tried.
    change_data_chart(server, "{value: 4, broken: closed}");
    server.advance(kLongEnough);
    CHECK(condition_of(server, "data", "Failed").find("closed") != std::string::npos);
    CHECK(record_statuses(server) == std::vector<std::string>{"deployed", "failed", "pending-upgrade"});
    change_data_chart(server, "{value: 5}");
    CHECK(record_statuses(server) == std::vector<std::string>{"superseded", "failed", "failed", "deployed"});
    CHECK(config_maps(server) == std::vector<std::string>{"data=5"});
    CHECK(uid_of_data(server) == uid);

    change_data_chart(server, "{value: 6, wait: true}");
    check_deleted_soon(server, "data");
    CHECK(config_maps(server).empty());
    CHECK(record_statuses(server).empty());
  });
}

TEST_CASE("a chart that changes while its first installation waits is treated as after a crash") {
  TestServer::run([](TestServer& server) {
    define_kinds(server);
    FakeFetcher fetcher(0);
    Process process(server, fetcher, kImmortal, Death::BeforeWrite);
    create_data_chart(server, "{value: 1, wait: true}");
    CHECK(record_statuses(server) == std::vector<std::string>{"pending-install"});
    patch_spec(server, "data", R"({"failurePolicy":"retry"})");
    change_data_chart(server, "{value: 2}");
    CHECK(record_statuses(server) == std::vector<std::string>{"failed", "deployed"});
    CHECK(config_maps(server) == std::vector<std::string>{"data=2"});
    check_deleted_soon(server, "data");

    create_data_chart(server, "{value: 1, wait: true}");
    change_data_chart(server, "{value: 2}");
    CHECK(record_statuses(server) == std::vector<std::string>{"deployed"});
    CHECK(config_maps(server) == std::vector<std::string>{"data=2"});
  });
}

TEST_CASE("hooks that have succeeded go when a later one fails, and in the end backwards") {
  for (const bool fails : {true, false}) {
    INFO("a later one " << (fails ? "fails" : "is not there"));
    TestServer::run([fails](TestServer& server) {
      define_kinds(server);
      FakeFetcher fetcher(0);
      Process process(server, fetcher, kImmortal, Death::BeforeWrite);
      const std::string body = R"({"apiVersion":"helm.cattle.io/v1","kind":"HelmChart","metadata":{"name":"hooks"},)"
                               R"("spec":{"chart":"hooks","repo":"http://charts.example.com","timeout":"5s",)"
                               R"("valuesContent":"wait: )" +
                               std::string(fails ? "true" : "false") + "\"}}";
      REQUIRE(server.request("POST", kCharts, body).status == 201);
      server.advance(std::chrono::seconds(1));
      CHECK(config_maps(server) == std::vector<std::string>{"first=1", "second=1"});
      // Long enough for one wait that times out, and not for the next attempt.
      server.advance(std::chrono::milliseconds(4500));
      if (fails) {
        CHECK(config_maps(server) == std::vector<std::string>{"second=1"});
        server.advance(std::chrono::seconds(5));
        CHECK(condition_of(server, "hooks", "Failed").find("Job default/third has not ended within 5s") !=
              std::string::npos);
      } else {
        CHECK(config_maps(server) == std::vector<std::string>{"first=1", "second=1"});
        CHECK(condition_of(server, "hooks", "Failed").find("waiting until ConfigMap default/second is deleted") !=
              std::string::npos);
      }
    });
  }
}

TEST_CASE("a removal that waits does not keep a namespace that ends") {
  TestServer::run([](TestServer& server) {
    define_kinds(server);
    FakeFetcher fetcher(0);
    Process process(server, fetcher, kImmortal, Death::BeforeWrite);
    const std::string charts = "/apis/helm.cattle.io/v1/namespaces/shop/helmcharts";
    const std::string body = R"({"apiVersion":"helm.cattle.io/v1","kind":"HelmChart","metadata":{"name":"web"},)"
                             R"("spec":{"chart":"web","repo":"http://charts.example.com","version":"1"}})";
    REQUIRE(server
                .request("POST", "/api/v1/namespaces",
                         R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}})")
                .status == 201);
    REQUIRE(server.request("POST", charts, body).status == 201);
    server.advance(std::chrono::seconds(1));
    http::Headers headers{{"Content-Type", "application/merge-patch+json"}};
    REQUIRE(server
                .request("PATCH", "/api/v1/namespaces/shop/configmaps/stays",
                         R"({"metadata":{"finalizers":["example.com/never"]}})", headers)
                .status == 200);
    CHECK(server.request("DELETE", charts + "/web").status == 200);
    server.advance(std::chrono::seconds(2));
    CHECK(server.request("GET", charts + "/web").status == 200);
    CHECK(server.request("DELETE", "/api/v1/namespaces/shop").status == 200);
    server.advance(std::chrono::seconds(1));
    CHECK(server.request("GET", charts + "/web").status == 404);
  });
}

TEST_CASE("a hook of before that does not go fails the release and does not keep its chart") {
  TestServer::run([](TestServer& server) {
    define_kinds(server);
    const std::string stuck = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"hook",)"
                              R"("finalizers":["example.com/never"]}})";
    REQUIRE(server.request("POST", kConfigMaps, stuck).status == 201);
    FakeFetcher fetcher(0);
    Process process(server, fetcher, kImmortal, Death::BeforeWrite);
    ask_for(server, 1);
    server.advance(kDefaultReleaseTimeout + std::chrono::seconds(1));
    CHECK(failed_status(server).find("waiting until ConfigMap default/hook is deleted") != std::string::npos);
    check_deleted_soon(server, "web");
  });
}

}  // namespace coracle::reconcilers
