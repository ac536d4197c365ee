#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/result.h"

namespace coracle::http {

// Header fields in arrival order; names compare without case.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}

  // The first value, or empty.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  std::vector<std::string_view> all(std::string_view name) const;
  void add(std::string name, std::string value);
  void set(std::string_view name, std::string value);  // replaces every field of that name
  void remove(std::string_view name);
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// A decoded query string; order and repetition are kept.
class Query {
 public:
  static Query parse(std::string_view raw);
  // The first value, or empty.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  std::vector<std::string_view> all(std::string_view name) const;
  void add(std::string name, std::string value);
  std::string encode() const;
  bool empty() const { return parameters_.empty(); }

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

std::string percent_encode(std::string_view text);  // everything but unreserved characters
Result<std::string> percent_decode(std::string_view text);

// What is known of the other end.
struct Peer {
  std::string address;  // "127.0.0.1:51234"; empty in process
  bool loopback = false;
  bool tls = false;
  std::vector<std::string> certificates_pem;  // client certificate chain as sent, leaf first; not verified
};

struct Request {
  std::string method;  // "GET"
  std::string path;    // decoded no further than the bytes sent, without query: "/api/v1/namespaces"
  std::string query;   // raw, without '?'
  Headers headers;
  std::string body;
  Peer peer;
  int version_major = 1;
};

// Immutable bytes that several answers may share.
using Bytes = std::shared_ptr<const std::string>;
Bytes bytes(std::string text);

// A body that comes over time (a watch, a log). The transport pulls; nothing here may wait.
class BodySource {
 public:
  enum class State : std::uint8_t { More, Pending, End };

  // Destruction means that the other end is gone or has all it wanted.
  virtual ~BodySource() = default;
  // Appends what there is now, about `limit` bytes at most. More: call again; Pending: nothing until
  // the wake callback runs; End: the body is complete.
  virtual State pull(std::vector<Bytes>& out, std::size_t limit) = 0;
  // Called once before the first pull. `wake` may be called from any thread, also after a pull that
  // answered More; it never blocks and outlives the source.
  virtual void on_ready(std::function<void()> wake) = 0;
  // False: no pull ever answers Pending, so that whoever wants the whole body may pull until the end.
  virtual bool waits() const { return true; }
};

// Two-way bytes after "101 Switching Protocols" (WebSocket, SPDY).
class UpgradedStream {
 public:
  virtual ~UpgradedStream() = default;
  virtual Result<std::string> read(const Context& context) = 0;  // empty at end
  virtual Result<void> write(const Context& context, std::string_view data) = 0;
  virtual void close() = 0;
};

// A body whose reader talks back, after "101 Switching Protocols" (a watch over WebSocket). Stays on the I/O thread, so
// that a connection on which little happens costs no thread.
class DuplexSource : public BodySource {
 public:
  // What the other end sent, in order, on the thread that pulls; never waits. A pull follows it. The other end may be
  // gone without a word: then the source is destroyed.
  virtual void receive(std::string_view data) = 0;
};

struct Response {
  int status = 200;
  Headers headers;
  // Exactly one of: segments written one after another (Content-Length is set by the transport) ...
  std::vector<Bytes> body;
  // ... a body that comes over time (chunked in HTTP/1.1) ...
  std::unique_ptr<BodySource> source;
  // ... or, with status 101, what runs on a Blocking task once the switch is done ...
  std::function<void(const Context&, std::unique_ptr<UpgradedStream>)> upgraded;
  // ... or, with status 101, what is pulled and told by the I/O thread once the switch is done.
  std::unique_ptr<DuplexSource> duplex;

  static Response text(int status, std::string body, std::string content_type = "text/plain; charset=utf-8");
  // The whole body as one string; only for bodies that are complete, or of a source that does not wait, which is
  // at its end then.
  std::string body_text() const;
};

// Answers requests. Called on Worker tasks, concurrently. In-process callers call it directly.
class Handler {
 public:
  virtual ~Handler() = default;
  // Whether answering takes no more than some ten microseconds of computing, waits aside: such a request
  // is handled on the I/O thread that read it, which saves waking another.
  virtual bool is_quick(const Request&) const { return false; }
  virtual Response handle(const Context& context, const Request& request) = 0;
  // What to answer where the transport takes no request: too large, late or unreadable. On an I/O thread.
  virtual Response refusal(int status, std::string_view why) const {
    return Response::text(status, std::string(why) + "\n");
  }
};

}  // namespace coracle::http
