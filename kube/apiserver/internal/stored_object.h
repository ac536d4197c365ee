#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "kube/object/object.h"
#include "store/backend.h"

namespace coracle::kube::apiserver {

class StoredObject;
using StoredObjectPtr = std::shared_ptr<const StoredObject>;

// One object at one revision as JSON of the storage version without resourceVersion, with the places
// where readers cut and splice. Immutable; shared by caches, watches and answers.
class StoredObject {
  struct Private {};

 public:
  explicit StoredObject(Private) {}

  // Corrupt unless `json` begins with apiVersion and kind (in either order), has metadata with a
  // plain name and no resourceVersion: what our writers and upstream's JSON storage produce.
  static Result<StoredObjectPtr> make(store::Bytes json, store::Revision revision);
  // The same bytes at another revision (deletion events carry the revision of the deletion).
  StoredObjectPtr at(store::Revision revision) const;

  const store::Bytes& json() const { return json_; }
  store::Revision revision() const { return revision_; }
  std::string_view name() const { return cut(name_); }
  std::string_view namespace_() const { return cut(namespace_span_); }  // empty for cluster-scoped objects
  std::string_view uid() const { return cut(uid_); }
  bool deleting() const { return deleting_; }

  // '{', the type members as given ("\"kind\":\"Pod\",\"apiVersion\":\"v1\","; may be empty, as in items of
  // typed lists), then everything else with its resourceVersion.
  void append(std::string& out, std::string_view type_members) const;
  // The stored type members.
  std::string_view type_members() const { return std::string_view(*json_).substr(1, body_ - 1); }
  // The metadata object alone, with its resourceVersion.
  void append_metadata(std::string& out) const;
  // What append() adds at most.
  std::size_t text_size() const { return json_->size() + kRevisionRoom; }

  // The tree, with resourceVersion. Parsed at every call.
  Result<Object> object() const;
  // metadata.labels, or null; parsed at the first call.
  const Value& labels() const;

 private:
  static constexpr std::size_t kRevisionRoom = 48;
  struct Span {
    std::uint32_t begin = 0, end = 0;
  };

  std::string_view cut(Span span) const { return std::string_view(*json_).substr(span.begin, span.end - span.begin); }
  Result<void> scan();
  bool scan_metadata(std::size_t at);
  void append_spliced(std::string& out, std::size_t begin, std::size_t end) const;

  store::Bytes json_;
  store::Revision revision_ = 0;
  Span name_, namespace_span_, uid_, labels_span_, metadata_;
  std::uint32_t body_ = 0;      // behind the type members
  std::uint32_t splice_ = 0;    // where resourceVersion goes
  bool splice_at_end_ = false;  // behind the last member rather than before one
  bool deleting_ = false;
  mutable std::once_flag labels_once_;
  mutable Value labels_;
};

// The order of keys "<namespace>/<name>" (or "<name>") in the store, without joining them.
int compare_keys(std::string_view left_namespace, std::string_view left_name, std::string_view right_namespace,
                 std::string_view right_name);

}  // namespace coracle::kube::apiserver
