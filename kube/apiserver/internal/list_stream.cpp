#include "kube/apiserver/internal/list_stream.h"

#include <algorithm>
#include <utility>

namespace coracle::kube::apiserver {

namespace {

constexpr std::size_t kLongList = 256 * 1024;
constexpr std::size_t kPieceBytes = 60 * 1024;
constexpr std::size_t kPieceSlack = 4 * 1024;

}  // namespace

ListStream::ListStream(ObjectEncoder encoder, std::vector<StoredObjectPtr> objects, ListMeta meta)
    : encoder_(std::move(encoder)), objects_(std::move(objects)), meta_(std::move(meta)) {}

bool ListStream::fits(const std::vector<StoredObjectPtr>& objects) {
  std::size_t size = 0;
  return std::any_of(objects.begin(), objects.end(),
                     [&](const StoredObjectPtr& object) { return (size += object->text_size()) >= kLongList; });
}

http::BodySource::State ListStream::pull(std::vector<http::Bytes>& out, std::size_t limit) {
  const std::size_t enough = std::min(limit, kPieceBytes);
  std::string text;
  text.reserve(enough + kPieceSlack);
  if (next_ == 0) encoder_.begin_list(text, meta_);
  while (next_ < objects_.size() && text.size() < enough) {
    if (next_ > 0) text += ',';
    encoder_.append_item(text, *objects_[next_]);
    objects_[next_++].reset();
  }
  const bool end = next_ == objects_.size();
  if (end) encoder_.end_list(text, meta_);
  out.push_back(http::bytes(std::move(text)));
  return end ? State::End : State::More;
}

}  // namespace coracle::kube::apiserver
