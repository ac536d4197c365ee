#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "daemon/settings_table.h"

namespace coracle::daemon {

// What the settings are read from, besides the command line.
struct SettingSources {
  std::function<std::optional<std::string>(std::string_view variable)> environment;
  // NotFound when the file does not exist.
  std::function<Result<std::string>(const std::string& path)> read_file;
  // Sorted names of a folder; empty when it does not exist.
  std::function<std::vector<std::string>(const std::string& path)> list_folder;
};

// The settings of one command after command line, config.yaml with its drop-ins, environment and
// defaults have been laid over each other, in this order of precedence (k3s).
class Settings {
 public:
  // `arguments` follow the command's name. Unknown flags and wrong values are BadRequest errors of one
  // line that name the flag, file or variable, and the right spelling if one is near. Unknown keys of a
  // file are warnings.
  static Result<Settings> read(SettingScope scope, std::span<const std::string> arguments,
                               const SettingSources& sources);

  std::string text(std::string_view name) const;  // the last value, or the default
  bool flag(std::string_view name) const;
  std::int64_t number(std::string_view name) const;
  std::vector<std::string> list(std::string_view name) const;  // commas split as well
  bool is_set(std::string_view name) const;                    // by anything but the default

  // One line each, for the log: unknown keys, settings without effect.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  struct Reader;
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<std::string> warnings_;
};

// The help text of a command, from the table.
std::string settings_help(SettingScope scope);
// docs/settings.md, from the table.
std::string settings_markdown();

}  // namespace coracle::daemon
