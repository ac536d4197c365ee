#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "store/backend.h"

namespace coracle::sim {

// Who wrote a revision, and by which HTTP method.
struct Writer {
  std::string actor;   // a component's name, "user", or "apiserver" for its own writes
  std::string method;  // "DELETE"; empty for the API server's own writes
};

// The audit id by which a request names its writer; read back from the context of the write.
std::string audit_id(std::string_view actor, std::string_view method, std::uint64_t number);

// Another backend, remembering who wrote which revision.
class ObservedStore : public store::Backend {
 public:
  using WatchWrapper = std::function<std::unique_ptr<store::Watch>(std::unique_ptr<store::Watch> inner)>;

  // `wrapper`, if any, goes around the first watch that is opened.
  explicit ObservedStore(std::unique_ptr<store::Backend> inner, WatchWrapper wrapper = nullptr)
      : inner_(std::move(inner)), wrapper_(std::move(wrapper)) {}

  // Who wrote that revision; "lease" for what nobody asked for.
  Writer writer_of(store::Revision revision) const;

  Result<store::GetResult> get(const Context& context, std::string_view key) override;
  Result<store::ListResult> list(const Context& context, const store::KeyRange& range,
                                 const store::ListOptions& options) override;
  Result<std::size_t> count(const Context& context, const store::KeyRange& range) override;
  Result<store::WriteOutcome> create(const Context& context, std::string_view key, store::Bytes value,
                                     std::chrono::seconds lease) override;
  Result<store::WriteOutcome> update(const Context& context, std::string_view key, store::Bytes value,
                                     store::Revision expected, std::chrono::seconds lease) override;
  Result<store::WriteOutcome> remove(const Context& context, std::string_view key, store::Revision expected) override;
  Result<std::unique_ptr<store::Watch>> watch(const Context& context, const store::KeyRange& range,
                                              store::Revision after) override;
  store::Revision current_revision() const override { return inner_->current_revision(); }
  store::Revision compacted_revision() const override { return inner_->compacted_revision(); }
  Result<void> compact(const Context& context, store::Revision revision) override;
  Result<std::int64_t> size(const Context& context) override { return inner_->size(context); }

 private:
  Result<store::WriteOutcome> remember(const Context& context, Result<store::WriteOutcome> outcome);

  const std::unique_ptr<store::Backend> inner_;
  WatchWrapper wrapper_;
  std::map<store::Revision, Writer> writers_;
};

}  // namespace coracle::sim
