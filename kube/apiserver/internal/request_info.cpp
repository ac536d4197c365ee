#include "kube/apiserver/internal/request_info.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "base/text.h"
#include "kube/object/names.h"
#include "kube/object/selector.h"

namespace coracle::kube::apiserver {

namespace {

// Segments of the path, which is decoded first: an encoded slash separates like any other. One slash at the end does
// not count.
std::vector<std::string> split_request_path(std::string_view path) {
  auto decoded = http::percent_decode(path);
  const std::string text = decoded.ok() ? std::move(decoded).value() : std::string(path);
  std::string_view rest = text;
  if (rest.starts_with('/')) rest.remove_prefix(1);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  std::vector<std::string> parts;
  if (rest.empty()) return parts;
  for (const std::string_view part : split(rest, '/')) parts.emplace_back(part);
  return parts;
}

// A namespace that is left out ("/api/v1/namespaces//pods") means all of them; `at` is what follows the version.
bool leaves_namespace_out(const std::vector<std::string>& parts, std::size_t at) {
  return parts.size() > at + 2 && parts[at] == "namespaces" && parts[at + 1].empty() && !parts[at + 2].empty();
}

// Takes empty segments out; true where there were any that nothing is served under.
bool drop_empty_segments(std::vector<std::string>& parts) {
  const std::size_t version = !parts.empty() && parts[0] == "api" ? 1 : 2;
  if (leaves_namespace_out(parts, version + 1)) {
    const auto first = parts.begin() + static_cast<std::ptrdiff_t>(version) + 1;
    parts.erase(first, first + 2);
  }
  return std::erase_if(parts, [](const std::string& part) { return part.empty(); }) > 0;
}

std::string verb_of_method(std::string_view method) {
  if (method == "POST") return "create";
  if (method == "GET" || method == "HEAD") return "get";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return "delete";
  return "";
}

// Namespace, resource, name and subresource from what follows the version.
void read_resource_parts(RequestInfo& info, const std::vector<std::string>& parts, std::size_t at) {
  if (parts[at] == "namespaces" && parts.size() > at + 1) {
    info.namespace_ = parts[at + 1];
    const bool own_subresource = parts.size() > at + 2 && (parts[at + 2] == "status" || parts[at + 2] == "finalize");
    if (parts.size() > at + 2 && !own_subresource) at += 2;
  }
  info.resource = parts[at];
  if (parts.size() > at + 1) info.name = parts[at + 1];
  if (parts.size() > at + 2 && info.verb != "proxy") info.subresource = parts[at + 2];
  for (std::size_t i = at + 3; i < parts.size(); ++i) info.rest += (i > at + 3 ? "/" : "") + parts[i];
}

// Paths that begin with the verb do not serve selectors alike: they are none that a permission could rest on.
void read_collection_verb(RequestInfo& info, const http::Request& request, bool verb_in_path) {
  const http::Query query = http::Query::parse(request.query);
  if (info.name.empty() && info.verb == "get") {
    info.verb = query_flag(query, "watch").value_or(false) ? "watch" : "list";
    info.name = name_in_field_selector(query.get("fieldSelector"));
  } else if (info.name.empty() && info.verb == "delete") {
    info.verb = "deletecollection";
  }
  if (!verb_in_path && (info.verb == "list" || info.verb == "watch" || info.verb == "deletecollection")) {
    info.label_selector = query.get("labelSelector");
    info.field_selector = query.get("fieldSelector");
  }
}

// Cuts the next segment off; empty ones are passed over.
std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

}  // namespace

std::string name_in_field_selector(std::string_view selector) {
  if (selector.empty()) return {};
  const auto parsed = FieldSelector::parse(selector);
  if (!parsed.ok()) return {};
  std::string name = parsed->required_value("metadata.name").value_or("");
  return check_path_segment_name(name).empty() ? name : std::string();
}

std::optional<bool> query_flag(const http::Query& query, std::string_view name) {
  if (!query.has(name)) return std::nullopt;
  const std::string_view text = query.get(name);
  return text != "0" && to_lower(text) != "false";
}

bool is_read(const http::Request& request) {
  return request.method == "GET" || request.method == "HEAD";
}

bool is_connection(std::string_view subresource) {
  static constexpr std::string_view kConnections[] = {"attach", "exec", "log", "portforward", "proxy"};
  return std::find(std::begin(kConnections), std::end(kConnections), subresource) != std::end(kConnections);
}

bool concerns_one_object(const http::Request& request) {
  std::string_view path = request.path;
  const std::string_view root = next_segment(path);
  if (root != "api" && root != "apis") return false;
  if (root == "apis") next_segment(path);
  next_segment(path);  // the version
  std::string_view resource = next_segment(path);
  if (resource.empty() || resource == "watch" || resource == "proxy") return false;
  std::string_view name = next_segment(path);
  std::string_view rest = next_segment(path);
  if (resource == "namespaces" && !rest.empty() && rest != "status" && rest != "finalize") {
    resource = rest;
    name = next_segment(path);
    rest = next_segment(path);
  }
  if (is_connection(rest)) return false;
  return !name.empty() || request.method == "POST";
}

RequestInfo read_request_info(const http::Request& request) {
  RequestInfo info;
  info.path = request.path;
  info.verb = to_lower(request.method);

  std::vector<std::string> parts = split_request_path(request.path);
  info.odd_path = drop_empty_segments(parts);
  if (parts.size() < 3 || (parts[0] != "api" && parts[0] != "apis")) return info;
  std::size_t at = 1;
  if (parts[0] == "apis") {
    if (parts.size() < 4) return info;
    info.group = parts[at++];
  }
  info.resource_request = true;
  info.version = parts[at++];

  info.verb = verb_of_method(request.method);
  const bool verb_in_path = (parts[at] == "watch" || parts[at] == "proxy") && parts.size() > at + 1;
  if (verb_in_path) info.verb = parts[at++];
  read_resource_parts(info, parts, at);
  read_collection_verb(info, request, verb_in_path);
  return info;
}

}  // namespace coracle::kube::apiserver
