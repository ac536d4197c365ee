#include "kube/apiserver/internal/tables/cells.h"

#include "base/text.h"
#include "kube/object/selector.h"

namespace coracle::kube::apiserver::tables {

std::string human_duration(Duration duration) {
  const auto number = [](std::int64_t value, char unit) { return std::to_string(value) + unit; };
  // Two units while the number is small, the smaller one left out where it is zero.
  const auto pair = [&](std::int64_t large, char large_unit, std::int64_t small, char small_unit) {
    return number(large, large_unit) + (small == 0 ? std::string() : number(small, small_unit));
  };
  const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 60 * 2) return number(seconds, 's');
  const std::int64_t minutes = seconds / 60;
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's');
  if (minutes < 60 * 3) return number(minutes, 'm');
  const std::int64_t hours = minutes / 60;
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return number(hours, 'h');
  const std::int64_t days = hours / 24;
  if (days < 8) return pair(days, 'd', hours % 24, 'h');
  if (days < 365 * 2) return number(days, 'd');
  if (days < 365 * 8) return pair(days / 365, 'y', days % 365, 'd');
  return number(days / 365, 'y');
}

std::string since(const Value& timestamp, WallTime now) {
  if (timestamp.as_string().empty()) return std::string(kUnknown);
  const auto time = parse_time(timestamp.as_string());
  return time.ok() ? human_duration(now - *time) : std::string(kUnknown);
}

std::string age(const Object& object, WallTime now) {
  return since(object.metadata()["creationTimestamp"], now);
}

std::string text_or(const Value& value, std::string_view fallback) {
  const std::string_view text = value.as_string();
  return std::string(text.empty() ? fallback : text);
}

std::string joined_or_none(const std::vector<std::string>& items, std::string_view separator) {
  return items.empty() ? std::string(kNone) : join(items, separator);
}

std::string shortened(const std::vector<std::string>& items, std::size_t shown, std::string_view separator,
                      std::string_view empty) {
  if (items.empty()) return std::string(empty);
  if (items.size() <= shown) return join(items, separator);
  return join(std::span(items).first(shown), separator) + " + " + std::to_string(items.size() - shown) + " more...";
}

std::vector<std::string> members_of(const Value& list, std::string_view field) {
  std::vector<std::string> texts;
  for (const Value& item : list.items()) texts.emplace_back(item[field].as_string());
  return texts;
}

Value container_names(const Value& pod_spec) {
  return join(members_of(pod_spec["containers"], "name"), ",");
}
Value container_images(const Value& pod_spec) {
  return join(members_of(pod_spec["containers"], "image"), ",");
}

std::string selector_text(const Value& selector) {
  const auto parsed = LabelSelector::from_value(selector);
  if (!parsed.ok()) return "<error>";
  const std::string text = parsed->selects_nothing() ? std::string() : parsed->text();
  return text.empty() ? std::string(kNone) : text;
}

std::string labels_text(const Value& labels) {
  const std::string text = LabelSelector::from_labels(labels).text();
  return text.empty() ? std::string(kNone) : text;
}

std::string ratio(std::int64_t part, std::int64_t whole) {
  return std::to_string(part) + "/" + std::to_string(whole);
}

}  // namespace coracle::kube::apiserver::tables
