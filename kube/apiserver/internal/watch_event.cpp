#include "kube/apiserver/internal/watch_event.h"

namespace coracle::kube::apiserver {

std::string_view watch_type_text(WatchType type) {
  switch (type) {
    case WatchType::Added:
      return "ADDED";
    case WatchType::Modified:
      return "MODIFIED";
    case WatchType::Deleted:
      return "DELETED";
  }
  return "";
}

http::Bytes CacheEvent::encoded(std::uint64_t key) const {
  std::lock_guard lock(mutex_);
  for (const auto& [kept, bytes] : encoded_) {
    if (kept == key) return bytes;
  }
  return nullptr;
}

http::Bytes CacheEvent::keep_encoded(std::uint64_t key, http::Bytes bytes) const {
  std::lock_guard lock(mutex_);
  for (const auto& [kept, there] : encoded_) {
    if (kept == key) return there;
  }
  encoded_.emplace_back(key, bytes);
  return bytes;
}

}  // namespace coracle::kube::apiserver
