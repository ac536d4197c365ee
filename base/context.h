#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace coracle {

class Executor;

// Who asks: the attributes that authentication found out (authentication.k8s.io UserInfo).
struct Identity {
  std::string user;
  std::string uid;
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> extra;
};

// The first argument of everything that can wait: when to give up, where to wait, who asks.
// A value, cheap to copy; handed down, never kept in a member.
class Context {
 public:
  explicit Context(Executor& executor) : executor_(&executor) {}

  Executor& executor() const { return *executor_; }
  const Clock& clock() const;

  Context with_deadline(MonotonicTime deadline) const;  // the earlier one wins
  Context with_timeout(Duration timeout) const;
  Context with_stop(std::stop_token stop) const;  // replaces the token; LinkedStop joins two
  Context with_identity(std::shared_ptr<const Identity> identity) const;
  Context with_trace(std::string trace) const;  // request or reconcile id for log lines

  std::optional<MonotonicTime> deadline() const { return deadline_; }
  const std::stop_token& stop() const { return stop_; }
  const std::shared_ptr<const Identity>& identity() const { return identity_; }
  const std::string& trace() const { return trace_; }

  bool stopped() const { return stop_.stop_requested(); }
  bool expired() const;
  // Canceled when the caller gave up, Timeout when the deadline passed, else success.
  Result<void> check() const;
  // Waits for `duration`; fails as check() does when the context ends first.
  Result<void> sleep(Duration duration) const;

 private:
  Executor* executor_;
  std::optional<MonotonicTime> deadline_;
  std::stop_token stop_;
  std::shared_ptr<const Identity> identity_;
  std::string trace_;
};

// A stop token that stops when either of two others does, for as long as this object lives.
class LinkedStop {
 public:
  LinkedStop(std::stop_token first, std::stop_token second);
  std::stop_token token() const { return source_.get_token(); }

 private:
  struct Forward {
    std::stop_source* source;
    void operator()() const { source->request_stop(); }
  };
  std::stop_source source_;
  std::stop_callback<Forward> first_;
  std::stop_callback<Forward> second_;
};

}  // namespace coracle
