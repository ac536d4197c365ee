#include <optional>
#include <utility>

#include "base/http/websocket.h"

namespace coracle::http::websocket {
namespace {

// Nobody reads what the client says; this much of it is looked at.
constexpr std::size_t kMaxIgnoredBytes = 64 * 1024;

class MessageStream : public DuplexSource {
 public:
  MessageStream(std::unique_ptr<BodySource> messages, Opcode kind) : messages_(std::move(messages)), kind_(kind) {}

  void on_ready(std::function<void()> wake) override { messages_->on_ready(std::move(wake)); }
  State pull(std::vector<Bytes>& out, std::size_t limit) override;
  void receive(std::string_view data) override;

 private:
  // `frame` is the last that is sent; whoever makes the messages need not go on.
  void end(std::string frame) {
    goodbye_ = std::move(frame);
    messages_.reset();
  }

  std::unique_ptr<BodySource> messages_;  // null once the end is decided
  const Opcode kind_;
  MessageReader reader_{kMaxIgnoredBytes};
  std::vector<Bytes> pulled_;
  // Of the newest ping that has no answer. The ones before it need none (section 5.5.3), so that a client that does
  // nothing but ping fills no memory.
  std::optional<std::string> pong_;
  std::string goodbye_;
};

BodySource::State MessageStream::pull(std::vector<Bytes>& out, std::size_t limit) {
  if (pong_) {
    out.push_back(bytes(frame_header(Opcode::Pong, pong_->size()) + *pong_));
    pong_.reset();
  }
  State state = State::End;
  if (messages_ != nullptr) {
    state = messages_->pull(pulled_, limit);
    for (Bytes& message : pulled_) {
      out.push_back(bytes(frame_header(kind_, message->size())));
      out.push_back(std::move(message));
    }
    pulled_.clear();
    if (state == State::End) end(close_frame(CloseCode::Normal));
  }
  if (state == State::End) out.push_back(bytes(std::exchange(goodbye_, {})));
  return state;
}

void MessageStream::receive(std::string_view data) {
  while (messages_ != nullptr && !data.empty()) {
    switch (reader_.read(data)) {
      case MessageReader::Got::Ping:
        pong_ = reader_.take_payload();
        break;
      case MessageReader::Got::Close: {
        // The code goes back as it came; its reason stays here.
        const std::string code = reader_.take_payload().substr(0, 2);
        end(frame_header(Opcode::Close, code.size()) + code);
        break;
      }
      case MessageReader::Got::Failed:
        end(close_frame(reader_.failure()));
        break;
      case MessageReader::Got::Message:
        reader_.take_payload();
        break;
      case MessageReader::Got::Nothing:
      case MessageReader::Got::Pong:
        break;
    }
  }
}

}  // namespace

std::unique_ptr<DuplexSource> make_message_stream(std::unique_ptr<BodySource> messages, Opcode kind) {
  return std::make_unique<MessageStream>(std::move(messages), kind);
}

}  // namespace coracle::http::websocket
