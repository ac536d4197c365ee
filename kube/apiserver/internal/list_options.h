#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/http/message.h"
#include "base/result.h"
#include "store/backend.h"

namespace coracle::kube::apiserver {

// metav1.ListOptions as they come in a query.
struct ListOptions {
  std::string label_selector;
  std::string field_selector;
  std::string resource_version;
  std::string resource_version_match;  // "", "Exact", "NotOlderThan"
  std::string continue_token;
  std::int64_t limit = 0;
  std::int64_t timeout_seconds = 0;
  bool watch = false;
  bool allow_watch_bookmarks = false;
  std::optional<bool> send_initial_events;
};

// BadRequest for texts that are no numbers; Invalid for combinations that upstream forbids.
Result<ListOptions> read_list_options(const http::Query& query, bool watch);

// A decimal resourceVersion; 0 for an empty text. BadRequest ("resourceVersion: Invalid value: ...").
Result<store::Revision> parse_resource_version(std::string_view text);

// Where a chunked list goes on: behind which key, at which revision (-1: whatever is current).
struct ContinueToken {
  store::Revision revision = 0;
  std::string start;  // first key not yet sent, relative to the resource's prefix
};
std::string encode_continue(const ContinueToken& token);
Result<ContinueToken> decode_continue(std::string_view text);

}  // namespace coracle::kube::apiserver
