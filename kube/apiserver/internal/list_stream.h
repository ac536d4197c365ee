#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/http/message.h"
#include "kube/apiserver/internal/object_encoder.h"

namespace coracle::kube::apiserver {

// The body of a long list, made in pieces as the reader takes them: however many read however slowly, what they hold
// is the objects, which the cache has anyway.
class ListStream : public http::BodySource {
 public:
  // For an encoder that copies().
  ListStream(ObjectEncoder encoder, std::vector<StoredObjectPtr> objects, ListMeta meta);
  // Whether a list is long enough for it.
  static bool fits(const std::vector<StoredObjectPtr>& objects);

  State pull(std::vector<http::Bytes>& out, std::size_t limit) override;
  void on_ready(std::function<void()>) override {}
  bool waits() const override { return false; }

 private:
  const ObjectEncoder encoder_;
  std::vector<StoredObjectPtr> objects_;
  const ListMeta meta_;
  std::size_t next_ = 0;
};

}  // namespace coracle::kube::apiserver
