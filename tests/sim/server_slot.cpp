#include "tests/sim/server_slot.h"

#include <utility>

#include "base/error.h"

namespace coracle::sim {
namespace {

constexpr Duration kDrainPoll = std::chrono::milliseconds(50);

// A throw-away key of the tests: tokens that it signs are worth nothing.
constexpr std::string_view kSimSigningKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgTEP1N1WBeyYkNRZO\n"
    "0u3A72A+npeQ0KkZYmSB1rAcdZyhRANCAAQrrqAn8aPG7epH29/vYJKLNl8+SPCp\n"
    "XzYhmVhAu/+oWDnBh8En6LTEJ6JQ2CqQuj0DKXhcOZcxSYmt4RcxdHlc\n"
    "-----END PRIVATE KEY-----\n";

}  // namespace

// One watch that passes through: what the reader and the server's end share.
struct ServerSlot::Line {
  std::unique_ptr<http::BodySource> source;
  std::function<void()> wake;
};

class ServerSlot::Watch : public http::BodySource {
 public:
  explicit Watch(std::shared_ptr<Line> line) : line_(std::move(line)) {}

  State pull(std::vector<http::Bytes>& out, std::size_t limit) override {
    return line_->source == nullptr ? State::End : line_->source->pull(out, limit);
  }
  void on_ready(std::function<void()> wake) override {
    line_->wake = wake;
    if (line_->source != nullptr) line_->source->on_ready(std::move(wake));
  }

 private:
  std::shared_ptr<Line> line_;
};

ServerSlot::ServerSlot(Executor& executor, store::Backend& store, Logger log)
    : executor_(executor), store_(store), log_(std::move(log)) {}

ServerSlot::~ServerSlot() = default;

Result<void> ServerSlot::start(const Context& context) {
  kube::apiserver::Options options;
  options.tokens.signing_key_pem = kSimSigningKey;
  options.tokens.verify_keys_pem = {std::string(kSimSigningKey)};
  ASSIGN_OR_RETURN(server_, kube::apiserver::make_server(executor_, store_, std::move(options), log_));
  TRY(server_->start(context));
  open_ = true;
  return {};
}

Result<void> ServerSlot::stop(const Context& context) {
  open_ = false;
  for (const std::weak_ptr<Line>& weak : std::exchange(lines_, {})) {
    const std::shared_ptr<Line> line = weak.lock();
    if (line == nullptr) continue;
    line->source.reset();
    if (line->wake) line->wake();
  }
  while (in_flight_ > 0) TRY(context.sleep(kDrainPoll));
  server_.reset();
  return {};
}

Result<http::Response> ServerSlot::send(const Context& context, const http::Request& request) {
  TRY(context.check());
  if (!open_) return unavailable("the API server is not running");
  ++in_flight_;
  http::Response response = server_->handler().handle(context, request);
  --in_flight_;
  if (response.source == nullptr) return response;
  const auto line = std::make_shared<Line>();
  // A watch that was answered while the server was going is over at once.
  if (open_) {
    line->source = std::move(response.source);
    std::erase_if(lines_, [](const std::weak_ptr<Line>& other) { return other.expired(); });
    lines_.push_back(line);
  }
  response.source = std::make_unique<Watch>(line);
  return response;
}

}  // namespace coracle::sim
