#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>

#include "base/json/internal/quick_parser.h"
#include "base/json/json.h"
#include "base/text.h"

namespace coracle::json {
namespace {

// Above this many members the keys of an object are looked up in a set.
constexpr std::size_t kScanKeys = 16;
// Room for most objects from the start.
constexpr std::size_t kUsualDepth = 8;
constexpr std::size_t kUsualMembers = 32;

struct Place {
  std::size_t line = 1;
  std::size_t column = 1;
};

// Line and column (both from 1, columns in bytes) of the byte at `offset`.
Place place_of(std::string_view text, std::size_t offset) {
  Place place;
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') {
      ++place.line;
      place.column = 1;
    } else {
      ++place.column;
    }
  }
  return place;
}

Error reading_error(std::string_view text, std::size_t offset, std::string_view what) {
  const Place place = place_of(text, offset);
  std::string message =
      "invalid JSON at line " + std::to_string(place.line) + ", column " + std::to_string(place.column) + ": ";
  message += what;
  return bad_request(std::move(message));
}

// Where a well-formed beginning of JSON opens its `depth`-th container.
std::size_t offset_of_depth(std::string_view text, std::size_t depth) {
  std::size_t open = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if ((c == '{' || c == '[') && ++open == depth) {
      return i;
    } else if (c == '}' || c == ']') {
      --open;
    }
  }
  return text.size();
}

// Turns the parser's events into a Value. Finished members and items wait on two stacks, so that
// every container is made in one piece of the right size.
class TreeHandler {
 public:
  TreeHandler(std::string_view text, const ReadOptions& options) : text_(text), options_(options) {
    if (!options.omit.empty()) omit_ = split(options.omit, '.');
    frames_.reserve(kUsualDepth);
    members_.reserve(kUsualMembers);
  }

  bool null() { return accept(Value()); }
  bool boolean(bool value) { return accept(Value(value)); }
  bool number_integer(std::int64_t value) { return accept(Value(value)); }
  bool number_unsigned(std::uint64_t value) {
    if (value > static_cast<std::uint64_t>(INT64_MAX)) return accept(Value(static_cast<double>(value)));
    return accept(Value(static_cast<std::int64_t>(value)));
  }
  bool number_float(double value, const std::string&) { return accept(Value(value)); }
  bool string(std::string& value) { return accept(omitting() ? Value() : Value(value)); }
  bool binary(nlohmann::json::binary_t&) { return false; }  // JSON text never has it

  bool start_object(std::size_t) { return open(true); }
  bool start_array(std::size_t) { return open(false); }

  bool key(std::string& key) {
    if (omitting()) return true;
    if (options_.duplicates != nullptr) note_key(key);
    if (frames_.back().matched + 1 == omit_.size() && key == omit_.back()) omitted_in_ = frames_.size();
    members_.push_back({std::move(key), Value()});
    return true;
  }

  bool end_object() {
    if (omitting()) return end_omitted();
    std::vector<Value::Member> members = split_off(members_, frames_.back().first_member);
    frames_.pop_back();
    return accept(Value::object(std::move(members)));
  }

  bool end_array() {
    if (omitting()) return end_omitted();
    std::vector<Value> items = split_off(items_, frames_.back().first_item);
    frames_.pop_back();
    return accept(Value::array(std::move(items)));
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& exception) {
    // "[json.exception...] parse error at line 1, column 2: syntax error while parsing value -
    // invalid literal; last read: 'x'; expected ...": the middle is what helps, the place is ours.
    std::string what = exception.what();
    for (const std::string_view before : {std::string_view("column "), std::string_view(": ")}) {
      if (const std::size_t at = what.find(before); at != std::string::npos) what.erase(0, at + before.size());
    }
    if (const std::size_t from = what.find("; last read: '"); from != std::string::npos) {
      const std::size_t to = what.find("'; expected", from);
      what.erase(from, to == std::string::npos ? std::string::npos : to + 1 - from);
    }
    error_ = reading_error(text_, position == 0 ? 0 : position - 1, what);
    return false;
  }

  Result<Value> take() {
    if (error_) return *error_;
    return std::move(root_);
  }

 private:
  static constexpr std::size_t kOffPath = SIZE_MAX / 2;

  struct Frame {
    bool object;
    std::size_t matched;  // names of the path to omit that lead here, else kOffPath
    std::size_t first_member;
    std::size_t first_item;
    std::unordered_set<std::string> keys;  // filled for large objects only
  };

  template <class T>
  static std::vector<T> split_off(std::vector<T>& stack, std::size_t first) {
    const auto begin = stack.begin() + static_cast<std::ptrdiff_t>(first);
    std::vector<T> tail(std::make_move_iterator(begin), std::make_move_iterator(stack.end()));
    stack.erase(begin, stack.end());
    return tail;
  }

  bool open(bool object) {
    if (frames_.size() >= options_.max_depth) {
      error_ = reading_error(text_, offset_of_depth(text_, frames_.size() + 1),
                             "nested deeper than " + std::to_string(options_.max_depth) + " levels");
      return false;
    }
    frames_.push_back({object, matched(), members_.size(), items_.size(), {}});
    return true;
  }

  // Inside the value of a member that is left out.
  bool omitting() const { return omitted_in_ > 0; }

  bool end_omitted() {
    frames_.pop_back();
    return accept(Value());
  }

  // For a container that opens here.
  std::size_t matched() const {
    if (omit_.empty() || omitting()) return kOffPath;
    if (frames_.empty()) return 0;
    const Frame& parent = frames_.back();
    if (!parent.object || parent.matched == kOffPath) return parent.matched;
    return members_.back().key == omit_[parent.matched] ? parent.matched + 1 : kOffPath;
  }

  bool accept(Value value) {
    if (omitting()) {
      if (frames_.size() > omitted_in_) return true;
      members_.pop_back();
      omitted_in_ = 0;
    } else if (frames_.empty()) {
      root_ = std::move(value);
    } else if (frames_.back().object) {
      members_.back().value = std::move(value);
    } else {
      items_.push_back(std::move(value));
    }
    return true;
  }

  bool key_is_known(const std::string& key) {
    Frame& frame = frames_.back();
    const auto first = members_.begin() + static_cast<std::ptrdiff_t>(frame.first_member);
    if (members_.size() - frame.first_member <= kScanKeys) {
      return std::any_of(first, members_.end(), [&](const Value::Member& member) { return member.key == key; });
    }
    if (frame.keys.empty()) {
      for (auto member = first; member != members_.end(); ++member) frame.keys.insert(member->key);
    }
    return !frame.keys.insert(key).second;
  }

  void note_key(const std::string& key) {
    if (!key_is_known(key)) return;
    std::string path;
    for (std::size_t i = 0; i + 1 < frames_.size(); ++i) {
      const Frame& next = frames_[i + 1];
      if (frames_[i].object) {
        if (!path.empty()) path += '.';
        path += members_[next.first_member - 1].key;
      } else {
        path += '[' + std::to_string(next.first_item - frames_[i].first_item) + ']';
      }
    }
    if (!path.empty()) path += '.';
    path += key;
    if (reported_.insert(path).second) options_.duplicates->push_back(std::move(path));
  }

  std::string_view text_;
  const ReadOptions& options_;
  std::vector<std::string_view> omit_;  // names of the path
  std::size_t omitted_in_ = 0;          // frames around the member that is being left out; 0: none is
  std::vector<Frame> frames_;
  std::vector<Value::Member> members_;
  std::vector<Value> items_;
  std::unordered_set<std::string> reported_;
  Value root_;
  std::optional<Error> error_;
};

}  // namespace

Result<Value> read(std::string_view text, const ReadOptions& options) {
  const std::size_t noted = options.duplicates != nullptr ? options.duplicates->size() : 0;
  TreeHandler quick(text, options);
  if (internal::QuickParser(text, quick).parse()) return quick.take();
  if (options.duplicates != nullptr) options.duplicates->resize(noted);
  TreeHandler handler(text, options);
  try {
    nlohmann::json::sax_parse(text.begin(), text.end(), &handler);
  } catch (const nlohmann::json::exception& exception) {
    return bad_request(std::string("invalid JSON: ") + exception.what());
  }
  // Its lexer takes a NUL for the end of the text; in JSON there is none.
  if (const std::size_t end = text.find('\0'); end != std::string_view::npos) {
    return reading_error(text, end, "unexpected NUL");
  }
  return handler.take();
}

}  // namespace coracle::json
