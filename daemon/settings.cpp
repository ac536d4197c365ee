#include "daemon/settings.h"

#include <algorithm>
#include <utility>

#include "base/http/url.h"
#include "base/text.h"
#include "base/yaml/yaml.h"

namespace coracle::daemon {
namespace {

constexpr std::string_view kDefaultConfigFile = "/etc/rancher/k3s/config.yaml";
constexpr std::size_t kMaxDropIns = 1000;

std::string spelled(std::string_view name) {
  return (name.size() == 1 ? "-" : "--") + std::string(name);
}

std::string unknown_text(std::string_view what, std::string_view name) {
  std::string text = "unknown " + std::string(what);
  if (const std::string_view near = nearest_setting(name); !near.empty()) {
    text += "; did you mean \"" + std::string(near) + "\"?";
  }
  return text;
}

std::optional<bool> parse_flag(std::string_view text) {
  for (const std::string_view yes : {"true", "1", "t", "T", "TRUE", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"false", "0", "f", "F", "FALSE", "False", ""}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

Result<void> check_value(const SettingRow& row, std::string_view text, const std::string& where) {
  if (row.effect == SettingEffect::Removed) {
    return bad_request(where + ": \"" + std::string(row.name) + "\" was removed, " + std::string(row.help));
  }
  if (row.type == SettingType::Flag && !parse_flag(text)) {
    return bad_request(where + ": expected true or false, found \"" + std::string(text) + "\"");
  }
  if (row.type == SettingType::Number && !parse_int(text)) {
    return bad_request(where + ": expected a whole number, found \"" + std::string(text) + "\"");
  }
  return {};
}

// The text that a scalar of a YAML file stands for on a command line.
std::optional<std::string> scalar_text(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::String:
      return std::string(value.as_string());
    case Value::Kind::Bool:
      return value.as_bool() ? "true" : "false";
    case Value::Kind::Int:
      return std::to_string(value.as_int());
    case Value::Kind::Double:
      return std::string(trim(yaml::write(value)));
    case Value::Kind::Null:
      return std::string();
    default:
      return std::nullopt;
  }
}

std::vector<std::string> split_commas(const std::vector<std::string>& values) {
  std::vector<std::string> parts;
  for (const std::string& value : values) {
    for (const std::string_view part : split(value, ',')) {
      if (!part.empty()) parts.emplace_back(part);
    }
  }
  return parts;
}

}  // namespace

struct Settings::Reader {
  using Values = std::map<std::string, std::vector<std::string>, std::less<>>;

  SettingScope scope;
  const SettingSources& sources;
  std::vector<std::string> warnings = {};

  Result<Values> command_line(std::span<const std::string> arguments) const {
    Values values;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      std::string_view argument = arguments[i];
      if (argument.size() < 2 || argument.front() != '-') {
        return bad_request("unexpected argument \"" + std::string(argument) + "\": expected a flag such as --debug");
      }
      argument.remove_prefix(argument[1] == '-' ? 2 : 1);
      const std::size_t equals = argument.find('=');
      const std::string_view name = argument.substr(0, equals);
      const SettingRow* row = find_setting(name);
      if (row == nullptr || (row->scope & scope) == 0) {
        return bad_request(spelled(name) + ": " + unknown_text("flag", name));
      }
      std::string value;
      if (equals != std::string_view::npos) {
        value = argument.substr(equals + 1);
      } else if (row->type == SettingType::Flag) {
        value = "true";
      } else if (i + 1 < arguments.size()) {
        value = arguments[++i];
      } else {
        return bad_request(spelled(name) + ": expected a value");
      }
      TRY(check_value(*row, value, spelled(name)));
      add(values, *row, std::move(value));
    }
    return values;
  }

  static void add(Values& values, const SettingRow& row, std::string value) {
    std::vector<std::string>& list = values[std::string(row.name)];
    if (row.type != SettingType::List) list.clear();
    list.push_back(std::move(value));
  }

  Result<Values> environment() const {
    Values values;
    for (const SettingRow& row : settings_table()) {
      if (row.environment.empty() || (row.scope & scope) == 0) continue;
      const std::optional<std::string> text = sources.environment(row.environment);
      if (!text || text->empty()) continue;
      TRY(check_value(row, *text, std::string(row.environment)));
      values[std::string(row.name)] = {*text};
    }
    return values;
  }

  // config.yaml first, then <config>.d/*.yaml by name; a later file replaces a key, "key+" appends.
  Result<Values> files(const std::string& path, bool explicit_path) {
    Values values;
    Result<std::string> text = sources.read_file(path);
    if (text.ok()) {
      TRY(file(path, *text, values));
    } else if (text.error().reason() != Reason::NotFound) {
      return text.error().in(http::printable_url(path));
    }
    std::size_t count = 0;
    const std::string folder = path + ".d";
    for (const std::string& name : sources.list_folder(folder)) {
      if (!name.ends_with(".yaml") && !name.ends_with(".yml")) continue;
      const std::string drop_in = folder + "/" + name;
      if (++count > kMaxDropIns) return bad_request(folder + ": more than " + std::to_string(kMaxDropIns) + " files");
      Result<std::string> drop_in_text = sources.read_file(drop_in);
      if (!drop_in_text.ok()) return drop_in_text.error().in(drop_in);
      TRY(file(drop_in, *drop_in_text, values));
    }
    if (!text.ok() && explicit_path && count == 0) return text.error().in(http::printable_url(path));
    return values;
  }

  Result<void> file(const std::string& path, const std::string& text, Values& values) {
    Result<Value> tree = yaml::read(text);
    if (!tree.ok()) return tree.error().in(path);
    if (!tree->is_null() && !tree->is_object()) return bad_request(path + ": expected keys and values");
    for (const Value::Member& member : tree->members()) {
      std::string_view key = member.key;
      const bool append = key.ends_with('+');
      if (append) key.remove_suffix(1);
      const std::string where = path + ": " + std::string(key);
      const SettingRow* row = find_setting(key);
      if (row == nullptr || (row->scope & scope) == 0) {
        warnings.push_back(where + ": " +
                           (row != nullptr ? "not a setting of this command" : unknown_text("key", key)));
        continue;
      }
      TRY(file_value(*row, member.value, where, append, values));
    }
    return {};
  }

  static Result<void> file_value(const SettingRow& row, const Value& value, const std::string& where, bool append,
                                 Values& values) {
    std::vector<std::string> texts;
    if (value.is_array()) {
      for (const Value& item : value.items()) {
        std::optional<std::string> text = scalar_text(item);
        if (!text) return bad_request(where + ": expected a list of texts");
        texts.push_back(std::move(*text));
      }
    } else {
      std::optional<std::string> text = scalar_text(value);
      if (!text) return bad_request(where + ": expected a text, number, true or false, or a list of them");
      texts.push_back(std::move(*text));
    }
    if (row.type != SettingType::List && texts.size() > 1 && !append) {
      return bad_request(where + ": expected one value, found " + std::to_string(texts.size()));
    }
    for (const std::string& text : texts) TRY(check_value(row, text, where));
    std::vector<std::string>& list = values[std::string(row.name)];
    if (append && row.type == SettingType::Text && !list.empty() && !texts.empty()) {
      list.back() += texts.front();
      return {};
    }
    if (!append) list.clear();
    list.insert(list.end(), texts.begin(), texts.end());
    return {};
  }
};

Result<Settings> Settings::read(SettingScope scope, std::span<const std::string> arguments,
                                const SettingSources& sources) {
  Reader reader{scope, sources};
  ASSIGN_OR_RETURN(Reader::Values line, reader.command_line(arguments));
  ASSIGN_OR_RETURN(Reader::Values environment, reader.environment());

  // Of the file's own name the environment wins over the flag, as in k3s.
  std::string path(kDefaultConfigFile);
  bool explicit_path = false;
  for (const Reader::Values* values : {&line, &environment}) {
    if (const auto found = values->find("config"); found != values->end()) {
      path = found->second.back();
      explicit_path = true;
    }
  }
  ASSIGN_OR_RETURN(Reader::Values files, reader.files(path, explicit_path));

  Settings settings;
  settings.values_ = std::move(line);
  settings.values_.merge(files);
  settings.values_.merge(environment);
  // What is given as an empty text is not set: files are written by tools that leave a value out so.
  std::erase_if(settings.values_, [](const auto& setting) {
    return std::all_of(setting.second.begin(), setting.second.end(), [](const auto& text) { return text.empty(); });
  });
  settings.values_["config"] = {path};
  settings.warnings_ = std::move(reader.warnings);
  for (const SettingRow& row : settings_table()) {
    const bool idle = row.effect == SettingEffect::Accepted || row.effect == SettingEffect::Hidden;
    if (idle && settings.is_set(row.name)) {
      settings.warnings_.push_back(spelled(row.name) + ": accepted, but without effect in this version");
    }
  }
  return settings;
}

bool Settings::is_set(std::string_view name) const {
  return values_.find(name) != values_.end();
}

std::string Settings::text(std::string_view name) const {
  if (const auto found = values_.find(name); found != values_.end() && !found->second.empty()) {
    return found->second.back();
  }
  const SettingRow* row = find_setting(name);
  // Defaults that refer to another setting are resolved by whoever reads it.
  if (row == nullptr || row->default_text.starts_with("${")) return {};
  return std::string(row->default_text);
}

bool Settings::flag(std::string_view name) const {
  return parse_flag(text(name)).value_or(false);
}

std::int64_t Settings::number(std::string_view name) const {
  return parse_int(text(name)).value_or(0);
}

std::vector<std::string> Settings::list(std::string_view name) const {
  if (const auto found = values_.find(name); found != values_.end()) return split_commas(found->second);
  const std::string fallback = text(name);
  return fallback.empty() ? std::vector<std::string>() : split_commas({fallback});
}

namespace {

// Calls `row` for every visible setting of the scope, and `heading` before each group.
template <class Heading, class Row>
void for_each_visible(SettingScope scope, Heading heading, Row each) {
  std::string_view group;
  for (const SettingRow& row : settings_table()) {
    if (row.effect == SettingEffect::Removed || row.effect == SettingEffect::Hidden || (row.scope & scope) == 0)
      continue;
    if (row.group != group) heading(group = row.group);
    each(row);
  }
}

}  // namespace

std::string settings_help(SettingScope scope) {
  constexpr std::size_t kColumn = 46;
  std::string text;
  for_each_visible(
      scope, [&text](std::string_view group) { text += "\n" + std::string(group) + ":\n"; },
      [&text](const SettingRow& row) {
        std::string line = "  --" + std::string(row.name);
        if (row.letter != 0) line += std::string(", -") + row.letter;
        if (row.type != SettingType::Flag) line += " value";
        line += std::string(line.size() < kColumn ? kColumn - line.size() : 1, ' ');
        line += row.help;
        if (!row.default_text.empty()) line += " (default: " + std::string(row.default_text) + ")";
        if (!row.environment.empty()) line += " [$" + std::string(row.environment) + "]";
        if (row.effect == SettingEffect::Accepted) line += " (no effect yet)";
        text += line + "\n";
      });
  return text;
}

std::string settings_markdown() {
  std::string text = R"(# Settings

Every setting is a flag of `coracle server`, a key of `config.yaml` (without the dashes) and, where one is named, an
environment variable. The command line wins over the file, the file over the environment. This page is the output of
`coracle settings`.
)";
  for_each_visible(
      kBoth,
      [&text](std::string_view group) {
        text +=
            "\n## " + std::string(group) + "\n\n| flag and key | default | variable | meaning |\n|---|---|---|---|\n";
      },
      [&text](const SettingRow& row) {
        const auto code = [](std::string_view word) {
          return word.empty() ? std::string() : "`" + std::string(word) + "`";
        };
        text += "| `" + std::string(row.name) + "`" + (row.letter != 0 ? std::string(", `-") + row.letter + "`" : "") +
                " | " + code(row.default_text) + " | " + code(row.environment) + " | " + std::string(row.help) +
                (row.effect == SettingEffect::Accepted ? "; accepted, no effect yet" : "") + " |\n";
      });
  return text;
}

}  // namespace coracle::daemon
