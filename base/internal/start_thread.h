#pragma once

#include <functional>
#include <string>
#include <thread>

namespace coracle::internal {

// A thread of this name (the kernel keeps 15 characters). A process that is refused one cannot keep what it has
// promised, those who wait for it would wait for ever: it ends with code 1 and a line that says which limit to raise.
std::thread start_thread(std::string name, std::function<void()> body);

}  // namespace coracle::internal
