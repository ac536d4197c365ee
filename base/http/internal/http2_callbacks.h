#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>

namespace coracle::http::internal {

class Http2Session;

// A server's side of nghttp2 that reports to `session`, with its limits against floods set; null when
// out of memory.
nghttp2_session* new_http2_server(Http2Session& session);

// Data source of an answer; `source->ptr` is its Http2Stream.
ssize_t http2_read_body(nghttp2_session* raw, std::int32_t id, std::uint8_t* buffer, std::size_t limit,
                        std::uint32_t* flags, nghttp2_data_source* source, void* session);

}  // namespace coracle::http::internal
