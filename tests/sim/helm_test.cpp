// The Helm reconciler against a whole API server under virtual time: the process dies at every write, before or
// after the write has reached the store, and the next one must bring the release to the same end.
#include <catch2/catch.hpp>

#include <algorithm>

#include "base/executor.h"
#include "base/json/json.h"
#include "base/tls/crypto.h"
#include "base/yaml/yaml.h"
#include "kube/apiserver/testing/test_server.h"
#include "kube/controller/manager.h"
#include "manifests/embedded.h"
#include "reconcilers/helm/helm_controller.h"

namespace coracle::reconcilers {
namespace {

using kube::apiserver::testing::TestServer;

constexpr std::string_view kCharts = "/apis/helm.cattle.io/v1/namespaces/default/helmcharts";
constexpr std::string_view kConfigMaps = "/api/v1/namespaces/default/configmaps";
constexpr std::string_view kRecords = "/api/v1/namespaces/default/secrets?labelSelector=owner%3Dhelm";
constexpr Duration kLongEnough = std::chrono::minutes(10);

// One file of a tar archive (POSIX ustar).
std::string tar_entry(std::string_view name, std::string_view data) {
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

std::string config_map_template(std::string_view name, std::string_view annotations) {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + std::string(name) + "\n  annotations: {" +
         std::string(annotations) + "}\ndata: {value: {{ .Values.value | quote }}}\n";
}

// Version 1 has ConfigMaps "stays" and "leaves", version 2 "stays" and "joins"; both have hooks.
std::string packed_chart(int version) {
  std::string tar =
      tar_entry("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: " + std::to_string(version) + ".0.0\n");
  tar += tar_entry("web/values.yaml", "value: " + std::to_string(version) + "\n");
  tar += tar_entry("web/templates/a.yaml", config_map_template("stays", ""));
  tar += tar_entry("web/templates/b.yaml", config_map_template(version == 1 ? "leaves" : "joins", ""));
  tar += tar_entry("web/templates/c.yaml",
                   config_map_template("hook",
                                       "helm.sh/hook: \"pre-install,pre-upgrade\", "
                                       "helm.sh/hook-delete-policy: \"before-hook-creation,hook-succeeded\""));
  return crypto::gzip(tar + std::string(1024, '\0'));
}

// Answers the version that the URL ends with; fails as often as it is told to first.
class FakeFetcher : public ChartFetcher {
 public:
  explicit FakeFetcher(int failures) : failures_(failures) {}
  Result<std::string> fetch(const Context&, const ChartLocation& location) override {
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
  for (const manifests::EmbeddedFile& file : manifests::embedded_files()) {
    if (!file.path.starts_with("crds/helm.")) continue;
    const std::string body = json::write(yaml::read(file.text).value());
    REQUIRE(server.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body).status == 201);
  }
  for (int tries = 0; tries < 100 && server.request("GET", kCharts).status != 200; ++tries) {
    server.advance(std::chrono::milliseconds(100));
  }
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
  http::Headers headers{{"Content-Type", "application/merge-patch+json"}};
  REQUIRE(server.request("PATCH", std::string(kCharts) + "/web", R"({"spec":)" + spec + "}", headers).status == 200);
}

Value get_chart(TestServer& server) {
  return server.request("GET", std::string(kCharts) + "/web").tree;
}

std::string failed_status(TestServer& server) {
  const Value chart = get_chart(server);
  for (const Value& condition : chart["status"]["conditions"].items()) {
    if (condition["type"].as_string() == "Failed") {
      return std::string(condition["status"].as_string()) + " " + std::string(condition["message"].as_string());
    }
  }
  return "unknown";
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

}  // namespace coracle::reconcilers
