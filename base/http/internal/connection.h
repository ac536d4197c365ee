#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/file_descriptor.h"
#include "base/http/internal/channel.h"
#include "base/http/internal/session.h"
#include "base/http/internal/timeouts.h"

namespace coracle::http::internal {

class EventLoop;

// One accepted socket: moves bytes between it, the channel and the session. Loop thread only.
class Connection : public SessionHost, public TimeoutNode {
 public:
  Connection(EventLoop& loop, std::uint64_t id, FileDescriptor socket, Peer peer, std::unique_ptr<Channel> channel);

  // Watches the socket; closes the connection when that fails.
  void start();
  void on_events(std::uint32_t events);
  void on_mail(const Mail& mail);
  void on_timeout();
  void drain();
  void cancel();
  // Writes what there is to write. Called once per turn of the loop, after all that happened in it.
  void flush();
  bool closed() const { return closed_; }

  const ServerOptions& options() const override;
  const Peer& peer() const override { return peer_; }
  std::uint64_t id() const override { return id_; }
  const std::shared_ptr<Mailbox>& mailbox() const override;
  Dispatcher& dispatcher() override;
  std::string_view date() override;
  void wait_for(Wait wait) override;
  void pause_reading(bool pause) override;
  bool reserve_upload(std::size_t bytes) override;
  void release_upload(std::size_t bytes) override;

  // For the loop's list of connections that have something to write.
  bool dirty = false;

 private:
  void receive();
  void handle_plain();
  bool begin_session();
  void keep_wire();
  bool send_wire(std::string_view data, std::size_t& sent);
  bool send_unsent();
  bool produce_once(bool& more);
  void finish();
  void linger(std::size_t received, bool end);
  void apply_wait();
  void watch();
  void close();

  EventLoop& loop_;
  const std::uint64_t id_;
  FileDescriptor socket_;
  Peer peer_;
  std::unique_ptr<Channel> channel_;
  std::unique_ptr<Session> session_;  // from the end of the TLS handshake on
  std::string unsent_;                // what the socket did not take
  Wait wait_ = Wait::Nothing;         // what the session waits for
  std::uint32_t watched_ = 0;
  std::size_t lingered_ = 0;
  bool reading_paused_ = false;
  bool draining_ = false;
  bool input_ended_ = false;
  bool lingering_ = false;
  bool closed_ = false;
};

}  // namespace coracle::http::internal
