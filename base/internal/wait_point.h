#pragma once

#include <memory>

#include "base/executor.h"
#include "base/internal/delivery_lane.h"

namespace coracle::internal {

// A wait point for threads and for the fibers that they carry, side by side.
std::unique_ptr<WaitPoint> make_thread_wait_point(std::shared_ptr<DeliveryLane> timers);

}  // namespace coracle::internal
