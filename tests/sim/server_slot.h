#pragma once

#include <memory>
#include <vector>

#include "kube/apiserver/server.h"
#include "kube/client/transport.h"
#include "store/backend.h"

namespace coracle::sim {

// The API server's place: clients keep their transport while the server behind it comes and goes.
class ServerSlot : public kube::Transport {
 public:
  ServerSlot(Executor& executor, store::Backend& store, Logger log);
  ~ServerSlot() override;

  Result<void> start(const Context& context);
  // Breaks every watch, waits for the requests that are being answered, and takes the server away.
  Result<void> stop(const Context& context);

  // Unavailable while there is no server.
  Result<http::Response> send(const Context& context, const http::Request& request) override;

 private:
  class Watch;
  struct Line;

  Executor& executor_;
  store::Backend& store_;
  const Logger log_;
  std::unique_ptr<kube::apiserver::Server> server_;
  bool open_ = false;
  std::size_t in_flight_ = 0;
  std::vector<std::weak_ptr<Line>> lines_;
};

}  // namespace coracle::sim
