#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/http/message.h"
#include "base/sim_executor.h"
#include "base/value.h"
#include "kube/apiserver/server.h"
#include "store/backend.h"

namespace coracle::kube::apiserver::testing {

// A whole API server over the memory backend under virtual time, asked in process.
class TestServer {
 public:
  struct Answer {
    int status = 0;
    http::Headers headers;
    std::string body;
    Value tree;  // of a JSON body, else null
  };

  // An open watch: events in the order in which they came.
  class Watch {
   public:
    Watch(TestServer& server, http::Response response);
    ~Watch();
    // The next event; null when none comes although everything else has come to rest.
    Value next();
    bool ended() const { return ended_; }

   private:
    void pull();

    TestServer& server_;
    std::unique_ptr<http::BodySource> source_;
    std::string text_;
    std::deque<Value> events_;
    bool ended_ = false;
  };

  // Runs `test` with a server that has written its first objects.
  static void run(const std::function<void(TestServer&)>& test, std::uint64_t seed = 1);
  // A server alone, on any executor and store.
  static Result<std::unique_ptr<Server>> start(Executor& executor, store::Backend& store);

  // `target`: path and query. The asker is in system:masters unless `user` names somebody else.
  Answer request(std::string_view method, std::string_view target, std::string_view body = {},
                 http::Headers headers = {}, std::string_view user = {});
  http::Response raw(std::string_view method, std::string_view target, std::string_view body = {},
                     http::Headers headers = {}, std::string_view user = {});
  std::unique_ptr<Watch> watch(std::string_view target, http::Headers headers = {});

  SimExecutor& executor() { return *executor_; }
  store::Backend& store() { return *store_; }
  Server& server() { return *server_; }
  Context context() const;
  // Another server over the same store takes its place; watches must have ended.
  void restart();
  // Lets everything that can run do so.
  void settle();
  // Lets virtual time pass.
  void advance(Duration duration);

 private:
  TestServer(SimExecutor& executor, std::unique_ptr<store::Backend> store, std::unique_ptr<Server> server)
      : executor_(&executor), store_(std::move(store)), server_(std::move(server)) {}

  SimExecutor* executor_;
  std::unique_ptr<store::Backend> store_;
  std::unique_ptr<Server> server_;
};

}  // namespace coracle::kube::apiserver::testing
