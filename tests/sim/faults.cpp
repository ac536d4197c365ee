#include "tests/sim/faults.h"

#include <utility>

#include "base/json/json.h"
#include "kube/object/status.h"
#include "tests/sim/observed_store.h"

namespace coracle::sim {
namespace {

constexpr std::array<std::string_view, kFaultKinds> kFaultNames = {
    "crash-before-write", "crash-after-write", "server-restart",  "delay",       "conflict",
    "too-many-requests",  "server-error",      "unknown-outcome", "late-events", "merged-events",
    "dropped-events",     "ended-watch",       "compaction",      "clock-jump",  "source-failure"};

// How often, in a thousand requests.
constexpr unsigned kDelayed = 60;
constexpr unsigned kRefused = 12;
constexpr unsigned kOutcomeUnknown = 20;
// A component's writes until it crashes are drawn below this.
constexpr std::uint64_t kWritesUntilCrash = 60;
constexpr Duration kLongestDelay = std::chrono::seconds(3);

http::Response refusal(Reason reason, std::string message) {
  const Error error(reason, "injected: " + std::move(message));
  http::Response response = http::Response::text(error.code(), json::write(kube::to_status(error)), "application/json");
  if (reason == Reason::TooManyRequests) response.headers.set("Retry-After", "1");
  return response;
}

bool is_write(const http::Request& request) {
  return request.method != "GET" && request.query.find("dryRun=") == std::string::npos;
}

class FaultTransport : public kube::Transport {
 public:
  FaultTransport(kube::Transport& inner, Faults& faults, FaultTransportOptions options)
      : inner_(inner),
        faults_(faults),
        options_(std::move(options)),
        writes_left_(1 + faults.below(kWritesUntilCrash)),
        crash_after_(faults.below(2) == 0) {}

  Result<http::Response> send(const Context& context, const http::Request& request) override {
    const bool write = is_write(request);
    if (crashed_) return refuse_after_crash(write);
    const std::string about = request.method + " " + request.path;
    if (faults_.happens(Fault::Delay, kDelayed, options_.component, about)) {
      TRY(context.sleep(faults_.some(kLongestDelay)));
      if (crashed_) return refuse_after_crash(write);
    }
    const bool last_write = write && faults_.active() && --writes_left_ == 0;
    if (last_write && !crash_after_) crash(Fault::CrashBeforeWrite, about);
    if (std::optional<http::Response> refused = refuse(write, request, about)) return std::move(*refused);

    http::Request named = request;
    named.headers.set("Audit-Id", audit_id(options_.component, request.method, ++requests_));
    Result<http::Response> response = inner_.send(context, named);
    if (last_write) {
      response.ok();
      crash(Fault::CrashAfterWrite, about);
    }
    if (!response.ok()) return response;
    if (write && faults_.happens(Fault::UnknownOutcome, kOutcomeUnknown, options_.component, about)) {
      if (faults_.below(2) == 0) return Error(Reason::Timeout, "injected: no answer in time");
      return refusal(Reason::Timeout, "the request took too long");
    }
    if (response->source != nullptr) {
      response->source = make_faulty_watch(context.executor(), std::move(response->source), faults_,
                                           options_.component + " " + request.path,
                                           options_.observe ? options_.observe(request) : WatchObserver());
    }
    return response;
  }

 private:
  [[noreturn]] void crash(Fault kind, const std::string& about) {
    crashed_ = true;
    faults_.record(kind, options_.component, about);
    options_.on_crash();
    throw SimulatedCrash();
  }

  // Reads come from informers, too, where nobody catches.
  static Error refuse_after_crash(bool write) {
    if (write) throw SimulatedCrash();
    return canceled("this component has crashed");
  }

  std::optional<http::Response> refuse(bool write, const http::Request& request, const std::string& about) {
    const std::string& who = options_.component;
    if (write && request.method != "POST" && faults_.happens(Fault::Conflict, kRefused, who, about)) {
      return refusal(Reason::Conflict, "the object has been modified; please apply your changes to the latest version");
    }
    if (faults_.happens(Fault::TooManyRequests, kRefused, who, about)) {
      return refusal(Reason::TooManyRequests, "too many requests, please try again later");
    }
    if (faults_.happens(Fault::ServerError, kRefused, who, about)) {
      return faults_.below(2) == 0 ? refusal(Reason::InternalError, "internal error")
                                   : refusal(Reason::ServiceUnavailable, "service unavailable");
    }
    return std::nullopt;
  }

  kube::Transport& inner_;
  Faults& faults_;
  const FaultTransportOptions options_;
  std::uint64_t writes_left_;
  const bool crash_after_;
  std::uint64_t requests_ = 0;
  bool crashed_ = false;
};

}  // namespace

std::string_view fault_name(Fault fault) {
  return kFaultNames[static_cast<std::size_t>(fault)];
}

bool Faults::happens(Fault fault, unsigned permille, std::string_view who, std::string_view about) {
  constexpr std::uint64_t kThousand = 1000;
  if (!active_ || random_->below(kThousand) >= permille * intensity_) return false;
  record(fault, who, about);
  return true;
}

void Faults::record(Fault fault, std::string_view who, std::string_view about) {
  ++counts_[static_cast<std::size_t>(fault)];
  journal_.note(who, "FAULT", std::string(fault_name(fault)) + " " + std::string(about));
}

Duration Faults::some(Duration bound) {
  return Duration(random_->below(static_cast<std::uint64_t>(bound.count())));
}

std::unique_ptr<kube::Transport> make_fault_transport(kube::Transport& inner, Faults& faults,
                                                      FaultTransportOptions options) {
  return std::make_unique<FaultTransport>(inner, faults, std::move(options));
}

}  // namespace coracle::sim
