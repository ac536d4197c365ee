#include "tests/sim/sources.h"

#include <utility>

namespace coracle::sim {

std::string object_id(std::string_view kind, std::string_view ns, std::string_view name) {
  return std::string(kind) + " " + std::string(ns) + "/" + std::string(name);
}

std::string object_id(const kube::Object& object) {
  return object_id(object.kind(), object.namespace_(), object.name());
}

void Sources::set(const std::string& owner, const std::set<std::string>& objects) {
  std::map<std::string, MonotonicTime> now;
  const auto& before = owners_[owner];
  for (const std::string& object : objects) {
    const auto found = before.find(object);
    now.emplace(object, found == before.end() ? clock_.monotonic() : found->second);
  }
  owners_[owner] = std::move(now);
}

std::optional<Duration> Sources::contained_for(const std::string& owner, const std::string& object) const {
  const auto objects = owners_.find(owner);
  if (objects == owners_.end()) return std::nullopt;
  const auto found = objects->second.find(object);
  if (found == objects->second.end()) return std::nullopt;
  return clock_.monotonic() - found->second;
}

}  // namespace coracle::sim
