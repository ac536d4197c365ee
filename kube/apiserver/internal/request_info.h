#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/http/message.h"

namespace coracle::kube::apiserver {

// What a request is about, read from method, path and query alone (upstream's RequestInfo). It
// drives authorization, admission and routing.
struct RequestInfo {
  bool resource_request = false;  // below /api/<version> or /apis/<group>/<version>
  bool odd_path = false;          // with empty segments, which are left out here: nothing is served there
  std::string path;               // "/api/v1/namespaces/default/pods"
  std::string verb;               // "get", "list", "watch", "create", "deletecollection"; lower-case method otherwise
  std::string group;
  std::string version;
  std::string namespace_;
  std::string resource;     // "pods"
  std::string subresource;  // "status"
  std::string name;
  std::string rest;            // path behind the subresource
  std::string label_selector;  // of list, watch and deletecollection; for authorization
  std::string field_selector;
};

RequestInfo read_request_info(const http::Request& request);

// The name that a field selector pins (metadata.name=x among its requirements); empty otherwise. Of several the first
// in the selector's order, so that authorization and the watch itself mean the same object.
std::string name_in_field_selector(std::string_view selector);

// A boolean parameter as upstream reads it: anything but "false", in any case, and "0" is true. Nullopt when it is
// not there.
std::optional<bool> query_flag(const http::Query& query, std::string_view name);

// GET or HEAD.
bool is_read(const http::Request& request);

// Subresources whose requests last, or leave this server.
bool is_connection(std::string_view subresource);

// Whether the request reads or writes one object and then ends. Looks at method and path only so far as that
// takes: the transport asks it of every request.
bool concerns_one_object(const http::Request& request);

}  // namespace coracle::kube::apiserver
