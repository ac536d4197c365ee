#include "kube/object/names.h"

#include <algorithm>
#include <initializer_list>

#include "base/text.h"

namespace coracle::kube {
namespace {

constexpr std::size_t kMaxPortName = 15;
constexpr std::size_t kMaxQualifiedNamePart = 63;
constexpr int kMaxPort = 65535;

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_lower_alphanumeric(char c) {
  return is_lower(c) || is_digit(c);
}
bool is_label_character(char c) {
  return is_lower_alphanumeric(c) || c == '-';
}
bool is_name_character(char c) {
  return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
}

template <class Predicate>
bool all_of(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

bool is_label(std::string_view text) {
  return !text.empty() && is_lower_alphanumeric(text.front()) && is_lower_alphanumeric(text.back()) &&
         all_of(text, is_label_character);
}

bool is_subdomain(std::string_view text) {
  for (;;) {
    const std::size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_name_part(std::string_view text) {
  return !text.empty() && is_alphanumeric(text.front()) && is_alphanumeric(text.back()) &&
         all_of(text, is_name_character);
}

// "<rule> (e.g. 'a',  or 'b', regex used for validation is '<regex>')"
std::string regex_text(std::string_view rule, std::string_view regex,
                       std::initializer_list<std::string_view> examples) {
  std::string text(rule);
  text += " (e.g. ";
  bool first = true;
  for (const std::string_view example : examples) {
    if (!first) text += " or ";
    first = false;
    text += '\'';
    text += example;
    text += "', ";
  }
  text += "regex used for validation is '";
  text += regex;
  text += "')";
  return text;
}

std::string too_many_bytes_text(std::size_t limit) {
  return "must be no more than " + std::to_string(limit) + " bytes";
}

constexpr std::string_view kSubdomainRegex = R"([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)";
constexpr std::string_view kNameRule =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
constexpr std::string_view kNameRegex = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

std::string name_part_text(std::string_view what) {
  return std::string(what) + regex_text(kNameRule, kNameRegex, {"MyName", "my.name", "123-abc"});
}

// '.', '..' and a leading '..' would walk out of a directory when keys become files.
void check_directory_change(std::string_view text, NameErrors& errors) {
  if (text == ".") {
    errors.emplace_back("must not be '.'");
  } else if (text == "..") {
    errors.emplace_back("must not be '..'");
  } else if (text.substr(0, 2) == "..") {
    errors.emplace_back("must not start with '..'");
  }
}

}  // namespace

std::string too_long_text(std::size_t limit) {
  return "must be no more than " + std::to_string(limit) + " characters";
}

NameErrors check_dns1123_label(std::string_view text) {
  NameErrors errors;
  if (text.size() > kMaxDns1123Label) errors.push_back(too_long_text(kMaxDns1123Label));
  if (is_label(text)) return errors;
  if (is_subdomain(text)) {
    errors.emplace_back("must not contain dots");
    return errors;
  }
  errors.push_back(
      regex_text("a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
                 "must start and end with an alphanumeric character",
                 "[a-z0-9]([-a-z0-9]*[a-z0-9])?", {"my-name", "123-abc"}));
  return errors;
}

NameErrors check_dns1123_subdomain(std::string_view text) {
  NameErrors errors;
  if (text.size() > kMaxDns1123Subdomain) errors.push_back(too_long_text(kMaxDns1123Subdomain));
  if (!is_subdomain(text)) {
    errors.push_back(
        regex_text("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' "
                   "or '.', and must start and end with an alphanumeric character",
                   kSubdomainRegex, {"example.com"}));
  }
  return errors;
}

NameErrors check_dns1123_subdomain_with_underscore(std::string_view text) {
  // An underscore may stand wherever a hyphen may, and also first.
  const auto is_good_label = [](std::string_view label) {
    if (label.starts_with('_')) label.remove_prefix(1);
    return !label.empty() && is_lower_alphanumeric(label.front()) && is_lower_alphanumeric(label.back()) &&
           all_of(label, [](char c) { return is_label_character(c) || c == '_'; });
  };
  NameErrors errors;
  if (text.size() > kMaxDns1123Subdomain) errors.push_back(too_long_text(kMaxDns1123Subdomain));
  for (std::string_view rest = text;;) {
    const std::size_t dot = rest.find('.');
    if (!is_good_label(rest.substr(0, dot))) {
      errors.push_back(
          regex_text("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' "
                     "or '.', and must start and end with an alphanumeric character",
                     R"(_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*)", {"example.com"}));
      return errors;
    }
    if (dot == std::string_view::npos) return errors;
    rest.remove_prefix(dot + 1);
  }
}

NameErrors check_dns1035_label(std::string_view text) {
  NameErrors errors;
  if (text.size() > kMaxDns1123Label) errors.push_back(too_long_text(kMaxDns1123Label));
  if (!is_label(text) || !is_lower(text.front())) {
    errors.push_back(
        regex_text("a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
                   "alphabetic character, and end with an alphanumeric character",
                   "[a-z]([-a-z0-9]*[a-z0-9])?", {"my-name", "abc-123"}));
  }
  return errors;
}

NameErrors check_wildcard_dns1123_subdomain(std::string_view text) {
  NameErrors errors;
  if (text.size() > kMaxDns1123Subdomain) errors.push_back(too_long_text(kMaxDns1123Subdomain));
  if (text.substr(0, 2) != "*." || !is_subdomain(text.substr(2))) {
    errors.push_back(
        regex_text("a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, "
                   "which must consist of lower case alphanumeric characters, '-' or '.' and end with an "
                   "alphanumeric character",
                   R"(\*\.)" + std::string(kSubdomainRegex), {"*.example.com"}));
  }
  return errors;
}

NameErrors check_qualified_name(std::string_view text) {
  NameErrors errors;
  const std::size_t slash = text.find('/');
  std::string_view name = text;
  if (slash != std::string_view::npos) {
    name = text.substr(slash + 1);
    if (name.find('/') != std::string_view::npos) {
      errors.push_back(name_part_text("a valid label key ") +
                       " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
      return errors;
    }
    if (slash == 0) {
      errors.emplace_back("prefix part must be non-empty");
    } else {
      for (const std::string& error : check_dns1123_subdomain(text.substr(0, slash))) {
        errors.push_back("prefix part " + error);
      }
    }
  }
  if (name.empty()) {
    errors.emplace_back("name part must be non-empty");
  } else if (name.size() > kMaxQualifiedNamePart) {
    errors.push_back("name part " + too_many_bytes_text(kMaxQualifiedNamePart));
  }
  if (!is_name_part(name)) errors.push_back(name_part_text("name part "));
  return errors;
}

NameErrors check_label_value(std::string_view text) {
  NameErrors errors;
  if (text.size() > kMaxLabelValue) errors.push_back(too_many_bytes_text(kMaxLabelValue));
  if (!text.empty() && !is_name_part(text)) {
    errors.push_back(
        regex_text("a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
                   "'.', and must start and end with an alphanumeric character",
                   "(" + std::string(kNameRegex) + ")?", {"MyValue", "my_value", "12345"}));
  }
  return errors;
}

NameErrors check_path_segment_name(std::string_view text) {
  if (text == "." || text == "..") return {"may not be '" + std::string(text) + "'"};
  NameErrors errors;
  for (const char illegal : {'/', '%'}) {
    if (text.find(illegal) != std::string_view::npos)
      errors.push_back(std::string("may not contain '") + illegal + "'");
  }
  return errors;
}

NameErrors check_port_name(std::string_view text) {
  NameErrors errors;
  if (text.size() > kMaxPortName) errors.push_back(too_long_text(kMaxPortName));
  if (text.empty() || !all_of(text, is_label_character)) {
    errors.emplace_back("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (std::none_of(text.begin(), text.end(), is_lower)) errors.emplace_back("must contain at least one letter (a-z)");
  if (text.find("--") != std::string_view::npos) errors.emplace_back("must not contain consecutive hyphens");
  if (!text.empty() && (text.front() == '-' || text.back() == '-')) {
    errors.emplace_back("must not begin or end with a hyphen");
  }
  return errors;
}

NameErrors check_port_number(long long port) {
  if (port >= 1 && port <= kMaxPort) return {};
  return {"must be between 1 and " + std::to_string(kMaxPort) + ", inclusive"};
}

NameErrors check_config_map_key(std::string_view text) {
  NameErrors errors;
  if (text.size() > kMaxDns1123Subdomain) errors.push_back(too_long_text(kMaxDns1123Subdomain));
  if (text.empty() || !all_of(text, is_name_character)) {
    errors.push_back(regex_text("a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
                                "[-._a-zA-Z0-9]+", {"key.name", "KEY_NAME", "key-name"}));
  }
  check_directory_change(text, errors);
  return errors;
}

NameErrors check_environment_name(std::string_view text) {
  NameErrors errors;
  if (text.empty()) errors.emplace_back("environment variable name must be non-empty");
  if (!all_of(text, [](char c) { return c >= ' ' && c <= '~' && c != '='; })) {
    errors.emplace_back(
        "a valid environment variable name must consist only of printable ASCII characters other than '='");
  }
  return errors;
}

NameErrors check_http_header_name(std::string_view text) {
  if (!text.empty() && all_of(text, [](char c) { return is_alphanumeric(c) || c == '-'; })) return {};
  return {regex_text("a valid HTTP header must consist of alphanumeric characters or '-'", "[-A-Za-z0-9]+",
                     {"X-Header-Name"})};
}

NameErrors check_percent(std::string_view text) {
  if (text.size() > 1 && text.back() == '%' && all_of(text.substr(0, text.size() - 1), is_digit)) return {};
  return {regex_text("a valid percent string must be a numeric string followed by an ending '%'", "[0-9]+%",
                     {"1%", "93%"})};
}

}  // namespace coracle::kube
