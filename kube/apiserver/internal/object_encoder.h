#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/http/message.h"
#include "base/result.h"
#include "kube/apiserver/internal/media_type.h"
#include "kube/apiserver/internal/resource.h"
#include "kube/apiserver/internal/stored_object.h"
#include "kube/apiserver/internal/watch_event.h"

namespace coracle::kube::apiserver {

// What a table shows of each row's object (?includeObject=).
enum class IncludeObject : std::uint8_t { None, Metadata, Object };

struct ListMeta {
  store::Revision revision = 0;
  std::string continue_token;
  std::optional<std::int64_t> remaining;
};

// How stored objects of one resource become answers in one representation: version, transform
// (Table, PartialObjectMetadata) and encoding. Where only the type members differ from what is
// stored, bytes are copied and nothing is parsed. Belongs to one request or watch.
class ObjectEncoder {
 public:
  ObjectEncoder(ResourcePtr resource, OutputType output, IncludeObject include, WallTime now);

  const OutputType& output() const { return output_; }
  // From which ages in tables are counted; a watch moves it on.
  void set_now(WallTime now) { now_ = now; }

  Result<http::Bytes> single(const StoredObject& object) const;
  // The body in pieces.
  Result<std::vector<http::Bytes>> list(std::span<const StoredObjectPtr> objects, const ListMeta& meta) const;

  // A list is stored bytes one after another, and nothing about it can fail; it may then be written in steps.
  bool copies() const;
  void begin_list(std::string& out, const ListMeta& meta) const;
  void append_item(std::string& out, const StoredObject& object) const;
  void end_list(std::string& out, const ListMeta& meta) const;

  // Says that something else tells where a watch event ends, as WebSocket does: protobuf needs no length before it.
  void send_messages() { messages_ = true; }
  // Equal for watches that send equal bytes; 0 when each sends its own.
  std::uint64_t share_key(WatchType type) const;
  Result<http::Bytes> watch_event(WatchType type, const StoredObject& object);
  http::Bytes bookmark(store::Revision revision, bool end_of_initial_events);
  http::Bytes watch_error(const Error& error) const;

  // Any tree that has a kind (Status, Scale, reviews) as a whole body; JSON where `schema` is null.
  static http::Bytes tree(const OutputType& output, const Value& tree, const Schema* schema);

 private:
  // Objects are served in another version than they are stored in.
  bool converts() const;
  // JSON without a layout.
  bool compact() const;
  Result<Object> served(const StoredObject& object) const;
  Result<std::string> served_json(const StoredObject& object) const;
  Result<std::string> object_json(const StoredObject& object, bool columns) const;
  Result<std::string> envelope(const StoredObject& object) const;
  http::Bytes protobuf_event(std::string_view type, std::string_view envelope) const;
  void append_partial(std::string& out, const StoredObject& object) const;
  Value table_columns() const;
  Result<std::string> table_row(const StoredObject& object) const;
  Result<std::string> table(std::span<const StoredObjectPtr> objects, std::string_view meta, bool columns) const;
  Result<std::vector<http::Bytes>> list_json(std::span<const StoredObjectPtr> objects, const ListMeta& meta) const;
  Result<std::string> list_protobuf(std::span<const StoredObjectPtr> objects, const ListMeta& meta) const;

  const ResourcePtr resource_;
  const OutputType output_;
  const IncludeObject include_;
  WallTime now_;
  std::string type_members_;
  bool columns_sent_ = false;
  bool messages_ = false;
};

}  // namespace coracle::kube::apiserver
