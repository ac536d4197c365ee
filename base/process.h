#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"

namespace coracle {

// A program of the host and how to run it.
struct Command {
  std::vector<std::string> arguments = {};  // the first one is the program, looked up in PATH if it has no slash
  std::optional<std::vector<std::string>> environment = {};  // "NAME=value"; nullopt: this process's
  std::string working_directory = {};                        // empty: this process's
  std::string input = {};
  std::size_t output_limit = 1024 * 1024;  // for each of the two streams
};

struct CommandOutcome {
  int exit_code = 0;  // 128 + signal number when a signal ended it, as shells say
  std::string output;
  std::string errors;
};

// Runs a command to its end, whatever its exit code. When the context ends (Canceled, Timeout) or a
// stream passes its limit (RequestEntityTooLarge), the command and the processes of its group are
// killed. NotFound or Forbidden when it cannot be started. Blocks: call it from a Blocking task.
Result<CommandOutcome> run_command(const Context& context, const Command& command);

}  // namespace coracle
