#include "kube/patch/field_set.h"

#include <algorithm>
#include <utility>

namespace coracle::kube::patch {
namespace {

using Entry = FieldSet::Entry;

constexpr std::size_t kMaxFieldSetDepth = 200;

bool before(const Entry& a, const Entry& b) {
  return a.element < b.element;
}

Result<FieldSet> read_fields_v1(const Value& fields, std::size_t depth) {
  if (depth > kMaxFieldSetDepth) return bad_request("fieldsV1 is nested too deeply");
  if (!fields.is_object()) return bad_request("fieldsV1: an object was expected");
  FieldSet set;
  for (const Value::Member& member : fields.members()) {
    if (member.key == ".") continue;
    ASSIGN_OR_RETURN(PathElement element, PathElement::parse(member.key));
    // An entry without anything below it is a member; else "." says so.
    const bool leaf = member.value.empty();
    ASSIGN_OR_RETURN(FieldSet below, read_fields_v1(member.value, depth + 1));
    const bool is_member = leaf || member.value.contains(".");
    if (!is_member && below.empty()) continue;
    set.append({std::move(element), is_member, std::move(below)});
  }
  set.sort();
  return set;
}

const Value& member_mark() {
  static const Value mark = Value::object();
  return mark;
}

Value fields_v1_of(const FieldSet& set, bool member) {
  std::vector<Value::Member> members;
  members.reserve(set.entries().size() + (member ? 1 : 0));
  if (member) members.push_back({".", member_mark()});
  for (const Entry& entry : set.entries()) {
    std::string key;
    key.reserve(entry.element.text().size() + 2);
    entry.element.append_fields_v1_key(key);
    members.push_back({std::move(key), entry.below.empty() ? member_mark() : fields_v1_of(entry.below, entry.member)});
  }
  return Value::object(std::move(members));
}

// Walks two sorted lists together; `visit` gets the entries of one element, either of them null.
template <class Visit>
void zip(const FieldSet& a, const FieldSet& b, Visit visit) {
  const auto left = a.entries(), right = b.entries();
  std::size_t i = 0, j = 0;
  while (i < left.size() || j < right.size()) {
    if (j == right.size()) {
      visit(&left[i++], nullptr);
    } else if (i == left.size()) {
      visit(nullptr, &right[j++]);
    } else {
      const auto order = left[i].element <=> right[j].element;
      const Entry* from_left = order <= 0 ? &left[i++] : nullptr;
      const Entry* from_right = order >= 0 ? &right[j++] : nullptr;
      visit(from_left, from_right);
    }
  }
}

}  // namespace

FieldSet FieldSet::of_fields(std::initializer_list<std::string_view> dotted_paths) {
  FieldSet set;
  for (std::string_view rest : dotted_paths) {
    FieldPathElements path;
    for (;;) {
      const std::size_t dot = rest.find('.');
      path.push_back(PathElement::field(rest.substr(0, dot)));
      if (dot == std::string_view::npos) break;
      rest.remove_prefix(dot + 1);
    }
    set.insert(path);
  }
  return set;
}

Result<FieldSet> FieldSet::from_fields_v1(const Value& fields) {
  if (fields.is_null()) return FieldSet();
  return read_fields_v1(fields, 0);
}

Value FieldSet::to_fields_v1() const {
  return fields_v1_of(*this, false);
}

const Entry* FieldSet::find(const PathElement& element) const {
  const auto found = std::lower_bound(entries_.begin(), entries_.end(), element,
                                      [](const Entry& entry, const PathElement& key) { return entry.element < key; });
  return found != entries_.end() && found->element == element ? &*found : nullptr;
}

bool FieldSet::contains(std::span<const PathElement> path) const {
  const FieldSet* set = this;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const Entry* entry = set->find(path[i]);
    if (entry == nullptr) return false;
    if (i + 1 == path.size()) return entry->member;
    set = &entry->below;
  }
  return false;
}

FieldSet::Entry& FieldSet::descend(const PathElement& element) {
  auto place = std::lower_bound(entries_.begin(), entries_.end(), element,
                                [](const Entry& entry, const PathElement& key) { return entry.element < key; });
  if (place == entries_.end() || place->element != element) place = entries_.insert(place, Entry{element, false, {}});
  return *place;
}

void FieldSet::insert(std::span<const PathElement> path) {
  if (path.empty()) return;
  Entry* entry = &descend(path[0]);
  for (const PathElement& element : path.subspan(1)) entry = &entry->below.descend(element);
  entry->member = true;
}

void FieldSet::append(Entry entry) {
  entries_.push_back(std::move(entry));
}

void FieldSet::sort() {
  if (!std::is_sorted(entries_.begin(), entries_.end(), before)) {
    std::stable_sort(entries_.begin(), entries_.end(), before);
  }
  // One element may have been appended twice: as a member and with something below it.
  for (std::size_t i = 1; i < entries_.size();) {
    Entry& previous = entries_[i - 1];
    if (previous.element != entries_[i].element) {
      ++i;
      continue;
    }
    previous.member = previous.member || entries_[i].member;
    previous.below = previous.below.united(entries_[i].below);
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

FieldSet FieldSet::intersection(const FieldSet& other) const {
  FieldSet out;
  zip(*this, other, [&](const Entry* left, const Entry* right) {
    if (left == nullptr || right == nullptr) return;
    FieldSet below = left->below.intersection(right->below);
    const bool member = left->member && right->member;
    if (member || !below.empty()) out.append({left->element, member, std::move(below)});
  });
  return out;
}

bool FieldSet::intersects(const FieldSet& other) const {
  bool found = false;
  zip(*this, other, [&](const Entry* left, const Entry* right) {
    if (found || left == nullptr || right == nullptr) return;
    found = (left->member && right->member) || left->below.intersects(right->below);
  });
  return found;
}

FieldSet FieldSet::united(const FieldSet& other) const {
  if (empty()) return other;
  if (other.empty()) return *this;
  FieldSet out;
  zip(*this, other, [&](const Entry* left, const Entry* right) {
    if (left != nullptr && right != nullptr) {
      out.append({left->element, left->member || right->member, left->below.united(right->below)});
    } else {
      out.append(left != nullptr ? *left : *right);
    }
  });
  return out;
}

void FieldSet::remove(const FieldSet& other, bool with_children) {
  auto theirs = other.entries_.begin();
  auto kept = entries_.begin();
  for (Entry& entry : entries_) {
    while (theirs != other.entries_.end() && theirs->element < entry.element) ++theirs;
    if (theirs != other.entries_.end() && theirs->element == entry.element) {
      if (with_children && theirs->member) continue;
      entry.below.remove(theirs->below, with_children);
      entry.member = entry.member && !theirs->member;
      if (!entry.member && entry.below.empty()) continue;
    }
    if (&*kept != &entry) *kept = std::move(entry);
    ++kept;
  }
  entries_.erase(kept, entries_.end());
}

FieldSet FieldSet::leaves() const {
  FieldSet out;
  for (const Entry& entry : entries_) {
    FieldSet below = entry.below.leaves();
    const bool member = entry.member && entry.below.empty();
    if (member || !below.empty()) out.append({entry.element, member, std::move(below)});
  }
  return out;
}

void FieldSet::for_each(const std::function<void(std::span<const PathElement>)>& visit) const {
  FieldPathElements path;
  for_each(path, visit);
}

void FieldSet::for_each(FieldPathElements& path, const std::function<void(std::span<const PathElement>)>& visit) const {
  for (const Entry& entry : entries_) {
    if (!entry.member) continue;
    path.push_back(entry.element);
    visit(path);
    path.pop_back();
  }
  for (const Entry& entry : entries_) {
    if (entry.below.empty()) continue;
    path.push_back(entry.element);
    entry.below.for_each(path, visit);
    path.pop_back();
  }
}

bool FieldSet::operator==(const FieldSet& other) const {
  return entries_ == other.entries_;
}

std::string readable_path(std::span<const PathElement> path) {
  std::string text;
  for (const PathElement& element : path) element.append_readable(text);
  return text;
}

}  // namespace coracle::kube::patch
