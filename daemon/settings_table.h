#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace coracle::daemon {

enum class SettingType : std::uint8_t { Text, Flag, Number, List };

// What a setting does today. Accepted ones are read and checked, and said once at start to have no
// effect yet; Removed ones are refused with a hint.
enum class SettingEffect : std::uint8_t { Active, Accepted, Hidden, Removed };

enum SettingScope : std::uint8_t { kServer = 1, kAgent = 2, kBoth = 3 };

// One row makes a command-line flag, an environment variable, a key of config.yaml, a line of the
// help text and of docs/settings.md. Names and defaults are k3s's.
struct SettingRow {
  std::string_view name;   // "write-kubeconfig"
  std::string_view group;  // heading of the help text
  SettingType type = SettingType::Text;
  std::string_view default_text;  // as documented; the reader of the setting resolves "${...}"
  std::string_view environment;   // "K3S_KUBECONFIG_OUTPUT"
  char letter = 0;                // -o
  std::string_view alias;         // an older or second name
  SettingScope scope = kBoth;
  SettingEffect effect = SettingEffect::Active;
  std::string_view help;
};

std::span<const SettingRow> settings_table();
// By name, alias or one-letter name; nullptr when unknown.
const SettingRow* find_setting(std::string_view name);
// The known name that is closest to a misspelled one, or empty when none is near.
std::string_view nearest_setting(std::string_view name);

}  // namespace coracle::daemon
