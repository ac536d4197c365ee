#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/http/internal/http2_stream.h"
#include "base/http/internal/session.h"

namespace coracle::http::internal {

struct Http2Deleter {
  void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
};

// Frames, compression and flow control are nghttp2's; requests, bodies and limits are ours.
class Http2Session : public Session {
 public:
  explicit Http2Session(SessionHost& host) : host_(host) {}
  ~Http2Session() override;

  // False when nghttp2 is out of memory.
  bool start();

  void on_data(std::string_view plain) override;
  void on_end() override { ended_ = true; }
  void on_response(std::uint32_t stream) override;
  void on_wake(std::uint32_t stream) override;
  void on_timeout() override;
  void drain() override;
  void cancel() override;
  bool produce(Output& out) override;
  bool done() const override;
  // So that a client that broke a rule, and is still sending, learns which.
  bool linger() const override { return !draining_; }

 private:
  using State = Http2Stream::State;
  friend struct Http2Callbacks;

  // From nghttp2's callbacks.
  int on_begin_request(std::int32_t id);
  void on_field(Http2Stream& stream, std::string_view name, std::string_view value);
  void on_head(Http2Stream& stream, bool end);
  void on_body(Http2Stream& stream, std::string_view piece);
  void on_request_end(Http2Stream& stream);
  void on_sent(std::int32_t id, bool end);
  void on_close(std::int32_t id);
  ssize_t read_body(Http2Stream& stream, std::size_t limit, std::uint32_t& flags);
  int send_body(Http2Stream& stream, std::string_view frame_head, std::size_t size);

  Http2Stream* find(std::int32_t id);
  void set_state(Http2Stream& stream, State state);
  std::size_t& count(State state) { return counts_[static_cast<std::size_t>(state)]; }
  bool hold_head(Http2Stream& stream, std::size_t bytes);
  void drop_request(Http2Stream& stream);
  void refuse(Http2Stream& stream, int status, std::string_view why);
  void respond(Http2Stream& stream, Response&& response);
  void submit(Http2Stream& stream, const Response& response, bool with_body, std::uint64_t length);
  void add_field(std::string_view name, std::string_view value);
  void update_wait(bool progress);

  SessionHost& host_;
  std::unique_ptr<nghttp2_session, Http2Deleter> session_;
  std::unordered_map<std::int32_t, std::unique_ptr<Http2Stream>> streams_;
  std::array<std::size_t, 5> counts_{};  // of streams in each state
  std::size_t running_ = 0;              // handlers, also of streams that the client has reset
  std::size_t held_head_bytes_ = 0;      // of all requests that are not answered
  Output* out_ = nullptr;                // while producing
  std::vector<nghttp2_nv> fields_;       // reused from answer to answer
  std::string names_;                    // lower-case copies that fields_ points into
  Wait wait_ = Wait::Nothing;
  bool draining_ = false;
  bool ended_ = false;
};

}  // namespace coracle::http::internal
