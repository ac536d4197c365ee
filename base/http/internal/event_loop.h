#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/file_descriptor.h"
#include "base/http/internal/connection.h"
#include "base/http/internal/dispatcher.h"
#include "base/http/internal/mailbox.h"
#include "base/http/internal/output.h"
#include "base/http/internal/recurring_warning.h"
#include "base/http/internal/timeouts.h"

namespace coracle::http::internal {

// What the loops of one server share.
struct ServerState {
  ServerState(Executor& executor, Handler& handler, ServerOptions server_options, Logger logger)
      : options(std::move(server_options)), log(std::move(logger)), dispatcher(executor, handler, log) {}

  const ServerOptions options;
  const Logger log;
  Dispatcher dispatcher;
  std::atomic<std::size_t> connections{0};
  RecurringWarning too_many_connections;
  RecurringWarning accept_failed;
  std::mutex mutex;
  std::unique_ptr<WaitPoint> connection_closed = dispatcher.executor().make_wait_point();
};

// One I/O thread: sockets, deadlines and mail. Sleeps in the kernel when nothing is due.
class EventLoop {
 public:
  // `listener` is shared by all loops of a server and outlives them.
  EventLoop(ServerState& state, int listener);
  // The thread must have been stopped by mail.
  ~EventLoop();

  // Unavailable when the kernel gives no epoll instance.
  Result<void> start();
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }

  // For connections, on the loop's thread.
  ServerState& state() { return state_; }
  LoopBuffers& buffers() { return buffers_; }
  std::span<char> wire_input() { return wire_input_; }
  std::span<char> plain_input() { return plain_input_; }
  std::string_view date();
  bool control(int operation, int descriptor, std::uint32_t events, void* target);
  void mark_dirty(Connection& connection);
  void arm(Connection& connection, Wait wait);
  bool reserve_upload(std::size_t bytes);
  void release_upload(std::size_t bytes) { uploads_ -= bytes; }
  void bury(Connection& connection);

 private:
  static constexpr std::size_t kInputBytes = 64 * 1024;
  static constexpr int kEventsPerTurn = 128;

  void run();
  int sleep_milliseconds();
  void handle_mail();
  void deliver_mail();
  void handle_timeouts();
  void flush_dirty();
  void remove_buried();
  void accept_some();
  void admit(FileDescriptor socket, Peer peer);
  void watch_listener(bool watch);
  void begin_drain();

  ServerState& state_;
  const int listener_;
  const std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  FileDescriptor epoll_;
  std::thread thread_;
  std::vector<char> wire_input_ = std::vector<char>(kInputBytes);
  std::vector<char> plain_input_ = std::vector<char>(kInputBytes);
  LoopBuffers buffers_;
  TimeoutQueue request_waits_;
  TimeoutQueue idle_waits_;
  MonotonicTime now_;
  std::string date_;
  std::int64_t date_second_ = -1;
  std::uint64_t next_id_ = 1;
  std::size_t uploads_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> dirty_;
  std::vector<std::uint64_t> buried_;
  std::vector<Mail> mail_;
  std::vector<std::function<void()>> turns_;
  bool listening_ = false;
  MonotonicTime listen_again_;  // after the kernel ran out of descriptors
  bool draining_ = false;
  bool stopping_ = false;
};

}  // namespace coracle::http::internal
