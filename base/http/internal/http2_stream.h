#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/http/internal/body_pump.h"
#include "base/http/internal/exchange.h"
#include "base/http/internal/upload.h"

namespace coracle::http::internal {

// One request of an HTTP/2 connection and its answer.
struct Http2Stream {
  explicit Http2Stream(SessionHost& host) : upload(host) {}

  // Receiving: the request is not complete. Handling: the handler runs. Sending: the answer could go on at
  // once. Waiting: its source has nothing at present. Sent: all of it is with nghttp2.
  enum class State : std::uint8_t { Receiving, Handling, Sending, Waiting, Sent };

  std::int32_t id = 0;
  State state = State::Receiving;
  std::shared_ptr<Exchange> exchange = std::make_shared<Exchange>();
  std::string authority;
  std::size_t head_bytes = 0;       // as sent, with trailers
  std::size_t held_head_bytes = 0;  // of them, what the request keeps until it is answered
  bool head_complete = false;
  bool head_too_large = false;
  Upload upload;
  std::shared_ptr<BodyWake> wake;
  BodyPump pump;
};

}  // namespace coracle::http::internal
