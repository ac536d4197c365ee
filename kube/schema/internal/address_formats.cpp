#include "kube/schema/internal/address_formats.h"

#include <algorithm>
#include <string>

#include "base/ip.h"
#include "base/text.h"
#include "base/utf8.h"
#include "kube/schema/internal/pattern.h"

namespace coracle::kube::internal {
namespace {

constexpr std::size_t kMaxHostname = 255;
constexpr std::size_t kMaxLabel = 63;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

// Each character by its class: L a letter, C another one that a label may hold, '-', '.', or '?'. The pattern of host
// names over Unicode's classes themselves would be thousands of states.
std::string classes_of(std::string_view text) {
  static const auto kLetter = Pattern::known("^\\p{L}$");
  static const auto kSymbol = Pattern::known("^[0-9\\p{S}]$");
  std::string classes;
  while (!text.empty()) {
    const std::string_view character = text.substr(0, decode_rune(text).length);
    classes += character == "-" || character == "." ? character[0]
               : kLetter->matches(character)        ? 'L'
               : kSymbol->matches(character)        ? 'C'
                                                    : '?';
    text.remove_prefix(character.size());
  }
  return classes;
}

bool well_escaped(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0))
      return false;
  }
  return true;
}

// A host may escape bytes beyond ASCII only, and a percent sign.
bool is_host_text(std::string_view host) {
  constexpr std::string_view kPlain = "-._~!$&'()*+,;=:[]<>\"";
  if (!well_escaped(host)) return false;
  for (std::size_t i = 0; i < host.size(); ++i) {
    const char c = host[i];
    if (c == '%') {
      const bool ascii = is_digit(host[i + 1]) && host[i + 1] < '8';
      if (ascii && host.substr(i, 3) != "%25") return false;
      i += 2;
    } else if (is_ascii(c) && !is_alphanumeric(c) && kPlain.find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

bool is_optional_port(std::string_view text) {
  if (text.empty()) return true;
  return text.front() == ':' && std::all_of(text.begin() + 1, text.end(), is_digit);
}

// "::1", "fe80::1%25en0": what stands between brackets.
bool is_ip_literal(std::string_view text) {
  const std::size_t zone = text.find("%25");
  if (zone == std::string_view::npos) return ip_family(text) == "IPv6";
  return zone + 3 < text.size() && ip_family(text.substr(0, zone)) == "IPv6" && is_host_text(text.substr(zone));
}

bool is_host(std::string_view scheme, std::string_view host) {
  if (const std::size_t open = host.rfind('['); open != std::string_view::npos) {
    const std::size_t close = host.rfind(']');
    if (open != 0 || close == std::string_view::npos) return false;
    return is_optional_port(host.substr(close + 1)) && is_ip_literal(host.substr(1, close - 1));
  }
  // Lists of hosts, each with a port, are allowed where the protocol is not HTTP.
  const bool strict = to_lower(scheme) == "http" || to_lower(scheme) == "https";
  const std::size_t colon = strict ? host.find(':') : host.rfind(':');
  if (colon != std::string_view::npos && !is_optional_port(host.substr(colon))) return false;
  return is_host_text(host);
}

bool is_user(std::string_view text) {
  constexpr std::string_view kPlain = "-._:~!$&'()*+,;=%@";
  return well_escaped(text) && std::all_of(text.begin(), text.end(), [&](char c) {
           return is_alphanumeric(c) || kPlain.find(c) != std::string_view::npos;
         });
}

bool is_authority(std::string_view scheme, std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return is_host(scheme, text);
  return is_host(scheme, text.substr(at + 1)) && is_user(text.substr(0, at));
}

// The scheme's length; 0 where there is none. False where a colon stands first.
bool scan_scheme(std::string_view text, std::size_t& length) {
  length = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_letter(c)) continue;
    if (c == ':') {
      length = i;
      return i > 0;
    }
    if (i == 0 || (!is_digit(c) && c != '+' && c != '-' && c != '.')) return true;
  }
  return true;
}

// Reads an address of RFC 5322 from the front of a text. What is read is gone; false: it is none.
class AddressReader {
 public:
  explicit AddressReader(std::string_view text) : rest_(text) {}

  bool run() { return read_address(true) == 1 && skip_comments() && rest_.empty(); }

 private:
  static bool is_visible(char c) { return (c > ' ' && c <= '~') || !is_ascii(c); }
  static bool is_space(char c) { return c == ' ' || c == '\t'; }
  static bool is_atom(char c) {
    return is_visible(c) && std::string_view("()<>[]:;@\\,\"").find(c) == std::string_view::npos;
  }

  bool starts_with(char c) const { return !rest_.empty() && rest_.front() == c; }
  bool take(char c) {
    if (!starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip_space() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }

  bool skip_comment() {
    int depth = 1;
    while (!rest_.empty() && depth > 0) {
      if (rest_.front() == '\\' && rest_.size() > 1) {
        rest_.remove_prefix(1);
      } else if (rest_.front() == '(') {
        ++depth;
      } else if (rest_.front() == ')') {
        --depth;
      }
      rest_.remove_prefix(1);
    }
    return depth == 0;
  }
  bool skip_comments() {
    skip_space();
    while (take('(')) {
      if (!skip_comment()) return false;
      skip_space();
    }
    return true;
  }

  // A quoted string; `length` counts what it says.
  bool read_quoted(std::size_t& length) {
    std::size_t i = 1;
    length = 0;
    for (bool escaped = false; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (escaped) {
        if (!is_visible(c) && !is_space(c)) return false;
        escaped = false;
        ++length;
      } else if (c == '"') {
        rest_.remove_prefix(i + 1);
        return true;
      } else if (c == '\\') {
        escaped = true;
      } else if (is_visible(c) || is_space(c)) {
        ++length;
      } else {
        return false;
      }
    }
    return false;
  }

  bool read_atom(std::string_view& atom) {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_atom);
    atom = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(atom.size());
    return !atom.empty();
  }
  bool read_dotted_atom() {
    std::string_view atom;
    return read_atom(atom) && atom.front() != '.' && atom.back() != '.' && atom.find("..") == std::string_view::npos;
  }

  bool read_domain_literal() {
    const std::size_t end = rest_.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view address = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return is_ip_address(address);
  }

  // local-part@domain
  bool read_spec() {
    const std::string_view before = rest_;
    skip_space();
    std::size_t quoted = 1;
    const bool local = starts_with('"') ? read_quoted(quoted) && quoted > 0 : read_dotted_atom();
    bool good = local && take('@');
    if (good) {
      skip_space();
      good = starts_with('[') ? read_domain_literal() : read_dotted_atom();
    }
    if (!good) rest_ = before;
    return good;
  }

  // The words before "<" or ":".
  bool read_phrase() {
    std::size_t words = 0;
    for (;; ++words) {
      if (words > 0 && !skip_comments()) return false;
      skip_space();
      if (rest_.empty()) return true;
      std::size_t length = 0;
      std::string_view atom;
      if (!(starts_with('"') ? read_quoted(length) : read_atom(atom))) return words > 0;
    }
  }

  // How many addresses were read; -1: none can be.
  int read_address(bool group) {
    skip_space();
    if (rest_.empty()) return -1;
    if (read_spec()) {
      skip_space();
      return !take('(') || skip_comment() ? 1 : -1;
    }
    if (!starts_with('<') && !read_phrase()) return -1;
    skip_space();
    if (group && take(':')) return read_group();
    return take('<') && read_spec() && take('>') ? 1 : -1;
  }

  int read_group() {
    skip_space();
    if (take(';')) return skip_comments() ? 0 : -1;
    for (int count = 0;;) {
      const int more = read_address(false);
      if (more < 0 || !skip_comments()) return -1;
      count += more;
      if (take(';')) return skip_comments() ? count : -1;
      if (!take(',')) return -1;
    }
  }

  std::string_view rest_;
};

// "010.0.0.1" as "10.0.0.1": readers before Go 1.17 took the zeros, and objects with them are stored.
std::string without_leading_zeros(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::size_t begin = colon == std::string_view::npos ? 0 : colon + 1;
  const std::string_view dotted = text.substr(begin, text.find('/', begin) - begin);
  if (dotted.find('.') == std::string_view::npos) return std::string(text);
  std::string out(text.substr(0, begin));
  for (const std::string_view octet : split(dotted, '.')) {
    const std::size_t digit = std::min(octet.find_first_not_of('0'), octet.empty() ? 0 : octet.size() - 1);
    if (out.size() > begin) out += '.';
    out += octet.substr(digit);
  }
  return out.append(text.substr(begin + dotted.size()));
}

}  // namespace

bool is_hostname(std::string_view text) {
  static const auto kShape = Pattern::known("^([LC]-?[LC]{0,62}|([LC]([LC-]{0,61}[LC])?\\.)+L{2,63})$");
  if (text.size() > kMaxHostname || !kShape->matches(classes_of(text))) return false;
  const auto labels = split(text, '.');
  return std::all_of(labels.begin(), labels.end(), [](std::string_view label) { return label.size() <= kMaxLabel; });
}

bool is_request_uri(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), [](char c) { return is_ascii(c) && (c < ' ' || c == 0x7F); })) return false;
  if (text == "*") return true;
  std::size_t scheme_length = 0;
  if (text.empty() || !scan_scheme(text, scheme_length)) return false;
  const std::string_view scheme = text.substr(0, scheme_length);
  std::string_view rest = scheme.empty() ? text : text.substr(scheme_length + 1);
  rest = rest.substr(0, rest.find('?'));
  if (!rest.starts_with('/')) return !scheme.empty();
  if (!scheme.empty() && rest.starts_with("//")) {
    const std::size_t end = std::min(rest.find('/', 2), rest.size());
    if (!is_authority(scheme, rest.substr(2, end - 2))) return false;
    rest.remove_prefix(end);
  }
  return well_escaped(rest);
}

bool is_email_address(std::string_view text) {
  return AddressReader(text).run();
}

bool is_ipv4_text(std::string_view text) {
  return text.find('.') != std::string_view::npos && is_ip_address(without_leading_zeros(text));
}

bool is_ipv6_text(std::string_view text) {
  return ip_family(text) == "IPv6";
}

bool is_cidr_text(std::string_view text) {
  return is_cidr(without_leading_zeros(text));
}

bool is_mac(std::string_view text) {
  static const auto kShape = Pattern::known(
      "^(?i:[0-9a-f]{2}((:[0-9a-f]{2}){5}|(:[0-9a-f]{2}){7}|(:[0-9a-f]{2}){19}|(-[0-9a-f]{2}){5}|(-[0-9a-f]{2}){7}|"
      "(-[0-9a-f]{2}){19})|[0-9a-f]{4}((\\.[0-9a-f]{4}){2}|(\\.[0-9a-f]{4}){3}|(\\.[0-9a-f]{4}){9})|"
      "[0-9a-f]{12}|[0-9a-f]{16}|[0-9a-f]{40})$");
  return kShape->matches(text);
}

}  // namespace coracle::kube::internal
