#include "kube/apiserver/testing/test_server.h"

#include <utility>

#include "base/json/json.h"
#include "kube/apiserver/internal/authentication.h"
#include "store/memory.h"

namespace coracle::kube::apiserver::testing {

namespace {

constexpr int kSettleRounds = 64;

// A throw-away key of the tests: tokens that it signs are worth nothing.
constexpr std::string_view kTestSigningKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgTEP1N1WBeyYkNRZO\n"
    "0u3A72A+npeQ0KkZYmSB1rAcdZyhRANCAAQrrqAn8aPG7epH29/vYJKLNl8+SPCp\n"
    "XzYhmVhAu/+oWDnBh8En6LTEJ6JQ2CqQuj0DKXhcOZcxSYmt4RcxdHlc\n"
    "-----END PRIVATE KEY-----\n";

std::shared_ptr<const Identity> test_identity(std::string_view user) {
  Identity identity;
  identity.user = user.empty() ? "admin" : std::string(user);
  if (user.empty()) identity.groups.emplace_back(kMastersGroup);
  identity.groups.emplace_back(kAuthenticatedGroup);
  return std::make_shared<const Identity>(std::move(identity));
}

}  // namespace

TestServer::Watch::Watch(TestServer& server, http::Response response)
    : server_(server), source_(std::move(response.source)) {
  source_->on_ready([] {});
}

TestServer::Watch::~Watch() = default;

void TestServer::Watch::pull() {
  std::vector<http::Bytes> out;
  auto state = http::BodySource::State::More;
  while (state == http::BodySource::State::More) state = source_->pull(out, 65536);
  ended_ = ended_ || state == http::BodySource::State::End;
  for (const http::Bytes& bytes : out) text_ += *bytes;
  std::size_t end = 0;
  while ((end = text_.find('\n')) != std::string::npos) {
    auto event = json::read(text_.substr(0, end));
    events_.push_back(event.ok() ? std::move(event).value() : Value());
    text_.erase(0, end + 1);
  }
}

Value TestServer::Watch::next() {
  for (int round = 0; events_.empty() && round < 2; ++round) {
    if (!ended_) pull();
    if (events_.empty()) server_.settle();
  }
  if (events_.empty()) return {};
  Value event = std::move(events_.front());
  events_.pop_front();
  return event;
}

Result<std::unique_ptr<Server>> TestServer::start(Executor& executor, store::Backend& store) {
  Options options;
  options.tokens.signing_key_pem = std::string(kTestSigningKey);
  options.tokens.verify_keys_pem = {std::string(kTestSigningKey)};
  ASSIGN_OR_RETURN(auto server, make_server(executor, store, std::move(options), Logger(null_log_sink(), "apiserver")));
  server->start(Context(executor)).ignore("a server that did not start fails the test's first request");
  return server;
}

void TestServer::run(const std::function<void(TestServer&)>& test, std::uint64_t seed) {
  const WallTime begin{std::chrono::seconds(1767225600)};
  const std::unique_ptr<SimExecutor> executor = SimExecutor::make(seed, begin);
  executor->run([&] {
    auto store = store::make_memory_backend(*executor);
    auto server = start(*executor, *store);
    TestServer harness(*executor, std::move(store), std::move(server).value());
    test(harness);
  });
}

Context TestServer::context() const {
  return Context(*executor_).with_identity(test_identity({}));
}

http::Response TestServer::raw(std::string_view method, std::string_view target, std::string_view body,
                               http::Headers headers, std::string_view user) {
  http::Request request;
  request.method = method;
  request.path = target.substr(0, target.find('?'));
  if (target.find('?') != std::string_view::npos) request.query = target.substr(target.find('?') + 1);
  request.body = body;
  request.headers = std::move(headers);
  return server_->handler().handle(Context(*executor_).with_identity(test_identity(user)), request);
}

TestServer::Answer TestServer::request(std::string_view method, std::string_view target, std::string_view body,
                                       http::Headers headers, std::string_view user) {
  const http::Response response = raw(method, target, body, std::move(headers), user);
  Answer answer;
  answer.status = response.status;
  answer.headers = response.headers;
  answer.body = response.body_text();
  if (auto tree = json::read(answer.body); tree.ok()) answer.tree = std::move(tree).value();
  return answer;
}

std::unique_ptr<TestServer::Watch> TestServer::watch(std::string_view target, http::Headers headers) {
  http::Response response = raw("GET", target, {}, std::move(headers));
  if (response.source == nullptr) return nullptr;
  return std::make_unique<Watch>(*this, std::move(response));
}

void TestServer::restart() {
  server_.reset();
  server_ = start(*executor_, *store_).value();
}

void TestServer::settle() {
  for (int i = 0; i < kSettleRounds; ++i) executor_->yield();
}

void TestServer::advance(Duration duration) {
  Context(*executor_).sleep(duration).ignore("a context without end");
}

}  // namespace coracle::kube::apiserver::testing
