#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/log.h"
#include "kube/client/client.h"

namespace coracle::kube {

enum class EventType : std::uint8_t { Normal, Warning };

using EventAnnotations = std::map<std::string, std::string>;

// Writes core/v1 Events about objects. The same event again within ten minutes raises the count of
// the first one; of each object 25 are written at once, and one more every five minutes (client-go's limits), the
// others are dropped. Failures are logged and swallowed: an event is never worth failing for. Thread-safe.
class EventRecorder {
 public:
  // `component` becomes source.component.
  EventRecorder(const Client& client, std::string component, Logger log);

  void record(const Context& context, const Object& about, EventType type, std::string_view reason,
              std::string_view message, const EventAnnotations& annotations = {});

 private:
  struct Known {
    ObjectKey key;
    std::int64_t count;
    MonotonicTime last;
  };

  struct Budget {
    double events;
    MonotonicTime filled;
  };

  // Whether there is room for one more event about the object; takes it.
  bool admit(const Context& context, const Object& about);
  Result<void> raise(const Context& context, Known& known, std::string_view now);
  Result<ObjectKey> write_new(const Context& context, const Object& about, EventType type, std::string_view reason,
                              std::string_view message, const EventAnnotations& annotations, std::string_view now);

  const Client& client_;
  const std::string component_;
  const Logger log_;
  std::mutex mutex_;
  std::map<std::string, Known> known_;
  std::map<std::string, Budget> budgets_;
};

}  // namespace coracle::kube
