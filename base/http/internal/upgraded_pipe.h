#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/executor.h"
#include "base/http/internal/mailbox.h"
#include "base/http/message.h"

namespace coracle::http::internal {

// The two directions of an upgraded connection, between its loop and the task that uses it.
class UpgradedPipe {
 public:
  // `mail` wakes the loop's side.
  UpgradedPipe(Executor& executor, std::shared_ptr<Mailbox> mailbox, Mail mail);

  // The loop's side; never waits. False when so much is unread that reading should pause.
  bool push_incoming(std::string_view data);
  bool incoming_has_room() const;
  void end_incoming();
  // Takes what the task wrote; `closed` when nothing will follow.
  std::string take_outgoing(bool& closed);
  // The connection is gone.
  void abandon();

  // The task's side.
  Result<std::string> read(const Context& context);
  Result<void> write(const Context& context, std::string_view data);
  void close();

 private:
  void tell_loop();

  const std::shared_ptr<Mailbox> mailbox_;
  const Mail mail_;
  mutable std::mutex mutex_;
  const std::unique_ptr<WaitPoint> changed_;
  std::string incoming_;
  std::string outgoing_;
  bool incoming_ended_ = false;
  bool reading_paused_ = false;
  bool closed_ = false;
  bool abandoned_ = false;
};

std::unique_ptr<UpgradedStream> make_upgraded_stream(std::shared_ptr<UpgradedPipe> pipe);

}  // namespace coracle::http::internal
