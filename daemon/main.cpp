#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/files.h"
#include "base/http/remote.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/sync.h"
#include "daemon/layout.h"
#include "daemon/notify.h"
#include "daemon/proxy_environment.h"
#include "daemon/server.h"
#include "daemon/server_settings.h"
#include "daemon/settings.h"
#include "daemon/version.h"
#include "reconcilers/helm/helm_controller.h"

namespace coracle::daemon {
namespace {

constexpr std::size_t kMaxConfigFile = 4 * 1024 * 1024;
constexpr Duration kConfigTimeout = std::chrono::seconds(30);
constexpr int kUsageError = 2;
// By default every thread may get an arena of its own, and each keeps what it once needed.
constexpr int kMallocArenas = 4;

void print(std::FILE* stream, const std::string& text) {
  std::fputs(text.c_str(), stream);
}

int fail(const std::string& message, int code = 1) {
  print(stderr, "coracle: " + message + "\n");
  return code;
}

std::optional<std::string> environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// What an http(s) URL answers.
Result<std::string> fetch_config(const Context& context, const std::string& url) {
  const Context bounded = context.with_timeout(kConfigTimeout);
  http::Remote remote;
  remote.url = url;
  remote = http::without_user(std::move(remote));
  const std::unique_ptr<http::Client> client = http::make_client(http::client_options(remote));
  ASSIGN_OR_RETURN(const http::RemoteAnswer answer, http::ask(bounded, *client, remote, remote.url, {}));
  if (const int status = answer.incoming->status(); status != 200) {
    return Error(http::reason_of_status(status), "the server answers " + std::to_string(status));
  }
  std::string text;
  while (true) {
    ASSIGN_OR_RETURN(const std::string_view piece, answer.incoming->read(bounded));
    if (piece.empty()) return text;
    text += piece;
    if (text.size() > kMaxConfigFile) return Error(Reason::RequestEntityTooLarge, "the file is too large");
  }
}

// Good for as long as the context.
SettingSources process_sources(const Context& context) {
  return {
      environment,
      [&context](const std::string& path) {
        const bool remote = path.starts_with("http://") || path.starts_with("https://");
        return remote ? fetch_config(context, path) : read_file(path, kMaxConfigFile);
      },
      [](const std::string& path) {
        std::vector<std::string> names;
        Result<std::vector<DirectoryEntry>> entries = list_directory(path);
        if (!entries.ok()) return names;
        for (const DirectoryEntry& entry : *entries) names.push_back(entry.name);
        return names;
      },
  };
}

// Charts that wait hold threads, which must not be missing elsewhere.
ThreadLimits thread_limits() {
  ThreadLimits limits;
  limits.blocking += reconcilers::kChartsUnderWay;
  return limits;
}

int run_server(std::span<const std::string> arguments) {
  const std::unique_ptr<Executor> executor = make_thread_executor(thread_limits());
  Result<Settings> settings = Settings::read(kServer, arguments, process_sources(Context(*executor)));
  if (!settings.ok()) return fail(settings.error().message(), kUsageError);
  Result<ServerSettings> server_settings = make_server_settings(*settings);
  if (!server_settings.ok()) return fail(server_settings.error().message(), kUsageError);

  for (const auto& [name, value] : proxy_environment(environment, *server_settings)) {
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  const Logger log(
      make_log_sink(server_settings->log_level, server_settings->log_file, server_settings->log_to_standard_error),
      "daemon");

  Event ended(*executor);
  std::stop_source stop;
  Result<std::unique_ptr<SignalWatch>> signals = watch_termination_signals(*executor, [&](int number) {
    if (number == SIGHUP) return;
    stop.request_stop();
    ended.set();
  });
  if (!signals.ok()) return fail(signals.error().message());
  log.info("starting", {{"version", kVersion}, {"data_dir", server_settings->layout.data_dir}});
  for (const std::string& warning : settings->warnings()) log.warning("check the settings", {{"setting", warning}});
  if (!server_settings->disable_agent) {
    log.warning("this version runs no pods: say --disable-agent", {{"node", server_settings->node_name}});
  }

  Result<std::unique_ptr<RunningServer>> server = start_server(*executor, *server_settings, stop, log);
  if (!server.ok() && ended.is_set()) {
    log.info("stopped before it was ready", {{"waited_for", server.error()}});
    return 0;
  }
  if (!server.ok()) {
    log.error("cannot start", {{"error", server.error()}});
    return 1;
  }
  log.info("ready", {{"port", (*server)->port()}, {"kubeconfig", server_settings->kubeconfig.path}});
  notify_service_manager("READY=1");
  ended.wait(Context(*executor)).ignore("the context has no end");
  notify_service_manager("STOPPING=1");
  log.info("stopping");
  server->reset();
  log.info("stopped");
  return 0;
}

// The host's kubectl with the administrator's kubeconfig, as k3s offers it.
int run_kubectl(std::span<const std::string> arguments) {
  std::vector<char*> argv = {const_cast<char*>("kubectl")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::setenv("KUBECONFIG", std::string(kUsualKubeconfig).c_str(), 0);
  ::execvp("kubectl", argv.data());
  return fail("kubectl: not found on the PATH");
}

int print_version(std::span<const std::string>) {
  print(stdout, "k3s version " + std::string(kVersion) + " (" + std::string(kCommit) + ")\n");
  return 0;
}

int print_settings(std::span<const std::string>) {
  print(stdout, settings_markdown());
  return 0;
}

int run_unavailable(std::span<const std::string>) {
  return fail("this command is not built in yet; see coracle help", kUsageError);
}

struct Command {
  std::string_view name;
  int (*run)(std::span<const std::string>);
  std::string_view help;  // empty: not shown
};

int print_help(std::span<const std::string> arguments);

constexpr std::array kCommands = {
    Command{"server", run_server, "run the control plane (coracle server --help shows its settings)"},
    Command{"kubectl", run_kubectl, "the host's kubectl with the administrator's kubeconfig"},
    Command{"settings", print_settings, "every setting as a page of Markdown"},
    Command{"help", print_help, "this text"},
    Command{"--help", print_help, ""},
    Command{"-h", print_help, ""},
    Command{"--version", print_version, "the version"},
    Command{"-v", print_version, ""},
    Command{"agent", run_unavailable, ""},
    Command{"token", run_unavailable, ""},
    Command{"etcd-snapshot", run_unavailable, ""},
    Command{"secrets-encrypt", run_unavailable, ""},
    Command{"certificate", run_unavailable, ""},
    Command{"completion", run_unavailable, ""},
    Command{"check-config", run_unavailable, ""},
    Command{"crictl", run_unavailable, ""},
    Command{"ctr", run_unavailable, ""},
};

int print_help(std::span<const std::string>) {
  std::string text = "Kubernetes for small machines: a drop-in for k3s in one process.\n\nusage: coracle COMMAND\n\n";
  constexpr std::size_t kColumn = 14;
  for (const Command& command : kCommands) {
    if (command.help.empty()) continue;
    text += "  " + std::string(command.name) + std::string(kColumn - command.name.size(), ' ') +
            std::string(command.help) + "\n";
  }
  print(stdout, text);
  return 0;
}

int run(std::vector<std::string> arguments) {
  if (arguments.empty()) return print_help({});
  for (const Command& command : kCommands) {
    if (command.name != arguments.front()) continue;
    const std::span<const std::string> rest = std::span(arguments).subspan(1);
    const bool help =
        std::any_of(rest.begin(), rest.end(), [](const std::string& text) { return text == "--help" || text == "-h"; });
    if (command.run == run_server && help) {
      print(stdout, "usage: coracle server [settings]\n" + settings_help(kServer));
      return 0;
    }
    return command.run(rest);
  }
  return fail("unknown command \"" + arguments.front() + "\"; see coracle help", kUsageError);
}

}  // namespace
}  // namespace coracle::daemon

int main(int argc, char** argv) {
  coracle::block_termination_signals();
  ::mallopt(M_ARENA_MAX, coracle::daemon::kMallocArenas);
  return coracle::daemon::run(std::vector<std::string>(argv + 1, argv + argc));
}
