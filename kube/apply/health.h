#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "kube/object/object.h"

namespace coracle::kube {

// How far an object is on its way to what its spec asks for, as kstatus computes it.
struct Health {
  enum class State : std::uint8_t { InProgress, Failed, Current, Terminating };
  State state = State::InProgress;
  std::string message;
};

std::string_view health_text(Health::State state);

// Pure. A Job counts as current only when it is complete, as Flux waits for it.
Health health_of(const Object& object, WallTime now);

}  // namespace coracle::kube
