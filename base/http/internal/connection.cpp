#include "base/http/internal/connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/http/internal/event_loop.h"

namespace coracle::http::internal {
namespace {

// After this many full buffers other connections get their turn.
constexpr int kMaxFlushRounds = 8;
// What a client may go on sending after its request was refused.
constexpr std::size_t kMaxLingerBytes = 16 * 1024 * 1024;

}  // namespace

Connection::Connection(EventLoop& loop, std::uint64_t id, FileDescriptor socket, Peer peer,
                       std::unique_ptr<Channel> channel)
    : loop_(loop), id_(id), socket_(std::move(socket)), peer_(std::move(peer)), channel_(std::move(channel)) {}

const ServerOptions& Connection::options() const {
  return loop_.state().options;
}
const std::shared_ptr<Mailbox>& Connection::mailbox() const {
  return loop_.mailbox();
}
Dispatcher& Connection::dispatcher() {
  return loop_.state().dispatcher;
}
std::string_view Connection::date() {
  return loop_.date();
}
bool Connection::reserve_upload(std::size_t bytes) {
  return loop_.reserve_upload(bytes);
}
void Connection::release_upload(std::size_t bytes) {
  loop_.release_upload(bytes);
}

void Connection::start() {
  watched_ = EPOLLIN | EPOLLRDHUP;
  if (!loop_.control(EPOLL_CTL_ADD, socket_.get(), watched_, this)) {
    close();
    return;
  }
  wait_for(Wait::Request);
  if (channel_->established()) begin_session();
}

void Connection::watch() {
  if (closed_) return;
  std::uint32_t wanted = 0;
  if (!unsent_.empty()) wanted |= EPOLLOUT;
  if (!reading_paused_ && !input_ended_) wanted |= EPOLLIN | EPOLLRDHUP;
  if (wanted == watched_) return;
  watched_ = wanted;
  if (!loop_.control(EPOLL_CTL_MOD, socket_.get(), watched_, this)) close();
}

void Connection::wait_for(Wait wait) {
  wait_ = wait;
  apply_wait();
}

// A reader that takes nothing is idle, whatever the session waits for.
void Connection::apply_wait() {
  loop_.arm(*this, unsent_.empty() || lingering_ ? wait_ : Wait::Idle);
}

void Connection::pause_reading(bool pause) {
  if (reading_paused_ == pause) return;
  reading_paused_ = pause;
  watch();
}

void Connection::on_events(std::uint32_t events) {
  if (closed_) return;
  if ((events & EPOLLERR) != 0 || ((events & EPOLLHUP) != 0 && (watched_ & EPOLLIN) == 0)) {
    close();
    return;
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0) receive();
  if (!closed_) loop_.mark_dirty(*this);
}

void Connection::receive() {
  const std::span<char> buffer = loop_.wire_input();
  const ssize_t got = recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
  if (got < 0) {
    close();
    return;
  }
  if (lingering_) {
    linger(static_cast<std::size_t>(got), got == 0);
    return;
  }
  if (got == 0) {
    input_ended_ = true;
    watch();
    if (session_ == nullptr) close();
    if (!closed_) session_->on_end();
    return;
  }
  channel_->feed({buffer.data(), static_cast<std::size_t>(got)});
  handle_plain();
  keep_wire();
}

void Connection::handle_plain() {
  while (!closed_) {
    std::size_t size = 0;
    const Channel::Read result = channel_->read(loop_.plain_input(), size);
    if (session_ == nullptr && channel_->established() && !begin_session()) return;
    switch (result) {
      case Channel::Read::Data:
        session_->on_data({loop_.plain_input().data(), size});
        break;
      case Channel::Read::WantMore:
        return;
      case Channel::Read::End:
        input_ended_ = true;
        watch();
        if (session_ == nullptr) close();
        if (!closed_) session_->on_end();
        return;
      case Channel::Read::Failed:
        // What the channel has to say about it (an alert) still goes out, as far as the socket takes it.
        keep_wire();
        if (!unsent_.empty()) send_unsent();
        close();
        return;
    }
  }
}

bool Connection::begin_session() {
  peer_.certificates_pem = channel_->peer_certificates_pem();
  session_ = channel_->speaks_http2() ? make_http2_session(*this) : make_http1_session(*this);
  if (session_ == nullptr) {
    close();
    return false;
  }
  if (draining_) session_->drain();
  return true;
}

void Connection::on_mail(const Mail& mail) {
  if (closed_ || session_ == nullptr) return;
  if (mail.kind == Mail::Kind::Response) session_->on_response(mail.stream);
  if (mail.kind == Mail::Kind::Wake) session_->on_wake(mail.stream);
  loop_.mark_dirty(*this);
}

void Connection::drain() {
  draining_ = true;
  if (closed_ || session_ == nullptr) return;
  session_->drain();
  loop_.mark_dirty(*this);
}

void Connection::cancel() {
  if (!closed_ && session_ != nullptr) session_->cancel();
}

void Connection::on_timeout() {
  if (closed_) return;
  if (session_ == nullptr || lingering_ || !unsent_.empty()) {
    close();
    return;
  }
  session_->on_timeout();
  loop_.mark_dirty(*this);
}

// The handshake writes while it reads; the buffer must be empty for the next connection.
void Connection::keep_wire() {
  std::string& wire = loop_.buffers().wire;
  if (wire.empty()) return;
  unsent_ += wire;
  wire.clear();
}

bool Connection::send_wire(std::string_view data, std::size_t& sent) {
  sent = 0;
  while (sent < data.size()) {
    const ssize_t done = send(socket_.get(), data.data() + sent, data.size() - sent, MSG_NOSIGNAL);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    sent += static_cast<std::size_t>(done);
    // A short count means a full socket: asking once more would only say so.
    if (sent < data.size()) return true;
  }
  return true;
}

// False when the socket took not all of it, or the connection ended.
bool Connection::send_unsent() {
  std::size_t sent = 0;
  if (!send_wire(unsent_, sent)) {
    close();
    return false;
  }
  if (sent < unsent_.size()) {
    unsent_.erase(0, sent);
    if (sent > 0) apply_wait();
    watch();
    return false;
  }
  unsent_ = {};  // gives the memory back
  apply_wait();
  watch();
  return !closed_;
}

// One buffer full. False when there is nothing to send, or the socket is full.
bool Connection::produce_once(bool& more) {
  LoopBuffers& buffers = loop_.buffers();
  Output out(*channel_, buffers);
  more = session_->produce(out);
  if (!out.seal()) {
    buffers.wire.clear();
    close();
    return false;
  }
  if (buffers.wire.empty()) return false;
  std::size_t sent = 0;
  const bool alive = send_wire(buffers.wire, sent);
  if (alive && sent < buffers.wire.size()) unsent_.assign(buffers.wire, sent);
  buffers.wire.clear();
  if (!alive) {
    close();
    return false;
  }
  if (unsent_.empty()) return true;
  apply_wait();
  watch();
  return false;
}

void Connection::flush() {
  if (closed_) return;
  if (!unsent_.empty() && !send_unsent()) return;
  if (session_ == nullptr || lingering_) return;
  bool more = true;
  int rounds = 0;
  while (more && rounds < kMaxFlushRounds && produce_once(more)) ++rounds;
  if (closed_ || !unsent_.empty()) return;
  if (more) {
    loop_.mark_dirty(*this);
  } else if (session_->done()) {
    finish();
  }
}

// Everything was sent. A client that still sends would lose the answer to a reset if we closed at once.
void Connection::finish() {
  channel_->close();
  keep_wire();
  if (!unsent_.empty() && !send_unsent() && closed_) return;
  if (!session_->linger() || input_ended_) {
    close();
    return;
  }
  shutdown(socket_.get(), SHUT_WR);
  lingering_ = true;
  pause_reading(false);
  wait_for(Wait::Request);
}

void Connection::linger(std::size_t received, bool end) {
  lingered_ += received;
  if (end || lingered_ > kMaxLingerBytes) close();
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  disarm();
  loop_.bury(*this);
}

}  // namespace coracle::http::internal
