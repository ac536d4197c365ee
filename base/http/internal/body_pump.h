#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/http/internal/mailbox.h"
#include "base/http/message.h"

namespace coracle::http::internal {

// Turns a source's wake calls into mail, one letter at a time however often it calls.
class BodyWake {
 public:
  BodyWake(std::shared_ptr<Mailbox> mailbox, std::uint64_t connection, std::uint32_t stream)
      : mailbox_(std::move(mailbox)), connection_(connection), stream_(stream) {}

  void post() {
    if (!posted_.exchange(true, std::memory_order_acq_rel)) {
      mailbox_->post({Mail::Kind::Wake, connection_, stream_});
    }
  }
  // The loop says that it will look now.
  void seen() { posted_.store(false, std::memory_order_release); }

 private:
  const std::shared_ptr<Mailbox> mailbox_;
  const std::uint64_t connection_;
  const std::uint32_t stream_;
  std::atomic<bool> posted_{false};
};

// The body of an answer as a queue of bytes: given segments, or pulled from a source as they are wanted.
class BodyPump {
 public:
  BodyPump() = default;
  BodyPump(std::vector<Bytes> segments, std::unique_ptr<BodySource> source, std::shared_ptr<BodyWake> wake);

  // Bytes at hand.
  std::size_t available() const { return available_; }
  // The longest run at hand; empty when nothing is.
  std::string_view front() const;
  void consume(std::size_t size);
  // Asks the source, unless bytes are at hand or it will wake us first.
  void refill(std::size_t limit);
  // Everything was consumed and nothing more comes.
  bool complete() const { return available_ == 0 && ended_; }
  // Nothing will be at hand before the source wakes us.
  bool waiting() const { return available_ == 0 && !ended_; }
  bool ended() const { return ended_; }
  // The source was told something, and may have more to say before it wakes us.
  void on_told() { pending_ = false; }
  bool has_source() const { return source_ != nullptr; }
  void on_wake() {
    if (wake_ != nullptr) wake_->seen();
    pending_ = false;
  }

 private:
  void skip_empty();

  std::vector<Bytes> segments_;
  std::size_t index_ = 0;
  std::size_t offset_ = 0;
  std::size_t available_ = 0;
  bool ended_ = true;
  bool pending_ = false;  // the source has nothing until its wake
  std::unique_ptr<BodySource> source_;
  std::shared_ptr<BodyWake> wake_;
};

}  // namespace coracle::http::internal
