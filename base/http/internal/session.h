#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/http/internal/dispatcher.h"
#include "base/http/internal/exchange.h"
#include "base/http/internal/output.h"
#include "base/http/server.h"

namespace coracle::http::internal {

// What a connection waits for, which decides how long it may.
enum class Wait : std::uint8_t { Nothing, Request, Idle };

// What a session asks of the connection below it. Loop thread only.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  virtual const ServerOptions& options() const = 0;
  virtual const Peer& peer() const = 0;
  virtual std::uint64_t id() const = 0;
  virtual const std::shared_ptr<Mailbox>& mailbox() const = 0;
  virtual Dispatcher& dispatcher() = 0;
  // Text of a Date field, fresh to the second.
  virtual std::string_view date() = 0;
  // (Re)starts the time that the wait may take.
  virtual void wait_for(Wait wait) = 0;
  // Stops and resumes taking bytes from the socket.
  virtual void pause_reading(bool pause) = 0;
  // Lets the bodies of one loop's unanswered requests hold only so much memory; false when that is used up.
  virtual bool reserve_upload(std::size_t bytes) = 0;
  virtual void release_upload(std::size_t bytes) = 0;
};

// HTTP on one connection. Loop thread only; nothing here waits.
class Session {
 public:
  virtual ~Session() = default;
  virtual void on_data(std::string_view plain) = 0;
  // The other end will send nothing more.
  virtual void on_end() = 0;
  // The handler of that stream's request has answered.
  virtual void on_response(std::uint32_t stream) = 0;
  // A source or an upgraded stream has something to say.
  virtual void on_wake(std::uint32_t stream) = 0;
  virtual void on_timeout() = 0;
  // Finish what runs, begin nothing new.
  virtual void drain() = 0;
  // Asks running handlers to give up.
  virtual void cancel() = 0;
  // Writes what there is to write; true when it stopped only because `out` is full.
  virtual bool produce(Output& out) = 0;
  // Nothing is left to do: the connection may close.
  virtual bool done() const = 0;
  // The other end may still be sending what nobody will read, so that closing at once could lose the answer.
  virtual bool linger() const { return false; }
};

std::unique_ptr<Session> make_http1_session(SessionHost& host);
std::unique_ptr<Session> make_http2_session(SessionHost& host);

}  // namespace coracle::http::internal
