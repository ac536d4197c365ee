#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/http/internal/body_pump.h"
#include "base/http/internal/exchange.h"

namespace coracle::http::internal {

// One request of an HTTP/2 connection and its answer.
struct Http2Stream {
  // Receiving: the request is not complete. Handling: the handler runs. Sending: the answer could go on at
  // once. Waiting: its source has nothing at present. Sent: all of it is with nghttp2.
  enum class State : std::uint8_t { Receiving, Handling, Sending, Waiting, Sent };

  std::int32_t id = 0;
  State state = State::Receiving;
  std::shared_ptr<Exchange> exchange = std::make_shared<Exchange>();
  std::string authority;
  std::size_t head_bytes = 0;
  bool head_complete = false;
  bool head_too_large = false;
  std::size_t reserved = 0;       // upload bytes that are accounted for
  std::size_t progress_mark = 0;  // body size at which the request's time starts anew
  std::shared_ptr<BodyWake> wake;
  BodyPump pump;
};

}  // namespace coracle::http::internal
