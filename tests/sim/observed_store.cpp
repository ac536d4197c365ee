#include "tests/sim/observed_store.h"

#include <variant>

namespace coracle::sim {
namespace {

constexpr std::string_view kMark = "sim";
constexpr std::string_view kServer = "apiserver";

Writer writer_from(const std::string& trace) {
  const std::size_t actor = trace.find('/') + 1;
  const std::size_t method = trace.find('/', actor) + 1;
  if (!trace.starts_with(kMark) || actor == 0 || method == 0) return {std::string(kServer), ""};
  const std::size_t number = trace.find('/', method);
  return {trace.substr(actor, method - actor - 1), trace.substr(method, number - method)};
}

}  // namespace

std::string audit_id(std::string_view actor, std::string_view method, std::uint64_t number) {
  return std::string(kMark) + "/" + std::string(actor) + "/" + std::string(method) + "/" + std::to_string(number);
}

Writer ObservedStore::writer_of(store::Revision revision) const {
  const auto found = writers_.find(revision);
  return found == writers_.end() ? Writer{"lease", ""} : found->second;
}

Result<store::WriteOutcome> ObservedStore::remember(const Context& context, Result<store::WriteOutcome> outcome) {
  if (!outcome.ok()) return outcome;
  if (const auto* written = std::get_if<store::Written>(&*outcome)) {
    writers_.emplace(written->revision, writer_from(context.trace()));
  }
  return outcome;
}

Result<store::GetResult> ObservedStore::get(const Context& context, std::string_view key) {
  return inner_->get(context, key);
}
Result<store::ListResult> ObservedStore::list(const Context& context, const store::KeyRange& range,
                                              const store::ListOptions& options) {
  return inner_->list(context, range, options);
}
Result<std::size_t> ObservedStore::count(const Context& context, const store::KeyRange& range) {
  return inner_->count(context, range);
}
Result<store::WriteOutcome> ObservedStore::create(const Context& context, std::string_view key, store::Bytes value,
                                                  std::chrono::seconds lease) {
  return remember(context, inner_->create(context, key, std::move(value), lease));
}
Result<store::WriteOutcome> ObservedStore::update(const Context& context, std::string_view key, store::Bytes value,
                                                  store::Revision expected, std::chrono::seconds lease) {
  return remember(context, inner_->update(context, key, std::move(value), expected, lease));
}
Result<store::WriteOutcome> ObservedStore::remove(const Context& context, std::string_view key,
                                                  store::Revision expected) {
  return remember(context, inner_->remove(context, key, expected));
}
Result<std::unique_ptr<store::Watch>> ObservedStore::watch(const Context& context, const store::KeyRange& range,
                                                           store::Revision after) {
  ASSIGN_OR_RETURN(std::unique_ptr<store::Watch> watch, inner_->watch(context, range, after));
  if (const WatchWrapper wrapper = std::exchange(wrapper_, nullptr)) return wrapper(std::move(watch));
  return watch;
}
Result<void> ObservedStore::compact(const Context& context, store::Revision revision) {
  return inner_->compact(context, revision);
}

}  // namespace coracle::sim
