#include "base/internal/start_thread.h"

#include <pthread.h>
#include <unistd.h>

#include <cstdio>
#include <system_error>
#include <utility>

namespace coracle::internal {

namespace {

constexpr std::size_t kMaxThreadName = 15;

}  // namespace

std::thread start_thread(std::string name, std::function<void()> body) {
  if (name.size() > kMaxThreadName) name.resize(kMaxThreadName);
  try {
    return std::thread([name, body = std::move(body)] {
      pthread_setname_np(pthread_self(), name.c_str());
      body();
    });
  } catch (const std::system_error& error) {
    std::fprintf(stderr,
                 "fatal: cannot start the thread \"%s\": %s; raise the limit of tasks (TasksMax of the service, "
                 "pids.max of the cgroup, ulimit -u) or of memory\n",
                 name.c_str(), error.code().message().c_str());
    _exit(1);
  }
}

}  // namespace coracle::internal
