// Regular expressions, semantic versions, paths and URLs.

#include <algorithm>

#include "base/http/message.h"
#include "base/text.h"
#include "charts/functions/convert.h"
#include "charts/internal/regex.h"
#include "charts/semver.h"
#include "charts/template/evaluator.h"
#include "charts/template/function.h"
#include "charts/template/go_quote.h"

namespace coracle::charts {
namespace {

using Output = Result<GoValue>;

int count_argument(const Call& call, std::size_t index) {
  return static_cast<int>(std::clamp<std::int64_t>(call.integer(index), -1, 1'000'000'000));
}

Result<Regex> compile(const Call& call) {
  return Regex::compile(call.text(0), call.evaluator.steps());
}

// The functions without "must" use Go's MustCompile, which says more when it fails.
Result<Regex> must_compile(const Call& call) {
  auto regex = compile(call);
  if (!regex.ok()) return regex.error().in("regexp: Compile(" + go_backquote(call.text(0)) + ")");
  return regex;
}

Output must_regex_match(const Call& call) {
  ASSIGN_OR_RETURN(const Regex regex, compile(call));
  ASSIGN_OR_RETURN(const bool matched, regex.matches(call.text(1), call.evaluator.steps()));
  return GoValue::boolean(matched);
}

Output regex_match(const Call& call) {
  Output matched = must_regex_match(call);
  if (matched.ok() || matched.error().reason() != Reason::BadRequest) return matched;
  return GoValue::boolean(false);
}

Output find_first(const Call& call, Result<Regex> compiled) {
  ASSIGN_OR_RETURN(const Regex regex, std::move(compiled));
  ASSIGN_OR_RETURN(const auto found, regex.find_all(call.text(1), 1, call.evaluator.steps()));
  if (found.empty()) return GoValue::string("");
  return GoValue::string(call.text(1).substr(found[0].begin, found[0].end - found[0].begin));
}

Output find_all(const Call& call, Result<Regex> compiled) {
  ASSIGN_OR_RETURN(const Regex regex, std::move(compiled));
  ASSIGN_OR_RETURN(const auto matches, regex.find_all(call.text(1), count_argument(call, 2), call.evaluator.steps()));
  std::vector<std::string> found;
  for (const Regex::Match& match : matches) found.push_back(call.text(1).substr(match.begin, match.end - match.begin));
  return GoValue::strings(found);
}

Output replace_matches(const Call& call, Result<Regex> compiled) {
  ASSIGN_OR_RETURN(const Regex regex, std::move(compiled));
  ASSIGN_OR_RETURN(std::string text, regex.replace_all(call.text(1), call.text(2), call.evaluator.steps()));
  return GoValue::string(std::move(text));
}

Output replace_literal(const Call& call, Result<Regex> compiled) {
  ASSIGN_OR_RETURN(const Regex regex, std::move(compiled));
  ASSIGN_OR_RETURN(std::string text, regex.replace_all_literal(call.text(1), call.text(2), call.evaluator.steps()));
  return GoValue::string(std::move(text));
}

Output split_text(const Call& call, Result<Regex> compiled) {
  ASSIGN_OR_RETURN(const Regex regex, std::move(compiled));
  ASSIGN_OR_RETURN(const auto pieces, regex.split(call.text(1), count_argument(call, 2), call.evaluator.steps()));
  return GoValue::strings(pieces);
}

// What `semver` answers: Masterminds' Version with the methods that charts use.
class VersionObject final : public GoObject {
 public:
  explicit VersionObject(Version version) : version_(std::move(version)) {}

  std::string type_name() const override { return "*semver.Version"; }
  std::string_view kind_name() const override { return "ptr"; }
  const GoValue* field(std::string_view) const override { return nullptr; }
  std::string print() const override { return version_.text(); }
  Result<Value> to_value() const override { return Value(version_.text()); }
  bool has_method(std::string_view name) const override {
    constexpr std::string_view kMethods[] = {"Major",       "Minor",    "Patch",    "Prerelease", "Metadata",
                                             "Original",    "String",   "Compare",  "Equal",      "LessThan",
                                             "GreaterThan", "IncMajor", "IncMinor", "IncPatch"};
    return std::find(std::begin(kMethods), std::end(kMethods), name) != std::end(kMethods);
  }
  Result<GoValue> call(std::string_view method, std::span<const GoValue> args) const override {
    if (method == "Major") return number(version_.major);
    if (method == "Minor") return number(version_.minor);
    if (method == "Patch") return number(version_.patch);
    if (method == "Prerelease") return GoValue::string(version_.prerelease);
    if (method == "Metadata") return GoValue::string(version_.metadata);
    if (method == "Original") return GoValue::string(version_.original);
    if (method == "String") return GoValue::string(version_.text());
    if (method == "IncMajor") return incremented({version_.major + 1, 0, 0, "", "", ""});
    if (method == "IncMinor") return incremented({version_.major, version_.minor + 1, 0, "", "", ""});
    if (method == "IncPatch") {
      const std::uint64_t patch = version_.prerelease.empty() ? version_.patch + 1 : version_.patch;
      return incremented({version_.major, version_.minor, patch, "", "", ""});
    }
    const auto* other = args.size() == 1 && args[0].type() == GoValue::Type::Object
                            ? dynamic_cast<const VersionObject*>(&args[0].as_object())
                            : nullptr;
    if (other == nullptr) return bad_request("wrong type for value; expected *semver.Version");
    const int order = version_.compare(other->version_);
    if (method == "Compare") return GoValue::integer(order < 0 ? -1 : order > 0 ? 1 : 0);
    return GoValue::boolean(method == "Equal" ? order == 0 : method == "LessThan" ? order < 0 : order > 0);
  }

 private:
  static GoValue number(std::uint64_t value) { return GoValue::integer64(static_cast<std::int64_t>(value)); }
  static GoValue incremented(Version version) {
    version.original = version.text();
    return GoValue::object(std::make_shared<VersionObject>(std::move(version)));
  }

  Version version_;
};

Output semver_parse(const Call& call) {
  ASSIGN_OR_RETURN(Version version, Version::parse(call.text(0)));
  return GoValue::object(std::make_shared<VersionObject>(std::move(version)));
}

Output semver_compare(const Call& call) {
  ASSIGN_OR_RETURN(const VersionRange range, VersionRange::parse(call.text(0)));
  ASSIGN_OR_RETURN(const Version version, Version::parse(call.text(1)));
  return GoValue::boolean(range.contains(version));
}

// path.Clean: no double slashes, "." or removable "..".
std::string clean_path(std::string_view path) {
  if (path.empty()) return ".";
  const bool rooted = path[0] == '/';
  std::vector<std::string_view> kept;
  for (std::string_view rest = path; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      kept.push_back(part);
    } else if (!kept.empty() && kept.back() != "..") {
      kept.pop_back();
    } else if (!rooted) {
      kept.push_back(part);
    }
  }
  std::string out = rooted ? "/" : "";
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (i > 0) out += '/';
    out += kept[i];
  }
  return out.empty() ? "." : out;
}

std::string base_name(std::string_view path) {
  if (path.empty()) return ".";
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  if (path == "/") return "/";
  const std::size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

std::string directory_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return clean_path(slash == std::string_view::npos ? std::string_view() : path.substr(0, slash + 1));
}

std::string extension(std::string_view path) {
  const std::size_t dot = path.find_last_of("./");
  if (dot == std::string_view::npos || path[dot] == '/') return "";
  return std::string(path.substr(dot));
}

std::string host_name(std::string_view host) {
  if (host.starts_with('[')) return std::string(host.substr(1, host.find(']') - 1));
  return std::string(host.substr(0, host.rfind(':')));
}

Error url_error(const Call& call, const std::string& what) {
  return bad_request("unable to parse url: parse " + go_quote(call.text(0)) + ": " + what);
}

// A part of a URL without its escapes.
Output unescaped(const Call& call, std::string_view part) {
  Result<std::string> decoded = http::percent_decode(part);
  if (decoded.ok()) return GoValue::string(std::move(decoded).value());
  std::string_view escape = part.substr(part.find('%'));
  while (http::percent_decode(escape.substr(0, 3)).ok()) escape.remove_prefix(escape.find('%', 1));
  return url_error(call, "invalid URL escape " + go_quote(escape.substr(0, 3)));
}

Output url_parse(const Call& call) {
  std::string_view rest = call.text(0);
  if (rest.find_first_of(" \t\n\r") != std::string_view::npos || rest.starts_with(':')) {
    return url_error(call, "invalid character in URL");
  }
  auto parts = std::make_shared<GoDict>();
  for (const char* key : {"scheme", "host", "hostname", "path", "query", "opaque", "fragment", "userinfo"}) {
    parts->set(key, GoValue::string(""));
  }
  if (const std::size_t hash = rest.find('#'); hash != std::string_view::npos) {
    ASSIGN_OR_RETURN(GoValue fragment, unescaped(call, rest.substr(hash + 1)));
    parts->set("fragment", std::move(fragment));
    rest = rest.substr(0, hash);
  }
  if (const std::size_t mark = rest.find('?'); mark != std::string_view::npos) {
    parts->set("query", GoValue::string(std::string(rest.substr(mark + 1))));
    rest = rest.substr(0, mark);
  }
  const std::size_t colon = rest.find_first_of(":/");
  const bool has_scheme = colon != std::string_view::npos && rest[colon] == ':' && colon > 0;
  if (has_scheme) {
    parts->set("scheme", GoValue::string(to_lower(rest.substr(0, colon))));
    rest.remove_prefix(colon + 1);
    if (!rest.starts_with('/')) {
      parts->set("opaque", GoValue::string(std::string(rest)));
      return GoValue::dict(std::move(parts));
    }
  }
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    std::string_view authority = rest.substr(0, rest.find('/'));
    rest.remove_prefix(authority.size());
    if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
      parts->set("userinfo", GoValue::string(std::string(authority.substr(0, at))));
      authority.remove_prefix(at + 1);
    }
    parts->set("host", GoValue::string(std::string(authority)));
    parts->set("hostname", GoValue::string(host_name(authority)));
  }
  ASSIGN_OR_RETURN(GoValue path, unescaped(call, rest));
  parts->set("path", std::move(path));
  return GoValue::dict(std::move(parts));
}

std::string part_of(const GoDict& parts, std::string_view key) {
  const GoValue* found = parts.find(key);
  return found != nullptr && found->is_string() ? found->text() : "";
}

Output url_join(const Call& call) {
  if (call[0].is_nil()) return nil_dereference();
  const GoDict& parts = call[0].as_dict();
  for (const auto& [key, value] : parts.members) {
    if (!value.is_string())
      return bad_request("unable to parse " + key + " key, must be of type string, but " + value.type_name() +
                         " found");
  }
  std::string out = part_of(parts, "scheme");
  if (!out.empty()) out += ':';
  if (const std::string opaque = part_of(parts, "opaque"); !opaque.empty()) {
    out += opaque;
  } else {
    const std::string host = part_of(parts, "host");
    const std::string user = part_of(parts, "userinfo");
    const std::string path = part_of(parts, "path");
    if (!host.empty() || !user.empty() || !out.empty()) {
      if (!host.empty() || !user.empty() || !path.empty()) out += "//";
      if (!user.empty()) out += user + "@";
      out += host;
    }
    if (!path.empty() && path[0] != '/' && !host.empty()) out += '/';
    out += path;
  }
  if (const std::string query = part_of(parts, "query"); !query.empty()) out += "?" + query;
  if (const std::string fragment = part_of(parts, "fragment"); !fragment.empty()) out += "#" + fragment;
  return GoValue::string(std::move(out));
}

Output path_base(const Call& c) {
  return GoValue::string(base_name(c.text(0)));
}
Output path_dir(const Call& c) {
  return GoValue::string(directory_name(c.text(0)));
}
Output path_clean(const Call& c) {
  return GoValue::string(clean_path(c.text(0)));
}
Output path_ext(const Call& c) {
  return GoValue::string(extension(c.text(0)));
}
Output path_is_abs(const Call& c) {
  return GoValue::boolean(c.text(0).starts_with('/'));
}

constexpr Function kTexts[] = {
    {"regexMatch", "ss", regex_match},
    {"mustRegexMatch", "ss", must_regex_match},
    {"regexFind", "ss", [](const Call& c) { return find_first(c, must_compile(c)); }},
    {"mustRegexFind", "ss", [](const Call& c) { return find_first(c, compile(c)); }},
    {"regexFindAll", "ssi", [](const Call& c) { return find_all(c, must_compile(c)); }},
    {"mustRegexFindAll", "ssi", [](const Call& c) { return find_all(c, compile(c)); }},
    {"regexReplaceAll", "sss", [](const Call& c) { return replace_matches(c, must_compile(c)); }},
    {"mustRegexReplaceAll", "sss", [](const Call& c) { return replace_matches(c, compile(c)); }},
    {"regexReplaceAllLiteral", "sss", [](const Call& c) { return replace_literal(c, must_compile(c)); }},
    {"mustRegexReplaceAllLiteral", "sss", [](const Call& c) { return replace_literal(c, compile(c)); }},
    {"regexSplit", "ssi", [](const Call& c) { return split_text(c, must_compile(c)); }},
    {"mustRegexSplit", "ssi", [](const Call& c) { return split_text(c, compile(c)); }},
    {"regexQuoteMeta", "s", [](const Call& c) -> Output { return GoValue::string(Regex::quote(c.text(0))); }},
    {"semver", "s", semver_parse},
    {"semverCompare", "ss", semver_compare},
    {"base", "s", path_base},
    {"osBase", "s", path_base},
    {"dir", "s", path_dir},
    {"osDir", "s", path_dir},
    {"clean", "s", path_clean},
    {"osClean", "s", path_clean},
    {"ext", "s", path_ext},
    {"osExt", "s", path_ext},
    {"isAbs", "s", path_is_abs},
    {"osIsAbs", "s", path_is_abs},
    {"urlParse", "s", url_parse},
    {"urlJoin", "m", url_join},
};

}  // namespace

std::span<const Function> text_functions() {
  return kTexts;
}

}  // namespace coracle::charts
