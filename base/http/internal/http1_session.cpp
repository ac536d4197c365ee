#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "base/http/internal/body_pump.h"
#include "base/http/internal/http1_parser.h"
#include "base/http/internal/limits.h"
#include "base/http/internal/response_head.h"
#include "base/http/internal/session.h"
#include "base/http/internal/upgraded_pipe.h"
#include "base/http/internal/upload.h"

namespace coracle::http::internal {
namespace {

// Requests that a client sent ahead while one is answered; more waits in the kernel.
constexpr std::size_t kMaxBacklogBytes = 64 * 1024;

class Http1Session : public Session {
 public:
  explicit Http1Session(SessionHost& host)
      : host_(host), upload_(host), parser_(host.options().max_header_bytes, host.options().max_body_bytes) {
    // The first request's head must follow the connection soon.
    host_.wait_for(Wait::Request);
  }
  ~Http1Session() override { cancel(); }

  void on_data(std::string_view plain) override;
  void on_end() override;
  void on_response(std::uint32_t stream) override;
  void on_wake(std::uint32_t stream) override;
  void on_timeout() override;
  void drain() override;
  void cancel() override;
  bool produce(Output& out) override;
  bool done() const override { return state_ == State::Done; }
  bool linger() const override { return unread_input_ || pipe_ != nullptr || duplex_ != nullptr; }

 private:
  enum class State : std::uint8_t { Reading, Handling, Writing, Upgraded, Done };

  void parse(std::string_view data);
  void after_piece();
  void dispatch();
  void refuse(int status, const std::string& text);
  void begin_response(Response&& response);
  void begin_upgrade();
  void begin_duplex(std::unique_ptr<DuplexSource> source);
  void tell_duplex(std::string_view data);
  void finish_response();
  bool write_body(Output& out);
  bool write_upgraded(Output& out);
  bool write_duplex(Output& out);
  void keep_for_later(std::string_view data);

  SessionHost& host_;
  Upload upload_;  // of the exchange, or of the one that begins
  Http1Parser parser_;
  State state_ = State::Reading;
  std::shared_ptr<Exchange> exchange_;
  std::uint32_t sequence_ = 0;  // of the exchange, so that late mail for an earlier one is recognised
  std::string backlog_;
  bool waiting_for_request_ = true;  // the Request wait runs
  bool continue_owed_ = false;
  bool peer_ended_ = false;
  bool draining_ = false;
  bool unread_input_ = false;

  std::string head_;
  BodyPump pump_;
  std::shared_ptr<BodyWake> wake_;
  bool chunked_ = false;
  std::size_t chunk_left_ = 0;  // of the chunk whose size is written already
  bool keep_alive_ = true;
  // Of an upgraded connection, one of the two. The pump owns the source, and drops it when it has ended.
  std::shared_ptr<UpgradedPipe> pipe_;
  DuplexSource* duplex_ = nullptr;
};

void Http1Session::on_data(std::string_view plain) {
  switch (state_) {
    case State::Reading:
      parse(plain);
      break;
    case State::Handling:
    case State::Writing:
      keep_for_later(plain);
      break;
    case State::Upgraded:
      if (duplex_ != nullptr) {
        tell_duplex(plain);
      } else if (!pipe_->push_incoming(plain)) {
        host_.pause_reading(true);
      }
      break;
    case State::Done:
      break;
  }
}

void Http1Session::keep_for_later(std::string_view data) {
  backlog_ += data;
  if (backlog_.size() > kMaxBacklogBytes) host_.pause_reading(true);
}

void Http1Session::parse(std::string_view data) {
  std::size_t used = 0;
  const Http1Parser::State result = parser_.feed(data, used);
  switch (result) {
    case Http1Parser::State::Failed:
      refuse(parser_.failure_status(), parser_.failure());
      return;
    case Http1Parser::State::Incomplete:
      after_piece();
      return;
    case Http1Parser::State::Complete:
      data.remove_prefix(used);
      if (!data.empty()) keep_for_later(data);
      dispatch();
      return;
  }
}

// Part of a request is here.
void Http1Session::after_piece() {
  if (parser_.started() && !waiting_for_request_) {
    waiting_for_request_ = true;
    host_.wait_for(Wait::Request);
  }
  if (!parser_.head_complete()) return;
  if (!upload_.grow_to(parser_.body_bytes())) {
    refuse(503, "too many uploads at once");
    return;
  }
  if (!upload_.has_moved()) return;
  if (parser_.body_bytes() == 0 && parser_.expects_continue()) continue_owed_ = true;
  host_.wait_for(Wait::Request);
}

void Http1Session::dispatch() {
  continue_owed_ = false;
  waiting_for_request_ = false;
  state_ = State::Handling;
  keep_alive_ = parser_.keep_alive();
  exchange_ = std::make_shared<Exchange>();
  exchange_->request = std::move(parser_.request());
  exchange_->request.peer = host_.peer();
  exchange_->connection = host_.id();
  exchange_->stream = ++sequence_;
  host_.wait_for(Wait::Nothing);
  host_.dispatcher().dispatch(exchange_, host_.mailbox());
}

// Answers what never became a request; the connection cannot be used after that.
void Http1Session::refuse(int status, const std::string& text) {
  exchange_ = std::make_shared<Exchange>();
  exchange_->request.method = "GET";
  unread_input_ = true;
  keep_alive_ = false;
  begin_response(host_.dispatcher().handler().refusal(status, text));
}

void Http1Session::on_response(std::uint32_t stream) {
  if (state_ != State::Handling || stream != sequence_) return;
  upload_.end();
  Response& response = exchange_->response;
  if (response.status == 101) {
    begin_upgrade();
    return;
  }
  begin_response(std::move(response));
}

void Http1Session::begin_response(Response&& response) {
  state_ = State::Writing;
  host_.wait_for(Wait::Nothing);
  if (peer_ended_ || draining_ || response.headers.get("connection") == "close") keep_alive_ = false;
  const bool with_body = carries_body(response.status, exchange_->request.method);
  std::uint64_t length = 0;
  for (const Bytes& segment : response.body) length += segment->size();
  Framing framing = Framing::Length;
  chunked_ = false;
  if (response.source != nullptr) {
    const bool old = parser_.minor_version_0();
    framing = old ? Framing::UntilClose : Framing::Chunked;
    chunked_ = !old && with_body;
    if (old) keep_alive_ = false;
  } else if (response.status < 200 || response.status == 204 || response.status == 304) {
    framing = Framing::None;
  }
  head_ = http1_head(response, framing, length, keep_alive_, host_.date());
  if (with_body) {
    wake_ = response.source == nullptr ? nullptr : std::make_shared<BodyWake>(host_.mailbox(), host_.id(), sequence_);
    pump_ = BodyPump(std::move(response.body), std::move(response.source), wake_);
  } else {
    pump_ = BodyPump();
  }
}

void Http1Session::begin_upgrade() {
  const bool prepared = exchange_->response.upgraded != nullptr || exchange_->response.duplex != nullptr;
  if (!prepared || peer_ended_) {
    keep_alive_ = false;
    begin_response(Response::text(500, "the protocol cannot be switched\n"));
    return;
  }
  state_ = State::Upgraded;
  head_ = http1_head(exchange_->response, Framing::None, 0, true, host_.date());
  if (exchange_->response.duplex != nullptr) {
    begin_duplex(std::move(exchange_->response.duplex));
    return;
  }
  pipe_ = std::make_shared<UpgradedPipe>(host_.dispatcher().executor(), host_.mailbox(),
                                         Mail{Mail::Kind::Wake, host_.id(), sequence_});
  if (!backlog_.empty()) pipe_->push_incoming(std::exchange(backlog_, {}));
  host_.pause_reading(!pipe_->incoming_has_room());
  host_.dispatcher().run_upgraded(exchange_, make_upgraded_stream(pipe_));
}

void Http1Session::begin_duplex(std::unique_ptr<DuplexSource> source) {
  duplex_ = source.get();
  chunked_ = false;
  wake_ = std::make_shared<BodyWake>(host_.mailbox(), host_.id(), sequence_);
  pump_ = BodyPump({}, std::move(source), wake_);
  if (!backlog_.empty()) tell_duplex(std::exchange(backlog_, {}));
  host_.pause_reading(false);
}

void Http1Session::tell_duplex(std::string_view data) {
  if (pump_.ended()) return;
  duplex_->receive(data);
  pump_.on_told();
}

void Http1Session::on_wake(std::uint32_t stream) {
  if (stream != sequence_) return;
  pump_.on_wake();
  if (pipe_ != nullptr && pipe_->incoming_has_room()) host_.pause_reading(false);
}

bool Http1Session::produce(Output& out) {
  if (continue_owed_ && state_ == State::Reading) {
    continue_owed_ = false;
    out.write("HTTP/1.1 100 Continue\r\n\r\n");
  }
  // Answers of requests that were sent ahead follow one another.
  while (state_ == State::Writing || state_ == State::Upgraded) {
    if (!head_.empty()) {
      out.write(head_);
      head_ = {};
    }
    if (state_ == State::Upgraded) return write_upgraded(out);
    if (write_body(out)) return true;
    if (!pump_.complete()) return false;
    finish_response();
  }
  return false;
}

// True when `out` is full before the body's end.
bool Http1Session::write_body(Output& out) {
  while (!pump_.complete()) {
    if (out.full()) return true;
    pump_.refill(kPullBytes);
    if (pump_.waiting()) return false;
    if (chunked_ && chunk_left_ == 0 && pump_.available() > 0) {
      chunk_left_ = pump_.available();
      std::array<char, 16> size;
      const auto end = std::to_chars(size.data(), size.data() + size.size(), chunk_left_, 16).ptr;
      out.write({size.data(), static_cast<std::size_t>(end - size.data())});
      out.write("\r\n");
    }
    while (pump_.available() > 0 && !out.full()) {
      const std::string_view piece = pump_.front().substr(0, kWireTargetBytes);
      out.write(piece);
      pump_.consume(piece.size());
      if (!chunked_) continue;
      chunk_left_ -= piece.size();
      if (chunk_left_ == 0) out.write("\r\n");
    }
  }
  if (chunked_) out.write("0\r\n\r\n");
  return false;
}

void Http1Session::finish_response() {
  exchange_.reset();
  pump_ = BodyPump();
  wake_.reset();
  if (!keep_alive_ || draining_) {
    state_ = State::Done;
    return;
  }
  state_ = State::Reading;
  parser_.reset();
  host_.pause_reading(false);
  if (backlog_.empty()) {
    if (peer_ended_) state_ = State::Done;
    host_.wait_for(Wait::Idle);
    return;
  }
  parse(std::exchange(backlog_, {}));
  if (state_ == State::Reading && peer_ended_) state_ = State::Done;
}

bool Http1Session::write_upgraded(Output& out) {
  if (duplex_ != nullptr) return write_duplex(out);
  bool closed = false;
  const std::string data = pipe_->take_outgoing(closed);
  out.write(data);
  if (closed) state_ = State::Done;
  return false;
}

bool Http1Session::write_duplex(Output& out) {
  if (write_body(out)) return true;
  // Whoever has sent its last may still read the answer to it, but nothing that comes later.
  if (pump_.complete() || peer_ended_) state_ = State::Done;
  return false;
}

void Http1Session::on_end() {
  peer_ended_ = true;
  switch (state_) {
    case State::Reading:
      state_ = State::Done;
      break;
    case State::Handling:
      exchange_->stop.request_stop();
      break;
    case State::Writing:
      // Nobody reads a body without end any more.
      if (pump_.has_source()) state_ = State::Done;
      break;
    case State::Upgraded:
      if (pipe_ != nullptr) pipe_->end_incoming();
      break;
    case State::Done:
      break;
  }
}

void Http1Session::on_timeout() {
  if (state_ != State::Reading) return;
  if (parser_.started()) {
    refuse(408, "the request did not arrive in time");
  } else {
    state_ = State::Done;
  }
}

void Http1Session::drain() {
  draining_ = true;
  if (state_ == State::Reading && !parser_.started()) state_ = State::Done;
}

void Http1Session::cancel() {
  if (pipe_ != nullptr) pipe_->abandon();
  if (exchange_ != nullptr) exchange_->stop.request_stop();
}

}  // namespace

std::unique_ptr<Session> make_http1_session(SessionHost& host) {
  return std::make_unique<Http1Session>(host);
}

}  // namespace coracle::http::internal
