#include "kube/apiserver/internal/strategies/network/service_allocator.h"

#include <algorithm>
#include <set>
#include <utility>

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kAddressGroup = "networking.k8s.io";
constexpr std::string_view kFamilyLabel = "ipaddress.kubernetes.io/ip-family";
constexpr std::string_view kManagedByLabel = "ipaddress.kubernetes.io/managed-by";
constexpr std::string_view kManager = "ipallocator.k8s.io";
constexpr std::string_view kAddressAllocated = "provided IP is already allocated";

// More addresses than this are never given out, however large the network is.
constexpr std::size_t kMaxAddresses = std::size_t{1} << 20;
constexpr std::size_t kMinimumBand = 16;
constexpr std::size_t kAddressFraction = 16;
constexpr std::size_t kMaxAddressBand = 256;
constexpr std::size_t kPortFraction = 32;
constexpr std::size_t kMaxPortBand = 128;
// Addresses that turn out to be taken by somebody else, one after the other.
constexpr unsigned kAddressAttempts = 64;
// The first address belongs to default/kubernetes.
constexpr std::size_t kReservedAddresses = 1;
// An address whose service is not there yet may be one that is being made right now.
constexpr Duration kOrphanAge = std::chrono::minutes(1);
constexpr Duration kReleaseTimeout = std::chrono::seconds(10);

WriteRequest address_write(const Context& context, const ResourceDescriptor& resource, std::string_view address) {
  return {context, resource, "", std::string(address), "", std::string(kOwnManager), false, false, nullptr};
}

std::string service_key(std::string_view ns, std::string_view name) {
  return std::string(ns) + "/" + std::string(name);
}

// Releasing must happen although the request that took is over.
Context release_context(const Context& context) {
  return Context(context.executor()).with_identity(context.identity()).with_timeout(kReleaseTimeout);
}

}  // namespace

Result<ServiceAllocator::Pools> ServiceAllocator::empty_pools() const {
  const Options& options = environment_->options();
  const auto network = ipv4_network_of(options.service_cidr);
  constexpr int kMinimumHostBits = 2;
  if (!network || network->prefix > 32 - kMinimumHostBits) {
    return bad_request("service-cidr " + options.service_cidr + " is no IPv4 network with room for services");
  }
  if (options.node_port_first < 1 || options.node_port_last < options.node_port_first) {
    return bad_request("the node port range " + std::to_string(options.node_port_first) + "-" +
                       std::to_string(options.node_port_last) + " is empty");
  }
  // Neither the network's own address nor the broadcast address.
  const std::uint64_t usable = (std::uint64_t{1} << (32 - network->prefix)) - 2;
  const std::size_t addresses = std::min<std::uint64_t>(usable, kMaxAddresses);
  const std::size_t ports = static_cast<std::size_t>(options.node_port_last - options.node_port_first) + 1;
  return Pools{network->base + 1, options.node_port_first,
               NumberPool(addresses, NumberPool::band_size(addresses, kAddressFraction, kMinimumBand, kMaxAddressBand)),
               NumberPool(ports, NumberPool::band_size(ports, kPortFraction, kMinimumBand, kMaxPortBand))};
}

Result<ServiceAllocator::Inventory> ServiceAllocator::read_inventory(const Context& context) const {
  Inventory inventory;
  const auto read = [&](std::string_view group, std::string_view resource, std::vector<Object>& out) -> Result<void> {
    const ResourcePtr descriptor = environment_->resource(group, "v1", resource);
    if (descriptor == nullptr) return internal_error(std::string(resource) + " are not served");
    ASSIGN_OR_RETURN(const auto stored, environment_->store().list(context, *descriptor, ""));
    out.reserve(stored.size());
    for (const StoredObjectPtr& one : stored) {
      ASSIGN_OR_RETURN(Object object, one->object());
      out.push_back(std::move(object));
    }
    return {};
  };
  TRY(read("", "services", inventory.services));
  TRY(read(kAddressGroup, "ipaddresses", inventory.addresses));
  return inventory;
}

// Services whose addresses have no object get one; objects that nobody uses any more go.
Result<void> ServiceAllocator::repair(const Context& context, const Inventory& inventory) const {
  std::set<std::string, std::less<>> known;
  for (const Object& address : inventory.addresses) known.emplace(address.name());
  std::set<std::string> services;
  for (const Object& service : inventory.services) {
    services.insert(service_key(service.namespace_(), service.name()));
    for (const Value& ip : service["spec"]["clusterIPs"].items()) {
      const std::string_view text = ip.as_string();
      if (ip_family(text).empty() || known.contains(text)) continue;
      auto created = create_address(context, text, service.namespace_(), service.name());
      if (!created.ok() && created.error().reason() != Reason::AlreadyExists) return created.error();
    }
  }
  const ResourcePtr resource = environment_->resource(kAddressGroup, "v1", "ipaddresses");
  const WallTime now = context.clock().wall();
  for (const Object& address : inventory.addresses) {
    const Value& parent = address["spec"]["parentRef"];
    const bool ours = address.label(kManagedByLabel) == kManager && parent["resource"].as_string() == "services";
    const std::string service = service_key(parent["namespace"].as_string(), parent["name"].as_string());
    if (!ours || services.contains(service)) continue;
    const auto since = parse_time(address.creation_timestamp());
    // Whoever starts makes that one himself, and an address that a start left behind must not stop the next.
    const bool made_anew = service == "default/kubernetes";
    if (!made_anew && (!since.ok() || now - *since < kOrphanAge)) continue;
    DeleteOptions options;
    options.preconditions.uid = std::string(address.uid());
    environment_->store()
        .remove(address_write(context, *resource, address.name()), options)
        .ignore("an address that stays is only one that is not given out");
  }
  return {};
}

Result<void> ServiceAllocator::load(const Context& context) {
  {
    const std::lock_guard lock(mutex_);
    if (pools_) return {};
  }
  // Nobody takes anything before the pools are there, so whoever is first may install what it read.
  ASSIGN_OR_RETURN(Pools pools, empty_pools());
  ASSIGN_OR_RETURN(Inventory inventory, read_inventory(context));
  TRY(repair(context, inventory));
  ASSIGN_OR_RETURN(inventory, read_inventory(context));
  const std::lock_guard lock(mutex_);
  if (pools_) return {};
  pools_ = std::move(pools);
  const auto mark_address = [&](std::string_view text) {
    if (const auto number = address_number(text)) pools_->addresses.take(*number);
  };
  const auto mark_port = [&](std::int64_t port) {
    const std::int64_t number = port - pools_->first_port;
    if (port != 0 && number >= 0 && number < static_cast<std::int64_t>(pools_->ports.size())) {
      pools_->ports.take(static_cast<std::size_t>(number));
    }
  };
  for (const Object& address : inventory.addresses) mark_address(address.name());
  for (const Object& service : inventory.services) {
    const Value& spec = service["spec"];
    for (const Value& ip : spec["clusterIPs"].items()) mark_address(ip.as_string());
    mark_address(spec["clusterIP"].as_string());
    for (const Value& port : spec["ports"].items()) mark_port(port["nodePort"].as_int());
    mark_port(spec["healthCheckNodePort"].as_int());
  }
  return {};
}

std::optional<std::size_t> ServiceAllocator::address_number(std::string_view address) const {
  const auto number = ipv4_number(address);
  if (!number || *number < pools_->first_address) return std::nullopt;
  const std::size_t index = *number - pools_->first_address;
  if (index >= pools_->addresses.size()) return std::nullopt;
  return index;
}

Result<void> ServiceAllocator::create_address(const Context& context, std::string_view address, std::string_view ns,
                                              std::string_view name) const {
  const ResourcePtr resource = environment_->resource(kAddressGroup, "v1", "ipaddresses");
  if (resource == nullptr) return internal_error("ipaddresses are not served");
  Value labels = Value::object({{kFamilyLabel, ip_family(address)}, {kManagedByLabel, kManager}});
  Value parent = Value::object({{"resource", "services"}, {"namespace", ns}, {"name", name}});
  Object object(Value::object({{"apiVersion", "networking.k8s.io/v1"},
                               {"kind", "IPAddress"},
                               {"metadata", Value::object({{"name", address}, {"labels", std::move(labels)}})},
                               {"spec", Value::object({{"parentRef", std::move(parent)}})}}));
  auto created = environment_->store().create(address_write(context, *resource, address), std::move(object));
  if (!created.ok()) return created.error();
  return {};
}

Result<std::string> ServiceAllocator::take_address(const WriteContext& write, const Object& service,
                                                   std::string_view wanted) {
  Random& random = write.context.executor().random();
  for (unsigned attempt = 0; attempt < kAddressAttempts; ++attempt) {
    std::string address;
    {
      const std::lock_guard lock(mutex_);
      std::optional<std::size_t> number;
      if (wanted.empty()) {
        number = pools_->addresses.take_any(random, kReservedAddresses);
        if (!number) return internal_error("failed to allocate a serviceIP: range is full");
      } else {
        number = address_number(wanted);
        if (!number) {
          return bad_request("the provided IP (" + std::string(wanted) +
                             ") is not in the valid range. The range of valid IPs is " +
                             environment_->options().service_cidr);
        }
        if (!pools_->addresses.take(*number)) return Error(Reason::AlreadyExists, std::string(kAddressAllocated));
      }
      address = ipv4_text(pools_->first_address + static_cast<std::uint32_t>(*number));
    }
    if (write.dry_run) return address;
    auto created = create_address(write.context, address, service.namespace_(), service.name());
    if (created.ok()) return address;
    // Somebody else has it: it stays marked, until its object goes.
    const bool taken = created.error().reason() == Reason::AlreadyExists;
    if (!taken) {
      release_address(write.context, address, true);
      return created.error();
    }
    if (!wanted.empty()) return Error(Reason::AlreadyExists, std::string(kAddressAllocated));
  }
  return internal_error("failed to allocate a serviceIP: no free address was found");
}

void ServiceAllocator::release_address(const Context& context, std::string_view address, bool dry_run) {
  if (!dry_run) {
    const ResourcePtr resource = environment_->resource(kAddressGroup, "v1", "ipaddresses");
    const Context own = release_context(context);
    auto removed = environment_->store().remove(address_write(own, *resource, address), {});
    // Its end tells address_deleted(); an address that could not be removed is found at the next start.
    if (removed.ok() || removed.error().reason() != Reason::NotFound) return;
  }
  const std::lock_guard lock(mutex_);
  if (!pools_) return;
  if (const auto number = address_number(address)) pools_->addresses.release(*number);
}

void ServiceAllocator::address_deleted(const Context& context, const Object& address) {
  const Value& parent = address["spec"]["parentRef"];
  const ResourcePtr services = environment_->resource("", "v1", "services");
  const Context own = release_context(context);
  auto service = environment_->store().get(own, *services, parent["namespace"].as_string(), parent["name"].as_string());
  if (service.ok()) {
    for (const Value& ip : (*service)["spec"]["clusterIPs"].items()) {
      if (ip.as_string() == address.name()) return;
    }
  }
  const std::lock_guard lock(mutex_);
  if (!pools_) return;
  if (const auto number = address_number(address.name())) pools_->addresses.release(*number);
}

bool ServiceAllocator::has_port(std::int64_t port) const {
  const Options& options = environment_->options();
  return port >= options.node_port_first && port <= options.node_port_last;
}

Result<std::int64_t> ServiceAllocator::take_port(Random& random, std::int64_t wanted) {
  const std::lock_guard lock(mutex_);
  if (wanted == 0) {
    const auto number = pools_->ports.take_any(random);
    if (!number) return internal_error("range is full");
    return pools_->first_port + static_cast<std::int64_t>(*number);
  }
  const std::int64_t number = wanted - pools_->first_port;
  if (number < 0 || number >= static_cast<std::int64_t>(pools_->ports.size())) {
    const Options& options = environment_->options();
    return bad_request("provided port is not in the valid range. The range of valid ports is " +
                       std::to_string(options.node_port_first) + "-" + std::to_string(options.node_port_last));
  }
  if (!pools_->ports.take(static_cast<std::size_t>(number))) {
    return Error(Reason::AlreadyExists, "provided port is already allocated");
  }
  return wanted;
}

void ServiceAllocator::release_port(std::int64_t port) {
  const std::lock_guard lock(mutex_);
  if (!pools_) return;
  const std::int64_t number = port - pools_->first_port;
  if (number < 0 || number >= static_cast<std::int64_t>(pools_->ports.size())) return;
  pools_->ports.release(static_cast<std::size_t>(number));
}

}  // namespace coracle::kube::apiserver
