#include <optional>
#include <utility>
#include <vector>

#include "base/go_text.h"
#include "base/json/json.h"
#include "base/text.h"
#include "kube/patch/patch.h"

namespace coracle::kube::patch {
namespace {

constexpr std::size_t kMaxPointerDepth = 200;
// Every operation copies the maps and lists on its way: so many members in all.
constexpr std::size_t kMaxMembersCopied = 20'000'000;

// The API server tells no more than this about an operation that failed.
Error operation_failed() {
  return {Reason::Invalid, "the server rejected our request due to an error in our request"};
}

using Pointer = std::vector<std::string>;

Result<Pointer> read_pointer(std::string_view text) {
  Pointer pointer;
  // What stands before the first slash does not count.
  const std::size_t first = text.find('/');
  if (first == std::string_view::npos) return pointer;
  text.remove_prefix(first + 1);
  for (;;) {
    if (pointer.size() == kMaxPointerDepth) return operation_failed();
    const std::size_t slash = text.find('/');
    std::string token;
    const std::string_view escaped = text.substr(0, slash);
    for (std::size_t i = 0; i < escaped.size(); ++i) {
      const bool tilde =
          escaped[i] == '~' && i + 1 < escaped.size() && (escaped[i + 1] == '0' || escaped[i + 1] == '1');
      if (tilde) ++i;
      token += !tilde ? escaped[i] : escaped[i] == '0' ? '~' : '/';
    }
    pointer.push_back(std::move(token));
    if (slash == std::string_view::npos) return pointer;
    text.remove_prefix(slash + 1);
  }
}

// A position in an array of `size`; negative ones count from its end, as the API server reads them.
std::optional<std::size_t> read_position(const std::string& token, std::size_t size) {
  auto position = parse_int(token);
  if (position && *position < 0) *position += static_cast<std::int64_t>(size);
  if (!position || *position < 0) return std::nullopt;
  return static_cast<std::size_t>(*position);
}

const Value* child(const Value& parent, const std::string& token) {
  if (parent.is_object()) return parent.find(token);
  if (!parent.is_array()) return nullptr;
  const auto position = read_position(token, parent.size());
  return position && *position < parent.size() ? &parent.items()[*position] : nullptr;
}

const Value* find_at(const Value& document, const Pointer& pointer) {
  const Value* value = &document;
  for (const std::string& token : pointer) {
    if (value != nullptr) value = child(*value, token);
  }
  return value;
}

enum class Edit : std::uint8_t { Add, Replace, Remove };

Result<Value> edit_array(const Value& array, const std::string& token, Edit edit, Value value) {
  std::vector<Value> items(array.items().begin(), array.items().end());
  if (edit == Edit::Add && token == "-") {
    items.push_back(std::move(value));
    return Value::array(std::move(items));
  }
  // A negative position of an insertion counts from the end of the longer array.
  const auto position = read_position(token, items.size() + (edit == Edit::Add ? 1 : 0));
  const std::size_t limit = edit == Edit::Add ? items.size() + 1 : items.size();
  if (!position || *position >= limit) return operation_failed();
  const auto place = items.begin() + static_cast<std::ptrdiff_t>(*position);
  switch (edit) {
    case Edit::Add:
      items.insert(place, std::move(value));
      break;
    case Edit::Replace:
      *place = std::move(value);
      break;
    case Edit::Remove:
      items.erase(place);
      break;
  }
  return Value::array(std::move(items));
}

// Takes what it copies from `budget`.
Result<Value> edit_at(const Value& node, const Pointer& pointer, std::size_t depth, Edit edit, Value value,
                      std::size_t& budget) {
  if (node.size() > budget) {
    return Error(Reason::RequestEntityTooLarge,
                 "Request entity too large: the patch has too many operations on an object of this size");
  }
  budget -= node.size();
  if (depth == pointer.size()) {
    if (edit == Edit::Remove) return operation_failed();
    return value;
  }
  const std::string& token = pointer[depth];
  if (depth + 1 < pointer.size()) {
    const Value* below = child(node, token);
    if (below == nullptr) return operation_failed();
    ASSIGN_OR_RETURN(Value changed, edit_at(*below, pointer, depth + 1, edit, std::move(value), budget));
    if (node.is_array()) return edit_array(node, token, Edit::Replace, std::move(changed));
    return node.with(token, std::move(changed));
  }
  if (node.is_array()) return edit_array(node, token, edit, std::move(value));
  if (!node.is_object()) return operation_failed();
  if (edit != Edit::Remove) return node.with(token, std::move(value));
  if (!node.contains(token)) return operation_failed();
  return node.without(token);
}

// Operations are read into a structure first, whose fields have types.
Result<void> check_operations(const Value& patch) {
  constexpr std::string_view kOperation = "handlers.jsonPatchOp";
  const auto wrong = [&](const Value& value, std::string_view place) {
    return bad_request("error decoding patch: json: cannot unmarshal " + std::string(json_kind_name(value)) + " into " +
                       std::string(place));
  };
  if (!patch.is_array() && !patch.is_null()) return wrong(patch, "Go value of type []" + std::string(kOperation));
  for (const Value& operation : patch.items()) {
    if (!operation.is_object() && !operation.is_null()) {
      return wrong(operation, "Go value of type " + std::string(kOperation));
    }
    for (const Value::Member& member : operation.members()) {
      const bool text = member.key == "op" || member.key == "path" || member.key == "from";
      if (!text || member.value.is_string() || member.value.is_null()) continue;
      return wrong(member.value, "Go struct field jsonPatchOp." + member.key + " of type string");
    }
  }
  return {};
}

class JsonPatcher {
 public:
  explicit JsonPatcher(const Value& document) : document_(document) {}

  Result<void> run(const Value& operation);
  const Value& document() const { return document_; }

 private:
  Result<void> edit(const Pointer& path, Edit edit, Value value) {
    ASSIGN_OR_RETURN(document_, edit_at(document_, path, 0, edit, std::move(value), budget_));
    return {};
  }

  Value document_;
  std::size_t budget_ = kMaxMembersCopied;
  std::size_t copied_ = 0;
};

Result<void> JsonPatcher::run(const Value& operation) {
  const std::string_view name = operation["op"].as_string();
  ASSIGN_OR_RETURN(const Pointer path, read_pointer(operation["path"].as_string()));
  // The document itself can be looked at and exchanged; a path without a slash leads nowhere.
  const bool whole = operation["path"].as_string().empty() && (name == "test" || name == "replace");
  if (path.empty() && !whole) return operation_failed();
  const Value& value = operation["value"];
  if (name == "add") return edit(path, Edit::Add, value);
  if (name == "replace") return edit(path, Edit::Replace, value);
  if (name == "remove") return edit(path, Edit::Remove, Value());
  if (name == "test") {
    const Value* found = find_at(document_, path);
    // A member that is not there counts as null, if there is something that could have it.
    if (found == nullptr && value.is_null() && !path.empty()) {
      return find_at(document_, Pointer(path.begin(), path.end() - 1)) == nullptr ? Result<void>(operation_failed())
                                                                                  : Result<void>();
    }
    if (found == nullptr || !(*found == value)) return operation_failed();
    return {};
  }
  if (name != "move" && name != "copy") return operation_failed();
  ASSIGN_OR_RETURN(const Pointer from, read_pointer(operation["from"].as_string()));
  const Value* source = from.empty() ? nullptr : find_at(document_, from);
  // A member that is not there is copied as null, if there is something that could have it.
  if (source == nullptr) {
    const Value* parent = from.empty() ? nullptr : find_at(document_, Pointer(from.begin(), from.end() - 1));
    if (name != "copy" || parent == nullptr || !parent->is_object()) return operation_failed();
  }
  const Value moved = source == nullptr ? Value() : *source;
  if (name == "move") {
    TRY(edit(from, Edit::Remove, Value()));
  } else {
    copied_ += json::write(moved).size();
    if (copied_ > kMaxJsonPatchCopiedBytes) return operation_failed();
  }
  return edit(path, Edit::Add, moved);
}

}  // namespace

Result<Value> apply_json_patch(const Value& document, const Value& patch) {
  TRY(check_operations(patch));
  if (patch.size() > kMaxJsonPatchOperations) {
    return Error(Reason::RequestEntityTooLarge,
                 "Request entity too large: The allowed maximum operations in a JSON patch is " +
                     std::to_string(kMaxJsonPatchOperations) + ", got " + std::to_string(patch.size()));
  }
  JsonPatcher patcher(document);
  for (const Value& operation : patch.items()) {
    TRY(patcher.run(operation));
  }
  return patcher.document();
}

}  // namespace coracle::kube::patch
