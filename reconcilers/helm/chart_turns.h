#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/context.h"
#include "base/slots.h"
#include "kube/object/object.h"

namespace coracle::reconcilers {

// Lets many charts be under way while few of them compute. Whoever waits, for a repository or for a hook,
// gives its place to others meanwhile, and stops waiting when its chart has changed. Thread-safe.
class ChartTurns {
 public:
  // `busy`: how many charts may be worked on besides those that wait.
  ChartTurns(Executor& executor, unsigned busy) : places_(executor, busy) {}

  // The work on one chart. Only one at a time for each key. For the use of one task.
  class Turn {
   public:
    // From here on the turn learns of changes: read the chart after this.
    Turn(ChartTurns& all, kube::ObjectKey key);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    // Waits for a place.
    Result<void> begin(const Context& context);
    // The chart is another than the one that is worked on, or is to go.
    bool outdated() const { return outdated_.stop_requested(); }

    // Answers what `body` does, which is called with a context that ends as well when the turn is outdated.
    // It is for waiting: until it returns the place is another's.
    template <class Body>
    auto wait(const Context& context, Body&& body) {
      place_.reset();
      const LinkedStop stop(context.stop(), outdated_.get_token());
      auto result = std::forward<Body>(body)(context.with_stop(stop.token()));
      // Fails only when the context has ended, and then little is left to do.
      begin(context).ignore("what follows learns of it from its own context");
      return result;
    }

   private:
    ChartTurns& all_;
    const kube::ObjectKey key_;
    std::stop_source outdated_;
    std::optional<Slots::Slot> place_;
  };

  // The chart has changed: its turn, if there is one, waits for nothing any more.
  void outdate(const kube::ObjectKey& key);

 private:
  Slots places_;
  std::mutex mutex_;
  std::map<kube::ObjectKey, std::stop_source> under_way_;
};

}  // namespace coracle::reconcilers
