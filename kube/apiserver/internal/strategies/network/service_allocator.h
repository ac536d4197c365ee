#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "kube/apiserver/internal/resource.h"
#include "kube/apiserver/internal/strategies/environment.h"
#include "kube/apiserver/internal/strategies/network/number_pool.h"

namespace coracle::kube::apiserver {

// Who has which cluster IP and which node port. Cluster IPs are IPAddress objects in the store, so no
// two servers give out the same one; what is kept here says quickly which are free. Reads services and
// addresses at the first use. Thread-safe.
// https://kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation/
class ServiceAllocator {
 public:
  explicit ServiceAllocator(std::shared_ptr<const StrategyEnvironment> environment)
      : environment_(std::move(environment)) {}

  // Must have succeeded before anything is taken; cheap once it has.
  Result<void> load(const Context& context);

  // `wanted` empty: some address. The errors are those of upstream's allocator, for the field's message.
  Result<std::string> take_address(const WriteContext& write, const Object& service, std::string_view wanted);
  void release_address(const Context& context, std::string_view address, bool dry_run);
  // The IPAddress object is gone: the address is free unless its service still has it.
  void address_deleted(const Context& context, const Object& address);

  // Is the number in the range of node ports?
  bool has_port(std::int64_t port) const;
  // `wanted` 0: some port.
  Result<std::int64_t> take_port(Random& random, std::int64_t wanted);
  void release_port(std::int64_t port);

 private:
  struct Pools {
    std::uint32_t first_address = 0;
    std::int64_t first_port = 0;
    NumberPool addresses;
    NumberPool ports;
  };
  // What the store says: services that have addresses, and the addresses' objects.
  struct Inventory {
    std::vector<Object> services;
    std::vector<Object> addresses;
  };

  Result<Pools> empty_pools() const;
  Result<Inventory> read_inventory(const Context& context) const;
  Result<void> repair(const Context& context, const Inventory& inventory) const;
  Result<void> create_address(const Context& context, std::string_view address, std::string_view ns,
                              std::string_view name) const;
  std::optional<std::size_t> address_number(std::string_view address) const;

  const std::shared_ptr<const StrategyEnvironment> environment_;
  mutable std::mutex mutex_;
  std::optional<Pools> pools_;  // nothing until the store has been read
};

}  // namespace coracle::kube::apiserver
