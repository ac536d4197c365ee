#include "base/http/internal/event_loop.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <utility>

#include "base/http/internal/address.h"
#include "base/internal/start_thread.h"
#include "base/tls/internal/server_context.h"

namespace coracle::http::internal {
namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr int kMailRounds = 4;
// Bodies of one loop whose requests are not answered, together.
constexpr std::size_t kMaxUploadBytes = 128 * 1024 * 1024;
// How long to leave connections in the kernel's queue when there are no descriptors for them.
constexpr Duration kAcceptPause = std::chrono::milliseconds(100);

std::uint64_t open_file_limit() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

}  // namespace

EventLoop::EventLoop(ServerState& state, int listener)
    : state_(state),
      listener_(listener),
      request_waits_(state.options.header_timeout),
      idle_waits_(state.options.idle_timeout),
      now_(state.dispatcher.executor().clock().monotonic()) {}

EventLoop::~EventLoop() {
  if (thread_.joinable()) thread_.join();
  mailbox_->close();
}

Result<void> EventLoop::start() {
  epoll_ = FileDescriptor(epoll_create1(EPOLL_CLOEXEC));
  const bool good = epoll_.valid() && mailbox_->wake_descriptor() >= 0 &&
                    control(EPOLL_CTL_ADD, mailbox_->wake_descriptor(), EPOLLIN | EPOLLET, mailbox_.get());
  if (good) watch_listener(true);
  if (!listening_) return unavailable(std::string("cannot start an I/O loop: ") + std::strerror(errno));
  // Signals belong to the thread that handles them.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = coracle::internal::start_thread("http", [this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return {};
}

bool EventLoop::control(int operation, int descriptor, std::uint32_t events, void* target) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = target;
  return epoll_ctl(epoll_.get(), operation, descriptor, &event) == 0;
}

void EventLoop::watch_listener(bool watch) {
  if (listening_ == watch) return;
  const bool good = watch ? control(EPOLL_CTL_ADD, listener_, EPOLLIN | EPOLLEXCLUSIVE, this)
                          : control(EPOLL_CTL_DEL, listener_, 0, nullptr);
  if (good) listening_ = watch;
}

void EventLoop::run() {
  std::array<epoll_event, kEventsPerTurn> events;
  while (!stopping_ || mailbox_->is_hosting()) {
    const int timeout = dirty_.empty() && mailbox_->prepare_to_sleep() ? sleep_milliseconds() : 0;
    const int count = epoll_wait(epoll_.get(), events.data(), kEventsPerTurn, timeout);
    now_ = state_.dispatcher.executor().clock().monotonic();
    for (int i = 0; i < count; ++i) {
      void* target = events[static_cast<std::size_t>(i)].data.ptr;
      if (target == this) {
        accept_some();
      } else if (target != mailbox_.get()) {
        static_cast<Connection*>(target)->on_events(events[static_cast<std::size_t>(i)].events);
      }
    }
    handle_mail();
    handle_timeouts();
    flush_dirty();
    remove_buried();
  }
  connections_.clear();
}

int EventLoop::sleep_milliseconds() {
  std::optional<MonotonicTime> next = request_waits_.next();
  for (const auto& other :
       {idle_waits_.next(), !listening_ && !draining_ ? std::optional(listen_again_) : std::nullopt}) {
    if (other && (!next || *other < *next)) next = other;
  }
  if (!next) return -1;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*next - now_).count();
  return static_cast<int>(std::clamp<std::int64_t>(wait, 0, std::chrono::milliseconds(std::chrono::hours(1)).count()));
}

// A task that has its turn may leave mail at once.
void EventLoop::handle_mail() {
  for (int round = 0; round < kMailRounds && mailbox_->take(mail_, turns_); ++round) {
    for (const std::function<void()>& turn : turns_) turn();
    turns_.clear();
    deliver_mail();
  }
}

void EventLoop::deliver_mail() {
  for (const Mail& mail : mail_) {
    switch (mail.kind) {
      case Mail::Kind::Drain:
        begin_drain();
        break;
      case Mail::Kind::Cancel:
        for (const auto& [id, connection] : connections_) connection->cancel();
        break;
      case Mail::Kind::Stop:
        stopping_ = true;
        for (const auto& [id, connection] : connections_) connection->cancel();
        break;
      case Mail::Kind::Response:
      case Mail::Kind::Wake:
        if (const auto found = connections_.find(mail.connection); found != connections_.end()) {
          found->second->on_mail(mail);
        }
        break;
    }
  }
  mail_.clear();
}

void EventLoop::handle_timeouts() {
  for (TimeoutQueue* queue : {&request_waits_, &idle_waits_}) {
    while (TimeoutNode* late = queue->pop_expired(now_)) static_cast<Connection*>(late)->on_timeout();
  }
  if (!listening_ && !draining_ && listen_again_ <= now_) watch_listener(true);
}

void EventLoop::flush_dirty() {
  // What becomes dirty again waits for the next turn.
  std::vector<Connection*> turn;
  turn.swap(dirty_);
  for (Connection* connection : turn) {
    connection->dirty = false;
    connection->flush();
  }
  if (dirty_.empty()) {
    turn.clear();
    dirty_.swap(turn);  // keeps the memory
  }
}

void EventLoop::remove_buried() {
  if (buried_.empty()) return;
  dirty_.erase(std::remove_if(dirty_.begin(), dirty_.end(), [](const Connection* c) { return c->closed(); }),
               dirty_.end());
  for (const std::uint64_t id : buried_) connections_.erase(id);
  state_.connections -= buried_.size();
  buried_.clear();
  const std::lock_guard lock(state_.mutex);
  state_.connection_closed->notify_all();
}

void EventLoop::accept_some() {
  for (int i = 0; i < kAcceptsPerTurn && listening_; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    FileDescriptor socket(
        accept4(listener_, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.valid()) {
      if (errno == ECONNABORTED || errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      if (errno == EINVAL) {  // the server closed it, and its mail has not been read yet
        begin_drain();
        return;
      }
      const int cause = errno;
      if (state_.accept_failed.met(now_)) {
        state_.log.warning("cannot accept connections; they wait, and more open files must be allowed if this goes on",
                           {{"cause", std::strerror(cause)},
                            {"limit", open_file_limit()},
                            {"connections", state_.connections.load()}});
      }
      listen_again_ = now_ + kAcceptPause;
      watch_listener(false);
      return;
    }
    if (const std::size_t others = state_.connections.fetch_add(1); others >= state_.options.max_connections) {
      --state_.connections;
      if (state_.too_many_connections.met(now_)) {
        state_.log.warning("there are too many connections; new ones are closed at once until others end",
                           {{"limit", state_.options.max_connections}, {"connections", others}});
      }
      continue;  // closes it
    }
    admit(std::move(socket), peer_of(address));
  }
}

void EventLoop::admit(FileDescriptor socket, Peer peer) {
  std::unique_ptr<Channel> channel;
  if (state_.options.tls == nullptr) {
    channel = make_plain_channel(buffers_.wire);
  } else if (const auto context = tls::internal::server_context(*state_.options.tls)) {
    peer.tls = true;
    channel = make_tls_channel(context.get(), buffers_.wire);
  }
  if (channel == nullptr) {
    --state_.connections;
    return;
  }
  const std::uint64_t id = next_id_++;
  auto connection = std::make_unique<Connection>(*this, id, std::move(socket), std::move(peer), std::move(channel));
  Connection& added = *connection;
  connections_.emplace(id, std::move(connection));
  added.start();
}

void EventLoop::begin_drain() {
  if (std::exchange(draining_, true)) return;
  watch_listener(false);
  for (const auto& [id, connection] : connections_) connection->drain();
}

void EventLoop::mark_dirty(Connection& connection) {
  if (connection.dirty) return;
  connection.dirty = true;
  dirty_.push_back(&connection);
}

void EventLoop::arm(Connection& connection, Wait wait) {
  switch (wait) {
    case Wait::Nothing:
      connection.disarm();
      break;
    case Wait::Request:
      request_waits_.arm(connection, now_);
      break;
    case Wait::Idle:
      idle_waits_.arm(connection, now_);
      break;
  }
}

bool EventLoop::reserve_upload(std::size_t bytes) {
  if (bytes > kMaxUploadBytes - uploads_) return false;
  uploads_ += bytes;
  return true;
}

void EventLoop::bury(Connection& connection) {
  buried_.push_back(connection.id());
}

std::string_view EventLoop::date() {
  const auto now = std::chrono::floor<std::chrono::seconds>(state_.dispatcher.executor().clock().wall());
  const std::int64_t second = now.time_since_epoch().count();
  if (second != date_second_) {
    date_second_ = second;
    const std::time_t time = second;
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::array<char, 64> text{};
    date_.assign(text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts));
  }
  return date_;
}

}  // namespace coracle::http::internal
