#include "kube/cache/informer.h"

#include <atomic>
#include <utility>

#include "base/backoff.h"
#include "base/json/json.h"
#include "base/task_group.h"
#include "kube/object/status.h"

namespace coracle::kube {
namespace {

constexpr Duration kFirstRetry = std::chrono::milliseconds(200);
constexpr Duration kLongestRetry = std::chrono::seconds(30);
constexpr unsigned kQuietFailures = 5;
// Bytes taken from a watch by one Delivery task, so that timers and other watches have their turns.
constexpr std::size_t kPullBytes = 256 * 1024;
// A single event line longer than this cannot be a sane object.
constexpr std::size_t kMaxLine = 16 * 1024 * 1024;

}  // namespace

// list -> watch -> (end or error) -> watch again or back-off and list. Each step starts the next one, and
// `wakes_` lets one drain run at a time, so that only one task touches the state.
class Informer::Reflector : public std::enable_shared_from_this<Informer::Reflector> {
 public:
  Reflector(const Context& context, const Client& client, ResourceRef resource, InformerOptions options, Logger log)
      : client_(client),
        resource_(std::move(resource)),
        namespace_(std::move(options.namespace_)),
        log_(std::move(log)),
        backoff_(kFirstRetry, kLongestRetry, context.executor().random()),
        store_(context.executor(), std::move(options.indexes)),
        group_(context) {
    parameters_.label_selector = std::move(options.label_selector);
    parameters_.field_selector = std::move(options.field_selector);
    parameters_.metadata_only = options.metadata_only;
    parameters_.without_managed_fields = true;
  }

  unsigned add_handler(Handler handler) {
    std::lock_guard lock(telling_);
    for (const Object& object : store_.list()) handler(std::nullopt, object);
    handlers_.emplace(++last_handler_, std::move(handler));
    return last_handler_;
  }
  void remove_handler(unsigned which, bool hand_over) {
    std::lock_guard lock(telling_);
    const auto removed = handlers_.extract(which);
    if (!hand_over || removed.empty()) return;
    for (const Object& object : store_.list()) removed.mapped()(object, std::nullopt);
  }
  const Store& store() const { return store_; }
  const ResourceRef& resource() const { return resource_; }

  void start() {
    group_.spawn(Lane::Blocking, [this](const Context& context) { list_then_watch(context); });
  }

  void stop() {
    group_.stop();
    group_.join();
    std::lock_guard lock(mutex_);
    retry_.reset();
    source_.reset();
  }

 private:
  void list_then_watch(const Context& context) {
    Result<ObjectList> list = client_.list_all(context, resource_, namespace_, parameters_);
    if (!list.ok()) return retry_later(list.error(), true);
    version_ = list->resource_version;
    {
      std::lock_guard lock(telling_);
      for (const Store::Change& change : store_.replace(std::move(list->items), version_)) tell(change);
    }
    open_watch(context);
  }

  void open_watch(const Context& context) {
    ListParameters parameters = parameters_;
    parameters.resource_version = version_;
    Result<std::unique_ptr<http::BodySource>> source = client_.watch(context, resource_, namespace_, parameters);
    if (!source.ok()) return retry_later(source.error(), source.error().code() == 410);
    backoff_.reset();
    buffer_.clear();
    // Before a drain can see it: one may be on its way, woken late by the watch before this one.
    (*source)->on_ready([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->schedule_drain();
    });
    {
      std::lock_guard lock(mutex_);
      source_ = std::move(*source);
    }
    schedule_drain();
  }

  // At most one drain runs; a wake-up during it makes it run once more.
  void schedule_drain() {
    if (wakes_.fetch_add(1) == 0) spawn_drain();
  }

  void spawn_drain() {
    const bool accepted = group_.spawn(Lane::Delivery, [this](const Context& context) { drain(context); });
    if (!accepted) wakes_.store(0);
  }

  void drain(const Context& context) {
    unsigned seen = wakes_.load();
    const Outcome outcome = pull_once(context);
    if (outcome == Outcome::Closed) return;
    if (outcome == Outcome::Pending && wakes_.compare_exchange_strong(seen, 0)) return;
    spawn_drain();
  }

  // Closed: the next watch is on its way and may already count its own wakes; this drain is over.
  enum class Outcome : std::uint8_t { More, Pending, Closed };

  Outcome pull_once(const Context& context) {
    std::vector<http::Bytes> pieces;
    http::BodySource::State state;
    {
      std::lock_guard lock(mutex_);
      if (!source_ || context.stopped()) return Outcome::Pending;
      state = source_->pull(pieces, kPullBytes);
    }
    for (const http::Bytes& piece : pieces) buffer_ += *piece;
    if (Result<void> read = read_lines(); !read.ok()) {
      close_watch();
      wakes_.store(0);
      restart(read.error());
      return Outcome::Closed;
    }
    if (state == http::BodySource::State::End) {
      close_watch();
      wakes_.store(0);
      group_.spawn(Lane::Blocking, [this](const Context& next) { open_watch(next); });
      return Outcome::Closed;
    }
    return state == http::BodySource::State::More ? Outcome::More : Outcome::Pending;
  }

  void close_watch() {
    std::unique_ptr<http::BodySource> closed;
    std::lock_guard lock(mutex_);
    closed = std::move(source_);
  }

  Result<void> read_lines() {
    std::size_t begin = 0;
    for (std::size_t end; (end = buffer_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      TRY(read_event(std::string_view(buffer_).substr(begin, end - begin)));
    }
    buffer_.erase(0, begin);
    if (buffer_.size() > kMaxLine) return Error(Reason::Corrupt, "a watch event is too long");
    return {};
  }

  Result<void> read_event(std::string_view line) {
    if (line.empty()) return {};
    ASSIGN_OR_RETURN(Value event, json::read(line, {.omit = "object.metadata.managedFields"}));
    const std::string_view type = event["type"].as_string();
    Object object(event["object"]);
    if (type == "ERROR") return error_from_status(object.tree());
    version_ = object.resource_version();
    if (type == "BOOKMARK") {
      store_.advance(version_);
      return {};
    }
    std::lock_guard lock(telling_);
    tell(type == "DELETED" ? store_.remove(object) : store_.apply(std::move(object)));
    return {};
  }

  void tell(const Store::Change& change) {
    if (!change.before && !change.after) return;
    for (const auto& [which, handler] : handlers_) handler(change.before, change.after);
  }

  void restart(const Error& error) {
    if (error.code() == 410) {
      log_.debug("watch expired, listing again", {{"resource", resource_.gvr.resource}});
      group_.spawn(Lane::Blocking, [this](const Context& context) { list_then_watch(context); });
      return;
    }
    retry_later(error, true);
  }

  void retry_later(const Error& error, bool relist) {
    if (group_.context().stopped()) return;
    const Duration delay = backoff_.next();
    const std::initializer_list<LogField> fields = {
        {"resource", resource_.gvr.resource}, {"error", error}, {"relist", relist}};
    // Once: the first failures often heal themselves, and until it is followed whoever needs it waits.
    backoff_.failures() == kQuietFailures ? log_.warning("a resource cannot be followed, trying on", fields)
                                          : log_.debug("cannot follow a resource, trying again", fields);
    std::lock_guard lock(mutex_);
    retry_ = group_.context().executor().call_after(delay, [weak = weak_from_this(), relist] {
      const auto self = weak.lock();
      if (!self) return;
      self->group_.spawn(Lane::Blocking, [raw = self.get(), relist](const Context& context) {
        relist ? raw->list_then_watch(context) : raw->open_watch(context);
      });
    });
  }

  const Client& client_;
  const ResourceRef resource_;
  const std::string namespace_;
  Logger log_;
  ListParameters parameters_;
  Backoff backoff_;
  Store store_;

  std::mutex telling_;  // while the store changes and the handlers hear of it
  std::map<unsigned, Handler> handlers_;
  unsigned last_handler_ = 0;

  std::string version_;  // where the next watch begins
  std::string buffer_;   // an event that has not arrived whole
  std::atomic<unsigned> wakes_{0};

  std::mutex mutex_;  // of the two below
  std::unique_ptr<http::BodySource> source_;
  std::unique_ptr<Timer> retry_;
  TaskGroup group_;
};

Informer::Informer(const Context& context, const Client& client, ResourceRef resource, InformerOptions options,
                   Logger log)
    : reflector_(
          std::make_shared<Reflector>(context, client, std::move(resource), std::move(options), std::move(log))) {}

Informer::~Informer() {
  reflector_->stop();
}

unsigned Informer::add_handler(Handler handler) {
  return reflector_->add_handler(std::move(handler));
}
void Informer::remove_handler(unsigned which, bool hand_over) {
  reflector_->remove_handler(which, hand_over);
}
void Informer::start() {
  reflector_->start();
}
void Informer::stop() {
  reflector_->stop();
}
const Store& Informer::store() const {
  return reflector_->store();
}
const ResourceRef& Informer::resource() const {
  return reflector_->resource();
}

}  // namespace coracle::kube
