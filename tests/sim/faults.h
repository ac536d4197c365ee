#pragma once

#include <array>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/executor.h"
#include "base/random.h"
#include "kube/client/transport.h"
#include "tests/sim/journal.h"

namespace coracle::sim {

enum class Fault : std::uint8_t {
  CrashBeforeWrite,
  CrashAfterWrite,
  ServerRestart,
  Delay,
  Conflict,
  TooManyRequests,
  ServerError,
  UnknownOutcome,  // committed, but the answer is a time-out
  LateEvents,
  MergedEvents,
  DroppedEvents,  // the rest of a watch is lost, then it says that it has expired
  EndedWatch,
  Compaction,
  ClockJump,
  SourceFailure,  // of a git remote or a chart repository
  Count,
};
inline constexpr std::size_t kFaultKinds = static_cast<std::size_t>(Fault::Count);
std::string_view fault_name(Fault fault);
using FaultCounts = std::array<std::uint64_t, kFaultKinds>;

// Decides by its own seeded sequence which faults happen, and counts them.
class Faults {
 public:
  Faults(std::uint64_t seed, Journal& journal)
      : random_(seeded_random(seed)), journal_(journal), intensity_(1 + static_cast<unsigned>(below(kMostIntense))) {}

  // From now on the world is kind.
  void stop() { active_ = false; }
  bool active() const { return active_; }
  // True `permille` times of a thousand, and in some runs a multiple of that, while active. Whoever asks carries it
  // out.
  bool happens(Fault fault, unsigned permille, std::string_view who, std::string_view about);
  // A fault that was decided otherwise.
  void record(Fault fault, std::string_view who, std::string_view about);
  // Uniform below `bound`.
  Duration some(Duration bound);
  std::uint64_t below(std::uint64_t bound) { return random_->below(bound); }
  const FaultCounts& counts() const { return counts_; }

 private:
  static constexpr std::uint64_t kMostIntense = 5;

  const std::unique_ptr<Random> random_;
  Journal& journal_;
  const unsigned intensity_;
  bool active_ = true;
  FaultCounts counts_{};
};

// Ends a component's task where it stands: thrown by its transport, caught by the controller.
class SimulatedCrash : public std::exception {
 public:
  const char* what() const noexcept override { return "the simulation ends this component here"; }
};

// What a watch brings, before faults touch it: one line, or the end of the stream.
using WatchObserver = std::function<void(std::string_view line)>;

// A component's way to the API server, with everything that can go wrong on it. At the n-th write the
// component crashes: the request throws, every later one fails, and `on_crash` has been called, once.
struct FaultTransportOptions {
  std::string component;
  std::function<void()> on_crash;
  // Makes the observer of one watch.
  std::function<WatchObserver(const http::Request&)> observe = {};
};
std::unique_ptr<kube::Transport> make_fault_transport(kube::Transport& inner, Faults& faults,
                                                      FaultTransportOptions options);

// A watch whose lines come late, merged, not at all, or end early.
std::unique_ptr<http::BodySource> make_faulty_watch(Executor& executor, std::unique_ptr<http::BodySource> inner,
                                                    Faults& faults, std::string component, WatchObserver observe);

}  // namespace coracle::sim
