#include "base/http/internal/http2_callbacks.h"

#include <memory>

#include "base/http/internal/http2_session.h"

namespace coracle::http::internal {
namespace {

// Answers to PING and SETTINGS that a client may have outstanding.
constexpr std::size_t kMaxOutstandingAcks = 100;
constexpr std::size_t kMaxSettingsPerFrame = 32;
// Streams that a client may reset: so many at once, then so many per second.
constexpr std::uint64_t kResetBurst = 1000;
constexpr std::uint64_t kResetsPerSecond = 50;
constexpr std::size_t kFrameHeadBytes = 9;

struct CallbacksDeleter {
  void operator()(nghttp2_session_callbacks* callbacks) const { nghttp2_session_callbacks_del(callbacks); }
};
struct OptionDeleter {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};
using CallbacksPtr = std::unique_ptr<nghttp2_session_callbacks, CallbacksDeleter>;
using OptionPtr = std::unique_ptr<nghttp2_option, OptionDeleter>;

Http2Session& session_of(void* user_data) {
  return *static_cast<Http2Session*>(user_data);
}

bool is_request_head(const nghttp2_frame* frame) {
  return frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
}

}  // namespace

// nghttp2's callbacks, in its types.
struct Http2Callbacks {
  static Http2Stream* stream_of(nghttp2_session* raw, std::int32_t id) {
    return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(raw, id));
  }

  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* session) {
    return is_request_head(frame) ? session_of(session).on_begin_request(frame->hd.stream_id) : 0;
  }

  static int header(nghttp2_session* raw, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                    const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* session) {
    Http2Stream* stream = stream_of(raw, frame->hd.stream_id);
    if (stream != nullptr && name_size > 0) {
      session_of(session).on_field(*stream, {reinterpret_cast<const char*>(name), name_size},
                                   {reinterpret_cast<const char*>(value), value_size});
    }
    return 0;
  }

  static int frame_received(nghttp2_session* raw, const nghttp2_frame* frame, void* session) {
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    Http2Stream* stream = stream_of(raw, frame->hd.stream_id);
    if (stream == nullptr) return 0;
    const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (is_request_head(frame)) {
      session_of(session).on_head(*stream, end);
    } else if (end) {
      session_of(session).on_request_end(*stream);
    }
    return 0;
  }

  static int data_chunk(nghttp2_session* raw, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t size,
                        void* session) {
    if (Http2Stream* stream = stream_of(raw, id)) {
      session_of(session).on_body(*stream, {reinterpret_cast<const char*>(data), size});
    }
    return 0;
  }

  static int stream_closed(nghttp2_session*, std::int32_t id, std::uint32_t, void* session) {
    session_of(session).on_close(id);
    return 0;
  }

  static int frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* session) {
    if (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) {
      session_of(session).on_sent(frame->hd.stream_id, (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0);
    }
    return 0;
  }

  static int send_data(nghttp2_session*, nghttp2_frame*, const std::uint8_t* frame_head, std::size_t size,
                       nghttp2_data_source* source, void* session) {
    return session_of(session).send_body(*static_cast<Http2Stream*>(source->ptr),
                                         {reinterpret_cast<const char*>(frame_head), kFrameHeadBytes}, size);
  }

  static ssize_t read_body(Http2Stream& stream, std::size_t limit, std::uint32_t& flags, void* session) {
    return session_of(session).read_body(stream, limit, flags);
  }
};

ssize_t http2_read_body(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t limit, std::uint32_t* flags,
                        nghttp2_data_source* source, void* session) {
  return Http2Callbacks::read_body(*static_cast<Http2Stream*>(source->ptr), limit, *flags, session);
}

nghttp2_session* new_http2_server(Http2Session& session) {
  nghttp2_session_callbacks* raw_callbacks = nullptr;
  nghttp2_option* raw_option = nullptr;
  if (nghttp2_session_callbacks_new(&raw_callbacks) != 0) return nullptr;
  const CallbacksPtr callbacks(raw_callbacks);
  if (nghttp2_option_new(&raw_option) != 0) return nullptr;
  const OptionPtr option(raw_option);
  nghttp2_session_callbacks_set_on_begin_headers_callback(raw_callbacks, Http2Callbacks::begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(raw_callbacks, Http2Callbacks::header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(raw_callbacks, Http2Callbacks::frame_received);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(raw_callbacks, Http2Callbacks::data_chunk);
  nghttp2_session_callbacks_set_on_stream_close_callback(raw_callbacks, Http2Callbacks::stream_closed);
  nghttp2_session_callbacks_set_on_frame_send_callback(raw_callbacks, Http2Callbacks::frame_sent);
  nghttp2_session_callbacks_set_send_data_callback(raw_callbacks, Http2Callbacks::send_data);
  nghttp2_option_set_no_closed_streams(raw_option, 1);
  nghttp2_option_set_max_outbound_ack(raw_option, kMaxOutstandingAcks);
  nghttp2_option_set_max_settings(raw_option, kMaxSettingsPerFrame);
  nghttp2_option_set_stream_reset_rate_limit(raw_option, kResetBurst, kResetsPerSecond);
  nghttp2_session* made = nullptr;
  return nghttp2_session_server_new2(&made, raw_callbacks, &session, raw_option) == 0 ? made : nullptr;
}

}  // namespace coracle::http::internal
