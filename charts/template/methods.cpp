#include "charts/template/methods.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/encoding.h"
#include "base/glob.h"
#include "base/text.h"
#include "base/yaml/yaml.h"
#include "charts/template/go_time.h"

namespace coracle::charts {
namespace {

using Output = Result<GoValue>;
using Arguments = std::span<const GoValue>;

struct Method {
  std::string_view name;
  std::string_view parameters;  // s string, a anything, t time, d duration; '*' any number of any
  Output (*body)(const GoValue& receiver, Arguments args);
};

// The last part of a path.
std::string base_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

Output files_get(const GoValue& files, Arguments args) {
  const GoValue* found = files.as_dict().find(args[0].text());
  return GoValue::string(found != nullptr ? found->text() : "");
}

Output files_get_bytes(const GoValue& files, Arguments args) {
  const GoValue* found = files.as_dict().find(args[0].text());
  return GoValue::bytes(found != nullptr ? found->text() : "");
}

Output files_glob(const GoValue& files, Arguments args) {
  ASSIGN_OR_RETURN(const std::vector<std::string> patterns, expand_alternatives(args[0].text()));
  auto matched = std::make_shared<GoDict>();
  matched->named = GoDict::Named::Files;
  for (const auto& [name, content] : files.as_dict().members) {
    const bool wanted = std::any_of(patterns.begin(), patterns.end(), [&name = name](const std::string& pattern) {
      return glob_matches(pattern, name, DoubleStar::Anything);
    });
    if (wanted) matched->set(name, content);
  }
  return GoValue::dict(std::move(matched));
}

Output files_as(const GoValue& files, bool encode) {
  if (files.as_dict().members.empty()) return GoValue::string("");
  auto entries = std::make_shared<GoDict>();
  for (const auto& [name, content] : files.as_dict().members) {
    entries->set(base_of(name), GoValue::string(encode ? base64_encode(content.text()) : content.text()));
  }
  ASSIGN_OR_RETURN(const Value tree, GoValue::dict(std::move(entries)).to_value());
  std::string text = yaml::write(tree);
  text.pop_back();  // without its last line end, as toYaml
  return GoValue::string(std::move(text));
}

Output files_lines(const GoValue& files, Arguments args) {
  const GoValue* found = files.as_dict().find(args[0].text());
  if (found == nullptr) return GoValue::strings({});
  std::string_view content = found->text();
  if (content.ends_with('\n')) content.remove_suffix(1);
  std::vector<std::string> lines;
  for (const std::string_view line : split(content, '\n')) lines.emplace_back(line);
  return GoValue::strings(lines);
}

constexpr Method kFileMethods[] = {
    {"Get", "s", files_get},
    {"GetBytes", "s", files_get_bytes},
    {"Glob", "s", files_glob},
    {"AsConfig", "", [](const GoValue& files, Arguments) { return files_as(files, false); }},
    {"AsSecrets", "", [](const GoValue& files, Arguments) { return files_as(files, true); }},
    {"Lines", "s", files_lines},
};

Output values_as_map(const GoValue& values, Arguments) {
  return values.as_plain_dict();
}

Output values_path(const GoValue& values, Arguments args) {
  const std::string& path = args[0].text();
  GoValue value = values;
  for (const std::string_view part : split(path, '.')) {
    const GoValue* found = value.is_dict() ? value.as_dict().find(part) : nullptr;
    if (found == nullptr) return bad_request("\"" + path + "\" is not a value");
    value = GoValue(*found);
  }
  return value;
}

Output values_table(const GoValue& values, Arguments args) {
  ASSIGN_OR_RETURN(GoValue value, values_path(values, args));
  if (!value.is_dict()) return bad_request("\"" + args[0].text() + "\" is not a table");
  return value;
}

Output values_yaml(const GoValue& values, Arguments) {
  ASSIGN_OR_RETURN(const Value tree, values.to_value());
  return GoValue::string(yaml::write(tree));
}

constexpr Method kValuesMethods[] = {
    {"AsMap", "", values_as_map},
    {"PathValue", "s", values_path},
    {"Table", "s", values_table},
    {"YAML", "", values_yaml},
};

constexpr Method kVersionSetMethods[] = {
    {"Has", "s",
     [](const GoValue& set, Arguments args) -> Output {
       const auto& items = set.as_list().items;
       return GoValue::boolean(
           std::any_of(items.begin(), items.end(), [&](const GoValue& item) { return item.text() == args[0].text(); }));
     }},
};

// Whole units since 1970; what does not fit wraps around, as in Go.
template <class Unit>
GoValue unix_count(const GoValue& time) {
  return GoValue::integer64(
      static_cast<std::int64_t>(std::chrono::floor<Unit>(time.as_time()).time_since_epoch().count()));
}

Output time_date(const GoValue& time, int CivilTime::*field) {
  return GoValue::integer(civil_time(time).*field);
}

GoValue at(const GoValue& like, GoTime time) {
  return GoValue::time(time, like.zone_offset(), like.zone_name());
}

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

constexpr Method kTimeMethods[] = {
    {"Format", "s",
     [](const GoValue& t, Arguments a) -> Output { return GoValue::string(format_go_time(t, a[0].text())); }},
    {"String", "", [](const GoValue& t, Arguments) -> Output { return GoValue::string(go_time_text(t)); }},
    {"Unix", "", [](const GoValue& t, Arguments) -> Output { return unix_count<std::chrono::seconds>(t); }},
    {"UnixMilli", "", [](const GoValue& t, Arguments) -> Output { return unix_count<std::chrono::milliseconds>(t); }},
    {"UnixNano", "", [](const GoValue& t, Arguments) -> Output { return unix_count<GoTime::duration>(t); }},
    {"UTC", "", [](const GoValue& t, Arguments) -> Output { return GoValue::time(t.as_time()); }},
    {"Local", "", [](const GoValue& t, Arguments) -> Output { return GoValue::time(t.as_time()); }},
    {"Year", "", [](const GoValue& t, Arguments) { return time_date(t, &CivilTime::year); }},
    {"YearDay", "", [](const GoValue& t, Arguments) { return time_date(t, &CivilTime::year_day); }},
    {"Hour", "", [](const GoValue& t, Arguments) { return time_date(t, &CivilTime::hour); }},
    {"Minute", "", [](const GoValue& t, Arguments) { return time_date(t, &CivilTime::minute); }},
    {"Second", "", [](const GoValue& t, Arguments) { return time_date(t, &CivilTime::second); }},
    {"Nanosecond", "", [](const GoValue& t, Arguments) { return time_date(t, &CivilTime::nanosecond); }},
    {"Day", "", [](const GoValue& t, Arguments) -> Output { return GoValue::integer(civil_time(t).day); }},
    {"Month", "", [](const GoValue& t, Arguments) -> Output { return GoValue::string(format_go_time(t, "January")); }},
    {"Weekday", "", [](const GoValue& t, Arguments) -> Output { return GoValue::string(format_go_time(t, "Monday")); }},
    {"IsZero", "", [](const GoValue& t, Arguments) -> Output { return GoValue::boolean(t.as_time() == kGoZeroTime); }},
    {"AddDate", "nnn",
     [](const GoValue& t, Arguments a) -> Output {
       return add_date(t, a[0].as_integer(), a[1].as_integer(), a[2].as_integer());
     }},
    {"Add", "d",
     [](const GoValue& t, Arguments a) -> Output { return at(t, t.as_time() + Duration(a[0].as_integer())); }},
    {"Sub", "t",
     [](const GoValue& t, Arguments a) -> Output {
       return GoValue::duration(go_time_difference(t.as_time(), a[0].as_time()).count());
     }},
    {"Before", "t",
     [](const GoValue& t, Arguments a) -> Output { return GoValue::boolean(t.as_time() < a[0].as_time()); }},
    {"After", "t",
     [](const GoValue& t, Arguments a) -> Output { return GoValue::boolean(t.as_time() > a[0].as_time()); }},
    {"Equal", "t",
     [](const GoValue& t, Arguments a) -> Output { return GoValue::boolean(t.as_time() == a[0].as_time()); }},
};

Output in_unit(const GoValue& duration, double nanoseconds) {
  return GoValue::number(static_cast<double>(duration.as_integer()) / nanoseconds);
}

constexpr Method kDurationMethods[] = {
    {"String", "",
     [](const GoValue& d, Arguments) -> Output { return GoValue::string(format_duration(Duration(d.as_integer()))); }},
    {"Hours", "", [](const GoValue& d, Arguments) { return in_unit(d, 3600.0 * kNanosecondsPerSecond); }},
    {"Minutes", "", [](const GoValue& d, Arguments) { return in_unit(d, 60.0 * kNanosecondsPerSecond); }},
    {"Seconds", "", [](const GoValue& d, Arguments) { return in_unit(d, 1.0 * kNanosecondsPerSecond); }},
    {"Milliseconds", "",
     [](const GoValue& d, Arguments) -> Output { return GoValue::integer64(d.as_integer() / 1'000'000); }},
    {"Nanoseconds", "", [](const GoValue& d, Arguments) -> Output { return GoValue::integer64(d.as_integer()); }},
};

std::span<const Method> methods_of(const GoValue& receiver) {
  switch (receiver.type()) {
    case GoValue::Type::Time:
      return kTimeMethods;
    case GoValue::Type::Duration:
      return kDurationMethods;
    case GoValue::Type::List:
      if (receiver.as_list().version_set) return kVersionSetMethods;
      return {};
    case GoValue::Type::Dict:
      if (receiver.as_dict().named == GoDict::Named::Files) return kFileMethods;
      if (receiver.is_values()) return kValuesMethods;
      return {};
    default:
      return {};
  }
}

const Method* find_method(const GoValue& receiver, std::string_view name) {
  const std::span<const Method> methods = methods_of(receiver);
  const auto found =
      std::find_if(methods.begin(), methods.end(), [name](const Method& method) { return method.name == name; });
  return found == methods.end() ? nullptr : &*found;
}

bool fits(const GoValue& value, char parameter) {
  switch (parameter) {
    case 's':
      return value.is_string();
    case 'n':
      return value.is_integer();
    case 'd':
      return value.type() == GoValue::Type::Duration;
    case 't':
      return value.type() == GoValue::Type::Time;
    default:
      return true;
  }
}

std::string parameter_name(char parameter) {
  return parameter == 's' ? "string" : parameter == 'n' ? "int" : parameter == 'd' ? "time.Duration" : "time.Time";
}

}  // namespace

bool has_method(const GoValue& receiver, std::string_view name) {
  if (receiver.type() == GoValue::Type::Object) return receiver.as_object().has_method(name);
  return find_method(receiver, name) != nullptr;
}

Result<GoValue> invoke_method(const GoValue& receiver, std::string_view name, std::span<const GoValue> args) {
  if (receiver.type() == GoValue::Type::Object) return receiver.as_object().call(name, args);
  const Method* method = find_method(receiver, name);
  if (method == nullptr) return bad_request("no method " + std::string(name) + " on " + receiver.type_name());
  if (args.size() != method->parameters.size()) {
    return bad_request("wrong number of args for " + std::string(name) + ": want " +
                       std::to_string(method->parameters.size()) + " got " + std::to_string(args.size()));
  }
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (fits(args[i], method->parameters[i])) continue;
    return bad_request("wrong type for value; expected " + parameter_name(method->parameters[i]) + "; got " +
                       (args[i].is_nil() ? "interface {}" : args[i].type_name()));
  }
  return method->body(receiver, args);
}

GoValue make_files(const std::map<std::string, std::string, std::less<>>& files) {
  auto dict = std::make_shared<GoDict>();
  dict->named = GoDict::Named::Files;
  for (const auto& [name, content] : files) dict->set(name, GoValue::bytes(content));
  return GoValue::dict(std::move(dict));
}

}  // namespace coracle::charts
