#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "kube/apiserver/resource.h"
#include "kube/object/object.h"
#include "store/backend.h"

namespace coracle::kube::apiserver {

// One object at one revision as JSON of the storage version without resourceVersion, with the places
// where readers cut and splice. Immutable; shared by caches, watches and answers.
class StoredObject {
 public:
  // Corrupt when `json` is no object with metadata and a name.
  static Result<std::shared_ptr<const StoredObject>> make(store::Bytes json, store::Revision revision);

  const store::Bytes& json() const { return json_; }
  store::Revision revision() const { return revision_; }
  std::string_view name() const;
  std::string_view namespace_() const;  // empty for cluster-scoped objects
  std::string_view uid() const;

  // The whole object with its resourceVersion; `api_version` and `kind` replace the stored ones.
  void append_object(std::string& out, std::string_view type_meta) const;
  // The same without type members, as items of typed lists are printed.
  void append_untyped(std::string& out) const;
  std::size_t text_size() const { return json_->size() + kRevisionRoom; }

  // The tree, with resourceVersion. Parsed at every call.
  Result<Object> object() const;
  // Labels sorted by key, parsed at the first call.
  const std::vector<std::pair<std::string, std::string>>& labels() const;

 private:
  static constexpr std::size_t kRevisionRoom = 48;
  struct Span {
    std::uint32_t begin = 0, end = 0;
  };

  StoredObject() = default;
  std::string_view cut(Span span) const { return std::string_view(*json_).substr(span.begin, span.end - span.begin); }

  store::Bytes json_;
  store::Revision revision_ = 0;
  Span name_, namespace__, uid_, labels_;
  std::uint32_t body_ = 0;    // where the members behind apiVersion and kind begin
  std::uint32_t splice_ = 0;  // where ,"resourceVersion":"N" goes
};
using StoredObjectPtr = std::shared_ptr<const StoredObject>;

}  // namespace coracle::kube::apiserver
