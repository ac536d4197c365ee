#include "base/testing/standard_error.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/file_descriptor.h"
#include "base/files.h"

namespace coracle::testing {

StandardErrorCapture::StandardErrorCapture() : path_("/tmp/coracle-stderr-XXXXXX"), saved_(dup(STDERR_FILENO)) {
  const FileDescriptor file(mkstemp(path_.data()));
  dup2(file.get(), STDERR_FILENO);
}

StandardErrorCapture::~StandardErrorCapture() {
  std::fflush(stderr);
  dup2(saved_, STDERR_FILENO);
  close(saved_);
  unlink(path_.c_str());
}

std::string StandardErrorCapture::text() const {
  constexpr std::size_t kMaxText = 16 * 1024 * 1024;
  std::fflush(stderr);
  return read_file(path_, kMaxText).value_or("");
}

std::string output_of_abort(const std::function<void()>& body) {
  const StandardErrorCapture capture;
  const pid_t child = fork();
  if (child == 0) {
    // Neither the test framework nor a sanitizer shall make a report of it.
    signal(SIGABRT, SIG_DFL);
    body();
    _exit(0);
  }
  int status = 0;
  const bool aborted = waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
  return aborted ? capture.text() : "";
}

}  // namespace coracle::testing
