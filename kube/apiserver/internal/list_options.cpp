#include "kube/apiserver/internal/list_options.h"

#include <charconv>

#include "base/encoding.h"
#include "base/json/go_error.h"
#include "base/json/json.h"
#include "kube/apiserver/internal/request_info.h"
#include "kube/apiserver/internal/resource_store.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::size_t kMaxToken = 4096;

Result<std::int64_t> read_number(const http::Query& query, std::string_view name) {
  if (!query.has(name)) return std::int64_t{0};
  const std::string_view text = query.get(name);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) {
    return bad_request("strconv.ParseInt: parsing \"" + std::string(text) + "\": value out of range");
  }
  if (error != std::errc() || end != text.data() + text.size()) {
    return bad_request("strconv.ParseInt: parsing \"" + std::string(text) + "\": invalid syntax");
  }
  return number;
}

constexpr std::string_view kListMatches[] = {"Exact", "NotOlderThan", ""};
constexpr std::string_view kWatchMatches[] = {"NotOlderThan"};

void forbid(FieldErrors& errors, std::string_view field, std::string_view detail) {
  errors.push_back(field_error::forbidden(field, detail));
}

void check_list(const ListOptions& options, FieldErrors& errors) {
  const std::string& match = options.resource_version_match;
  if (!match.empty()) {
    if (options.resource_version.empty()) {
      forbid(errors, "resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided");
    }
    if (!options.continue_token.empty()) {
      forbid(errors, "resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
    }
    if (match != "Exact" && match != "NotOlderThan") {
      errors.push_back(field_error::not_supported("resourceVersionMatch", match, kListMatches));
    }
    if (match == "Exact" && options.resource_version == "0") {
      forbid(errors, "resourceVersionMatch", "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
    }
  }
  if (options.send_initial_events) {
    forbid(errors, "sendInitialEvents", "sendInitialEvents is forbidden for list");
  }
}

void check_watch(const ListOptions& options, FieldErrors& errors) {
  const std::string& match = options.resource_version_match;
  if (options.send_initial_events && match != "NotOlderThan") {
    forbid(errors, "resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  }
  if (match.empty()) return;
  if (!options.send_initial_events) {
    forbid(errors, "resourceVersionMatch",
           "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
  }
  if (match != "NotOlderThan") {
    errors.push_back(field_error::not_supported("resourceVersionMatch", match, kWatchMatches));
  }
  if (!options.continue_token.empty()) {
    forbid(errors, "resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
  }
}

}  // namespace

Result<ListOptions> read_list_options(const http::Query& query, bool watch) {
  ListOptions options;
  options.label_selector = query.get("labelSelector");
  options.field_selector = query.get("fieldSelector");
  options.resource_version = query.get("resourceVersion");
  options.resource_version_match = query.get("resourceVersionMatch");
  options.continue_token = query.get("continue");
  options.watch = watch;
  options.allow_watch_bookmarks = query_flag(query, "allowWatchBookmarks").value_or(false);
  options.send_initial_events = query_flag(query, "sendInitialEvents");
  ASSIGN_OR_RETURN(options.limit, read_number(query, "limit"));
  ASSIGN_OR_RETURN(options.timeout_seconds, read_number(query, "timeoutSeconds"));
  if (options.limit < 0) options.limit = 0;

  FieldErrors errors;
  if (watch) {
    check_watch(options, errors);
  } else {
    check_list(options, errors);
  }
  if (!errors.empty()) return invalid({"meta.k8s.io", "v1", "ListOptions"}, "", errors);
  return options;
}

Result<store::Revision> parse_resource_version(std::string_view text) {
  if (text.empty()) return store::Revision{0};
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool complete = error == std::errc() && end == text.data() + text.size();
  if (!complete || number > static_cast<std::uint64_t>(INT64_MAX)) {
    const char* why = error == std::errc::result_out_of_range || complete ? "value out of range" : "invalid syntax";
    return bad_request("resourceVersion: Invalid value: \"" + std::string(text) + "\": strconv.ParseUint: parsing \"" +
                       std::string(text) + "\": " + why);
  }
  return static_cast<store::Revision>(number);
}

std::string encode_continue(const ContinueToken& token) {
  return base64url_encode(json::write(
      Value::object({{"v", "meta.k8s.io/v1"}, {"rv", token.revision}, {"start", std::string_view(token.start)}})));
}

Result<ContinueToken> decode_continue(std::string_view text) {
  const auto refuse = [](std::string_view why) {
    return bad_request("invalid continue token: continue key is not valid: " + std::string(why));
  };
  if (text.size() > kMaxToken) return refuse("too long");
  const auto plain = base64url_decode(text);
  if (!plain.ok()) return refuse("illegal base64 data");
  auto tree = json::read(*plain);
  if (!tree.ok()) return refuse(json::go_error(*plain, tree.error()));
  if ((*tree)["v"].as_string() != "meta.k8s.io/v1") {
    return refuse("server does not recognize this encoded version \"" + std::string((*tree)["v"].as_string()) + "\"");
  }
  ContinueToken token;
  token.revision = (*tree)["rv"].as_int();
  token.start = (*tree)["start"].as_string();
  if (token.revision == 0) return refuse("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  if (token.start.empty()) return refuse("encoded start key empty (version meta.k8s.io/v1)");
  const bool leaves = token.start.front() == '/' || token.start.rfind("../", 0) == 0 ||
                      token.start.find("/../") != std::string::npos || token.start == "..";
  if (leaves) return refuse("encoded start key leaves the resource: " + token.start);
  return token;
}

}  // namespace coracle::kube::apiserver
