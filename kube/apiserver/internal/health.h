#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "kube/apiserver/internal/endpoint_table.h"

namespace coracle::kube::apiserver {

// The checks behind /healthz, /livez and /readyz. Thread-safe.
class Health {
 public:
  enum Probe : unsigned { kHealthz = 1, kLivez = 2, kReadyz = 4, kEvery = 7 };
  using Check = std::function<std::string()>;  // "" when all is well, else what is wrong

  // Checks are listed in the order in which they were added.
  void add(std::string name, Check check, unsigned probes = kEvery);
  // ?verbose, ?exclude= and /<probe>/<check> as upstream answers them.
  void add_endpoints(EndpointTable& endpoints);

 private:
  struct Entry {
    std::string name;
    Check check;
    unsigned probes;
  };
  std::vector<Entry> entries(Probe probe) const;
  http::Response answer(const RequestScope& scope, std::string_view path, Probe probe) const;

  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
};

}  // namespace coracle::kube::apiserver
