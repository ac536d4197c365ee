#include "kube/apiserver/internal/object_encoder.h"

#include <functional>
#include <utility>

#include "base/json/json.h"
#include "base/yaml/yaml.h"
#include "kube/codec/codec.h"
#include "kube/codec/normalise.h"
#include "kube/codec/protobuf.h"
#include "kube/codec/watch_event.h"
#include "kube/object/status.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kPartialType = "io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadata";
constexpr std::string_view kStatusType = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";
constexpr std::string_view kInitialEventsEnd = "k8s.io/initial-events-end";

std::string type_members_of(const GroupVersionKind& gvk, bool custom) {
  std::string api_version, kind;
  json::write_string(api_version, gvk.api_version());
  json::write_string(kind, gvk.kind);
  if (custom) return "\"apiVersion\":" + api_version + ",\"kind\":" + kind + ",";
  return "\"kind\":" + kind + ",\"apiVersion\":" + api_version + ",";
}

std::string meta_members(std::string_view kind, const std::string& version) {
  return "\"kind\":\"" + std::string(kind) + "\",\"apiVersion\":\"meta.k8s.io/" + version + "\",";
}

// Text of ListMeta in Go's order. Custom resources print an empty continue.
std::string list_meta_json(const ListMeta& meta, bool custom) {
  std::string text = "{";
  if (custom || !meta.continue_token.empty()) text += "\"continue\":\"" + meta.continue_token + "\",";
  if (meta.remaining) text += "\"remainingItemCount\":" + std::to_string(*meta.remaining) + ",";
  return text + "\"resourceVersion\":\"" + std::to_string(meta.revision) + "\"}";
}

// The finished body from compact JSON: pretty, YAML, or as it is with a line end.
Result<http::Bytes> finish_text(std::string json, const OutputType& output) {
  if (output.encoding == MediaType::Yaml) {
    ASSIGN_OR_RETURN(const Value tree, json::read(json));
    return http::bytes(yaml::write(tree));
  }
  if (output.pretty) {
    ASSIGN_OR_RETURN(const Value tree, json::read(json));
    return http::bytes(json::write_pretty(tree));
  }
  json += '\n';
  return http::bytes(std::move(json));
}

// Collects a long body in pieces: one string of megabytes would be fresh memory for every answer.
class SegmentedText {
 public:
  std::string& text() { return text_; }
  // Between two items.
  void cut() {
    if (text_.size() < kSegmentBytes) return;
    segments_.push_back(http::bytes(std::exchange(text_, {})));
    text_.reserve(kSegmentBytes + kSegmentSlack);
  }
  std::vector<http::Bytes> take() {
    segments_.push_back(http::bytes(std::move(text_)));
    return std::move(segments_);
  }

 private:
  static constexpr std::size_t kSegmentBytes = 60 * 1024;
  static constexpr std::size_t kSegmentSlack = 4 * 1024;

  std::string text_;
  std::vector<http::Bytes> segments_;
};

std::string join_segments(const std::vector<http::Bytes>& segments) {
  std::string text;
  std::size_t size = 0;
  for (const http::Bytes& segment : segments) size += segment->size();
  text.reserve(size);
  for (const http::Bytes& segment : segments) text += *segment;
  return text;
}

Result<std::string> protobuf_of(const Value& tree, const Schema* schema) {
  if (schema == nullptr) return internal_error("no protobuf form of " + std::string(tree["kind"].as_string()));
  return encode(tree, MediaType::Protobuf, *schema);
}

}  // namespace

ObjectEncoder::ObjectEncoder(ResourcePtr resource, OutputType output, IncludeObject include, WallTime now)
    : resource_(std::move(resource)),
      output_(std::move(output)),
      include_(include),
      now_(now),
      type_members_(type_members_of(resource_->gvk, resource_->custom)) {}

Result<Object> ObjectEncoder::served(const StoredObject& object) const {
  ASSIGN_OR_RETURN(Object tree, object.object());
  if (resource_->convert && tree.gvk() != resource_->gvk) return resource_->convert(tree, resource_->gvk);
  return tree.with("apiVersion", resource_->gvk.api_version()).with("kind", resource_->gvk.kind);
}

Result<std::string> ObjectEncoder::served_json(const StoredObject& object) const {
  std::string text;
  if (resource_->convert && resource_->storage_gvk != resource_->gvk) {
    ASSIGN_OR_RETURN(const Object tree, served(object));
    return json::write(tree.tree());
  }
  text.reserve(object.text_size() + type_members_.size());
  object.append(text, type_members_);
  return text;
}

void ObjectEncoder::append_partial(std::string& out, const StoredObject& object) const {
  out += '{';
  out += meta_members("PartialObjectMetadata", output_.transform_version);
  out += "\"metadata\":";
  object.append_metadata(out);
  out += '}';
}

Value ObjectEncoder::table_columns() const {
  Value::ArrayBuilder columns;
  for (const TableColumn& column : resource_->table->columns) {
    columns.add(Value::object({{"name", column.name},
                               {"type", column.type},
                               {"format", column.format},
                               {"description", column.description},
                               {"priority", column.priority}}));
  }
  return std::move(columns).build();
}

Result<std::string> ObjectEncoder::table_row(const StoredObject& object) const {
  ASSIGN_OR_RETURN(const Object tree, served(object));
  std::string row = "{\"cells\":";
  json::write_to(row, Value::array(resource_->table->cells(tree, now_)));
  if (resource_->table->conditions) {
    const Value conditions = resource_->table->conditions(tree);
    if (!conditions.empty()) {
      row += ",\"conditions\":";
      json::write_to(row, conditions);
    }
  }
  row += ",\"object\":";
  switch (include_) {
    case IncludeObject::None:
      row += "null";
      break;
    case IncludeObject::Metadata:
      append_partial(row, object);
      break;
    case IncludeObject::Object:
      json::write_to(row, tree.tree());
      break;
  }
  return row + "}";
}

Result<std::string> ObjectEncoder::table(std::span<const StoredObjectPtr> objects, std::string_view meta,
                                         bool columns) const {
  if (resource_->table == nullptr) {
    return Error(Reason::NotAcceptable,
                 "the resource " + resource_->qualified_resource() + " does not support being converted to a Table");
  }
  std::string text = "{" + meta_members("Table", output_.transform_version) + "\"metadata\":";
  text += meta;
  text += ",\"columnDefinitions\":";
  text += columns ? json::write(table_columns()) : "null";
  text += ",\"rows\":[";
  bool first = true;
  for (const StoredObjectPtr& object : objects) {
    if (!std::exchange(first, false)) text += ',';
    ASSIGN_OR_RETURN(const std::string row, table_row(*object));
    text += row;
  }
  return text + "]}";
}

Result<std::string> ObjectEncoder::object_json(const StoredObject& object, bool columns) const {
  std::string text;
  switch (output_.transform) {
    case Transform::None:
      return served_json(object);
    case Transform::Table: {
      ListMeta meta;
      meta.revision = object.revision();
      const StoredObjectPtr alone = object.at(object.revision());
      return table({&alone, 1}, list_meta_json(meta, false), columns);
    }
    case Transform::Metadata:
    case Transform::MetadataList:
      append_partial(text, object);
      return text;
  }
  return text;
}

Result<std::string> ObjectEncoder::envelope(const StoredObject& object) const {
  if (output_.transform == Transform::None) {
    ASSIGN_OR_RETURN(const Object tree, served(object));
    return protobuf_of(tree.tree(), resource_->builtin_schema);
  }
  std::string text;
  append_partial(text, object);
  ASSIGN_OR_RETURN(const Value tree, json::read(text));
  return protobuf_of(tree, find_builtin_type(kPartialType));
}

Result<http::Bytes> ObjectEncoder::single(const StoredObject& object) const {
  if (output_.encoding == MediaType::Protobuf) {
    ASSIGN_OR_RETURN(std::string bytes, envelope(object));
    return http::bytes(std::move(bytes));
  }
  ASSIGN_OR_RETURN(std::string text, object_json(object, true));
  return finish_text(std::move(text), output_);
}

bool ObjectEncoder::converts() const {
  return output_.transform == Transform::None && resource_->convert && resource_->storage_gvk != resource_->gvk;
}

bool ObjectEncoder::compact() const {
  return output_.encoding == MediaType::Json && !output_.pretty;
}

bool ObjectEncoder::copies() const {
  const bool as_stored = output_.transform == Transform::None || output_.transform == Transform::MetadataList;
  return compact() && as_stored && !converts();
}

void ObjectEncoder::begin_list(std::string& out, const ListMeta& meta) const {
  out += '{';
  if (output_.transform == Transform::MetadataList) {
    out += meta_members("PartialObjectMetadataList", output_.transform_version);
  } else {
    out += type_members_of({resource_->gvk.group, resource_->gvk.version, resource_->list_kind}, resource_->custom);
  }
  if (!resource_->custom) out += "\"metadata\":" + list_meta_json(meta, false) + ",";
  out += "\"items\":[";
}

void ObjectEncoder::append_item(std::string& out, const StoredObject& object) const {
  if (output_.transform == Transform::MetadataList) {
    append_partial(out, object);
  } else {
    // Items of typed lists carry no type of their own.
    object.append(out, resource_->custom ? std::string_view(type_members_) : std::string_view());
  }
}

void ObjectEncoder::end_list(std::string& out, const ListMeta& meta) const {
  out += ']';
  if (resource_->custom) out += ",\"metadata\":" + list_meta_json(meta, true);
  out += '}';
  if (compact()) out += '\n';
}

Result<std::vector<http::Bytes>> ObjectEncoder::list_json(std::span<const StoredObjectPtr> objects,
                                                          const ListMeta& meta) const {
  SegmentedText body;
  std::string& text = body.text();
  begin_list(text, meta);
  bool first = true;
  for (const StoredObjectPtr& object : objects) {
    body.cut();
    if (!std::exchange(first, false)) text += ',';
    if (converts()) {
      ASSIGN_OR_RETURN(const Object tree, served(*object));
      json::write_to(text, resource_->custom ? tree.tree() : tree.without("kind").without("apiVersion").tree());
    } else {
      append_item(text, *object);
    }
  }
  end_list(text, meta);
  std::vector<http::Bytes> segments = body.take();
  if (compact()) return segments;
  ASSIGN_OR_RETURN(http::Bytes whole, finish_text(join_segments(segments), output_));
  return std::vector<http::Bytes>{std::move(whole)};
}

Result<std::string> ObjectEncoder::list_protobuf(std::span<const StoredObjectPtr> objects, const ListMeta& meta) const {
  const bool partial = output_.transform == Transform::MetadataList;
  const Schema* schema = partial ? find_builtin_type(kPartialType) : resource_->builtin_schema;
  if (schema == nullptr) return internal_error("no protobuf form of " + resource_->list_kind);
  ASSIGN_OR_RETURN(const Value metadata, json::read(list_meta_json(meta, false)));
  ASSIGN_OR_RETURN(std::string raw, begin_protobuf_list(metadata));
  for (const StoredObjectPtr& object : objects) {
    Value tree;
    if (partial) {
      std::string text;
      append_partial(text, *object);
      ASSIGN_OR_RETURN(tree, json::read(text));
    } else {
      ASSIGN_OR_RETURN(const Object converted, served(*object));
      tree = converted.tree();
    }
    ASSIGN_OR_RETURN(const std::string message, encode_protobuf(tree, *schema));
    append_protobuf_item(raw, message);
  }
  if (partial) return write_envelope("meta.k8s.io/" + output_.transform_version, "PartialObjectMetadataList", raw);
  return write_envelope(resource_->gvk.api_version(), resource_->list_kind, raw);
}

Result<std::vector<http::Bytes>> ObjectEncoder::list(std::span<const StoredObjectPtr> objects,
                                                     const ListMeta& meta) const {
  if (output_.encoding == MediaType::Protobuf) {
    ASSIGN_OR_RETURN(std::string bytes, list_protobuf(objects, meta));
    return std::vector<http::Bytes>{http::bytes(std::move(bytes))};
  }
  if (output_.transform == Transform::Table) {
    ASSIGN_OR_RETURN(std::string text, table(objects, list_meta_json(meta, false), true));
    ASSIGN_OR_RETURN(http::Bytes whole, finish_text(std::move(text), output_));
    return std::vector<http::Bytes>{std::move(whole)};
  }
  return list_json(objects, meta);
}

std::uint64_t ObjectEncoder::share_key(WatchType type) const {
  if (output_.transform == Transform::Table) return 0;
  const auto address = static_cast<std::uint64_t>(std::hash<const void*>()(resource_.get()));
  const auto form = static_cast<std::uint64_t>(output_.encoding) * 16 +
                    static_cast<std::uint64_t>(output_.transform) * 4 + static_cast<std::uint64_t>(type);
  const bool bare = messages_ && output_.encoding == MediaType::Protobuf;
  return (address << 9U) + (bare ? 256 : 0) + (output_.transform_version == "v1" ? 128 : 64) + form;
}

http::Bytes ObjectEncoder::protobuf_event(std::string_view type, std::string_view envelope) const {
  return http::bytes(messages_ ? protobuf_watch_event(type, envelope) : protobuf_watch_frame(type, envelope));
}

Result<http::Bytes> ObjectEncoder::watch_event(WatchType type, const StoredObject& object) {
  if (output_.encoding == MediaType::Protobuf) {
    ASSIGN_OR_RETURN(const std::string bytes, envelope(object));
    return protobuf_event(watch_type_text(type), bytes);
  }
  ASSIGN_OR_RETURN(const std::string text, object_json(object, !std::exchange(columns_sent_, true)));
  return http::bytes(json_watch_frame(watch_type_text(type), text));
}

http::Bytes ObjectEncoder::bookmark(store::Revision revision, bool end_of_initial_events) {
  Value metadata = Value::object({{"resourceVersion", std::to_string(revision)}});
  if (end_of_initial_events) {
    metadata = metadata.with("annotations", Value::object({{kInitialEventsEnd, "true"}}));
  }
  GroupVersionKind gvk = resource_->gvk;
  const Schema* schema = resource_->builtin_schema;
  if (output_.transform != Transform::None) {
    gvk = {"meta.k8s.io", output_.transform_version,
           output_.transform == Transform::Table ? "Table" : "PartialObjectMetadata"};
    schema = find_builtin_type(kPartialType);
  }
  Value object =
      Value::object({{"kind", gvk.kind}, {"apiVersion", gvk.api_version()}, {"metadata", std::move(metadata)}});
  if (output_.transform == Transform::Table) {
    object = object.with("columnDefinitions", std::exchange(columns_sent_, true) ? Value() : table_columns())
                 .with("rows", Value::array());
  }
  if (output_.encoding == MediaType::Protobuf && schema != nullptr) {
    auto canonical = kube::normalise(object, *schema);
    auto bytes = protobuf_of(canonical.ok() ? *canonical : object, schema);
    if (bytes.ok()) return protobuf_event("BOOKMARK", *bytes);
  }
  return http::bytes(json_watch_frame("BOOKMARK", json::write(object)));
}

http::Bytes ObjectEncoder::watch_error(const Error& error) const {
  const Value status = to_status(error);
  if (output_.encoding == MediaType::Protobuf) {
    auto bytes = protobuf_of(status, find_builtin_type(kStatusType));
    if (bytes.ok()) return protobuf_event("ERROR", *bytes);
  }
  return http::bytes(json_watch_frame("ERROR", json::write(status)));
}

http::Bytes ObjectEncoder::tree(const OutputType& output, const Value& tree, const Schema* schema) {
  if (output.encoding == MediaType::Protobuf && schema != nullptr) {
    auto bytes = encode(tree, MediaType::Protobuf, *schema);
    if (bytes.ok()) return http::bytes(std::move(bytes).value());
  }
  if (output.encoding == MediaType::Yaml) return http::bytes(yaml::write(tree));
  if (output.pretty) return http::bytes(json::write_pretty(tree));
  std::string text = json::write(tree);
  text += '\n';
  return http::bytes(std::move(text));
}

}  // namespace coracle::kube::apiserver
