#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "kube/apiserver/internal/resource.h"
#include "kube/object/object.h"

// The pieces that rows of tables are made of.
namespace coracle::kube::apiserver::tables {

inline constexpr std::string_view kNone = "<none>";
inline constexpr std::string_view kUnknown = "<unknown>";
inline constexpr std::string_view kUnset = "<unset>";
// Lists in one cell show so many items and tell how many there are more.
inline constexpr std::size_t kShownItems = 3;

using Cells = std::vector<Value>;

// One built-in resource. `columns` is a list of names, separated by commas, each with marks behind it:
// ":i" integer, ":b" boolean, ":d" date, ":n" format name, "*" only with -o wide.
struct Entry {
  std::string_view group;
  std::string_view resource;
  std::string_view columns;
  Cells (*cells)(const Object& object, WallTime now);
  Value (*conditions)(const Object& object) = nullptr;
};

std::span<const Entry> pod_tables();
std::span<const Entry> workload_tables();
std::span<const Entry> core_tables();
std::span<const Entry> event_tables();
std::span<const Entry> network_tables();
std::span<const Entry> node_tables();
std::span<const Entry> storage_tables();
std::span<const Entry> policy_tables();
std::span<const Entry> scaling_tables();
std::span<const Entry> system_tables();

// "5m3s", "2d", "3y120d": as upstream rounds durations for people.
std::string human_duration(Duration duration);
// The time since an RFC 3339 text; "<unknown>" for anything else.
std::string since(const Value& timestamp, WallTime now);
// The time since the object was created.
std::string age(const Object& object, WallTime now);

// The text, or `fallback` where it is empty or no text.
std::string text_or(const Value& value, std::string_view fallback);
// The text with "<none>" for nothing.
std::string joined_or_none(const std::vector<std::string>& items, std::string_view separator = ",");
// The first items and how many there are more: "a,b,c + 2 more...".
std::string shortened(const std::vector<std::string>& items, std::size_t shown, std::string_view separator,
                      std::string_view empty);
// Members of a list of objects: ("containers", "image").
std::vector<std::string> members_of(const Value& list, std::string_view field);
// "names,images" cells of a pod template's containers.
Value container_names(const Value& pod_spec);
Value container_images(const Value& pod_spec);
// metav1.LabelSelector as text, "<none>" when it selects nothing or everything.
std::string selector_text(const Value& selector);
// A plain map of labels as text.
std::string labels_text(const Value& labels);
// "ready/wanted"
std::string ratio(std::int64_t part, std::int64_t whole);

}  // namespace coracle::kube::apiserver::tables
