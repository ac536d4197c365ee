#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stop_token>

#include "base/file_descriptor.h"
#include "base/files.h"

namespace coracle {
namespace {

struct Pipe {
  FileDescriptor read_end;
  FileDescriptor write_end;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return system_error(errno, "make a pipe");
  return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

// The input as a file: nobody has to feed it, and a command that ignores it breaks no pipe.
Result<FileDescriptor> make_input(std::string_view input) {
  FileDescriptor file(memfd_create("command-input", MFD_CLOEXEC));
  if (!file.valid()) return system_error(errno, "make a command's input");
  while (!input.empty()) {
    const ssize_t written = write(file.get(), input.data(), input.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error(errno, "write a command's input");
    input.remove_prefix(static_cast<std::size_t>(written));
  }
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

// The two objects that posix_spawn takes, released together.
struct SpawnSettings {
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

Result<pid_t> spawn(const Command& command, int input, int output, int errors) {
  SpawnSettings settings;
  posix_spawn_file_actions_adddup2(&settings.actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&settings.actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&settings.actions, errors, STDERR_FILENO);
  if (!command.working_directory.empty()) {
    posix_spawn_file_actions_addchdir_np(&settings.actions, command.working_directory.c_str());
  }
  // The command begins with an empty signal mask and default actions, whatever this process does
  // about signals, and leads a group of its own, so that its children can be killed with it.
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&settings.attributes, &none);
  posix_spawnattr_setsigdefault(&settings.attributes, &all);
  posix_spawnattr_setpgroup(&settings.attributes, 0);
  posix_spawnattr_setflags(&settings.attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> environment = command.environment.value_or(std::vector<std::string>());
  const std::vector<char*> argument_pointers = pointers_to(arguments);
  const std::vector<char*> environment_pointers = pointers_to(environment);
  pid_t child = 0;
  const int error = posix_spawnp(&child, arguments.front().c_str(), &settings.actions, &settings.attributes,
                                 argument_pointers.data(), command.environment ? environment_pointers.data() : environ);
  if (error != 0) return system_error(error, "run " + arguments.front());
  return child;
}

// A started command. Unless collect() has seen its end, destruction kills and reaps it.
class Child {
 public:
  explicit Child(pid_t id) : id_(id), handle_(static_cast<int>(syscall(SYS_pidfd_open, id, 0))) {}
  ~Child() {
    if (id_ <= 0) return;
    kill(-id_, SIGKILL);
    collect();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Readable once the command has ended.
  const FileDescriptor& handle() const { return handle_; }

  int collect() {
    int status = 0;
    while (waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
    id_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t id_;
  FileDescriptor handle_;
};

// One output stream of the command.
struct Stream {
  FileDescriptor source;
  std::string* data;

  // Reads what is there; closes the source at its end.
  Result<void> drain(std::size_t limit) {
    std::array<char, 16384> buffer;
    while (source.valid()) {
      const ssize_t got = read(source.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return {};
      if (got <= 0) {
        source.reset();
        return {};
      }
      data->append(buffer.data(), static_cast<std::size_t>(got));
      if (data->size() > limit) {
        return Error(Reason::RequestEntityTooLarge, "wrote more than " + std::to_string(limit) + " bytes");
      }
    }
    return {};
  }
};

int poll_timeout(const Context& context) {
  constexpr std::int64_t kLongest = 3'600'000;
  if (!context.deadline()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*context.deadline() - context.clock().monotonic());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, kLongest));
}

// Collects output until the command has ended or must end.
Result<CommandOutcome> follow(const Context& context, Child& child, Stream& output, Stream& errors, std::size_t limit) {
  const FileDescriptor stop(eventfd(0, EFD_CLOEXEC));
  if (!stop.valid()) return system_error(errno, "make an event");
  const auto request_end = [&stop] {
    const std::uint64_t one = 1;
    while (write(stop.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
  };
  const std::stop_callback<decltype(request_end)> on_stop(context.stop(), request_end);
  while (true) {
    // poll() skips the negative descriptors of closed streams.
    std::array<pollfd, 4> waiting{{{child.handle().get(), POLLIN, 0},
                                   {output.source.get(), POLLIN, 0},
                                   {errors.source.get(), POLLIN, 0},
                                   {stop.get(), POLLIN, 0}}};
    if (poll(waiting.data(), waiting.size(), poll_timeout(context)) < 0 && errno != EINTR) {
      return system_error(errno, "wait for a command");
    }
    TRY(context.check());
    // What the command wrote before its end is in the pipes by now; its own children may keep the
    // pipes open for longer, and are not waited for.
    const bool ended = (waiting[0].revents & POLLIN) != 0;
    TRY(output.drain(limit));
    TRY(errors.drain(limit));
    if (ended) break;
  }
  return CommandOutcome{
      .exit_code = child.collect(), .output = std::move(*output.data), .errors = std::move(*errors.data)};
}

}  // namespace

Result<CommandOutcome> run_command(const Context& context, const Command& command) {
  if (command.arguments.empty()) return bad_request("run a command: no program is named");
  TRY(context.check());
  ASSIGN_OR_RETURN(const FileDescriptor input, make_input(command.input));
  ASSIGN_OR_RETURN(Pipe output_pipe, make_pipe());
  ASSIGN_OR_RETURN(Pipe error_pipe, make_pipe());
  ASSIGN_OR_RETURN(const pid_t id,
                   spawn(command, input.get(), output_pipe.write_end.get(), error_pipe.write_end.get()));
  Child child(id);
  if (!child.handle().valid()) return system_error(errno, "watch the process of " + command.arguments.front());
  output_pipe.write_end.reset();
  error_pipe.write_end.reset();

  std::string output_data;
  std::string error_data;
  Stream output{std::move(output_pipe.read_end), &output_data};
  Stream errors{std::move(error_pipe.read_end), &error_data};
  for (const Stream* stream : {&output, &errors}) fcntl(stream->source.get(), F_SETFL, O_NONBLOCK);
  Result<CommandOutcome> outcome = follow(context, child, output, errors, command.output_limit);
  if (!outcome.ok()) return outcome.error().in("run " + command.arguments.front());
  return outcome;
}

}  // namespace coracle
