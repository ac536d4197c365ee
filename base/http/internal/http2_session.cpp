#include "base/http/internal/http2_session.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/http/internal/http2_callbacks.h"
#include "base/http/internal/limits.h"
#include "base/http/internal/response_head.h"

namespace coracle::http::internal {
namespace {

constexpr std::uint32_t kStreamWindowBytes = 256 * 1024;
constexpr std::int32_t kConnectionWindowBytes = 1024 * 1024;
// Heads of one connection's requests that are not answered, together. A reference of one byte to the compression's
// table can stand for a field of 4 KB, so that what the client sent says nothing about what we keep: room for ordinary
// heads on every stream, and not for the largest allowed on each.
constexpr std::size_t kMaxHeldHeadBytes = 4 * 1024 * 1024;
// Frames that wait for the client to read: the answers of its streams, some for each, and others. nghttp2 answers
// requests that break the rules by itself, as many as come.
constexpr std::size_t kQueuedFramesPerStream = 4;
constexpr std::size_t kMaxOtherQueuedFrames = 1000;

std::string_view decimal(std::array<char, 24>& buffer, std::uint64_t number) {
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  return {buffer.data(), static_cast<std::size_t>(end - buffer.data())};
}

}  // namespace

Http2Session::~Http2Session() {
  // nghttp2 reports streams as closed while it is deleted.
  session_.reset();
  for (auto& [id, stream] : streams_) stream->exchange->stop.request_stop();
}

bool Http2Session::start() {
  session_.reset(new_http2_server(*this));
  if (session_ == nullptr) return false;
  const ServerOptions& options = host_.options();
  const auto clamp = [](std::size_t value) {
    return static_cast<std::uint32_t>(std::min<std::size_t>(value, NGHTTP2_MAX_WINDOW_SIZE));
  };
  const std::array<nghttp2_settings_entry, 4> settings = {{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.max_streams_per_connection},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindowBytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, clamp(options.max_header_bytes)},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  }};
  if (nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, settings.data(), settings.size()) != 0 ||
      nghttp2_session_set_local_window_size(session_.get(), NGHTTP2_FLAG_NONE, 0, kConnectionWindowBytes) != 0) {
    return false;
  }
  update_wait(true);
  return true;
}

void Http2Session::on_data(std::string_view plain) {
  if (ended_) return;
  const ssize_t used =
      nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const std::uint8_t*>(plain.data()), plain.size());
  if (used < 0) ended_ = true;
  if (nghttp2_session_get_outbound_queue_size(session_.get()) >
      kQueuedFramesPerStream * host_.options().max_streams_per_connection + kMaxOtherQueuedFrames) {
    nghttp2_session_terminate_session(session_.get(), NGHTTP2_ENHANCE_YOUR_CALM);
  }
  update_wait(count(State::Receiving) == 0);
}

Http2Stream* Http2Session::find(std::int32_t id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

void Http2Session::set_state(Http2Stream& stream, State state) {
  --count(stream.state);
  ++count(state);
  stream.state = state;
}

int Http2Session::on_begin_request(std::int32_t id) {
  // A client that resets streams as fast as it opens them still has their handlers to its account.
  if (running_ >= host_.options().max_streams_per_connection) {
    return nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
  }
  auto stream = std::make_unique<Http2Stream>(host_);
  stream->id = id;
  ++count(State::Receiving);
  nghttp2_session_set_stream_user_data(session_.get(), id, stream.get());
  streams_.emplace(id, std::move(stream));
  if (wait_ != Wait::Request) update_wait(true);
  return 0;
}

// False when the client has more in heads than it may, and the connection ends.
bool Http2Session::hold_head(Http2Stream& stream, std::size_t bytes) {
  if (bytes > kMaxHeldHeadBytes - held_head_bytes_) {
    nghttp2_session_terminate_session(session_.get(), NGHTTP2_ENHANCE_YOUR_CALM);
    return false;
  }
  held_head_bytes_ += bytes;
  stream.held_head_bytes += bytes;
  return true;
}

// Once it is answered nobody looks at the request, and the client may take its time to read the answer.
void Http2Session::drop_request(Http2Stream& stream) {
  stream.upload.end();
  stream.exchange->request = {};
  stream.authority = {};
  held_head_bytes_ -= std::exchange(stream.held_head_bytes, 0);
}

void Http2Session::on_field(Http2Stream& stream, std::string_view name, std::string_view value) {
  const std::size_t bytes = name.size() + value.size() + kFieldOverheadBytes;
  stream.head_bytes += bytes;
  if (stream.head_bytes > host_.options().max_header_bytes) stream.head_too_large = true;
  if (stream.head_too_large || stream.head_complete) return;
  if (!hold_head(stream, bytes)) {
    stream.head_too_large = true;  // must never be handled without its other fields
    return;
  }
  Request& request = stream.exchange->request;
  if (name.front() != ':') {
    request.headers.add(std::string(name), std::string(value));
  } else if (name == ":method") {
    request.method = value;
  } else if (name == ":path") {
    const std::size_t mark = value.find('?');
    request.path = value.substr(0, mark);
    if (mark != std::string_view::npos) request.query = value.substr(mark + 1);
  } else if (name == ":authority") {
    stream.authority = value;
  }
}

void Http2Session::on_head(Http2Stream& stream, bool end) {
  stream.head_complete = true;
  Request& request = stream.exchange->request;
  if (stream.head_too_large) {
    refuse(stream, 431, "request header is too large");
  } else if (request.method == "CONNECT") {
    refuse(stream, 501, "CONNECT is not served");
  } else {
    if (!request.headers.has("host")) request.headers.add("host", std::move(stream.authority));
    if (request.path.empty()) request.path = "/";
    if (end) {
      on_request_end(stream);
    } else if (!stream.upload.grow_to(stream.held_head_bytes)) {
      refuse(stream, 503, "too many uploads at once");
    }
  }
}

void Http2Session::on_body(Http2Stream& stream, std::string_view piece) {
  if (stream.state != State::Receiving) return;  // refused before
  std::string& body = stream.exchange->request.body;
  if (piece.size() > host_.options().max_body_bytes - body.size()) {
    refuse(stream, 413, "request body is too large");
    return;
  }
  if (!stream.upload.grow_to(stream.held_head_bytes + body.size() + piece.size())) {
    refuse(stream, 503, "too many uploads at once");
    return;
  }
  body += piece;
  if (stream.upload.has_moved()) update_wait(true);
}

void Http2Session::on_request_end(Http2Stream& stream) {
  if (stream.state != State::Receiving) return;
  Exchange& exchange = *stream.exchange;
  exchange.request.version_major = 2;
  exchange.request.peer = host_.peer();
  exchange.connection = host_.id();
  exchange.stream = static_cast<std::uint32_t>(stream.id);
  set_state(stream, State::Handling);
  ++running_;
  host_.dispatcher().dispatch(stream.exchange, host_.mailbox());
}

void Http2Session::refuse(Http2Stream& stream, int status, std::string_view why) {
  respond(stream, host_.dispatcher().handler().refusal(status, why));
}

void Http2Session::on_response(std::uint32_t id) {
  --running_;
  Http2Stream* stream = find(static_cast<std::int32_t>(id));
  if (stream == nullptr || stream->state != State::Handling) return;
  if (stream->exchange->response.status == 101) {
    // Only HTTP/1.1 can switch protocols; the client is told to come back with it.
    set_state(*stream, State::Sent);
    drop_request(*stream);
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_HTTP_1_1_REQUIRED);
  } else {
    respond(*stream, std::move(stream->exchange->response));
  }
  update_wait(true);
}

void Http2Session::respond(Http2Stream& stream, Response&& response) {
  std::uint64_t length = 0;
  for (const Bytes& segment : response.body) length += segment->size();
  const bool allowed = carries_body(response.status, stream.exchange->request.method);
  drop_request(stream);
  const bool with_body = allowed && (length > 0 || response.source != nullptr);
  set_state(stream, with_body ? State::Sending : State::Sent);
  submit(stream, response, with_body, length);
  if (!with_body) return;
  if (response.source != nullptr) {
    stream.wake = std::make_shared<BodyWake>(host_.mailbox(), host_.id(), static_cast<std::uint32_t>(stream.id));
  }
  stream.pump = BodyPump(std::move(response.body), std::move(response.source), stream.wake);
}

void Http2Session::add_field(std::string_view name, std::string_view value) {
  const auto raw = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  fields_.push_back({raw(name), raw(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
}

void Http2Session::submit(Http2Stream& stream, const Response& response, bool with_body, std::uint64_t length) {
  fields_.clear();
  names_.clear();
  std::size_t names_size = 0;
  for (const auto& [name, value] : response.headers.fields()) names_size += name.size();
  names_.reserve(names_size);  // the views into it must stay valid
  std::array<char, 24> status_buffer;
  std::array<char, 24> length_buffer;
  add_field(":status", decimal(status_buffer, static_cast<std::uint64_t>(std::clamp(response.status, 200, 599))));
  for (const auto& [name, value] : response.headers.fields()) {
    if (transport_field(name) || !writable_field(name, value)) continue;
    const std::size_t begin = names_.size();
    for (const char c : name) names_ += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    add_field(std::string_view(names_).substr(begin), value);
  }
  add_field("date", host_.date());
  const bool known_length = response.source == nullptr && response.status != 204 && response.status != 304;
  if (known_length) add_field("content-length", decimal(length_buffer, length));
  nghttp2_data_provider provider{{.ptr = &stream}, http2_read_body};
  if (nghttp2_submit_response(session_.get(), stream.id, fields_.data(), fields_.size(),
                              with_body ? &provider : nullptr) != 0) {
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream.id, NGHTTP2_INTERNAL_ERROR);
  }
}

ssize_t Http2Session::read_body(Http2Stream& stream, std::size_t limit, std::uint32_t& flags) {
  BodyPump& pump = stream.pump;
  pump.refill(kPullBytes);
  if (pump.waiting()) {
    set_state(stream, State::Waiting);
    return NGHTTP2_ERR_DEFERRED;
  }
  const std::size_t size = std::min(limit, pump.available());
  if (size > 0) flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (size == pump.available() && pump.ended()) {
    flags |= NGHTTP2_DATA_FLAG_EOF;
    set_state(stream, State::Sent);
  }
  return static_cast<ssize_t>(size);
}

int Http2Session::send_body(Http2Stream& stream, std::string_view frame_head, std::size_t size) {
  out_->write(frame_head);
  while (size > 0) {
    const std::string_view piece = stream.pump.front().substr(0, size);
    out_->write(piece);
    stream.pump.consume(piece.size());
    size -= piece.size();
  }
  return out_->full() ? NGHTTP2_ERR_PAUSE : 0;
}

void Http2Session::on_wake(std::uint32_t id) {
  Http2Stream* stream = find(static_cast<std::int32_t>(id));
  if (stream == nullptr) return;
  stream->pump.on_wake();
  if (stream->state != State::Waiting) return;
  set_state(*stream, State::Sending);
  nghttp2_session_resume_data(session_.get(), stream->id);
}

// An answer that is complete before its request is: the client may stop sending.
void Http2Session::on_sent(std::int32_t id, bool end) {
  if (end && nghttp2_session_get_stream_remote_close(session_.get(), id) == 0) {
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
  }
}

void Http2Session::on_close(std::int32_t id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  Http2Stream& stream = *found->second;
  if (stream.state == State::Handling) stream.exchange->stop.request_stop();
  --count(stream.state);
  held_head_bytes_ -= stream.held_head_bytes;
  streams_.erase(found);
  if (streams_.empty()) wait_ = Wait::Nothing;  // an idle time begins anew, whatever was waited for
}

bool Http2Session::produce(Output& out) {
  out_ = &out;
  bool progress = false;
  bool more = false;
  while (!ended_) {
    const std::uint8_t* data = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_.get(), &data);
    if (size < 0) ended_ = true;
    if (size > 0) {
      out.write({reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)});
      progress = true;
    }
    more = out.full();
    if (more || size <= 0) break;
  }
  out_ = nullptr;
  update_wait(progress && count(State::Receiving) == 0);
  return more && !ended_;
}

// `progress` gives the wait new time even when it is for the same. Without streams it does not: pings would keep a
// connection for ever that nobody uses.
void Http2Session::update_wait(bool progress) {
  Wait wait = Wait::Nothing;
  if (count(State::Receiving) > 0) {
    wait = Wait::Request;
  } else if (streams_.empty() || count(State::Sending) > 0) {
    // What could be sent and is not waits for the client to open its window.
    wait = Wait::Idle;
  }
  if (wait == wait_ && (!progress || streams_.empty())) return;
  wait_ = wait;
  host_.wait_for(wait);
}

void Http2Session::on_timeout() {
  std::vector<Http2Stream*> late;
  bool half_head = false;
  for (auto& [id, stream] : streams_) {
    if (stream->state != State::Receiving) continue;
    late.push_back(stream.get());
    half_head = half_head || !stream->head_complete;
  }
  if (late.empty() || half_head) {
    nghttp2_session_terminate_session(session_.get(), half_head ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_NO_ERROR);
  } else {
    for (Http2Stream* stream : late) refuse(*stream, 408, "the request did not arrive in time");
    update_wait(true);
  }
}

void Http2Session::drain() {
  if (std::exchange(draining_, true)) return;
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_.get()),
                        NGHTTP2_NO_ERROR, nullptr, 0);
}

void Http2Session::cancel() {
  for (auto& [id, stream] : streams_) stream->exchange->stop.request_stop();
}

bool Http2Session::done() const {
  if (ended_) return true;
  if (nghttp2_session_want_write(session_.get()) != 0) return false;
  return (draining_ && streams_.empty()) || nghttp2_session_want_read(session_.get()) == 0;
}

std::unique_ptr<Session> make_http2_session(SessionHost& host) {
  auto session = std::make_unique<Http2Session>(host);
  if (!session->start()) return nullptr;
  return session;
}

}  // namespace coracle::http::internal
