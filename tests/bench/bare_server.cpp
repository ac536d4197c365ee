// What a load generator can get at best on this machine: the transport without an API server behind it.
// A POST is written to a file and synced, then sent to every watch as an event; a GET answers constant bytes.
//
//   bare_server FILE PORT [LIST]
//
// FILE takes the writes, LIST holds what a list answers. Runs until standard input ends.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "base/http/server.h"
#include "base/paced_task.h"
#include "base/sync.h"
#include "base/text.h"
#include "tests/bench/bench_server.h"

namespace coracle {
namespace {

// About what a commit of one object writes.
constexpr std::size_t kSyncedBytes = 16 * 1024;
constexpr off_t kFileBytes = 4 * 1024 * 1024;
// What an API server adds to an object, so that as many bytes travel.
constexpr std::string_view kMetadata = R"("metadata":{)";
constexpr std::string_view kServerFields =
    R"("namespace":"apiload","uid":"ade15705-5151-4a98-8032-16fc33a24ed0","resourceVersion":"299",)"
    R"("creationTimestamp":"2026-11-26T02:53:18Z","managedFields":[{"manager":"Go-http-client",)"
    R"("operation":"Update","apiVersion":"v1","time":"2026-11-26T02:53:18Z","fieldsType":"FieldsV1",)"
    R"("fieldsV1":{"f:data":{".":{},"f:k":{}},"f:metadata":{"f:labels":{".":{},"f:app":{},"f:shard":{}}}}}],)";
// A round of the API server's deliveries.
constexpr Duration kPause = std::chrono::milliseconds(5);

// Every event so far, and who follows them.
class Events {
 public:
  explicit Events(Executor& executor) : delivery_(executor, [this] { return deliver(); }) {}

  void add(http::Bytes event) {
    {
      const std::lock_guard lock(mutex_);
      events_.push_back(std::move(event));
    }
    delivery_.ask();
  }

  class Stream : public http::BodySource {
   public:
    explicit Stream(Events& events) : events_(events), next_(events.join(*this)) {}
    ~Stream() override { events_.leave(*this); }
    void on_ready(std::function<void()> wake) override {
      const std::lock_guard lock(events_.mutex_);
      wake_ = std::move(wake);
    }
    State pull(std::vector<http::Bytes>& out, std::size_t) override {
      const std::lock_guard lock(events_.mutex_);
      while (next_ < events_.events_.size()) out.push_back(events_.events_[next_++]);
      return State::Pending;
    }

   private:
    friend class Events;
    Events& events_;
    std::size_t next_;
    std::function<void()> wake_;
  };

 private:
  std::size_t join(Stream& stream) {
    const std::lock_guard lock(mutex_);
    streams_.insert(&stream);
    return events_.size();
  }
  void leave(Stream& stream) {
    const std::lock_guard lock(mutex_);
    streams_.erase(&stream);
  }
  Duration deliver() {
    const std::lock_guard lock(mutex_);
    for (const Stream* stream : streams_) {
      if (stream->wake_) stream->wake_();
    }
    return kPause;
  }

  std::mutex mutex_;
  std::vector<http::Bytes> events_;
  std::set<Stream*> streams_;
  PacedTask delivery_;
};

class BareHandler : public http::Handler {
 public:
  BareHandler(Executor& executor, int file, std::string list)
      : file_(file), list_(http::bytes(std::move(list))), events_(executor) {}

  bool is_quick(const http::Request&) const override { return true; }

  http::Response handle(const Context& context, const http::Request& request) override {
    if (request.method == "POST") return write(context, request);
    http::Response response;
    response.headers.set("Content-Type", "application/json");
    if (http::Query::parse(request.query).has("watch")) {
      response.source = std::make_unique<Events::Stream>(events_);
    } else {
      response.body.push_back(list_);
    }
    return response;
  }

 private:
  http::Response write(const Context& context, const http::Request& request) {
    Event synced(context.executor());
    context.executor().post(Lane::Blocking, [&] {
      sync();
      synced.set();
    });
    if (!synced.wait(context).ok()) return http::Response::text(503, "stopping\n");
    std::string object = request.body;
    const std::size_t metadata = object.find(kMetadata);
    if (metadata != std::string::npos) object.insert(metadata + kMetadata.size(), kServerFields);
    events_.add(http::bytes(R"({"type":"ADDED","object":)" + object + "}\n"));
    return http::Response::text(201, std::move(object), "application/json");
  }

  // One after another, as a store's writer.
  void sync() {
    const std::lock_guard lock(mutex_);
    const std::string block(kSyncedBytes, 'x');
    const bool good = pwrite(file_, block.data(), block.size(), offset_) == static_cast<ssize_t>(block.size()) &&
                      fdatasync(file_) == 0;
    if (!good) std::perror("bare_server: write");
    offset_ = (offset_ + static_cast<off_t>(kSyncedBytes)) % kFileBytes;
  }

  const int file_;
  const http::Bytes list_;
  Events events_;
  std::mutex mutex_;
  off_t offset_ = 0;
};

Result<void> run(const char* path, std::uint16_t port, std::string list) {
  const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return unavailable(std::string("cannot open ") + path);
  const auto executor = make_thread_executor();
  BareHandler handler(*executor, file, std::move(list));
  return serve_until_input_ends(*executor, handler, port, Logger(make_log_sink(LogLevel::Warning), "bench"));
}

}  // namespace
}  // namespace coracle

int main(int argc, char** argv) {
  const auto port = argc == 3 || argc == 4 ? coracle::parse_int<std::uint16_t>(argv[2]) : std::nullopt;
  if (!port) {
    std::fputs("usage: bare_server FILE PORT [LIST]\n", stderr);
    return 2;
  }
  std::string list = R"({"metadata":{"resourceVersion":"1"}})";
  if (argc == 4) {
    std::ifstream file(argv[3]);
    list.assign(std::istreambuf_iterator<char>(file), {});
  }
  const auto served = coracle::run(argv[1], *port, std::move(list));
  if (!served.ok()) std::fprintf(stderr, "%s\n", served.error().message().c_str());
  return served.ok() ? 0 : 1;
}
