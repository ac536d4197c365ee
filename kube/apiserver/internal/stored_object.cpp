#include "kube/apiserver/internal/stored_object.h"

#include <algorithm>
#include <limits>

#include "base/json/json.h"
#include "kube/apiserver/internal/json_scan.h"

namespace coracle::kube::apiserver {

namespace {

bool is_plain_text(std::string_view quoted) {
  return quoted.size() >= 2 && quoted.front() == '"' && quoted.find('\\') == std::string_view::npos;
}

// Members of metadata that Go prints before resourceVersion.
bool is_before_revision(std::string_view key) {
  return key == "name" || key == "generateName" || key == "namespace" || key == "selfLink" || key == "uid";
}

}  // namespace

Result<StoredObjectPtr> StoredObject::make(store::Bytes json, store::Revision revision) {
  auto object = std::make_shared<StoredObject>(Private{});
  object->json_ = std::move(json);
  object->revision_ = revision;
  TRY(object->scan());
  return StoredObjectPtr(std::move(object));
}

StoredObjectPtr StoredObject::at(store::Revision revision) const {
  auto object = std::make_shared<StoredObject>(Private{});
  object->json_ = json_;
  object->revision_ = revision;
  object->name_ = name_;
  object->namespace_span_ = namespace_span_;
  object->uid_ = uid_;
  object->labels_span_ = labels_span_;
  object->metadata_ = metadata_;
  object->body_ = body_;
  object->splice_ = splice_;
  object->splice_at_end_ = splice_at_end_;
  object->deleting_ = deleting_;
  return object;
}

Result<void> StoredObject::scan() {
  const std::string_view text = *json_;
  if (text.size() >= std::numeric_limits<std::uint32_t>::max())
    return Error(Reason::Corrupt, "stored object too large");
  JsonScan scan(text);
  JsonScan::Member member;
  if (!scan.open(0)) return Error(Reason::Corrupt, "stored object is not JSON");
  std::size_t types = 0;
  while (scan.next(member)) {
    if (member.key == "apiVersion" || member.key == "kind") {
      ++types;
      continue;
    }
    if (body_ == 0) body_ = static_cast<std::uint32_t>(member.begin);
    if (types != 2) return Error(Reason::Corrupt, "stored object does not begin with apiVersion and kind");
    if (member.key != "metadata") continue;
    metadata_ = {static_cast<std::uint32_t>(member.value), static_cast<std::uint32_t>(member.end)};
    if (!scan_metadata(member.value)) return Error(Reason::Corrupt, "stored object's metadata cannot be spliced");
    return {};
  }
  return Error(Reason::Corrupt, "stored object has no metadata");
}

bool StoredObject::scan_metadata(std::size_t at) {
  const std::string_view text = *json_;
  const bool alphabetical = text.substr(0, 13) == "{\"apiVersion\"";
  JsonScan scan(text);
  JsonScan::Member member;
  if (!scan.open(at)) return false;
  const auto inner = [&](Span& span) {
    if (!is_plain_text(text.substr(member.value, member.end - member.value))) return false;
    span = {static_cast<std::uint32_t>(member.value + 1), static_cast<std::uint32_t>(member.end - 1)};
    return true;
  };
  while (scan.next(member)) {
    if (member.key == "resourceVersion") return false;
    const bool before = alphabetical ? member.key < "resourceVersion" : is_before_revision(member.key);
    if (!before && splice_ == 0) splice_ = static_cast<std::uint32_t>(member.begin);
    if (member.key == "name" && !inner(name_)) return false;
    if (member.key == "namespace" && !inner(namespace_span_)) return false;
    if (member.key == "uid" && !inner(uid_)) return false;
    if (member.key == "deletionTimestamp") deleting_ = text[member.value] == '"';
    if (member.key == "labels") {
      labels_span_ = {static_cast<std::uint32_t>(member.value), static_cast<std::uint32_t>(member.end)};
    }
  }
  if (scan.close() == std::string_view::npos || name_.end == 0) return false;
  if (splice_ == 0) {
    splice_ = static_cast<std::uint32_t>(scan.close());
    splice_at_end_ = true;
  }
  return true;
}

void StoredObject::append_spliced(std::string& out, std::size_t begin, std::size_t end) const {
  const std::string_view text = *json_;
  // A dry run's object was never stored and has no revision.
  if (revision_ == 0) {
    out.append(text.substr(begin, end - begin));
    return;
  }
  out.append(text.substr(begin, splice_ - begin));
  if (splice_at_end_) out += ',';
  out += "\"resourceVersion\":\"";
  out += std::to_string(revision_);
  out += '"';
  if (!splice_at_end_) out += ',';
  out.append(text.substr(splice_, end - splice_));
}

void StoredObject::append(std::string& out, std::string_view type_members) const {
  out += '{';
  out.append(type_members);
  append_spliced(out, body_, json_->size());
}

void StoredObject::append_metadata(std::string& out) const {
  append_spliced(out, metadata_.begin, metadata_.end);
}

Result<Object> StoredObject::object() const {
  std::string text;
  text.reserve(text_size());
  append(text, type_members());
  ASSIGN_OR_RETURN(Value tree, json::read(text));
  return Object(std::move(tree));
}

const Value& StoredObject::labels() const {
  std::call_once(labels_once_, [this] {
    if (labels_span_.end == 0) return;
    auto tree = json::read(cut(labels_span_));
    if (tree.ok()) labels_ = std::move(tree).value();
  });
  return labels_;
}

int compare_keys(std::string_view left_namespace, std::string_view left_name, std::string_view right_namespace,
                 std::string_view right_name) {
  if (left_namespace == right_namespace) return left_name.compare(right_name);
  if (left_namespace.empty() || right_namespace.empty()) return left_namespace.empty() ? -1 : 1;
  const std::size_t common = std::min(left_namespace.size(), right_namespace.size());
  const int order = left_namespace.substr(0, common).compare(right_namespace.substr(0, common));
  if (order != 0) return order;
  // One is a prefix of the other: its '/' meets the other's next character.
  if (left_namespace.size() < right_namespace.size()) return '/' < right_namespace[common] ? -1 : 1;
  return left_namespace[common] < '/' ? -1 : 1;
}

}  // namespace coracle::kube::apiserver
