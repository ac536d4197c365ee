#include "daemon/settings.h"

#include <catch2/catch.hpp>

namespace coracle::daemon {
namespace {

struct FakeHost {
  std::map<std::string, std::string, std::less<>> variables;
  std::map<std::string, std::string, std::less<>> files;

  SettingSources sources() const {
    return {
        [this](std::string_view name) -> std::optional<std::string> {
          const auto found = variables.find(name);
          return found == variables.end() ? std::nullopt : std::optional(found->second);
        },
        [this](const std::string& path) -> Result<std::string> {
          const auto found = files.find(path);
          if (found == files.end()) return Error(Reason::NotFound, "no such file");
          return found->second;
        },
        [this](const std::string& path) {
          std::vector<std::string> names;
          for (const auto& [file, text] : files) {
            if (file.starts_with(path + "/")) names.push_back(file.substr(path.size() + 1));
          }
          return names;
        },
    };
  }
  Result<Settings> read(std::vector<std::string> arguments) const {
    return Settings::read(kServer, arguments, sources());
  }
};

constexpr const char* kConfig = "/etc/rancher/k3s/config.yaml";

std::string error_of(const Result<Settings>& settings) {
  return settings.ok() ? "" : settings.error().message();
}

}  // namespace

TEST_CASE("command line beats file beats environment beats default") {
  FakeHost host;
  CHECK(host.read({}).value().number("https-listen-port") == 6443);
  CHECK_FALSE(host.read({}).value().is_set("data-dir"));
  host.variables["K3S_DATA_DIR"] = "/from/environment";
  CHECK(host.read({}).value().text("data-dir") == "/from/environment");
  host.files[kConfig] = "data-dir: /from/file\ntls-san: [a, b]\ndebug: true\n";
  Settings settings = host.read({}).value();
  CHECK(settings.text("data-dir") == "/from/file");
  CHECK(settings.flag("debug"));
  settings = host.read({"-d", "/from/line", "--tls-san=c", "--debug=false"}).value();
  CHECK(settings.text("data-dir") == "/from/line");
  CHECK(settings.list("tls-san") == std::vector<std::string>{"c"});
  CHECK_FALSE(settings.flag("debug"));
}

TEST_CASE("drop-ins replace keys, and append where the key ends in a plus") {
  FakeHost host;
  host.files[kConfig] = "disable: [traefik]\ntls-san: a\n";
  host.files[std::string(kConfig) + ".d/10-more.yaml"] = "disable+: coredns\ntls-san: b\n";
  host.files[std::string(kConfig) + ".d/20-last.yml"] = "disable+: [servicelb]\n";
  host.files[std::string(kConfig) + ".d/ignored.txt"] = "tls-san: z\n";
  const Settings settings = host.read({}).value();
  CHECK(settings.list("disable") == std::vector<std::string>{"traefik", "coredns", "servicelb"});
  CHECK(settings.list("tls-san") == std::vector<std::string>{"b"});
}

TEST_CASE("an empty text is no value") {
  FakeHost host;
  host.files[kConfig] = "token: \"\"\nbind-address: \"\"\nservice-cidr: []\ntls-san: [\"\"]\n";
  const Settings settings = host.read({"--agent-token", ""}).value();
  CHECK_FALSE(settings.is_set("token"));
  CHECK_FALSE(settings.is_set("agent-token"));
  CHECK(settings.text("bind-address") == "0.0.0.0");
  CHECK(settings.list("service-cidr") == std::vector<std::string>{"10.43.0.0/16"});
  CHECK(settings.list("tls-san").empty());
}

TEST_CASE("lists take repetition and commas") {
  const Settings settings = FakeHost().read({"--disable", "a,b", "--disable", "c"}).value();
  CHECK(settings.list("disable") == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("bad input is one line that names it and offers a spelling") {
  FakeHost host;
  CHECK(error_of(host.read({"--data-dri", "x"})) == "--data-dri: unknown flag; did you mean \"data-dir\"?");
  CHECK(error_of(host.read({"--https-listen-port", "many"})) ==
        "--https-listen-port: expected a whole number, found \"many\"");
  CHECK(error_of(host.read({"--debug=perhaps"})) == "--debug: expected true or false, found \"perhaps\"");
  CHECK(error_of(host.read({"--token"})) == "--token: expected a value");
  CHECK(error_of(host.read({"stray"})) == "unexpected argument \"stray\": expected a flag such as --debug");
  CHECK(error_of(host.read({"--no-deploy", "x"})) == "--no-deploy: \"no-deploy\" was removed, use --disable");
  host.files[kConfig] = "debug: [true, false]\n";
  CHECK(error_of(host.read({})) == "/etc/rancher/k3s/config.yaml: debug: expected one value, found 2");
  host.files[kConfig] = "debug: {a: b}\n";
  CHECK(error_of(host.read({})).find("debug: expected a text") != std::string::npos);
  CHECK(error_of(host.read({"--config", "/missing"})).find("/missing") == 0);
}

TEST_CASE("unknown keys and settings without effect are warnings") {
  FakeHost host;
  host.files[kConfig] = "write-kubeconfg: x\nflannel-backend: host-gw\n";
  const Settings settings = host.read({}).value();
  REQUIRE(settings.warnings().size() == 2);
  CHECK(settings.warnings()[0] ==
        "/etc/rancher/k3s/config.yaml: write-kubeconfg: unknown key; did you mean \"write-kubeconfig\"?");
  CHECK(settings.warnings()[1] == "--flannel-backend: accepted, but without effect in this version");
}

TEST_CASE("every setting has a name of its own and a line of help") {
  std::map<std::string_view, int> names;
  for (const SettingRow& row : settings_table()) {
    CHECK(++names[row.name] == 1);
    CHECK_FALSE(row.help.empty());
    CHECK(find_setting(row.name) == &row);
  }
  const std::string help = settings_help(kServer);
  CHECK(help.find("--write-kubeconfig-mode value") != std::string::npos);
  CHECK(help.find("--no-deploy") == std::string::npos);
}

}  // namespace coracle::daemon
